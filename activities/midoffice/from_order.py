"""The record of an order that was made without the platform, straight from the supplier's order (contracts: midoffice 3.1, 3.4).

What the supplier does not tell is left open: no address, no birth date, no area of the stay, and so no VAT inside the margin.
"""

from __future__ import annotations

from pydantic import ValidationError

from activities.midoffice.booking import (
    CancellationPolicy,
    CancellationTerms,
    Customer,
    Hotel,
    Line,
    MidOfficeBooking,
    Origin,
    Price,
    Remark,
    Room,
    SellingModel,
    Service,
    Status,
    TaxScheme,
    Traveller,
    complaint,
)
from activities.midoffice.ordered import board_of
from activities.midoffice.settings import MidOfficeSettings
from domain.errors import Refused
from domain.money import Money
from domain.supplier import SupplierOrder

STATES: dict[str, Status] = {
    "completed": "CONFIRMED",
    "cancelled": "CANCELLED",
    "noshow": "NO_SHOW",
    "rejected": "REJECTED",
}
"""What is transferred at all, and as what; an order that failed never was one."""
UPSELLS: dict[str, Status] = {"completed": "CONFIRMED", "cancelled": "CANCELLED", "noshow": "NO_SHOW"}
INFANT_UNDER = 2


def booking_key(order: SupplierOrder) -> str:
    """Our own id of what no booking claims."""
    return f"RH-{order.order_id}"


def record_of(
    agency: str,
    order: SupplierOrder,
    supplier_code: str,
    terms: tuple[SellingModel, TaxScheme],
    settings: MidOfficeSettings,
) -> MidOfficeBooking:
    """The canonical record. Raises `Refused` with the path of a field that has no place in one."""
    try:
        return _record(agency, order, supplier_code, terms, settings)
    except ValidationError as error:
        raise Refused(
            f"order {order.order_id} cannot be transferred: {complaint(error)}", system=settings.kind
        ) from None


def before_cancellation(order: SupplierOrder) -> SupplierOrder:
    """The order as it stood: a fee needs a booking that it belongs to."""
    price = order.payable + order.refunded if order.refunded is not None else order.payable
    return order.model_copy(update={"status": "completed", "payable": price, "refunded": None, "cancelled_at": None})


def _record(
    agency: str,
    order: SupplierOrder,
    supplier_code: str,
    terms: tuple[SellingModel, TaxScheme],
    settings: MidOfficeSettings,
) -> MidOfficeBooking:
    status = STATES[order.status]
    travellers = _travellers(order)
    lead = next((one for one in travellers if one.kind == "ADULT"), travellers[0] if travellers else None)
    if lead is None:
        raise Refused(f"order {order.order_id} names no guest", system=settings.kind)
    words = "Made at the supplier without the platform; the customer is the first guest, and the margin's VAT is open"
    return MidOfficeBooking(
        booking_key=booking_key(order),
        agency_id=agency,
        branch_id=settings.branch_id,
        agent_id=settings.agent_id,
        supplier_code=supplier_code,
        supplier_booking_id=order.partner_order_id,
        supplier_order_id=order.order_id,
        supplier_agreement=order.agreement,
        supplier_confirmation=order.confirmation,
        hotel_confirmation=order.hotel_confirmation,
        modified_at=order.modified_at,
        status=status,
        booked_at=order.created_at,
        cancelled_at=order.cancelled_at,
        currency=order.payable.currency,
        customer=Customer(
            customer_ref=f"ratehawk-{order.order_id}",
            kind="PERSON",
            first_name=lead.first_name or None,
            last_name=lead.last_name or lead.first_name,
        ),
        travellers=travellers,
        services=_services(order, status),
        lines=tuple(
            Line(line_id=one.key[:64], kind=one.kind, status=UPSELLS.get(one.status, "REQUESTED"), text=one.kind)
            for one in order.upsells
        ),
        price=_price(order, status, *terms),
        cancellation=_cancellation(order, status),
        remarks=(Remark(text=words), *(_paid_there(order))),
        origin=Origin(system="ETG", channel=order.source or "unknown", received_by="SWEEP"),
    )


def _travellers(order: SupplierOrder) -> tuple[Traveller, ...]:
    guests = [guest for room in order.rooms for guest in room.guests]
    made = []
    for index, guest in enumerate(guests, start=1):
        infant = guest.child and guest.age is not None and guest.age < INFANT_UNDER
        made.append(
            Traveller(
                index=index,
                kind="INFANT" if infant else "CHILD" if guest.child else "ADULT",
                salutation="INF" if infant else "CHD" if guest.child else "UNKNOWN",
                first_name=guest.first_name,
                last_name=guest.last_name,
                age=guest.age,
                lead=index == 1,
            )
        )
    return tuple(made)


def _services(order: SupplierOrder, status: Status) -> tuple[Service, ...]:
    """One per room."""
    services, first = [], 1
    for number, room in enumerate(order.rooms, start=1):
        services.append(
            Service(
                service_id=str(number),
                kind="hotel",
                status=status,
                hotel=Hotel(name=order.hotel_id, supplier_hotel_id=order.hotel_id, hid=order.hid),
                room=Room(name=room.name, bedding=room.bedding, index=number),
                board=board_of(room),
                start_date=order.checkin,
                end_date=order.checkout,
                nights=(order.checkout - order.checkin).days,
                traveller_refs=tuple(range(first, first + len(room.guests))),
            )
        )
        first += len(room.guests)
    return tuple(services)


def _price(order: SupplierOrder, status: Status, model: SellingModel, scheme: TaxScheme) -> Price:
    """After a cancellation both sides are the fee: nobody has sold it on."""
    zero = Money.zero(order.payable.currency)
    cost = zero if status == "REJECTED" else order.payable
    kept = status in ("CONFIRMED", "NO_SHOW")
    sell = order.sell if kept and order.sell is not None and order.sell.currency == cost.currency else cost
    commission = order.commission if kept and order.commission is not None else zero
    vat = order.vat if kept and order.vat is not None and order.vat.currency == cost.currency else zero
    return Price(
        cost_gross=cost.decimal,
        cost_vat=vat.decimal,
        sell_gross=sell.decimal,
        commission=commission.decimal,
        margin=(sell - cost).decimal,
        selling_model=model,
        tax_scheme=scheme,
    )


def _cancellation(order: SupplierOrder, status: Status) -> CancellationTerms:
    policies = tuple(
        CancellationPolicy(starts_at=one.since, ends_at=one.until, fee=one.fee.decimal) for one in order.charges
    )
    if status not in ("CANCELLED", "REJECTED"):
        return CancellationTerms(free_until=order.free_until, policies=policies)
    fee = order.payable.decimal if status == "CANCELLED" else Money.zero(order.payable.currency).decimal
    return CancellationTerms(
        free_until=order.free_until,
        policies=policies,
        fee_charged=fee,
        refund_from_supplier=order.refunded.decimal if order.refunded is not None else None,
        fee_to_customer=fee,
    )


def _paid_there(order: SupplierOrder) -> tuple[Remark, ...]:
    """Taxes that the guests pay at the hotel, outside all totals."""
    if not order.hotel_taxes:
        return ()
    return (Remark(text=("Paid at the hotel: " + ", ".join(f"{t.name} {t.amount}" for t in order.hotel_taxes))[:1000]),)
