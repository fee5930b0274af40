"""Each payment's money is asked back where it was taken (contracts: payment-sync 6.2)."""

from __future__ import annotations

from pathlib import Path

from activities.easycount.gateway import EasyCountGateway
from activities.platform.gateway import PlatformGateway
from activities.platform.settings import PlatformAccount
from domain.platform import Payment
from store import Store
from store.installation import PlatformSettings
from tests.activities.platform import trip
from workers.gateways import gateways


def test_a_page_s_payment_goes_back_through_its_page_and_any_other_through_the_platform(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/store.db")
    account = PlatformAccount.open(PlatformSettings(source=trip.SOURCE), "test")
    port = gateways(store, {trip.AGENCY: account})
    on_page = Payment.model_validate(trip.payment(processor={"name": "easycount", "payment_ref": "ksys-1"}))
    assert isinstance(port(trip.AGENCY, on_page), EasyCountGateway)
    assert isinstance(port(trip.AGENCY, Payment.model_validate(trip.payment())), PlatformGateway)
