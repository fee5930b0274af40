"""Facts and documents → movements of the ledger (contracts: money-rules 2, platform-events 6 for the keys)."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from domain.ledger import Fact, Movement, key_of
from domain.money import Money
from domain.platform import Booking, Chargeback, Line, Payment, Refund
from domain.steps import ClaimStep
from store.documents import Document

CHARGEBACK_FACTS: dict[str, Fact] = {
    "funds_withdrawn": Fact.WITHDRAWN,
    "won": Fact.WON,
    "lost": Fact.LOST,
    "accepted": Fact.LOST,
}
"""Stages that are posted; at the others no money and no claim moves."""


def collection(payment: Payment, zone: ZoneInfo, fact: Fact) -> Movement:
    """The money of a payment: `COLLECTION`, `SUSPENSE` while its booking is unknown, `MATCH` when it became known."""
    prefix = {Fact.COLLECTION: "cob", Fact.SUSPENSE: "sus", Fact.MATCH: "mat"}[fact]
    return _of_payment(payment, fact, key_of(prefix, payment.id), _day(payment.captured_at, zone), payment.id)


def invoice(payment: Payment, zone: ZoneInfo) -> Movement:
    """The invoice that belongs to a captured payment; its day is the day of capture."""
    return _of_payment(payment, Fact.INVOICE, invoice_key(payment.id), _day(payment.captured_at, zone), payment.id)


def invoice_key(payment_id: str, number: int = 0) -> str:
    """`number` counts how often the invoice was taken back because the payment was a duplicate, and posted again."""
    return key_of("inv", payment_id, "again", str(number)) if number else key_of("inv", payment_id)


def set_aside(payment: Payment, number: int, day: datetime) -> Movement:
    """The money of a duplicate, until the customer has chosen."""
    return _of_payment(payment, Fact.SET_ASIDE, key_of("dup", payment.id, str(number)), day, payment.id)


def suspended(payment: Payment, _: int, day: datetime) -> Movement:
    """The same where the journal is the ERP, and nothing else was posted."""
    return _of_payment(payment, Fact.SUSPENSE, key_of("sus", payment.id), day, payment.id)


def released(payment: Payment, number: int, day: datetime) -> Movement:
    """The money of a duplicate pays after all, or has gone back."""
    return _of_payment(payment, Fact.MATCH, key_of("dup", payment.id, str(number), "released"), day, payment.id)


def refund(given: Refund, payment: Payment, zone: ZoneInfo, beyond: Money) -> Movement:
    """Money that went back, through the processor or by bank transfer; `beyond` of it was never decided."""
    by_bank = given.destination == "transfer"
    fact = Fact.REFUND_BY_BANK if by_bank else Fact.REFUND
    if beyond:
        fact = Fact.REFUND_BEYOND_BY_BANK if by_bank else Fact.REFUND_BEYOND
    day = _day(given.settled_at or given.requested_at, zone)
    return _of_payment(payment, fact, key_of("dev", given.id), day, given.id).model_copy(
        update={"amount": given.amount - beyond, "fee": beyond or None, "booking_id": given.booking_id}
    )


SETTLED: dict[tuple[str, str], Fact] = {
    ("refund", "claim"): Fact.EXCESS_CLAIMED,
    ("refund", "write_off"): Fact.EXCESS_WRITTEN_OFF,
    ("dispute", "write_off"): Fact.WRITTEN_OFF,
}
"""What a person's answer posts. A lost dispute that is claimed stays where it is: 436 is the claim."""


def settled(step: ClaimStep, payment: Payment, zone: ZoneInfo) -> Movement | None:
    """Money that is gone and now owed or lost; None when nothing moves."""
    fact = SETTLED.get((step.about, step.decision))
    if fact is None:
        return None
    day = _day(step.decided_at, zone)
    return _of_payment(payment, fact, key_of("set", step.fact_id), day, step.fact_id).model_copy(
        update={"amount": step.amount, "booking_id": step.booking_id}
    )


def chargeback(told: Chargeback, payment: Payment, moment: datetime, zone: ZoneInfo) -> Movement:
    """A stage at which money or a claim moves; `moment` is when the platform told it."""
    fact = CHARGEBACK_FACTS[told.stage]
    stage = "lost" if fact is Fact.LOST else told.stage
    movement = _of_payment(payment, fact, key_of("dev", told.id, stage), _day(moment, zone), f"{told.id} {stage}")
    return movement.model_copy(
        update={
            "amount": told.amount,
            "fee": told.fee if fact is Fact.WITHDRAWN else None,
            "booking_id": told.booking_id,
        }
    )


def is_original(document: Document) -> bool:
    """Originals are posted with their payment, so that they do not wait for the ERP."""
    return document.kind == "invoice" and document.key == f"inv:{document.payment_id}"


def document(issued: Document, payer_id: str, *, fee: bool) -> Movement | None:
    """A credit note, a re-issued invoice or a penalty; `fee` when the penalty is a taxed service. None: not posted."""
    if issued.kind == "receipt" or is_original(issued) or not issued.amount:
        return None
    fact = {"invoice": Fact.INVOICE, "credit_note": Fact.RECTIFYING, "penalty": Fact.FEE if fee else Fact.PENALTY}
    return Movement(
        fact=fact[issued.kind],
        key=key_of(issued.key),
        on=issued.issued_on,
        booking_id=issued.booking_id,
        text=f"{issued.kind} {issued.number}",
        amount=-issued.amount if issued.amount.amount < 0 else issued.amount,
        payer_id=payer_id,
    )


def rendered(booking_id: str, left: Money, day: date, number: int) -> Movement:
    """What is left in 438 of a trip that has started; `left` is negative after a correction, `number` counts from 1."""
    return Movement(
        fact=Fact.RENDERED if left.amount > 0 else Fact.RENDERED_LESS,
        key=key_of("svc", booking_id, str(number)),
        on=day,
        booking_id=booking_id,
        text="trip started" if left.amount > 0 else "corrected after the trip started",
        amount=left if left.amount > 0 else -left,
    )


def supplier_bill(booking: Booking, revision: int, line: Line, difference: Money, day: date) -> Movement:
    """What a supplier invoiced for a line beyond what is posted; less is a credit of the supplier."""
    return Movement(
        fact=Fact.SUPPLIER_INVOICE if difference.amount > 0 else Fact.SUPPLIER_CREDIT,
        key=key_of("sup", booking.id, line.id, str(revision)),
        on=day,
        booking_id=booking.id,
        text=f"supplier's invoice for {line.id}",
        amount=difference if difference.amount > 0 else -difference,
        supplier_id=line.cost.supplier_id,
        line_id=line.id,
    )


def _of_payment(payment: Payment, fact: Fact, key: str, day: datetime, about: str) -> Movement:
    return Movement(
        fact=fact,
        key=key,
        on=day.date(),
        booking_id=payment.booking_id,
        text=f"{fact.value} {about}",
        amount=payment.amount,
        payer_id=payment.payer_id,
        payment_id=payment.id,
        processor=payment.processor.name,
        method=payment.method,
    )


def _day(moment: datetime | None, zone: ZoneInfo) -> datetime:
    assert moment is not None, "the inbox stores a captured payment with its time of capture"
    return moment.astimezone(zone)
