"""The platform column: read the truth of a booking back, collect an instalment (contracts: platform-events 4, 7; money-rules 1.7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from activities.effects import Effect, Effects, beat
from activities.failures import implements
from activities.platform.client import SYSTEM, Charge, PlatformClient
from activities.platform.mapping import event_of, is_disputed, still_due, told_by_snapshot, what_to_charge
from activities.platform.settings import PlatformAccount
from activities.signatures import PLATFORM_COLLECT_INSTALMENT, PLATFORM_READ_BOOKING
from domain.allocation import open_amounts
from domain.effects import EffectKey
from domain.errors import NeedsPerson, Refused, Transient, UnknownOutcome
from domain.money import Money
from domain.platform import Instalment
from domain.steps import BookingStep, ChargeResult, Done, InstalmentStep
from store import Store
from store.inbox import EventFilter

IN_PROGRESS_PAUSE = 60.0
"""Seconds until a charge that the processor is still working on is looked at again."""

MOST_EVENTS = 10_000
"""More events than a booking has."""
Category = Literal["hard", "soft", "authentication_required"]


class PlatformActivities:
    """`accounts` holds every agency, also those that only import events."""

    def __init__(self, store: Store, accounts: Mapping[str, PlatformAccount]) -> None:
        self._store = store
        self._accounts = accounts
        self._effects = Effects(store.effects)

    @implements(PLATFORM_READ_BOOKING)
    def read_booking(self, step: BookingStep) -> Done:
        """Feed what the platform knows of the booking and its experience into the inbox, as if it had been delivered."""
        account = self._accounts[step.agency]
        client = self._client(account, "read booking")
        snapshot = client.booking(step.booking_id)
        if snapshot is None:
            raise Refused(f"the platform does not know booking {step.booking_id}", system=SYSTEM, code="404")
        experience_id = str(snapshot.get("experience_id", step.experience_id))
        taken = 0
        for document in self._missing_events(client, step):
            if document.get("partitionkey") in (step.booking_id, experience_id):
                taken += self._take_in(account, step.agency, document)
        if self._store.facts.experience(step.agency, experience_id) is None:
            experience = client.experience(experience_id)
            if experience is not None:
                taken += self._take_in(account, step.agency, told_by_snapshot(account, "experience", experience))
        if self._newest_told(step.agency, step.booking_id) < int(snapshot.get("revision", 1)):
            known = self._store.facts.booking(step.agency, step.booking_id)
            before = known.totals.total if known else None
            taken += self._take_in(account, step.agency, told_by_snapshot(account, "booking", snapshot, before))
        return Done(note=f"{taken} events taken over" if taken else "the newest revision was known")

    def _missing_events(self, client: PlatformClient, step: BookingStep) -> Iterator[dict[str, Any]]:
        """What the log has and the inbox lacks: the gaps in the sequence, and what follows the event that asked."""
        for low, high in self._store.inbox.gaps(step.agency):
            for document in client.events(low - 1):
                if int(document.get("sequence", 0)) > high:
                    break
                yield document
        asked_by = self._store.inbox.get(step.agency, step.event_id)
        yield from client.events(asked_by.sequence if asked_by and asked_by.sequence else 0)

    def _newest_told(self, agency: str, booking_id: str) -> int:
        """The newest revision that any event told, also one that is parked: a snapshot must not get around the list."""
        events = self._store.inbox.list(EventFilter(agency=agency, aggregate_id=booking_id), limit=MOST_EVENTS)
        return max((event.revision or 0 for event in events), default=0)

    def _take_in(self, account: PlatformAccount, agency: str, document: Mapping[str, Any]) -> int:
        if self._store.inbox.get(agency, str(document.get("id"))) is not None:
            return 0
        beat("take in an event")
        return int(self._store.inbox.accept(event_of(account, agency, document, datetime.now(UTC))) == "new")

    @implements(PLATFORM_COLLECT_INSTALMENT)
    def collect_instalment(self, step: InstalmentStep) -> ChargeResult:
        """Charge what is still due of an instalment, decided on what the store knows at this very moment."""
        account = self._accounts[step.agency]
        facts = self._store.facts
        booking, plan = facts.booking(step.agency, step.booking_id), facts.plan(step.agency, step.booking_id)
        if booking is None or plan is None:
            missing = "booking" if booking is None else "plan"
            raise Transient(f"the {missing} is not in the store yet", system=SYSTEM, operation="charge")
        payments = facts.payments_of(step.agency, step.booking_id)
        paid = {one.installment_id: one.id for one in payments if one.installment_id}
        refunds = [
            one
            for one in facts.refunds_of(step.agency, step.booking_id)
            if not facts.refund_failed(step.agency, one.id)
        ]
        chargebacks = facts.chargebacks_of(step.agency, step.booking_id)
        due = still_due(booking, payments, refunds, chargebacks)
        verdict = what_to_charge(
            plan,
            step.plan_id,
            step.instalment_id,
            booking,
            paid,
            due,
            wanted=open_amounts(plan, payments, refunds),
            disputed=is_disputed(chargebacks),
        )
        if isinstance(verdict, ChargeResult):
            return self._already_sent(account, step) or verdict
        instalment, amount = verdict
        return self._charge(self._client(account, "charge"), step, instalment, amount)

    def _already_sent(self, account: PlatformAccount, step: InstalmentStep) -> ChargeResult | None:
        """What became of this attempt if it was sent before the facts forbade it; a capture must not be hidden."""
        plan = self._store.facts.plan(step.agency, step.booking_id)
        instalment = next((one for one in plan.installments if one.id == step.instalment_id), None) if plan else None
        if instalment is None or account.client is None:
            return None
        key = _key(step, instalment)
        if self._store.effects.get(key) is None:
            return None
        found = account.client.find_charge(key.business_id)
        if found is None:
            return None
        self._store.effects.done(key, found.id, adopted=True)
        return _result(found)

    def _charge(
        self, client: PlatformClient, step: InstalmentStep, instalment: Instalment, amount: Money
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

        request = {"amount": amount.model_dump()}
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

    @staticmethod
    def _client(account: PlatformAccount, operation: str) -> PlatformClient:
        if account.client is None:
            raise Refused(
                "the agency's platform has no address in the settings (events are only imported)",
                system=SYSTEM,
                operation=operation,
            )
        return account.client


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
    category: Category = "hard"
    if failure is not None:
        if failure.category == "authentication_required":
            category = "authentication_required"
        elif failure.retry_allowed and failure.category != "hard":
            category = "soft"
    return ChargeResult(status="declined", category=category, message=failure.message if failure else "declined")
