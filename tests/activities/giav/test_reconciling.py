"""Payments beside GIAV's cobros: what is gone, foreign or there twice, and the port behind it (contracts: payment-sync 6.1, 7)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from activities.giav.erp import GiavErp
from domain.connector_steps import DescribeStep, ReconcilePage, ReconcileStep
from domain.payment_steps import TransitionLog
from domain.payment_sync import Event, Evidence, Kind, PaymentSync, Role, Transition, Verdict, decide
from domain.ports import PostReceipt
from domain.steps import Done, PaymentStep
from sandbox.giav import seeds
from tests import stories
from tests.activities.giav.desk import Desk
from tests.activities.giav.test_probing import probe, typed
from workflows.erps import receipt_of

FIRST, LAST = date(2026, 10, 1), date(2027, 12, 31)


def kept(desk: Desk, step: PaymentStep, done: Done | None = None, verdict: Verdict = Verdict.UNPAID) -> None:
    """What the payment's workflow tells the store of its way."""
    paid = desk.store.facts.payment(step.agency, step.payment_id)
    assert paid is not None
    at = paid.captured_at or datetime.now(UTC)
    sync = PaymentSync(payment_id=step.payment_id, amount=step.amount, since=at)
    seen = Evidence(verdict=verdict, at=at, words="seen")
    events = [
        Event(kind=Kind.CAPTURED, role=Role.GATEWAY, at=at),
        Event(kind=Kind.START, at=at),
        Event(kind=Kind.PROBED, evidence=seen, at=at),
    ]
    if done is not None:
        events.append(Event(kind=Kind.ACKNOWLEDGED, receipt_id=receipt_of(done, step.payment_id), at=at))
    lines = []
    for each in events:
        move = decide(sync, each)
        sync = move.after
        lines.append(Transition.of(move, each))
    desk.store.payment_sync.moved(
        TransitionLog(
            agency=step.agency,
            lifecycle=f"payment/{step.agency}/{step.payment_id}",
            booking_id=step.booking_id,
            experience_id=step.experience_id,
            connector="giav",
            sync=sync,
            lines=tuple(lines),
        )
    )


def reconciled(desk: Desk, report: str = "r1") -> tuple[ReconcilePage, dict[str, str]]:
    step = ReconcileStep(agency=stories.AGENCY, connector="giav", first=FIRST, last=LAST, report_id=report)
    page: ReconcilePage = desk.activities.reconcile(step)
    found = desk.store.reconciliations.get(report)
    assert found is not None
    assert found.ended_at is not None
    return page, {each.payment_id or f"cobro {each.receipt_id}": each.verdict for each in found.pairs}


def recorded(desk: Desk) -> PaymentStep:
    desk.registered()
    step = desk.payment()
    kept(desk, step, desk.activities.record_payment(step))
    return step


def delete(desk: Desk, cobro: str) -> None:
    """By a person, with whatever it paid."""
    records = desk.stand_in.books.records
    for link in records.all("RelationDueDatePayment"):
        if link["IdCobro"] == int(cobro):
            records.remove("RelationDueDatePayment", link["Id"])
    records.remove("Cobro", int(cobro))
    records.commit()


def test_a_payment_and_its_cobro_agree_and_nothing_is_written(desk: Desk) -> None:
    step = recorded(desk)
    desk.calls()
    page, verdicts = reconciled(desk)
    assert verdicts == {step.payment_id: "agrees"}
    assert (page.differing, page.told) == (0, ())
    assert set(desk.calls()) == {"Cobro_SEARCH"}


@pytest.mark.covers("F-P17", "M2")
def test_a_cobro_that_was_deleted_is_told_to_the_payment_and_may_be_made_again(desk: Desk) -> None:
    step = recorded(desk)
    known = desk.store.payment_sync.get(step.agency, step.payment_id)
    assert known is not None
    gone = known.sync.receipt_id
    assert gone is not None
    delete(desk, gone)
    page, verdicts = reconciled(desk)
    assert verdicts == {step.payment_id: "reversed"}
    ((told),) = page.told
    assert (told.payment_id, told.happening.kind) == (step.payment_id, Kind.REVERSED)
    assert f"cobro {gone}" in told.happening.text
    # Nothing was repaired; a person's "sync now" looks, and finds it unpaid.
    assert desk.held("Cobro") == []
    assert probe(desk, step).verdict is Verdict.UNPAID
    again = desk.activities.record_payment(step)
    assert again.ids["cobro"] != gone
    assert len(desk.held("Cobro")) == 1


