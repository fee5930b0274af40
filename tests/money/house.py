"""One agency with a platform, a GIAV and a journal, all real but for the wire's other end, and lived without Temporal: every
event is answered by the cells that its lifecycle would call, in that order, again and again while they may be retried.

At the end of each test the auditor looks at all three (contracts: money-rules 3, M1-M9).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from temporalio.exceptions import ApplicationError

from activities.accounting.activities import JournalActivities
from activities.giav.activities import GiavActivities
from activities.giav.office import GiavAccount
from domain.books import BookingBooks, Books
from domain.invariants import audit
from domain.notices import EventNotice
from domain.steps import (
    BookingStep,
    CancellationStep,
    ChargebackStep,
    Done,
    ExperienceStep,
    InstalmentStep,
    PaymentStep,
    RefundStep,
)
from sandbox.giav.stand_in import GiavStandIn
from starter.collecting.erp import Erp
from starter.collecting.references import references_of
from starter.collecting.truth import InboxTruth, platform_books
from tests.activities.giav.desk import section
from tests.activities.platform.trip import AGENCY
from tests.activities.platform.world import World, collecting

MADRID = ZoneInfo("Europe/Madrid")
JUDGED = {"M1", "M2", "M3", "M4", "M5", "M6", "M7", "M8", "M9", "L1", "L2"}
TRIES = 12
Cell = Callable[[Any], Done]


class House:
    """Booking `bkg_500` (1 000.00 EUR) with plan `plan_50`: 300.00, 400.00, 300.00, as the platform tells it."""

    def __init__(self, world: World, giav: GiavStandIn, url: str) -> None:
        self.world, self.giav, self.url = world, giav, url
        account = GiavAccount.open(section(url))
        self.cells = GiavActivities(world.store, {AGENCY: account}, lambda: datetime.now(UTC))
        self.journal = JournalActivities(world.store, {})
        self.waiting = 0
        """Cases that a person has on the list."""
        self._lived: set[str] = set()
        world.sell()
        self.live()

    # -- what happens --------------------------------------------------------------------------------------------------

    def do(self, verb: str, **wish: Any) -> dict[str, Any]:
        """Something happens on the platform, and the house answers it."""
        done = self.world.do(verb, **wish)
        self.live()
        return done

    def collect(self, seq: int = 1, attempt: int = 1, **more: Any) -> Any:
        """One attempt at an instalment; what it captured is lived at once."""
        step: InstalmentStep = collecting(seq, attempt).model_copy(update=more)
        result = self.insist(self.world.cells.collect_instalment, step)
        self.live()
        return result

    def live(self) -> None:
        """Answer what is new, in the order in which the platform told it."""
        self.world.deliver()
        for row in self.world.store.inbox.undispatched(10_000):
            if row.event_id not in self._lived:
                self._lived.add(row.event_id)
                self._answer(EventNotice.model_validate_json(row.notice_json))

    def _answer(self, told: EventNotice) -> None:
        match told.kind:
            case "experience.created":
                step = ExperienceStep(
                    agency=AGENCY, experience_id="exp_31", event_id=told.event_id, revision=told.revision
                )
                self.insist(self.cells.open_experience, step)
            case "booking.created":
                self.insist(self.cells.register_booking, self._booking(told))
            case "booking.cancelled":
                cancel = CancellationStep(
                    **self._booking(told).model_dump(), cancellation_id=told.cancellation_id or ""
                )
                self.insist(self.cells.cancel_booking, cancel)
                self.insist(self.journal.cancel_booking, cancel)
            case kind if kind.startswith("booking."):
                self.insist(self.cells.amend_booking, self._booking(told))
                self.insist(self.journal.amend_booking, self._booking(told))
            case "payment.captured":
                self.record(self.payment_step(told))
                self.insist(self.journal.amend_booking, self._booking(told))
            case "payment.refunded" | "payment.refund_failed":
                self.give_back(self.refund_step(told))
            case "payment.chargeback":
                self.insist(self.cells.record_chargeback, self.chargeback_step(told))
                self.insist(self.journal.record_chargeback, self.chargeback_step(told))

    def record(self, step: PaymentStep) -> None:
        self.insist(self.cells.record_payment, step)
        self.insist(self.journal.record_payment, step)

    def give_back(self, step: RefundStep) -> None:
        self.insist(self.cells.record_refund, step)
        self.insist(self.journal.record_refund, step)
        self.insist(self.journal.amend_booking, self._booking_of(step.event_id))

    def insist(self, cell: Callable[[Any], Any], step: Any) -> Any:
        """What Temporal does with failures that may be retried, without its waits."""
        for _ in range(TRIES):
            try:
                return cell(step)
            except ApplicationError as error:
                if error.non_retryable:
                    raise
        raise AssertionError(f"not done after {TRIES} tries: {step}")

    # -- what a lifecycle would hand on --------------------------------------------------------------------------------

    def _booking(self, told: EventNotice) -> BookingStep:
        return self._booking_of(told.event_id, told.revision)

    def _booking_of(self, event_id: str, revision: int = 0) -> BookingStep:
        return BookingStep(
            agency=AGENCY, booking_id="bkg_500", experience_id="exp_31", event_id=event_id, revision=revision
        )

    def payment_step(self, told: EventNotice) -> PaymentStep:
        assert told.amount is not None
        return PaymentStep(
            agency=AGENCY,
            booking_id="bkg_500",
            experience_id="exp_31",
            payment_id=told.payment_id or "",
            amount=told.amount,
            method=told.method or "card",
        )

    def refund_step(self, told: EventNotice) -> RefundStep:
        assert told.amount is not None
        return RefundStep(
            agency=AGENCY,
            booking_id="bkg_500",
            payment_id=told.payment_id or "",
            refund_id=told.fact_id.partition(":")[0],
            amount=told.amount,
            cancellation_id=told.cancellation_id,
            event_id=told.event_id,
            rectify=not told.undeclared,
        )

    def chargeback_step(self, told: EventNotice) -> ChargebackStep:
        assert told.amount is not None
        return ChargebackStep(
            agency=AGENCY,
            booking_id="bkg_500",
            payment_id=told.payment_id or "",
            chargeback_id=told.fact_id.partition(":")[0],
            stage=told.stage or "",
            amount=told.amount,
            event_id=told.event_id,
        )

    def told(self, kind: str) -> EventNotice:
        """The last notice of a kind."""
        rows = self.world.store.inbox.undispatched(10_000)
        notices = [EventNotice.model_validate_json(row.notice_json) for row in rows]
        return [each for each in notices if each.kind == kind][-1]

    # -- the auditor ---------------------------------------------------------------------------------------------------

    def books(self) -> BookingBooks:
        store, truth = self.world.store, InboxTruth(self.world.store, AGENCY)
        (booking,) = store.facts.bookings(AGENCY)
        erp = Erp(self.url, references_of(AGENCY, [booking], truth, store.facts))
        accounts: dict[str, int] = {}
        for posted in store.journal.entries_of(AGENCY, booking.id):
            for line in posted.entry.postings:
                sign = 1 if line.side == "debit" else -1
                accounts[line.account] = accounts.get(line.account, 0) + sign * line.amount.amount
        return BookingBooks(
            booking_id=booking.id,
            currency=booking.currency,
            platform=platform_books(truth, store, AGENCY, booking, MADRID),
            reservas=tuple(erp.reservas(booking.id)),
            receipts=tuple(erp.receipts[booking.id]),
            invoices=tuple(erp.invoices[booking.id]),
            accounts=accounts,
            waiting=self.waiting,
        )

    def unsound(self) -> list[str]:
        """Every promise about money that does not hold; nothing at the end of a test."""
        balance = sum(row.balance.amount for row in self.world.store.journal.trial_balance(AGENCY))
        books = Books(agency=AGENCY, bookings=(self.books(),), trial_balance=balance)
        found = [verdict for verdict in audit(books) if verdict.invariant.id in JUDGED]
        assert {verdict.invariant.id for verdict in found} == JUDGED, "a promise that nobody judges"
        return [f"{v.invariant.id} {each.where}: {each.found}" for v in found for each in v.violations]

    def balance(self, account: str) -> int:
        return self.books().accounts.get(account, 0)

    def in_giav(self) -> list[tuple[str, int]]:
        return [(each.kind, each.amount) for each in self.books().receipts]
