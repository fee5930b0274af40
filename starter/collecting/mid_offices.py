"""The side of the mid-office, whichever it is, from what its stand-in holds (contracts: midoffice 4.5, 5 to 8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from domain.books import Order
from domain.platform import Booking
from starter.answers import CommandError
from starter.collecting.reading import cents, state_of
from store.installation import AgencySettings

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """An order as they hold it, by the supplier's booking id; `booking_id` where they keep ours, too."""

    supplier_booking_id: str
    order: Order
    booking_id: str = ""


def _midoco(record: Record) -> Held:
    services = [service["service-status"] for service in record.get("accomodation-service", ())]
    cancelled = bool(services) and all(status == "XX" for status in services)
    number = record["booking-id"]
    order = Order(id=number, cancelled=cancelled, price=cents(record["price"]["total-price"]))
    return Held(number, order, record["source-ext-id"])


def _tina(record: Record) -> Held:
    order = Order(id=record["code"], cancelled=record["status"] == "XX", price=cents(record["price"]))
    return Held(record["bookingId"], order)


def _sapeig(record: Record) -> Held:
    order = Order(id=record["code"], cancelled=record["status"] == "Cancelled", price=cents(record["price"]))
    return Held(record["bookingId"], order, record["source"])


def _xmid(record: Record) -> Held:
    gone = record["buchungsstatus"] == "XX"
    order = Order(id=record["vorgangsnummer"], cancelled=gone, price=cents(record["vkBrutto"]))
    return Held(record["buchungsnummer"], order)


def _ziel(record: Record) -> Held:
    price = cents(record["vk_brutto"].replace(",", "."))
    return Held(record["buchungsnr"], Order(id=record["number"], cancelled=record["status"] == "ST", price=price))


READINGS: dict[str, Callable[[Record], Held]] = {
    "midoco": _midoco,
    "sapeig": _sapeig,
    "tina": _tina,
    "xmid": _xmid,
    "ziel": _ziel,
}
"""How each system's record is read, by the `kind` of the settings."""


def kind_of(settings: AgencySettings) -> str:
    """Which mid-office the agency has."""
    return str((settings.midoffice or {}).get("kind", "midoco"))


class MidOffice:
    """Orders by the booking they belong to: the one they name, else the one with that supplier's order."""

    def __init__(self, url: str, kind: str, bookings: Iterable[Booking]) -> None:
        read = READINGS.get(kind)
        if read is None:
            raise CommandError(f"nobody knows how to read what {kind} holds; known are {', '.join(sorted(READINGS))}")
        known = list(bookings)
        owners = {number: booking.id for booking in known for number in _supplier_bookings(booking)}
        self._known = {booking.id for booking in known}
        self._orders: dict[str, list[Order]] = defaultdict(list)
        self._lost: list[Held] = []
        for held in map(read, state_of(url)["bookings"]):
            owner = held.booking_id or owners.get(held.supplier_booking_id, "")
            self._orders[owner].append(held.order)
            if owner not in self._known:
                self._lost.append(held)

    def orders(self, booking_id: str) -> tuple[Order, ...]:
        return tuple(self._orders.get(booking_id, ()))

    def strangers(self, besides: Collection[str] = ()) -> tuple[str, ...]:
        """Orders that belong to no booking, `besides` those that the supplier itself has under these ids."""
        return tuple(f"order {held.order.id}" for held in self._lost if held.supplier_booking_id not in besides)


def _supplier_bookings(booking: Booking) -> Iterable[str]:
    """Under which ids the supplier knows it: those that the platform names, else each line's own (midoffice 3.1)."""
    yield from (order.partner_order_ref for order in booking.external_orders)
    yield from (f"{booking.id}-{line.id}" for line in booking.lines)
