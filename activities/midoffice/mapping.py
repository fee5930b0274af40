"""From a platform booking to the records that the mid-office holds of it (contracts: midoffice 1.3, 3.1, 3.4).

One record per supplier order, with its hotel lines as services, one per room. Every other line is named with the reason
why it stays behind: nothing is dropped in silence and nothing is dressed up as a hotel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from activities.midoffice.booking import (
    Address,
    CancellationTerms,
    Customer,
    Hotel,
    MidOfficeBooking,
    Origin,
    ProductKind,
    Remark,
    Room,
    Status,
    complaint,
)
from activities.midoffice.booking import Service as StayedRoom
from activities.midoffice.booking import Traveller as Guest
from activities.midoffice.pricing import discounted, penalties, price_of
from activities.midoffice.settings import MidOfficeSettings
from domain.errors import Refused
from domain.money import Money, total
from domain.platform import Booking, Cancellation, Experience, ExternalOrder, Line, Party, Service, Traveller
from domain.platform.experiences import Place
from domain.supplier import order_of

PRODUCTS: dict[str, ProductKind] = {
    "hotel": "hotel",
    "transport": "transfer",
    "flight": "flight",
    "activity": "event",
    "insurance": "insurance",
    "guide": "other",
    "fee": "other",
    "other": "other",
}
"""The platform's service kinds in the words of the canonical record."""
COUNTRIES = {"ES": "ES"}
"""The country of an area, where the area says it."""


@dataclass(frozen=True, slots=True)
class NotTransferred:
    """A line that has no place in the mid-office, and why."""

    line_id: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Sorted:
    """What of a booking goes to the mid-office, by supplier booking id, and what does not.

    `lines` names the platform lines of each record.
    """

    records: dict[str, MidOfficeBooking]
    lines: dict[str, tuple[str, ...]]
    left_behind: tuple[NotTransferred, ...]


@dataclass(frozen=True, slots=True)
class _Order:
    """The lines of one supplier order; `external` is missing when only the line's own reference is known."""

    supplier_id: str
    external: ExternalOrder | None
    lines: list[Line]


def sort_out(
    agency: str,
    booking: Booking,
    experience: Experience,
    cancellations: Iterable[Cancellation],
    settings: MidOfficeSettings,
) -> Sorted:
    """Sort the lines of a snapshot and build the records of those that go to the mid-office.

    Raises `Refused` with the path of the field if a record cannot be built; then none is.
    """
    services = {service.id: service for service in experience.services}
    orders: dict[str, _Order] = {}
    left: list[NotTransferred] = []
    for line in booking.lines:
        service = services.get(line.service_id)
        reason = _why_not(line, service, booking, settings)
        if reason is not None:
            # A line that was cancelled before it had a supplier order never was anything to anybody.
            if line.status == "active" and booking.status != "cancelled":
                left.append(NotTransferred(line.id, service.kind if service else "unknown", reason))
            continue
        external = order_of(booking, line)
        key = external.partner_order_ref if external else f"{booking.id}-{line.id}"
        orders.setdefault(key, _Order(line.cost.supplier_id, external, [])).lines.append(line)
    sale = {} if booking.status == "cancelled" else discounted(booking)
    cancelled = tuple(cancellations)
    fees = penalties(booking, cancelled, {key: order.lines for key, order in orders.items()})
    records = {}
    for key, order in orders.items():
        try:
            records[key] = _record(
                agency, key, order, booking, experience, sale, fees[key], _no_show(cancelled), settings
            )
        except ValidationError as error:
            raise Refused(f"{key}: {complaint(error)}", system=settings.kind, operation="announce booking") from None
    lines = {key: tuple(line.id for line in order.lines) for key, order in orders.items()}
    return Sorted(records, lines, tuple(left))


def as_it_stood(booking: Booking) -> Booking:
    """The snapshot as if nothing had been cancelled: what a mid-office must hold before it can be told of a fee."""
    zero = Money.zero(booking.currency)
    lines = tuple(line.model_copy(update={"status": "active"}) for line in booking.lines)
    totals = booking.totals.model_copy(update={"penalty": zero})
    return booking.model_copy(update={"status": "confirmed", "cancelled_at": None, "lines": lines, "totals": totals})


def struck_out(record: MidOfficeBooking) -> MidOfficeBooking:
    """The record cancelled with fee 0: an undo, or a hotel that is no longer part of the booking."""
    zero = Money.zero(record.currency).decimal
    services = tuple(service.model_copy(update={"status": "CANCELLED"}) for service in record.services)
    price = record.price.model_copy(
        update=dict.fromkeys(("cost_gross", "sell_gross", "commission", "margin", "margin_vat"), zero)
    )
    terms = CancellationTerms(fee_charged=zero, fee_to_customer=zero)
    return record.model_copy(
        update={"status": "CANCELLED", "services": services, "price": price, "cancellation": terms, "remarks": ()}
    )


def _why_not(line: Line, service: Service | None, booking: Booking, settings: MidOfficeSettings) -> str | None:
    if service is None:
        return f"service {line.service_id} is not part of the experience"
    if not settings.takes(PRODUCTS[service.kind]):
        taken = ", ".join(sorted(settings.capabilities))
        return (
            f"{settings.kind} takes {taken} only, this is {service.kind}" if taken else f"{settings.kind} takes nothing"
        )
    if line.cost.supplier_id not in settings.supplier_numbers:
        return f"supplier {line.cost.supplier_id} has no creditor number in {settings.kind}"
    if line.cost.supplier_ref is None and order_of(booking, line) is None:
        return "the supplier has no order for it yet"
    return None


