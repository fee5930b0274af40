"""When an instalment may be charged, tried again, or left to a person: pure rules (contracts: money-rules 1.7.2 to 1.7.7, F-P*).

Days are agency-local, instants UTC. Network limits are the stricter of what their processors publish.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.money import Money
from domain.platform import Chargeback, Failure, Instalment, Payment, PaymentPlan

Category = Literal["hard", "soft", "authentication_required"]
ReturnAnswer = Literal["retry", "stop", "ask"]

DUNNING = (timedelta(days=1), timedelta(days=3), timedelta(days=7))
"""When a soft decline is tried again, counted from the previous attempt (1.7.7)."""
NEVER_AGAIN = frozenset({"04", "07", "12", "14", "15", "41", "43", "46", "57", "R0", "R1", "R3"})
"""Answers of the issuer after which the same card may never be tried again (1.7.7, category 1)."""
STOPPING_ADVICE = frozenset({"03", "21"})
"""The network's advice: do not try again; the payer has cancelled."""
WANTS_THE_PAYER = frozenset({"1A", "65"})
"""Answers of the issuer that ask for strong authentication."""
UNUSED_MANDATE_LASTS = 36
"""Months (1.7.6)."""
LATE, NEAR = timedelta(days=3), timedelta(days=3)
"""More than so late, and nearer than that to the next due day: a person is asked before two charges meet (F-P7)."""

RETURNS: dict[str, ReturnAnswer] = {
    "AM04": "retry",
    "AC01": "stop",
    "AC04": "stop",
    "AC06": "stop",
    "MD01": "stop",
    "MD07": "stop",
    "AM05": "ask",
    "MD06": "ask",
    "MS02": "ask",
    "MS03": "ask",
}
"""What the code of a returned debit means for its plan (1.7.5); a code that is not here is a person's too."""
RETURN_WORDS: dict[str, str] = {
    "AC01": "the account number is wrong",
    "AC04": "the account is closed",
    "AC06": "the account is blocked",
    "AM04": "there was not enough money on the account",
    "AM05": "the bank took it for a duplicate",
    "MD01": "there is no mandate",
    "MD06": "the payer asked for the money back",
    "MD07": "the payer has died",
    "MS02": "the payer gave no reason",
    "MS03": "the bank gave no reason",
}


class PlanRules(BaseModel):
    """Settings section `plans` of an agency.

    `grace_days`: how long after a final decline somebody must decide on cancelling for non-payment (F-P2). A direct debit is
    announced `sepa_notice_days` before, and tried once more `sepa_retry_days` after it came back for want of money.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    grace_days: Annotated[int, Field(ge=1, le=90)] = 10
    sepa_notice_days: Annotated[int, Field(ge=1, le=30)] = 14
    sepa_retry_days: Annotated[int, Field(ge=1, le=30)] = 5


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` attempts within `window`."""

    count: int
    window: timedelta


LIMITS: dict[str, tuple[Limit, ...]] = {
    "visa": (Limit(15, timedelta(days=30)),),
    "mastercard": (Limit(10, timedelta(hours=24)), Limit(35, timedelta(days=30))),
}
"""Attempts on one card (1.7.7). A card whose network is unknown is held to all of them."""


def category_of(failure: Failure | None) -> Category:
    """What a decline means. Codes of the networks count before the processor's own word."""
    if failure is None:
        return "hard"
    if may_never_be_tried_again(failure):
        return "hard"
    if failure.category == "authentication_required" or failure.network_code in WANTS_THE_PAYER:
        return "authentication_required"
    return "soft" if failure.retry_allowed and failure.category != "hard" else "hard"


def may_never_be_tried_again(failure: Failure) -> bool:
    """Whether the networks forbid, under pain of fees, to try the same card another time."""
    return failure.network_code in NEVER_AGAIN or failure.advice_code in STOPPING_ADVICE


def next_allowed(brand: str | None, attempts: Iterable[datetime], now: datetime) -> datetime:
    """The first moment from `now` on at which the networks allow one more attempt; `attempts` are those that were made."""
    made = sorted(attempts)
    every = LIMITS.get((brand or "").lower(), tuple(limit for limits in LIMITS.values() for limit in limits))
    moment = now
    for limit in every:
        inside = [each for each in made if each > now - limit.window]
        if len(inside) >= limit.count:
            moment = max(moment, inside[-limit.count] + limit.window)
    return moment


