"""What the supplier's own order says of a stay, put in the place of what the trip suggests (contracts: midoffice 2.7, 3.1).

The platform sells a trip and knows its days; the supplier knows which hotel, which nights, which board, and what a
cancellation costs. What neither gives (the hotel's city) stays open.
"""

from __future__ import annotations

from typing import Any

from activities.midoffice.booking import (
    Board,
    BoardCode,
    CancellationPolicy,
    CancellationTerms,
    MidOfficeBooking,
    Service,
)
from domain.supplier import OrderRoom, SupplierOrder

BOARDS: dict[str, BoardCode] = {
    "nomeal": "RO",
    "room-only": "RO",
    "breakfast": "BB",
    "breakfast-buffet": "BB",
    "continental-breakfast": "BB",
    "half-board": "HB",
    "half-board-lunch": "HB",
    "half-board-dinner": "HB",
    "full-board": "FB",
    "all-inclusive": "AI",
    "soft-all-inclusive": "AI",
    "super-all-inclusive": "AI",
    "ultra-all-inclusive": "AI",
}
"""Board codes by the supplier's meal."""


def board_of(room: OrderRoom) -> Board | None:
    """What the guests of a room eat; a meal that nobody knows is told in its own words."""
    if room.meal is None:
        return None
    name = room.meal.lower().replace("_", "-").replace(" ", "-")
    return Board(text=room.meal, code=BOARDS.get(name, "BB" if room.breakfast else "OT"))


def with_order(record: MidOfficeBooking, order: SupplierOrder) -> MidOfficeBooking:
    """The record with the order's facts. Money and state are the booking's own, which the platform decides."""
    rooms = order.rooms if len(order.rooms) == len(record.services) else (None,) * len(record.services)
    pairs = zip(record.services, rooms, strict=True)
    known = {
        "supplier_order_id": order.order_id,
        "supplier_agreement": order.agreement or record.supplier_agreement,
        "supplier_confirmation": order.confirmation,
        "hotel_confirmation": order.hotel_confirmation,
        "services": tuple(_stay(service, room, order) for service, room in pairs),
        "cancellation": _terms(record, order),
    }
    return record.model_copy(update=known)


def _stay(service: Service, room: OrderRoom | None, order: SupplierOrder) -> Service:
    known: dict[str, Any] = {
        "hotel": service.hotel.model_copy(update={"supplier_hotel_id": order.hotel_id, "hid": order.hid}),
        "start_date": order.checkin,
        "end_date": order.checkout,
        "nights": (order.checkout - order.checkin).days,
    }
    if room is not None:
        if service.room is not None:
            known["room"] = service.room.model_copy(update={"name": room.name, "bedding": room.bedding})
        if room.meal:
            known["board"] = board_of(room)
    return service.model_copy(update=known)


def _terms(record: MidOfficeBooking, order: SupplierOrder) -> CancellationTerms | None:
    """What a cancellation costs by the order's terms, beside what it did cost; another currency says nothing here."""
    charges = [charge for charge in order.charges if charge.fee.currency == record.currency]
    if not charges and order.free_until is None:
        return record.cancellation
    policies = tuple(
        CancellationPolicy(starts_at=charge.since, ends_at=charge.until, fee=charge.fee.decimal) for charge in charges
    )
    terms = record.cancellation or CancellationTerms()
    return terms.model_copy(update={"free_until": order.free_until, "policies": policies})
