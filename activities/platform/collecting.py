"""Charging an instalment once, within what the networks and the mandate allow (contracts: money-rules 1.7, F-P1 to F-P15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from activities.effects import Effect, Effects
from activities.platform.client import SYSTEM, Charge, PlatformClient
from activities.platform.mapping import is_disputed, still_due, what_to_charge
from domain.allocation import open_amounts
from domain.collecting import (
    PlanRules,
    category_of,
    is_debit,
    last_brand,
    mandate_obstacle,
    may_never_be_tried_again,
    next_allowed,
    sequence_of,
    taken_back,
)
from domain.effects import EffectKey, EffectState
from domain.errors import NeedsPerson, Refused, Transient, UnknownOutcome
from domain.money import Money
from domain.plan_letters import letter_key
from domain.platform import Booking, Instalment, PaymentPlan
from domain.steps import ChargeResult, InstalmentStep
from store import Store

IN_PROGRESS_PAUSE = 60.0
"""Seconds until a charge that the processor is still working on is looked at again."""
DUE_AT = time(9)
"""Local time at which a due day collects."""
NO_RULES = PlanRules()


class Collecting:
    """Everything is read again for every attempt: a timer, a person or another worker may be ahead of who asked (F-P8)."""

    def __init__(
        self,
        store: Store,
        rules: Mapping[str, PlanRules],
        zones: Mapping[str, str],
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._rules = rules
        self._zones = zones
        self._now = now
        self._effects = Effects(store.effects)

    def collect(
        self, step: InstalmentStep, reader: PlatformClient | None, client: Callable[[], PlatformClient]
    ) -> ChargeResult:
        """One attempt. `reader` looks for a charge already sent; `client` raises `Refused` where there is no platform."""
        facts = self._store.facts
        booking, plan = facts.booking(step.agency, step.booking_id), facts.plan(step.agency, step.booking_id)
        if booking is None or plan is None:
            missing = "booking" if booking is None else "plan"
            raise Transient(f"the {missing} is not in the store yet", system=SYSTEM, operation="charge")
        verdict = self._verdict(step, plan, booking)
        if isinstance(verdict, ChargeResult):
            return self._already_sent(step, plan, reader) or verdict
        instalment, amount, short = verdict
        unanswered = self._unanswered(step, instalment)
        step = step if unanswered is None else step.model_copy(update={"attempt": unanswered})
        result = self._charge(client(), step, plan, instalment, amount)
        return result.model_copy(update={"short": short}) if short and result.status == "captured" else result

    def _verdict(
        self, step: InstalmentStep, plan: PaymentPlan, booking: Booking
    ) -> tuple[Instalment, Money, Money | None] | ChargeResult:
        """What to charge and what is left over, or why nothing is charged now."""
        held = self._store.plan_orders.standing(step.agency, plan).holds(step.instalment_id)
        if held is not None:
            return ChargeResult(status="frozen", message=f"{held.order} by {held.by}: {held.why}")
        facts = self._store.facts
        payments = facts.payments_of(step.agency, step.booking_id)
        refunds = facts.refunds_of(step.agency, step.booking_id)
        chargebacks = facts.chargebacks_of(step.agency, step.booking_id)
        returned = taken_back(chargebacks)
        duplicates = self._store.payment_sync.duplicates_of(step.agency, step.booking_id)
        wanted = open_amounts(plan, payments, refunds, returned, duplicates)
        verdict = what_to_charge(
            plan,
            step.plan_id,
            step.instalment_id,
            booking,
            {one.installment_id: one.id for one in payments if one.installment_id and one.id not in returned},
            still_due(booking, payments, refunds, chargebacks),
            wanted=wanted,
            disputed=is_disputed(chargebacks),
            returned=returned,
        )
        if isinstance(verdict, ChargeResult):
            return verdict
        instalment, amount = verdict
        short = wanted[instalment.id] - amount
        if step.amount is not None:
            if step.amount > amount:
                raise Refused(f"{step.amount} is more than what is open: {amount}", system=SYSTEM, operation="charge")
            amount, short = step.amount, Money.zero(amount.currency)
        is_sent = self._store.effects.get(_key(step, instalment)) is not None
        obstacle = None if is_sent else self._obstacle(step, plan, instalment, amount, wanted)
        return obstacle or (instalment, amount, short if short.amount > 0 else None)

    def _obstacle(
        self,
        step: InstalmentStep,
        plan: PaymentPlan,
        instalment: Instalment,
        amount: Money,
        wanted: Mapping[str, Money],
    ) -> ChargeResult | None:
        """What the mandate, the networks or the announcement of a debit forbid, before anything was sent."""
        now = self._now()
        mandate, today = plan.mandate, now.astimezone(self._zone(step.agency)).date()
        used, final = self._uses(step, plan)
        missing = mandate_obstacle(
            plan,
            instalment,
            amount,
            today=today,
            last_used=used,
            final_used=final,
            unagreed=self._store.facts.wants_consent(step.agency, plan),
        )
        if missing is not None or mandate is None:
            return ChargeResult(
                status="declined", category="authentication_required", message=missing or "", amount=amount
            )
        if is_debit(plan):
            return self._announced(step, plan, instalment, amount, now)
        for payment, failure in self._store.facts.declines_of(step.agency, step.booking_id):
            same = payment.sca is not None and payment.sca.mandate_id == mandate.id
            if same and may_never_be_tried_again(failure):
                words = f"the card may not be tried again after: {failure.message}"
                return ChargeResult(status="declined", category="hard", message=words, amount=amount)
        brand = last_brand(self._store.facts.payments_of(step.agency, step.booking_id))
        allowed = next_allowed(brand, self._sent(step), now)
        if allowed > now:
            words = "the card networks allow no more attempts before"
            return ChargeResult(status="waiting", message=words, not_before=allowed, amount=amount)
        return None

    def _announced(
        self, step: InstalmentStep, plan: PaymentPlan, instalment: Instalment, amount: Money, now: datetime
    ) -> ChargeResult | None:
        """A debit is sent on its due day, and only so many days after the payer was told of exactly this amount (1.7.6)."""
        key = letter_key(step.agency, plan.id, instalment.id, "announced", amount=amount)
        told = self._store.effects.get(key)
        if told is None or told.state is not EffectState.DONE:
            return ChargeResult(status="waiting", message="the debit has to be announced", amount=amount)
        told_at = self._store.effects.settled_at(key) or now
        rules = self._rules.get(step.agency, NO_RULES)
        on_day = datetime.combine(instalment.due_on, DUE_AT, self._zone(step.agency)).astimezone(UTC)
        earliest = max(told_at + timedelta(days=rules.sepa_notice_days), on_day)
        if earliest <= now:
            return None
        return ChargeResult(status="waiting", message="the debit was announced", not_before=earliest, amount=amount)

    def _uses(self, step: InstalmentStep, plan: PaymentPlan) -> tuple[date | None, bool]:
        """The last day on which the mandate was used, and whether a final debit was among them."""
        mandate = plan.mandate
        if mandate is None or not is_debit(plan):
            return None, False
        days = [
            payment.captured_at.date()
            for payment in self._store.facts.payments_of(step.agency, step.booking_id)
            if payment.captured_at is not None and payment.sca is not None and payment.sca.mandate_id == mandate.id
        ]
        final = False
        for row in self._store.effects.history(step.agency, step.booking_id, SYSTEM):
            if row.record.key.entity == "charge" and row.record.state is EffectState.DONE:
                sent = self._store.effects.last_request(row.record.key) or {}
                final = final or (sent.get("sequence") in ("FNAL", "OOFF") and sent.get("mandate") == mandate.id)
        # A final debit that came back was none: the money was never there.
        chargebacks = self._store.facts.chargebacks_of(step.agency, step.booking_id)
        return max(days, default=None), final and not taken_back(chargebacks)

    def _sent(self, step: InstalmentStep) -> list[datetime]:
        rows = self._store.effects.history(step.agency, step.booking_id, SYSTEM)
        return [row.created_at for row in rows if row.record.key.entity == "charge" and row.record.acts]

    def _unanswered(self, step: InstalmentStep, instalment: Instalment) -> int | None:
        """An earlier attempt whose outcome nobody knows: it is looked up before another is made (F-P4)."""
        for attempt in range(1, step.attempt):
            known = self._store.effects.get(_key(step.model_copy(update={"attempt": attempt}), instalment))
            if known is not None and known.state in (EffectState.INTENDED, EffectState.UNKNOWN):
                return attempt
        return None

    def _already_sent(
        self, step: InstalmentStep, plan: PaymentPlan, client: PlatformClient | None
    ) -> ChargeResult | None:
        """What became of this attempt if it was sent before the facts forbade it; a capture must not be hidden."""
        instalment = next((one for one in plan.installments if one.id == step.instalment_id), None)
        if instalment is None or client is None:
            return None
        key = _key(step, instalment)
        if self._store.effects.get(key) is None:
            return None
        found = client.find_charge(key.business_id)
        if found is None:
            return None
        self._store.effects.done(key, found.id, adopted=True)
        return _result(found)

    def _charge(
        self, client: PlatformClient, step: InstalmentStep, plan: PaymentPlan, instalment: Instalment, amount: Money
    ) -> ChargeResult:
        key = _key(step, instalment)
        sent = (self._store.effects.last_request(key) or {}).get("amount")
        # An attempt that may have arrived keeps its amount: under one reference there is one charge.
        amount = Money.model_validate(sent) if sent else amount
        answers: list[Charge] = []

        def act(_: str) -> str:
            answers.append(
                client.charge(
                    plan_id=step.plan_id, instalment_id=step.instalment_id, merchant_ref=key.business_id, amount=amount
                )
            )
            return answers[-1].id

        def look_up(_: str) -> list[str]:
            found = client.find_charge(key.business_id)
            answers.extend([found] if found else [])
            return [found.id] if found else []

        request = {"amount": amount.model_dump(), **self._debit(step, plan, instalment)}
        try:
            self._effects.perform(Effect(key, act, look_up, booking_id=step.booking_id, request=request))
        except Refused as refusal:
            return self._overtaken(client, step, refusal)
        charge = answers[-1] if answers else client.find_charge(key.business_id)
        if charge is None:
            raise NeedsPerson(f"charge {key.business_id} was made and cannot be found", system=SYSTEM, effect=str(key))
        if charge.amount != amount:
            raise NeedsPerson(
                f"charge {key.business_id} was made over {charge.amount}, not {amount}", system=SYSTEM, effect=str(key)
            )
        return _result(charge)

    def _debit(self, step: InstalmentStep, plan: PaymentPlan, instalment: Instalment) -> dict[str, str]:
        """What is remembered of a debit: after a final one its mandate has lapsed."""
        if not is_debit(plan) or plan.mandate is None:
            return {}
        facts = self._store.facts
        wanted = open_amounts(
            plan,
            facts.payments_of(step.agency, step.booking_id),
            facts.refunds_of(step.agency, step.booking_id),
            duplicates=self._store.payment_sync.duplicates_of(step.agency, step.booking_id),
        )
        return {"sequence": sequence_of(plan, instalment, wanted), "mandate": plan.mandate.id}

    def _overtaken(self, client: PlatformClient, step: InstalmentStep, refusal: Refused) -> ChargeResult:
        """A refusal because the platform is ahead of our facts is an answer; any other refusal stands."""
        plan = client.plan(step.plan_id) or {}
        for instalment in plan.get("installments", ()):
            if instalment.get("id") != step.instalment_id:
                continue
            if instalment.get("status") == "paid":
                return ChargeResult(status="already_paid", payment_id=instalment.get("payment_id"))
            if instalment.get("status") in ("cancelled", "waived"):
                return ChargeResult(status="frozen", message=f"the instalment is {instalment['status']} by now")
        raise refusal

    def _zone(self, agency: str) -> ZoneInfo:
        return ZoneInfo(self._zones.get(agency, "Europe/Madrid"))


def _key(step: InstalmentStep, instalment: Instalment) -> EffectKey:
    """The business id is the merchant reference that the processor knows the charge by (money-rules F-P4)."""
    return EffectKey(step.agency, SYSTEM, "charge", f"{step.plan_id}-{instalment.seq}-{step.attempt}", "collect")


def _result(charge: Charge) -> ChargeResult:
    """The processor's answer in the words of a plan."""
    failure = charge.failure
    if charge.status == "processing" or (failure is not None and failure.category == "unknown_outcome"):
        raise UnknownOutcome(
            f"charge {charge.merchant_ref} has no final answer yet",
            system=SYSTEM,
            operation="charge",
            retry_after=IN_PROGRESS_PAUSE,
        )
    if charge.status == "captured":
        return ChargeResult(status="captured", payment_id=charge.payment_id)
    words = failure.message if failure else "declined"
    return ChargeResult(status="declined", category=category_of(failure), message=words)
