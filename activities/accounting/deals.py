"""The journal's cells for deals that belong to no booking, and for money that nobody asked for (contracts: money-rules 2, P2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from activities.accounting.settings import JournalSettings
from activities.effects import Effect, Effects
from activities.failures import implements
from activities.signatures import JOURNAL_RECORD_DEAL, JOURNAL_REFUND_DEAL
from domain.deal_steps import DealMoneyStep, DealRefundStep
from domain.deals import refund_id
from domain.effects import EffectKey
from domain.errors import Refused
from domain.ledger import Entry, Fact, Movement, entry_of, key_of, reversal
from domain.money import Money
from domain.steps import Done
from store import Store

SYSTEM = "journal"
PROCESSOR = "easycount"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class DealJournal:
    """A deal without a booking has accounts of its own: `deal:{id}` is its payer and its trip."""

    def __init__(
        self, store: Store, settings: Mapping[str, JournalSettings], *, now: Callable[[], datetime] = _utc_now
    ) -> None:
        self._store = store
        self._settings = settings
        self._now = now
        self._effects = Effects(store.effects)

    @implements(JOURNAL_RECORD_DEAL)
    def record_deal(self, step: DealMoneyStep) -> Done:
        """`suspend`: it waits in 555 for a person or for its booking; `return`: it left 555 again; `record`: it is a sale."""
        held = key_of("sus", step.payment_id)
        suspended = self._store.journal.find(step.agency, held) is not None
        match step.what:
            case "suspend":
                return self._post(step, "suspend", [self._movement(step, Fact.SUSPENSE, held)])
            case "return":
                posted = self._store.journal.find(step.agency, held)
                if posted is None:
                    return Done(outcome="skipped", note="it was never in suspense")
                day = self._now().astimezone(self._of(step.agency).zone).date()
                back = reversal(posted.entry, on=day, text=f"{step.payment_id} was given back")
                return self._append(step, "return", [back])
            case "record":
                if step.booking_id is not None:
                    return Done(outcome="skipped", note="the booking's own payment posts it")
                money = Fact.MATCH if suspended else Fact.COLLECTION
                movements = [
                    self._movement(step, money, key_of("mat" if suspended else "cob", step.payment_id)),
                    self._movement(step, Fact.INVOICE, key_of("inv", step.payment_id)),
                ]
                return self._post(step, "match" if suspended else "post", movements)

    @implements(JOURNAL_REFUND_DEAL)
    def refund_deal(self, step: DealRefundStep) -> Done:
        """Money of a sale without a booking went back: its credit and its way out."""
        if step.booking_id is not None:
            return Done(outcome="skipped", note="the booking's own refund posts it")
        refund = refund_id(step.agency, step.payment_id, step.reference)
        given = self._store.payment_requests.refunds(step.agency, step.deal_id)
        kept = next((each for each in given if each.refund_id == refund), None)
        if kept is None:
            raise Refused(f"{refund} was not credited", system=SYSTEM)
        movements = [
            self._of_deal(step, Fact.REFUND, key_of("dev", refund), step.amount, kept.at),
            self._of_deal(step, Fact.RECTIFYING, key_of("rect", refund), step.amount, kept.at),
        ]
        return self._post(step, "refund", movements)

    def _movement(self, step: DealMoneyStep, fact: Fact, key: str) -> Movement:
        paid = self._store.payment_requests.payment(step.agency, step.payment_id)
        return self._of_deal(step, fact, key, paid.amount, paid.seen_at)

    def _of_deal(
        self, step: DealMoneyStep | DealRefundStep, fact: Fact, key: str, amount: Money, moment: datetime
    ) -> Movement:
        whose = f"deal:{step.deal_id}"
        return Movement(
            fact=fact,
            key=key,
            on=moment.astimezone(self._of(step.agency).zone).date(),
            booking_id=step.booking_id or whose,
            text=f"{fact.value} {step.payment_id}",
            amount=amount,
            payer_id=whose,
            payment_id=step.payment_id,
            processor=PROCESSOR,
            method="card",
        )

    def _post(self, step: DealMoneyStep | DealRefundStep, operation: str, movements: list[Movement]) -> Done:
        accounts = self._of(step.agency).accounts
        return self._append(step, operation, [entry_of(movement, accounts) for movement in movements])

    def _append(self, step: DealMoneyStep | DealRefundStep, operation: str, entries: list[Entry]) -> Done:
        """One effect for entries that belong together: they are appended in one transaction."""
        first, journal = entries[0], self._store.journal

        def look_up(_reference: str) -> list[str]:
            posted = journal.find(step.agency, first.key)
            return [str(posted.number)] if posted else []

        number = self._effects.perform(
            Effect(
                EffectKey(step.agency, SYSTEM, "entry", first.key, operation),
                act=lambda _reference: str(journal.append(step.agency, *entries)[0]),
                look_up=look_up,
                booking_id=step.booking_id,
            )
        )
        return Done(ids={first.key: number})

    def _of(self, agency: str) -> JournalSettings:
        return self._settings.get(agency) or JournalSettings()