def return_answer(code: str | None, returned_before: int) -> ReturnAnswer:
    """What to do with a plan when one of its debits came back; `returned_before` counts earlier returns of the instalment."""
    answer = RETURNS.get(code or "", "ask")
    return "ask" if answer == "retry" and returned_before else answer


def is_debit(plan: PaymentPlan) -> bool:
    return plan.method == "sepa_dd"


def sequence_of(plan: PaymentPlan, instalment: Instalment, wanted: Iterable[str]) -> Literal["OOFF", "FNAL", "RCUR"]:
    """The sequence type of a debit: the last open instalment is final (FRST is optional since 2016)."""
    if len(plan.installments) == 1:
        return "OOFF"
    return "FNAL" if not set(wanted) - {instalment.id} else "RCUR"


def mandate_obstacle(
    plan: PaymentPlan,
    instalment: Instalment,
    amount: Money,
    *,
    today: date,
    last_used: date | None = None,
    final_used: bool = False,
    unagreed: bool = False,
) -> str | None:
    """Why the mandate does not cover the charge; then only the payer can pay, or sign anew (F-P14, 1.7.2, 1.7.6).

    `last_used` is the day of the last debit under this mandate, `final_used` that one of them was the final one, `unagreed`
    that the plan was changed beyond what the payer agreed to.
    """
    mandate = plan.mandate
    if mandate is None:
        return "there is no mandate"
    if mandate.status != "active":
        return f"the mandate is {mandate.status}"
    if mandate.expires_on is not None and mandate.expires_on < max(instalment.due_on, today):
        return "the mandate ends before the due date"
    if mandate.max_amount is not None and mandate.max_amount < amount:
        return "the amount is above the mandate's maximum"
    if unagreed:
        return "the payer has not agreed to the changed plan"
    if mandate.scheme == "card_mit":
        return None
    if final_used:
        return "the mandate ended with its final debit"
    if _months_after(last_used or mandate.signed_at.date(), UNUSED_MANDATE_LASTS) <= today:
        return f"the mandate was not used for {UNUSED_MANDATE_LASTS} months"
    return None


def _months_after(day: date, months: int) -> date:
    year, month = divmod(day.month - 1 + months, 12)
    last = (date(day.year + year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(day.year + year, month + 1, min(day.day, last))


def meets_the_next(due_on: date, agreed_on: date, today: date, others: Iterable[date]) -> bool:
    """Whether a charge that comes late would meet the next one (F-P7): then a person is asked.

    What was agreed after its due day is late from the agreement on.
    """
    late = today - max(due_on, agreed_on)
    return late > LATE and any(abs(day - today) < NEAR for day in others if day > due_on)


def returned_payments(stages: Iterable[tuple[str, str, str]]) -> frozenset[str]:
    """Payments that a bank took back as direct debits; `stages` are (payment, kind, stage) in the order of their stages."""
    back: set[str] = set()
    for payment_id, kind, stage in stages:
        if kind.startswith("sepa_") and stage == "funds_withdrawn":
            back.add(payment_id)
        elif stage == "won":
            back.discard(payment_id)
    return frozenset(back)


def taken_back(chargebacks: Iterable[Chargeback]) -> frozenset[str]:
    """Payments by direct debit that a bank took back: they paid nothing. Stages come in their order."""
    return returned_payments((each.payment_id, each.kind, each.stage) for each in chargebacks)


def begins_on(plan: PaymentPlan, due_on: date, rules: PlanRules) -> date:
    """The day on which an instalment is first looked at: a debit has to be announced before."""
    return due_on - timedelta(days=rules.sepa_notice_days) if is_debit(plan) and plan.mandate else due_on


def last_brand(payments: Sequence[Payment]) -> str | None:
    """The network of the card that paid last."""
    cards = [payment.card.brand for payment in payments if payment.card is not None]
    return cards[-1] if cards else None
