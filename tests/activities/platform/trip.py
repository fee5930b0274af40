"""The contract's example booking, and a way to put it into a store as if it had been delivered (platform-events 5.7)."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import Any

from domain.notices import notice_of
from domain.platform import Booking, EventData, Experience
from store import Store
from store.inbox import AcceptedEvent

AGENCY = "viajes"
SOURCE = "https://platform.example/planners/pl_7Q2"
MOMENT = datetime(2026, 11, 20, 10, 5, tzinfo=UTC)
_numbers = itertools.count(1)

Doc = dict[str, Any]


def eur(cents: int) -> Doc:
    return {"amount": cents, "currency": "EUR"}


def experience(**changes: Any) -> Doc:
    return {
        "id": "exp_31",
        "title": "Fin de curso Mallorca",
        "sales_mode": "seat_b2c",
        "status": "on_sale",
        "currency": "EUR",
        "starts_on": "2027-06-20",
        "ends_on": "2027-06-23",
        "tax_regime": "reav",
        "services": [
            service("svc_hotel", "hotel", "sup_rh", "Hotel 3 noches, doble", 41250, 33000),
            service("svc_bus", "transport", "sup_bus", "Autobus ida y vuelta", 9000, 6500),
        ],
        **changes,
    }


def service(service_id: str, kind: str, supplier: str, text: str, price: int, cost: int) -> Doc:
    return {
        "id": service_id,
        "kind": kind,
        "description": text,
        "supplier": {"id": supplier, "name": supplier},
        "unit": "traveller",
        "price": eur(price),
        "cost_estimated": eur(cost),
    }


def line(
    line_id: str = "lin_01",
    service_id: str = "svc_hotel",
    supplier: str = "sup_rh",
    price: int = 41250,
    cost: int = 33000,
    ref: str | None = "B2B-12345/1",
    **changes: Any,
) -> Doc:
    return {
        "id": line_id,
        "status": "active",
        "service_id": service_id,
        "description": "Habitacion doble" if service_id == "svc_hotel" else "Autobus",
        "quantity": 2,
        "unit_price": eur(price),
        "total": eur(2 * price),
        "traveller_ids": ["trv_1", "trv_2"],
        "cost": {"supplier_id": supplier, "supplier_ref": ref, "unit": eur(cost), "total": eur(2 * cost)},
        **changes,
    }


def hotel(**changes: Any) -> Doc:
    return line(**changes)


def bus(price: int = 9000) -> Doc:
    return line("lin_02", "svc_bus", "sup_bus", price, 6500, None)


def traveller(traveller_id: str, first: str, last: str, **changes: Any) -> Doc:
    return {"id": traveller_id, "first_name": first, "last_name": last, "kind": "adult", "room_ref": "R1", **changes}


def booking(lines: list[Doc] | None = None, captured: int = 0, penalty: int = 0, **changes: Any) -> Doc:
    """A snapshot whose totals add up, whatever its lines and discounts are."""
    lines = [hotel(), bus()] if lines is None else lines
    gross = sum(one["total"]["amount"] for one in lines if one["status"] == "active")
    discount = sum(one["amount"]["amount"] for one in changes.get("discounts", [])) if gross else 0
    cost = sum(one["cost"]["total"]["amount"] for one in lines)
    total = gross - discount + penalty
    sums = {
        "gross": gross,
        "discount": discount,
        "penalty": penalty,
        "total": total,
        "cost": cost,
        "margin": total - cost,
        "captured": captured,
        "refunded": 0,
        "disputed": 0,
        "due": total - captured,
    }
    payer = {
        "id": "cus_77",
        "kind": "person",
        "name": "Ana Prueba Ejemplo",
        "tax_id": {"type": "NIF", "value": "00000000T", "country": "ES"},
        "address": {"line1": "Calle Mayor 1", "postcode": "28013", "city": "Madrid", "country": "ES"},
        "email": "ana@mail.example",
        "fiscal_complete": True,
    }
    return {
        "id": "bkg_500",
        "locator": "KX7Q2P",
        "experience_id": "exp_31",
        "status": "confirmed",
        "payer": payer,
        "booker": payer,
        "travellers": [
            traveller("trv_1", "Ana", "Prueba Ejemplo", is_payer=True),
            traveller("trv_2", "Luis", "Prueba Otro"),
        ],
        "lines": lines,
        "discounts": [],
        "totals": {name: eur(value) for name, value in sums.items()},
        "external_orders": [{"system": "ratehawk", "order_ref": "B2B-12345/1", "partner_order_ref": "bkg_500-lin_01"}],
        "created_at": "2026-11-20T10:05:00Z",
        "confirmed_at": None,
        "cancelled_at": None,
        **changes,
    }


def cancellation(lines: list[str], penalty: int, **changes: Any) -> Doc:
    return {
        "id": "cxl_12",
        "scope": "full",
        "traveller_ids": ["trv_1", "trv_2"],
        "line_ids": lines,
        "requested_at": "2027-03-01T09:00:00Z",
        "effective_at": "2027-03-01T09:00:00Z",
        "initiated_by": "customer",
        "cause": "customer_choice",
        "penalty": {"amount": eur(penalty), "treatment": "indemnity_not_subject"},
        "refund": {"decided": True, "amount": eur(0), "deadline": "2027-03-15T09:00:00Z"},
        **changes,
    }


def cancelled(lines: list[Doc], penalty: int, supplier_fee: int = 0, **changes: Any) -> Doc:
    """The snapshot after a full cancellation: every line gone, its cost what the supplier charges."""
    gone = [
        {**one, "status": "cancelled", "cost": {**one["cost"], "total": eur(supplier_fee if at == 0 else 0)}}
        for at, one in enumerate(lines)
    ]
    return booking(gone, penalty=penalty, status="cancelled", cancelled_at="2027-03-01T09:00:00Z", **changes)


def payment(payment_id: str = "pay_1001", cents: int = 30000, **changes: Any) -> Doc:
    return {
        "id": payment_id,
        "booking_id": "bkg_500",
        "experience_id": "exp_31",
        "payer_id": "cus_77",
        "amount": eur(cents),
        "method": "card",
        "processor": {"name": "stripe", "payment_ref": f"pi_{payment_id}"},
        "card": {"brand": "visa", "last4": "4242"},
        "initiation": "cit",
        "captured_at": "2026-11-20T10:15:00Z",
        "value_date": "2026-11-23",
        **changes,
    }


def plan(statuses: tuple[str, str, str] = ("paid", "scheduled", "scheduled"), **changes: Any) -> Doc:
    amounts = (30000, 40200, 30300)
    return {
        "id": "plan_50",
        "booking_id": "bkg_500",
        "revision": 1,
        "currency": "EUR",
        "total": eur(sum(amounts)),
        "collection": "automatic",
        "method": "card",
        "mandate": {
            "id": "mnd_5",
            "reference": "BKG500-1",
            "scheme": "card_mit",
            "signed_at": "2026-11-20T10:15:00Z",
            "expires_on": "2027-07-31",
        },
        "installments": [
            {
                "id": f"ins_0{seq}",
                "seq": seq,
                "due_on": day,
                "kind": "balance" if seq == 3 else "fixed",
                "amount": eur(amount),
                "status": status,
            }
            for seq, day, amount, status in zip(
                (1, 2, 3), ("2026-12-02", "2027-03-22", "2027-05-21"), amounts, statuses, strict=True
            )
        ],
        **changes,
    }


def as_booking(document: Doc) -> Booking:
    return Booking.model_validate(document)


def as_experience(document: Doc) -> Experience:
    return Experience.model_validate(document)


def tell(store: Store, kind: str, revision: int = 1, *, agency: str = AGENCY, **data: Any) -> str:
    """Put an event into the inbox; gives its id."""
    name = {"payment_plan": "payment_plan", "payment": "payment"}.get(kind.split(".")[0], kind.split(".")[0])
    aggregate = {"type": name, "id": data[name]["id"], "revision": revision}
    parsed = EventData.model_validate(
        {"schema_version": 1, "environment": "test", "planner_id": "pl_7Q2", "aggregate": aggregate, **data}
    )
    number = next(_numbers)
    event_id = f"evt_test{number:020d}"
    body = json.dumps({"id": event_id, "data": parsed.model_dump(mode="json", by_alias=True)}).encode()
    accepted = store.inbox.accept(
        AcceptedEvent(
            agency=agency,
            source=SOURCE,
            event_id=event_id,
            kind=kind,
            body=body,
            data=parsed,
            notice=notice_of(agency, event_id, kind, MOMENT, parsed),
            occurred_at=MOMENT,
            received_at=MOMENT,
            sequence=number,
        )
    )
    assert accepted == "new"
    return event_id
