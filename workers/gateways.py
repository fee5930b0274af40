"""Which gateway holds the money of a payment: the page that it was paid on, or the platform (contracts: payment-sync 6.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from activities.easycount.gateway import SYSTEM as EASYCOUNT
from activities.easycount.gateway import EasyCountGateway
from activities.platform.gateway import PlatformGateway
from activities.platform.settings import PlatformAccount
from domain.platform import Payment
from domain.ports import GatewayPort
from store import Store


def gateways(store: Store, platforms: Mapping[str, PlatformAccount]) -> Callable[[str, Payment], GatewayPort]:
    """The port by agency and payment."""

    def of(agency: str, payment: Payment) -> GatewayPort:
        if payment.processor.name == EASYCOUNT:
            return EasyCountGateway(store, agency)
        return PlatformGateway(platforms[agency], store, agency)

    return of
