"""Bookings of experiences with payments, documents, plans, lines at AirPlus, in the mid-office and in the books."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from domain.effects import EffectKey
from domain.ledger import Entry, Fact, Posting
from domain.money import Money
from domain.plan_orders import PlanOrder
from domain.supplier import RATEHAWK, SupplierOrder
from store import Store
from store.documents import Document
from store.tamara_answers import LineMove, NewAnswer
from store.tamara_tables import FileKey, NewLine, Sealing
from tests import stories

AGENCY = "demo"
EXAMPLES = {
    "/bookings/{agency}/{booking}": "/bookings/demo/bkg_1",
    "/plans": "/plans?month=2027-01",
    "/plans.csv": "/plans.csv?month=2027-01",
    "/plans/{agency}/{booking}": "/plans/demo/bkg_1",
    "/tamara/lines/{agency}/{line}": "/tamara/lines/demo/1",
    "/journal/entries": "/journal/entries?since=2026-01-01",
    "/journal/statement": "/journal/statement?since=2026-06-01&account=43",
    "/journal/balance": "/journal/balance?since=",
}


def seed(store: Store, times: int) -> None:
    for number in range(1, times + 1):
        _booking(store, number)
        _partners(store, number)
        _books(store, number)
        _airplus(store, number)


def told(store: Store, number: int, kind: str, data: dict[str, Any]) -> None:
    store.inbox.accept(stories.event(number, kind, data, agency=AGENCY))


def _booking(store: Store, number: int) -> None:
    own, experience, place = f"bkg_{number}", f"exp_{number}", 10 * number
    snapshot = stories.experience(id=experience)
    told(store, place, "experience.created", stories.data(f"experience/{experience}", experience=snapshot))
    booking = stories.booking(own, experience_id=experience)
    told(store, place + 1, "booking.created", stories.data(f"booking/{own}", booking=booking))
    payment = stories.payment(f"pay_{number}x", booking_id=own, experience_id=experience)
    told(store, place + 2, "payment.captured", stories.data(f"payment/pay_{number}x", payment=payment))
    plan = stories.plan() | {"id": f"plan_{number}", "booking_id": own}
    told(store, place + 3, "payment_plan.created", stories.data(f"payment_plan/plan_{number}", payment_plan=plan))
    order = PlanOrder(order="pause", by="olga", why="the payer asked for it", at=stories.START)
    store.plan_orders.give(AGENCY, f"plan_{number}", "order-1", own, order)


def _partners(store: Store, number: int) -> None:
    own = f"bkg_{number}"
    store.transfers.record(AGENCY, "midoco", own, "lin_01", "not_transferred", "no supplier of that name there")
    key = EffectKey(AGENCY, "midoco", "order", own, "create")
    if store.effects.intend(key, booking_id=own, request=None)[1]:
        store.effects.refused(key, "the customer is blocked there")
    order = SupplierOrder.model_validate(
        {
            "order_id": number,
            "partner_order_id": f"our-{number}",
            "status": "completed",
            "created_at": "2026-11-20T10:00:00Z",
            "hotel_id": "hotel",
            "payable": {"amount": 10_000, "currency": "EUR"},
            "checkin": date(2027, 6, 20),
            "checkout": date(2027, 6, 23),
            "modified_at": datetime(2026, 11, 20, 10, number % 60, tzinfo=UTC),
        }
    )
    store.supplier_orders.record(AGENCY, RATEHAWK, [order])


def _books(store: Store, number: int) -> None:
    amount, day = Money(amount=30_000, currency="EUR"), date(2026, 11, 20)
    store.documents.record(
        Document(
            agency=AGENCY,
            system="giav",
            kind="invoice",
            key=f"inv:pay_{number}x",
            number=f"E-{number}",
            outside_id=str(number),
            booking_id=f"bkg_{number}",
            payment_id=f"pay_{number}x",
            amount=amount,
            issued_on=day,
            operation_date=day,
        )
    )
    store.journal.append(
        AGENCY,
        Entry(
            key=f"led:{number}",
            fact=Fact.COLLECTION,
            on=day,
            booking_id=f"bkg_{number}",
            text="captured",
            postings=(
                Posting(account="432", side="debit", amount=amount),
                Posting(account="438", side="credit", amount=amount, sub=f"bkg_{number}"),
            ),
        ),
    )


def _airplus(store: Store, number: int) -> None:
    """A line in a file of its own, which AirPlus rejected."""
    line = store.tamara.stage(
        NewLine(
            agency=AGENCY,
            booking_id=f"bkg_{number}",
            payment_id=f"pay_{number}x",
            purpose="sale",
            txn_ref=f"01JH{number:022d}",
            mode="T",
            kind="MA",
            service="HO",
            type="SA",
            dc="D",
            currency="EUR",
            net=30_000,
            vat=0,
            gross=30_000,
            invoice_number=f"E-{number}",
            value_date=date(2026, 11, 20),
            content={},
        )
    )
    if line.state != "STAGED":
        return
    file = store.tamara.seal(
        Sealing(
            agency=AGENCY,
            partner_id="TESTPARTNER1",
            kind="MA",
            mode="T",
            day=date(2026, 11, 20) + timedelta(days=number),
            layout_id="ours",
            sealed_at=datetime(2026, 11, 21, 2, 30, tzinfo=UTC),
            head={},
            line_ids=[line.id],
            name=lambda seq: f"MA{seq:09d}.txt",
        )
    )
    store.tamara.delivered(file.key)
    move = LineMove(line_id=line.id, before="SENT", after="REJECTED", status="R", reason="A001", field="400.PR")
    answer = {"accepted": 0, "rejected": 1, "file_state": "PARTIAL", "file_status": "P", "content": ""}
    name = f"ack{number}"
    store.tamara_answers.apply(
        NewAnswer(
            agency=AGENCY,
            name=name,
            digest=name,
            verdict="APPLIED",
            key=FileKey(**file.key.model_dump()),
            moves=(move,),
            **answer,
        )
    )
