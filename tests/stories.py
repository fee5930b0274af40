"""The booking of the contract's examples as events: amounts that belong together and add up (platform-events 5.7)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.notices import notice_of
from domain.platform import EventData
from store.inbox import AcceptedEvent

AGENCY = "sol"
SOURCE = "https://platform.example/planners/pl_7Q2"
START = datetime(2026, 11, 20, 10, 5, tzinfo=UTC)


def eur(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


PAYER = {
    "id": "cus_77",
    "kind": "person",
    "name": "Ana Prueba Ejemplo",
    "tax_id": {"type": "NIF", "value": "00000000T", "country": "ES"},
    "address": {"line1": "Calle Mayor 1", "postcode": "28013", "city": "Madrid", "country": "ES"},
    "fiscal_complete": True,
}


def line(line_id: str, service_id: str, price: int, cost: int, *, status: str = "active") -> dict[str, Any]:
    """Two of a service; prices and costs in cents for one."""
    return {
        "id": line_id,
        "status": status,
        "service_id": service_id,
        "description": service_id,
        "quantity": 2,
        "unit_price": eur(price),
        "total": eur(2 * price),
        "traveller_ids": ["trv_1", "trv_2"],
        "cost": {"supplier_id": "sup_rh", "status": "estimated", "unit": eur(cost), "total": eur(2 * cost)},
    }


def booking(booking_id: str = "bkg_500", *, discount: int = 0, captured: int = 0, **changes: Any) -> dict[str, Any]:
    """1 005.00 for two lines, cost 790.00, less `discount`."""
    total = 100500 - discount
    snapshot = {
        "id": booking_id,
        "locator": "KX7Q2P",
        "experience_id": "exp_31",
        "status": "pending",
        "payer": PAYER,
        "booker": PAYER,
        "travellers": [{"id": "trv_1", "first_name": "Ana", "last_name": "Prueba", "kind": "adult", "is_payer": True}],
        "lines": [line("lin_01", "svc_hotel", 41250, 33000), line("lin_02", "svc_bus", 9000, 6500)],
        "discounts": [discount_of(discount)] if discount else [],
        "totals": {
            "gross": eur(100500),
            "discount": eur(discount),
            "penalty": eur(0),
            "total": eur(total),
            "cost": eur(79000),
            "margin": eur(total - 79000),
            "captured": eur(captured),
            "refunded": eur(0),
            "disputed": eur(0),
            "due": eur(total - captured),
        },
        "created_at": "2026-11-20T10:05:00Z",
    }
    return snapshot | changes


def discount_of(amount: int) -> dict[str, Any]:
    applied = "2026-11-20T10:10:00Z"
    return {"id": "dsc_3", "kind": "amount", "value": eur(amount), "amount": eur(amount), "applied_at": applied}


def cancelled_booking() -> dict[str, Any]:
    """Cancelled after 300.00 were captured, penalty 30.00, suppliers charge nothing."""
    lines = [
        line("lin_01", "svc_hotel", 41250, 0, status="cancelled"),
        line("lin_02", "svc_bus", 9000, 0, status="cancelled"),
    ]
    totals = {name: eur(0) for name in ("gross", "discount", "cost", "refunded", "disputed")}
    totals |= {name: eur(3000) for name in ("penalty", "total", "margin")}
    totals |= {"captured": eur(30000), "due": eur(-27000)}
    return booking(discount=5000, status="cancelled", lines=lines, totals=totals)


def cancellation(treatment: str = "indemnity_not_subject") -> dict[str, Any]:
    return {
        "id": "cxl_12",
        "scope": "full",
        "requested_at": "2027-03-01T09:00:00Z",
        "effective_at": "2027-03-01T09:00:00Z",
        "initiated_by": "customer",
        "cause": "customer_choice",
        "penalty": {"amount": eur(3000), "treatment": treatment},
        "refund": {"decided": True, "amount": eur(27000), "deadline": "2027-03-15T09:00:00Z"},
    }


def payment(payment_id: str = "pay_1001", *, amount: int = 30000, ref: str = "", **changes: Any) -> dict[str, Any]:
    told = {
        "id": payment_id,
        "booking_id": "bkg_500",
        "experience_id": "exp_31",
        "payer_id": "cus_77",
        "amount": eur(amount),
        "fee": eur(450),
        "net": eur(amount - 450),
        "method": "card",
        "processor": {"name": "stripe", "payment_ref": ref or f"pi_{payment_id}"},
        "initiation": "cit",
        "captured_at": "2026-11-20T10:15:00Z",
    }
    return told | changes


def refund(refund_id: str = "ref_9", *, amount: int = 27000, **changes: Any) -> dict[str, Any]:
    told = {
        "id": refund_id,
        "payment_id": "pay_1001",
        "booking_id": "bkg_500",
        "amount": eur(amount),
        "cause": "cancellation",
        "cancellation_id": "cxl_12",
        "status": "declared",
        "processor": {"name": "stripe", "refund_ref": "re_9"},
        "requested_at": "2027-03-02T08:00:00Z",
        "settled_at": "2027-03-02T08:00:05Z",
    }
    return told | changes


def chargeback(stage: str = "funds_withdrawn", *, fee: int | None = 2000) -> dict[str, Any]:
    return {
        "id": "cbk_2",
        "payment_id": "pay_1001",
        "booking_id": "bkg_500",
        "amount": eur(30000),
        "kind": "card_dispute",
        "stage": stage,
        "reason_code": "13.7",
        "fee": eur(fee) if fee else None,
        "opened_at": "2027-02-01T00:00:00Z",
    }


def plan(*, revision: int = 2, balance: int = 27300) -> dict[str, Any]:
    amounts = (30000, 38200, balance)
    kinds = ("fixed", "percentage", "balance")
    return {
        "id": "plan_50",
        "booking_id": "bkg_500",
        "revision": revision,
        "currency": "EUR",
        "total": eur(95500),
        "collection": "automatic",
        "method": "card",
        "installments": [
            {
                "id": f"ins_0{seq}",
                "seq": seq,
                "due_on": f"2027-0{seq}-22",
                "kind": kind,
                "amount": eur(amount),
                "status": "scheduled",
            }
            for seq, (amount, kind) in enumerate(zip(amounts, kinds, strict=True), start=1)
        ],
    }


def experience(title: str = "Fin de curso Mallorca", **changes: Any) -> dict[str, Any]:
    told = {
        "id": "exp_31",
        "title": title,
        "sales_mode": "seat_b2c",
        "status": "on_sale",
        "currency": "EUR",
        "starts_on": "2027-06-20",
        "ends_on": "2027-06-23",
    }
    return told | changes


FAILURE = {
    "attempt": "att_01",
    "attempt_no": 1,
    "category": "soft",
    "message": "insufficient funds",
    "retry_allowed": True,
}
PAYMENT_REF = {"id": "pay_1001", "amount": eur(30000), "refunded_total": eur(0)}
NO_EFFECT = {"before": eur(0), "after": eur(0), "delta": eur(0)}


def data(aggregate: str, revision: int = 1, **members: Any) -> dict[str, Any]:
    """The `data` of an event; `aggregate` is `type/id`."""
    kind, _, aggregate_id = aggregate.partition("/")
    return {
        "schema_version": 1,
        "environment": "test",
        "planner_id": "pl_7Q2",
        "aggregate": {"type": kind, "id": aggregate_id, "revision": revision},
        **members,
    }


def event(number: int, kind: str, told: dict[str, Any], *, agency: str = AGENCY, **changes: Any) -> AcceptedEvent:
    """An accepted event with the id `evt_…{number}`, received `number` minutes after the start."""
    event_id = f"evt_{number:020d}"
    moment = START + timedelta(minutes=number)
    parsed = EventData.model_validate(told)
    fields: dict[str, Any] = {
        "agency": agency,
        "source": SOURCE,
        "event_id": event_id,
        "kind": kind,
        "body": json.dumps({"id": event_id, "type": kind, "data": told}).encode(),
        "data": parsed,
        "notice": notice_of(agency, event_id, kind, moment, parsed),
        "occurred_at": moment,
        "received_at": moment,
        "sequence": number,
    }
    return AcceptedEvent(**(fields | changes))


def created(number: int = 1, revision: int = 1) -> AcceptedEvent:
    return event(number, "booking.created", data("booking/bkg_500", revision, booking=booking()))


def modified(number: int, revision: int, **changes: Any) -> AcceptedEvent:
    told = data("booking/bkg_500", revision, booking=booking(**changes), price_effect=NO_EFFECT)
    return event(number, "booking.modified", told)


def cancelled(number: int = 3, revision: int = 3, treatment: str = "indemnity_not_subject") -> AcceptedEvent:
    told = data("booking/bkg_500", revision, booking=cancelled_booking(), cancellation=cancellation(treatment))
    return event(number, "booking.cancelled", told)


def captured(number: int = 2, **changes: Any) -> AcceptedEvent:
    told = payment(**changes)
    return event(number, "payment.captured", data(f"payment/{told['id']}", payment=told))


def refunded(number: int = 4, **changes: Any) -> AcceptedEvent:
    told = data("payment/pay_1001", 2, refund=refund(**changes), payment_ref=PAYMENT_REF)
    return event(number, "payment.refunded", told)


def refund_failed(number: int = 5) -> AcceptedEvent:
    told = data("payment/pay_1001", 3, refund=refund(), failure=FAILURE)
    return event(number, "payment.refund_failed", told)


def disputed(
    number: int = 4, stage: str = "funds_withdrawn", revision: int = 2, fee: int | None = 2000
) -> AcceptedEvent:
    told = data("payment/pay_1001", revision, chargeback=chargeback(stage, fee=fee), payment_ref=PAYMENT_REF)
    return event(number, "payment.chargeback", told)