def test_a_cobro_by_the_gateways_method_that_no_payment_explains_is_an_item_that_goes_with_it(desk: Desk) -> None:
    recorded(desk)
    typed(desk, "120.00", "pi_unknown", seeds.STRIPE)
    typed(desk, "80.00", "caja 3")
    page, verdicts = reconciled(desk)
    stranger = next(each["Id"] for each in desk.held("Cobro") if each["Documento"] == "pi_unknown")
    assert verdicts[f"cobro {stranger}"] == "no_payment"
    assert page.differing == 1
    (item,) = desk.store.parked.list(stories.AGENCY, reason="receipt_without_payment")
    assert str(item.amount) == "120.00 EUR"
    delete(desk, str(stranger))
    reconciled(desk, "r2")
    assert desk.store.parked.list(stories.AGENCY, reason="receipt_without_payment") == []


def test_a_payment_that_says_it_is_synchronised_and_never_was_is_an_item(desk: Desk) -> None:
    desk.registered()
    step = desk.payment()
    kept(desk, step, Done())
    # The machine believes it; neither our ledger nor GIAV has ever seen a cobro.
    _, verdicts = reconciled(desk)
    assert verdicts == {step.payment_id: "no_receipt"}
    (item,) = desk.store.parked.list(stories.AGENCY, reason="payment_without_receipt")
    assert item.payment_id == step.payment_id


def test_a_part_that_was_paid_in_the_office_is_told_to_the_payment(desk: Desk) -> None:
    desk.registered()
    step = desk.payment()
    sale = float(desk.container()["VentaComis"])
    kept(desk, step, verdict=Verdict.INCONCLUSIVE)
    typed(desk, f"{sale - 100:.2f}", "caja 18")
    page, verdicts = reconciled(desk)
    assert verdicts == {step.payment_id: "split"}
    assert [each.happening.kind for each in page.told] == [Kind.SPLIT_DETECTED]


def test_what_our_own_pace_keeps_from_being_asked_is_left_out_by_name_and_not_taken_for_waiting(desk: Desk) -> None:
    step = recorded(desk)
    second = desk.payment("pay_1002")
    kept(desk, second, verdict=Verdict.INCONCLUSIVE)
    desk.configure(calls_per_second=0.001)
    page, verdicts = reconciled(desk)
    assert (page.left_out, verdicts) == (1, {})
    desk.configure()
    page, verdicts = reconciled(desk, "r2")
    assert (page.left_out, verdicts) == (0, {step.payment_id: "agrees", second.payment_id: "waits"})


# -- the port ----------------------------------------------------------------------------------------------------------


def port(desk: Desk) -> GiavErp:
    return GiavErp(desk.activities._office(stories.AGENCY))


def test_the_port_posts_finds_lists_and_reverses_a_receipt(desk: Desk) -> None:
    desk.registered()
    step = desk.payment()
    erp = port(desk)
    open_before = erp.find_receivable(step.booking_id)
    assert open_before is not None
    assert erp.list_receipts(step.booking_id) == []
    made = erp.post_receipt(
        PostReceipt(
            receivable=step.booking_id,
            payment_id=step.payment_id,
            amount=step.amount,
            on=date(2026, 11, 20),
            method=step.method,
        )
    )
    (receipt,) = erp.list_receipts(step.booking_id)
    assert (receipt.id, receipt.amount, receipt.by_gateway) == (made, step.amount, True)
    after = erp.find_receivable(step.booking_id)
    assert after is not None
    assert after.open_amount == open_before.open_amount - step.amount
    assert erp.find_receivable("bkg_nobody") is None
    assert erp.next_instalments("nobody", step.booking_id) == []


def test_a_contract_that_changes_is_named_part_by_part_until_a_person_accepts_it(desk: Desk) -> None:
    desk.registered()
    asked = DescribeStep(agency=stories.AGENCY, connector="giav")
    first: Any = desk.activities.describe(asked)
    assert (first.drifted, first.differs) == (False, ())
    desk.stand_in.books.manners.change({"new_field": "centroCoste"})
    changed = desk.activities.describe(asked)
    assert (changed.drifted, changed.differs) == (True, ("changed: element Giav.Core.Business:Cobro_POST",))
    accepted = desk.activities.describe(
        asked.model_copy(update={"accepted_by": "ana", "why": "GIAV told us on Monday"})
    )
    assert not accepted.drifted
    seen = desk.store.connectors.contract(stories.AGENCY, "giav")
    assert seen is not None
    assert seen.accepted_by == "ana"
