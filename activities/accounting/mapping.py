"""Facts and documents → movements of the ledger (contracts: money-rules 2, platform-events 6 for the keys)."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from domain.ledger import Fact, Movement, key_of
from domain.platform import Chargeback, Payment, Refund
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
    return _of_payment(payment, Fact.INVOICE, key_of("inv", payment.id), _day(payment.captured_at, zone), payment.id)


def refund(given: Refund, payment: Payment, zone: ZoneInfo) -> Movement:
    """Money that went back, through the processor or by bank transfer."""
    fact = Fact.REFUND_BY_BANK if given.destination == "transfer" else Fact.REFUND
    day = _day(given.settled_at or given.requested_at, zone)
    return _of_payment(payment, fact, key_of("dev", given.id), day, given.id).model_copy(
        update={"amount": given.amount, "booking_id": given.booking_id}
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