def _no_show(cancellations: Sequence[Cancellation]) -> frozenset[str]:
    return frozenset(line for one in cancellations if one.cause == "no_show" for line in one.line_ids)


def _record(
    agency: str,
    key: str,
    order: _Order,
    booking: Booking,
    experience: Experience,
    sale: dict[str, Money],
    fee: Money,
    no_show: frozenset[str],
    settings: MidOfficeSettings,
) -> MidOfficeBooking:
    standing = [line for line in order.lines if line.status == "active" and booking.status != "cancelled"]
    gone: Status = "NO_SHOW" if any(line.id in no_show for line in order.lines) else "CANCELLED"
    status: Status = "CONFIRMED" if standing else gone
    guests = guests_of(booking, order.lines, keep_all=not standing)
    supplier_fee = total((line.cost.total for line in order.lines if line not in standing), booking.currency)
    terms = CancellationTerms(fee_charged=supplier_fee.decimal, fee_to_customer=fee.decimal)
    reference = order.external.order_ref if order.external else order.lines[0].cost.supplier_ref
    return MidOfficeBooking(
        booking_key=booking.id,
        agency_id=agency,
        branch_id=settings.branch_id,
        agent_id=settings.agent_id,
        supplier_code=order.supplier_id,
        supplier_booking_id=key,
        supplier_order_id=int(reference) if reference and reference.isdecimal() else None,
        supplier_agreement=reference,
        modified_at=max(filter(None, (booking.created_at, booking.confirmed_at, booking.cancelled_at))),
        status=status,
        booked_at=booking.created_at,
        cancelled_at=None if standing else booking.cancelled_at,
        currency=booking.currency,
        customer=customer_of(booking.payer),
        travellers=tuple(guest for _, guest in guests),
        services=tuple(
            room for line in order.lines for room in _rooms(line, line in standing, gone, guests, booking, experience)
        ),
        price=price_of(order.lines, sale, fee, experience, settings.margin_vat_rate),
        cancellation=terms if len(standing) < len(order.lines) else None,
        remarks=(Remark(text="No-show: full charge"),) if status == "NO_SHOW" else (),
        origin=Origin(system="PLATFORM", channel="events"),
    )


def guests_of(booking: Booking, lines: Sequence[Line], *, keep_all: bool) -> list[tuple[Traveller, Guest]]:
    """The travellers of an order, numbered from 1; those who cancelled stay only where nobody else is left."""
    named = {traveller_id for line in lines for traveller_id in line.traveller_ids}
    chosen = [one for one in booking.travellers if not named or one.id in named] or list(booking.travellers)
    chosen = [one for one in chosen if keep_all or one.status == "active"] or chosen
    lead = next(
        (one for one in chosen if one.is_payer), next((one for one in chosen if one.kind == "adult"), chosen[0])
    )
    kinds = {"adult": ("ADULT", "UNKNOWN"), "child": ("CHILD", "CHD"), "infant": ("INFANT", "INF")}
    return [
        (
            one,
            Guest.model_validate(
                {
                    "index": index,
                    "kind": kinds[one.kind][0],
                    "salutation": kinds[one.kind][1],
                    "first_name": one.first_name,
                    "last_name": one.last_name,
                    "lead": one is lead,
                }
            ),
        )
        for index, one in enumerate(chosen, start=1)
    ]


def _rooms(
    line: Line,
    standing: bool,
    gone: Status,
    guests: Sequence[tuple[Traveller, Guest]],
    booking: Booking,
    experience: Experience,
) -> list[StayedRoom]:
    """One service per room that the line's travellers share; one for the line where rooms are not assigned yet."""
    rooms: dict[str, list[int]] = {}
    for traveller, guest in guests:
        if not line.traveller_ids or traveller.id in line.traveller_ids:
            rooms.setdefault(traveller.room_ref or "", []).append(guest.index)
    service = next(one for one in experience.services if one.id == line.service_id)
    place = service.place or Place(country=COUNTRIES.get(service.area))
    return [
        StayedRoom(
            service_id=f"{line.id}/{number}" if len(rooms) > 1 else line.id,
            kind="hotel",
            status="CONFIRMED" if standing else gone,
            hotel=Hotel(
                name=service.description[:256] or line.description[:256], city=place.city, country=place.country
            ),
            room=Room(name=line.description, index=number),
            start_date=experience.starts_on,
            end_date=experience.ends_on,
            nights=(experience.ends_on - experience.starts_on).days,
            traveller_refs=tuple(indices),
        )
        for number, indices in enumerate((rooms or {"": []}).values(), start=1)
    ]


def customer_of(payer: Party) -> Customer:
    """The payer as the invoice's customer; a person without separate names keeps the whole name as the last one."""
    company = payer.kind == "company"
    address = payer.address
    return Customer(
        customer_ref=payer.id,
        kind="COMPANY" if company else "PERSON",
        first_name=None if company else payer.first_name,
        last_name=None if company else payer.last_name or payer.name,
        company_name=payer.name if company else None,
        vat_id=payer.tax_id.value if payer.tax_id else None,
        email=payer.email,
        phone=payer.phone,
        language=payer.language,
        address=None
        if address is None
        else Address(
            street=" ".join(filter(None, (address.line1, address.line2))),
            postal_code=address.postcode,
            city=address.city,
            country=address.country,
        ),
    )
