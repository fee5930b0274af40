"""TINA for the conformance suite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from sandbox.tina.stand_in import PASSWORD, USERNAME, TinaStandIn
from tests.activities.midoffice.stage import staged
from tests.activities.midoffice.under_test import Held, Paid, UnderTest

STATUS = {"OK": "CONFIRMED", "RQ": "REQUESTED", "XX": "CANCELLED"}


@contextmanager
def tina() -> Iterator[UnderTest]:
    stand_in = TinaStandIn(resellers=frozenset({"AG01"}), suppliers=frozenset({"RATEHAWK", "70012"}))

    def held() -> dict[str, Held]:
        return {
            one["bookingId"]: Held(
                STATUS[one["status"]],  # type: ignore[arg-type]
                Decimal(one["price"]),
                Decimal(one["cost"]),
                one["persons"],
                one["revision"],
            )
            for one in stand_in.state()["bookings"]
        }

    def paid() -> list[Paid]:
        found = stand_in.state()["payments"]
        return [Paid(one["transaction"], Decimal(one["Amount"]), one["CurrencyCode"]) for one in found]

    with staged(stand_in) as url:
        yield UnderTest(
            name="tina",
            stand_in=stand_in,
            section={
                "kind": "tina",
                "url": url,
                "username": USERNAME,
                "password": PASSWORD,
                "reseller_code": "AG01",
                "supplier_numbers": {"sup_rh": "RATEHAWK", "sup_direct": "70012"},
                "timeout": 1.0,
            },
            operations={
                "create": "BookingImport",
                "change": "BookingImport",
                "cancel": "BookingCancel",
                "pay": "PaymentImport",
                "find": "ReservationDetails",
            },
            stranger={"password": "wrong-one"},
            held=held,
            paid=paid,
        )
