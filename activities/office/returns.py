"""What a direct debit that came back means for its plan, by the bank's code (contracts: money-rules 1.7.5, F-P9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from activities.failures import implements
from activities.signatures import OFFICE_JUDGE_RETURN
from domain.collecting import RETURN_WORDS, PlanRules, return_answer
from domain.errors import ContractBroken
from domain.plan_steps import ReturnVerdict
from domain.steps import ChargebackStep
from store import Store

NO_RULES = PlanRules()


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ReturnActivities:
    """Reads only."""

    def __init__(
        self, store: Store, rules: Mapping[str, PlanRules] | None = None, now: Callable[[], datetime] = _utc_now
    ) -> None:
        self._store = store
        self._rules = rules or {}
        self._now = now

    @implements(OFFICE_JUDGE_RETURN)
    def judge_return(self, step: ChargebackStep) -> ReturnVerdict:
        """Try once more, stop the plan, or ask a person."""
        facts = self._store.facts
        told = facts.chargeback(step.agency, step.chargeback_id, step.stage)
        if told is None:
            raise ContractBroken(f"no chargeback {step.chargeback_id} {step.stage}", system="store")
        payment, plan = facts.payment(step.agency, step.payment_id), facts.plan(step.agency, step.booking_id)
        own = payment.installment_id if payment is not None else None
        same = {
            each.id for each in facts.payments_of(step.agency, step.booking_id) if own and each.installment_id == own
        }
        before = {
            each.id
            for each in facts.chargebacks_of(step.agency, step.booking_id)
            if each.payment_id in same and each.id != step.chargeback_id
        }
        # Money that the payer or the bank argues about is not asked for again by itself, nor is what no plan asked for.
        argued = told.kind != "sepa_return" or own is None or plan is None
        answer = "ask" if argued and told.reason_code == "AM04" else return_answer(told.reason_code, len(before))
        rules = self._rules.get(step.agency, NO_RULES)
        words = RETURN_WORDS.get(told.reason_code, "the bank's code is not one that we know")
        return ReturnVerdict(
            answer=answer,
            code=told.reason_code,
            words=words,
            plan_id=plan.id if plan is not None else "",
            instalment_id=own or "",
            attempt=len(same) + len(facts.declines_of(step.agency, step.booking_id)) + 1,
            retry_on=self._now() + timedelta(days=rules.sepa_retry_days) if answer == "retry" else None,
        )
