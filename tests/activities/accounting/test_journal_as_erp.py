"""The journal as the ERP of an agency that has no other: looked at, posted, reversed, reconciled (contracts: payment-sync 6.1, 7)."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from activities.accounting.erp import JournalErpActivities
from activities.giav.activities import GiavActivities
from domain.connector_steps import DescribeStep, ReconcilePage, ReconcileStep
from domain.payment_steps import ProbeStep, TransitionLog
from domain.payment_sync import Event, Evidence, Kind, PaymentSync, Role, Transition, Verdict, decide
from domain.ports import PostReceipt
from domain.steps import PaymentStep
from store import Store
from tests import stories

FIRST, LAST = date(2026, 1, 1), date(2027, 12, 31)


def told(store: Store) -> PaymentStep:
    """A booking and a captured payment of it, as the platform tells them."""
    store.inbox.accept(stories.created())
    store.inbox.accept(stories.captured())
    (paid,) = store.facts.payments_of(stories.AGENCY, "bkg_500")
    return PaymentStep(
        agency=stories.AGENCY,
        booking_id=paid.booking_id,
        experience_id=paid.experience_id,
        payment_id=paid.id,
        amount=paid.amount,
        method=paid.method,
    )


def kept(store: Store, step: PaymentStep, receipt_id: str) -> None:
    """Synchronised, as its workflow says."""
    at = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    sync = PaymentSync(payment_id=step.payment_id, amount=step.amount, since=at)
    seen = Evidence(verdict=Verdict.UNPAID, at=at, words="seen")
    lines = []
    for event in (
        Event(kind=Kind.CAPTURED, role=Role.GATEWAY, at=at),
        Event(kind=Kind.START, at=at),
        Event(kind=Kind.PROBED, evidence=seen, at=at),
        Event(kind=Kind.ACKNOWLEDGED, receipt_id=receipt_id, at=at),
    ):
        move = decide(sync, event)
        sync = move.after
        lines.append(Transition.of(move, event))
    log = TransitionLog(
        agency=step.agency,
        lifecycle=f"payment/{step.agency}/{step.payment_id}",
        booking_id=step.booking_id,
        experience_id=step.experience_id,
        connector="journal",
        sync=sync,
        lines=tuple(lines),
    )
    store.payment_sync.moved(log)


def reconciled(cells: JournalErpActivities, report: str) -> ReconcilePage:
    step = ReconcileStep(agency=stories.AGENCY, connector="journal", first=FIRST, last=LAST, report_id=report)
    page: ReconcilePage = cells.reconcile(step)
    return page


@pytest.fixture
def cells(store: Store) -> JournalErpActivities:
    return JournalErpActivities(store, {})


def test_a_payment_is_looked_for_posted_once_and_known_again(store: Store, cells: JournalErpActivities) -> None:
    step = told(store)
    port = cells.port(stories.AGENCY)
    assert cells.probe_payment(ProbeStep(**step.model_dump())).verdict is Verdict.UNPAID
    command = PostReceipt(
        receivable=step.booking_id,
        payment_id=step.payment_id,
        amount=step.amount,
        on=date(2026, 11, 20),
        method=step.method,
    )
    assert port.post_receipt(command) == port.post_receipt(command)
    evidence = cells.probe_payment(ProbeStep(**step.model_dump()))
    assert (evidence.verdict, evidence.ours) == (Verdict.SAME_PAYMENT, True)
    (receipt,) = port.list_receipts(step.booking_id)
    receivable = port.find_receivable(step.booking_id)
    assert receivable is not None
    assert receivable.open_amount == receivable.total - receipt.amount
    assert port.find_receivable("bkg_nobody") is None


def test_a_payment_whose_booking_is_not_known_waits_for_it(store: Store, cells: JournalErpActivities) -> None:
    store.inbox.accept(stories.captured())
    (paid,) = store.facts.payments_of(stories.AGENCY, "bkg_500")
    step = ProbeStep(
        agency=stories.AGENCY,
        booking_id="bkg_500",
        experience_id="",
        payment_id=paid.id,
        amount=paid.amount,
        method=paid.method,
    )
    with pytest.raises(Exception, match="waiting for booking"):
        cells.probe_payment(step)


@pytest.mark.covers("F-P17")
def test_an_entry_that_was_reversed_is_told_to_its_payment_and_never_repaired(
    store: Store, cells: JournalErpActivities
) -> None:
    step = told(store)
    port = cells.port(stories.AGENCY)
    command = PostReceipt(
        receivable=step.booking_id, payment_id=step.payment_id, amount=step.amount, on=date(2026, 11, 20), method="card"
    )
    kept(store, step, port.post_receipt(command))
    assert reconciled(cells, "r1").differing == 0
    reversal = port.reverse_receipt(f"led:cob:{step.payment_id}", "typed for another agency")
    assert reversal == port.reverse_receipt(f"led:cob:{step.payment_id}", "typed for another agency")
    page = reconciled(cells, "r2")
    assert [(each.payment_id, each.happening.kind) for each in page.told] == [(step.payment_id, Kind.REVERSED)]
    assert port.list_receipts(step.booking_id) == []
    evidence = cells.probe_payment(ProbeStep(**step.model_dump()))
    assert (evidence.verdict, "posts it anew" in evidence.words) == (Verdict.NO_TARGET, True)
    report = store.reconciliations.get("r2")
    assert report is not None
    assert "UTC" in report.boundary


def test_what_describes_itself_never_drifts(cells: JournalErpActivities) -> None:
    described = cells.describe(DescribeStep(agency=stories.AGENCY, connector="journal"))
    assert (described.drifted, "idempotent_post" in described.capabilities) == (False, True)


def test_giav_has_no_part_in_an_agency_that_keeps_its_receipts_in_the_journal(store: Store) -> None:
    done = GiavActivities(store, {}, elsewhere={stories.AGENCY}).record_payment(told(store))
    assert done.outcome == "skipped"
