"""The supplier's side, from what RateHawk's stand-in holds (contracts: midoffice 2.7)."""

from __future__ import annotations

from typing import Any

from domain.books import SupplierSale
from domain.platform import Booking
from domain.supplier import orders_of
from starter.collecting.reading import cents, state_of


class Supplier:
    """Orders by the id that the platform gave them; without `url` nobody supplies anything that can be read."""

    def __init__(self, url: str | None) -> None:
        held = state_of(url)["orders"] if url else []
        self._reads = url is not None
        self._orders: dict[str, dict[str, Any]] = {order["partner_data"]["order_id"]: order for order in held}

    def sold_to(self, booking: Booking) -> tuple[SupplierSale, ...]:
        """Those that the booking names."""
        return tuple(
            SupplierSale(
                partner_order_id=partner,
                status=order["status"],
                payable=cents(order["amount_payable_with_upsells"]["amount"]),
                currency=order["amount_payable"]["currency_code"],
                free_until=order["cancellation_info"]["free_cancellation_before"],
                line_ids=tuple(line.id for line in lines),
                sold=booking.status != "cancelled" and any(line.status == "active" for line in lines),
            )
            for partner, lines in orders_of(booking).items()
            if (order := self._orders.get(partner)) is not None
        )

    def lacks(self, booking: Booking) -> tuple[str, ...]:
        """Orders that the booking names and nobody made."""
        return tuple(partner for partner in orders_of(booking) if self._reads and partner not in self._orders)

    @property
    def names(self) -> frozenset[str]:
        """Every order by our id of it, also those that no booking claims."""
        return frozenset(self._orders)
