"""What one booking or payment says about itself: key, status, persons, dates that agree (contracts: midoffice 4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from sandbox.midoco.envelope import MidocoError
from sandbox.shelf import Record


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def check_dates(booking: Record) -> None:
    """Raise MidocoError if dates, nights or persons of the services contradict each other."""
    positions = {int(person["position"]) for person in booking.get("person", [])}
    for service in booking["accomodation-service"]:
        begin, end = date.fromisoformat(service["start-date"]), date.fromisoformat(service["end-date"])
        if end < begin:
            raise MidocoError("4004", "accomodation-service: end-date is before start-date")
        if "no-of-nights" in service and int(service["no-of-nights"]) != (end - begin).days:
            raise MidocoError("4004", "accomodation-service: no-of-nights does not agree with the dates")
        missing = assigned(service.get("person-assignment", "")) - positions
        if missing:
            raise MidocoError("4005", f"person-assignment names person {min(missing)}, who is not in the message")


def key_of(unit: str, supplier: str, booking_id: str) -> str:
    return "\x1f".join((unit, supplier, booking_id))


def status_of(statuses: Sequence[str]) -> str:
    if all(status == "XX" for status in statuses):
        return "XX"
    return "RQ" if "RQ" in statuses else "OK"


def assigned(assignment: str) -> set[int]:
    people: set[int] = set()
    for part in filter(None, assignment.split(",")):
        first, _, last = part.partition("-")
        people.update(range(int(first), int(last or first) + 1))
    return people


def same_payment(held: Record, payment: Record, order_id: int | None) -> bool:
    return (
        Decimal(held["amount"]) == Decimal(payment["amount"])
        and held["currency"] == payment["currency"]
        and held["orderId"] == order_id
    )


def feed_row(unit: str, order: Record, booking: Record) -> Record:
    return {
        "unit": unit,
        "supplierId": booking["supplier"],
        "bookingId": booking["booking-id"],
        "bookingVersion": booking.get("booking-version", ""),
        "orderId": order["orderId"],
        "orderNo": order["orderNo"],
        "externalSystem": booking.get("source-ext-system", ""),
        "externalId": booking.get("source-ext-id", ""),
        "timestamp": now(),
    }
