"""What a reconciliation leaves behind: a report of both sides, and items for what differs; nothing is ever repaired (payment-sync 7)."""

from __future__ import annotations

from domain.connector_steps import ReconcilePage, ReconcileStep
from domain.desk import item_id
from domain.steps import Decision, DecisionTaken
from store import Store
from store.parked import StoreParking
from store.reconciliations import Pair

REASONS: dict[str, str] = {
    "no_receipt": "payment_without_receipt",
    "no_payment": "receipt_without_payment",
    "twice": "receipt_without_payment",
    "amount": "receipt_differs",
}
"""A receipt that is gone, and a part that was paid otherwise, are told to the payment, which asks for itself."""
SEEN: tuple[Decision, ...] = ("skip",)


def keep_page(store: Store, step: ReconcileStep, page: ReconcilePage, pairs: list[Pair], unread: list[str]) -> None:
    """One more page of the report, its items opened, and at the end those closed whose cause is gone."""
    report = store.reconciliations.begin(step.report_id, step.agency, step.connector, step.first, step.last)
    ended = page.after is None
    report = store.reconciliations.add(report, pairs, unread, ended=ended)
    for pair in pairs:
        if pair.verdict in REASONS:
            store.parked.open_from_store(_item(step, pair))
    if ended and not report.unread:
        standing = {_item(step, pair).item_id for pair in report.pairs if pair.verdict in REASONS}
        for reason in set(REASONS.values()):
            for item in store.parked.list(step.agency, reason=reason, limit=10_000):
                if item.item_id not in standing and item.verb == _verb(step) and item.since.date() >= step.first:
                    gone = DecisionTaken(item_id=item.item_id, decision="skip", by="system", explanation="no longer so")
                    store.parked.close(item.item_id, gone)


def _item(step: ReconcileStep, pair: Pair) -> StoreParking:
    reason = REASONS[pair.verdict]
    subject = pair.receipt_id or pair.payment_id
    return StoreParking(
        item_id=item_id(reason, step.agency, step.connector, subject, pair.words),
        agency=step.agency,
        reason=reason,
        detail=pair.words,
        verb=_verb(step),
        decisions=SEEN,
        booking_id=pair.booking_id or None,
        payment_id=pair.payment_id or None,
        amount=pair.received or pair.paid,
    )


def _verb(step: ReconcileStep) -> str:
    return f"{step.connector}.reconcile"
