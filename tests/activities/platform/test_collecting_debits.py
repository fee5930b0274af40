"""Direct debits, consent, limits and people's orders at the moment of charging (money-rules 1.7, F-P1 to F-P15)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities.mailing.instalments import InstalmentLetters
from activities.office.returns import ReturnActivities
from activities.platform.activities import PlatformActivities
from domain.money import Money
from domain.plan_letters import letter_key
from domain.plan_orders import OrderKind, PlanOrder
from domain.plan_steps import TellStep
from domain.steps import ChargebackStep, ChargeResult
from tests.activities.platform import trip
from tests.activities.platform.world import World, collecting

AMOUNT = Money(amount=30000, currency="EUR")


def at(world: World, moment: datetime) -> PlatformActivities:
    return PlatformActivities(
        world.store, {trip.AGENCY: world.account}, zones={trip.AGENCY: "Europe/Madrid"}, now=lambda: moment
    )


@pytest.fixture
def debits(world: World) -> World:
    world.sell(method="sepa_dd")
    world.do("change-plan", plan_id="plan_50", sign_mandate={"scheme": "sepa_core"})
    world.deliver()
    return world


def announced(world: World) -> datetime:
    """A person told the payer, and the desk says so."""
    telling = TellStep(
        agency=trip.AGENCY,
        plan_id="plan_50",
        booking_id="bkg_500",
        instalment_id="ins_501",
        occasion="announced",
        amount=AMOUNT,
    )
    with pytest.raises(ApplicationError) as caught:
        InstalmentLetters(world.store, {}, {}).tell_payer(telling)
    assert "settings section mail" in caught.value.message
    key = letter_key(trip.AGENCY, "plan_50", "ins_501", "announced", amount=AMOUNT)
    assert world.store.effects.adopt(str(key), "told by phone")
    told_at = world.store.effects.settled_at(key)
    assert told_at is not None
    return told_at


@pytest.mark.covers("1.7.6")
def test_a_debit_waits_until_it_was_announced_for_fourteen_days(debits: World) -> None:
    first = debits.cells.collect_instalment(collecting())
    assert (first.status, first.not_before, first.amount) == ("waiting", None, AMOUNT)
    told_at = announced(debits)
    earliest = max(told_at + timedelta(days=14), datetime(2026, 12, 2, 8, tzinfo=UTC))
    assert at(debits, told_at).collect_instalment(collecting()).not_before == earliest
    assert not debits.charges()
    assert at(debits, earliest).collect_instalment(collecting()).status == "captured"


def returned(world: World, code: str, kind: str = "sepa_return") -> str:
    told_at = announced(world)
    world.do("capture-payment", booking_id="bkg_500", instalment_id="ins_501", method="sepa_dd", id="pay_77")
    made = world.do("chargeback", payment_id="pay_77", stage="funds_withdrawn", kind=kind, reason_code=code)
    world.deliver()
    assert told_at
    return str(made["chargebacks"][-1]["id"])


@pytest.mark.covers("1.7.5", "F-P9")
@pytest.mark.parametrize(
    ("code", "kind", "answer"),
    [
        ("AM04", "sepa_return", "retry"),
        ("AC04", "sepa_return", "stop"),
        ("MD01", "sepa_return", "stop"),
        ("MS03", "sepa_return", "ask"),
        ("MD06", "sepa_refund", "ask"),
        ("AM04", "sepa_refund", "ask"),
    ],
)
def test_a_return_is_judged_by_its_code(code: str, kind: str, answer: str, debits: World) -> None:
    own = returned(debits, code, kind)
    step = ChargebackStep(
        agency=trip.AGENCY,
        booking_id="bkg_500",
        payment_id="pay_77",
        chargeback_id=own,
        stage="funds_withdrawn",
        amount=AMOUNT,
        event_id="evt_1",
    )
    verdict = ReturnActivities(debits.store).judge_return(step)
    assert (verdict.answer, verdict.code, verdict.instalment_id) == (answer, code, "ins_501")
    assert (verdict.retry_on is not None) is (answer == "retry")


@pytest.mark.covers("F-P9", "1.7.10")
def test_a_returned_debit_is_wanted_again_and_presented_once_more(debits: World) -> None:
    returned(debits, "AM04")
    later = datetime(2027, 1, 10, 9, tzinfo=UTC)
    again = at(debits, later).collect_instalment(collecting(attempt=2))
    assert (again.status, [charge["amount"]["amount"] for charge in debits.charges()]) == ("captured", [30000])


@pytest.mark.covers("F-M8", "F-P14", "1.7.2")
def test_a_price_that_rises_waits_for_the_payer_s_consent(world: World) -> None:
    world.sell()
    world.do("change-service", booking_id="bkg_500", action="added", service_id="svc_hotel")
    world.deliver()
    refused = world.cells.collect_instalment(collecting())
    assert (refused.status, refused.category) == ("declined", "authentication_required")
    assert "not agreed" in refused.message
    assert not world.charges()
    world.do("change-plan", plan_id="plan_50", sign_mandate=True)
    world.deliver()
    assert world.cells.collect_instalment(collecting()).status == "captured"


@pytest.mark.covers("F-P2", "1.7.7")
def test_a_card_that_may_never_be_tried_again_is_not_even_on_order(world: World) -> None:
    world.sell()
    world.do("script-charges", target="plan_50", outcomes=["hard"])
    world.deliver()
    assert world.cells.collect_instalment(collecting()).category == "hard"
    world.deliver()
    assert world.cells.collect_instalment(collecting(seq=2)).category == "hard"
    assert len(world.charges()) == 1, "the networks were not asked again"


@pytest.mark.covers("F-P4")
def test_an_attempt_without_an_answer_is_looked_up_before_another_is_made(world: World) -> None:
    world.sell()
    world.deliver()
    world.fault("charges.create", "drop-after")
    with pytest.raises(ApplicationError):
        world.cells.collect_instalment(collecting())
    result = world.cells.collect_instalment(collecting(attempt=2))
    assert (result.status, [charge["merchant_ref"] for charge in world.charges()]) == ("captured", ["plan_50-1-1"])


@pytest.mark.covers("F-P8")
@pytest.mark.parametrize(("order", "own"), [("pause", None), ("skip", "ins_501"), ("stop", "ins_501")])
def test_what_a_person_holds_back_is_not_charged(order: OrderKind, own: str | None, world: World) -> None:
    world.sell()
    world.deliver()
    moment = datetime.now(UTC)

    def ordered(kind: OrderKind, number: int) -> None:
        given = PlanOrder(order=kind, by="ana", why="the payer asked for time", instalment_id=own, at=moment)
        world.store.plan_orders.give(trip.AGENCY, "plan_50", str(number), "bkg_500", given)

    ordered(order, 1)
    ordered(order, 1)
    held = world.cells.collect_instalment(collecting())
    assert held == ChargeResult(status="frozen", message=f"{order} by ana: the payer asked for time")
    assert len(world.store.plan_orders.of(trip.AGENCY, "plan_50")) == 1, "told twice, kept once"
    ordered("resume", 2)
    assert world.cells.collect_instalment(collecting()).status == "captured"


def test_more_than_what_is_open_is_refused(world: World) -> None:
    world.sell()
    world.deliver()
    step = collecting().model_copy(update={"amount": Money(amount=30001, currency="EUR")})
    with pytest.raises(ApplicationError, match="more than what is open"):
        world.cells.collect_instalment(step)
    assert not world.charges()
