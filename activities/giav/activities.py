"""GIAV's column of the verbs × systems table (contracts: giav 4)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from activities.effects import Effects
from activities.failures import implements
from activities.giav import (
    bookings,
    changes,
    costs,
    describing,
    experiences,
    payments,
    probing,
    reconciling,
    refunds,
    tasks,
)
from activities.giav.client import SYSTEM
from activities.giav.closed_files import in_open_file
from activities.giav.office import GiavAccount, Office
from activities.reconciliation import keep_page
from activities.signatures import (
    GIAV_AMEND_BOOKING,
    GIAV_AMEND_EXPERIENCE,
    GIAV_CANCEL_BOOKING,
    GIAV_CLOSE_EXPERIENCE,
    GIAV_CONFIRM_COSTS,
    GIAV_DESCRIBE,
    GIAV_OPEN_EXPERIENCE,
    GIAV_PROBE_PAYMENT,
    GIAV_RECONCILE,
    GIAV_RECORD_CHARGEBACK,
    GIAV_RECORD_PAYMENT,
    GIAV_RECORD_REFUND,
    GIAV_REGISTER_BOOKING,
    GIAV_REPORT_DECLINE,
    GIAV_UNDO_REGISTER_BOOKING,
)
from domain.connector_steps import Described, DescribeStep, ReconcilePage, ReconcileStep
from domain.errors import NeedsPerson
from domain.payment_steps import ProbeStep
from domain.payment_sync import Evidence
from domain.steps import (
    BookingStep,
    CancellationStep,
    ChargebackStep,
    Done,
    ExperienceStep,
    InstalmentStep,
    PaymentStep,
    RefundStep,
    Step,
)
from domain.supplier_steps import SupplierStep
from store import Store

C = TypeVar("C", bound=Step)
S = TypeVar("S", BookingStep, CancellationStep, PaymentStep, RefundStep, ChargebackStep)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def where_it_is_used(cell: Callable[[GiavActivities, C], Done]) -> Callable[[GiavActivities, C], Done]:
    """An agency whose ERP is another one has nothing in GIAV: the cell is an empty one of the table."""

    @functools.wraps(cell)
    def used(self: GiavActivities, step: C) -> Done:
        if step.agency in self._elsewhere:
            return Done(outcome="skipped", note="the agency keeps its receipts elsewhere")
        return cell(self, step)

    return used


class GiavActivities:
    """One method per verb. `accounts` maps an agency to its line and is asked at every step, because an agency may
    activate GIAV, or get another key, while we work. An agency without a line needs a person, unless it is one of those
    `elsewhere` whose ERP is not GIAV.
    """

    def __init__(
        self,
        store: Store,
        accounts: Mapping[str, GiavAccount],
        now: Callable[[], datetime] = _utc_now,
        elsewhere: Collection[str] = (),
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._now = now
        self._elsewhere = elsewhere
        self._offices: dict[str, tuple[GiavAccount, Office]] = {}

    @implements(GIAV_OPEN_EXPERIENCE)
    @where_it_is_used
    def open_experience(self, step: ExperienceStep) -> Done:
        return experiences.open_experience(self._office(step.agency), step)

    @implements(GIAV_AMEND_EXPERIENCE)
    @where_it_is_used
    def amend_experience(self, step: ExperienceStep) -> Done:
        return experiences.amend_experience(self._office(step.agency), step)

    @implements(GIAV_CLOSE_EXPERIENCE)
    @where_it_is_used
    def close_experience(self, step: ExperienceStep) -> Done:
        return experiences.close_experience(self._office(step.agency), step)

    @implements(GIAV_REGISTER_BOOKING)
    @where_it_is_used
    def register_booking(self, step: BookingStep) -> Done:
        return self._in_open_file(bookings.register_booking, step, f"rev{step.revision}")

    @implements(GIAV_UNDO_REGISTER_BOOKING)
    @where_it_is_used
    def undo_register_booking(self, step: BookingStep) -> Done:
        return bookings.undo_register_booking(self._office(step.agency), step)

    @implements(GIAV_AMEND_BOOKING)
    @where_it_is_used
    def amend_booking(self, step: BookingStep) -> Done:
        return self._in_open_file(changes.amend_booking, step, f"rev{step.revision}")

    @implements(GIAV_CANCEL_BOOKING)
    @where_it_is_used
    def cancel_booking(self, step: CancellationStep) -> Done:
        return self._in_open_file(changes.cancel_booking, step, step.cancellation_id)

    @implements(GIAV_CONFIRM_COSTS)
    @where_it_is_used
    def confirm_costs(self, step: SupplierStep) -> Done:
        return costs.confirm_costs(self._office(step.agency), step)

    @implements(GIAV_RECORD_PAYMENT)
    @where_it_is_used
    def record_payment(self, step: PaymentStep) -> Done:
        return self._in_open_file(payments.record_payment, step, step.payment_id)

    @implements(GIAV_PROBE_PAYMENT)
    def probe_payment(self, step: ProbeStep) -> Evidence:
        return probing.probe_payment(self._office(step.agency), step)

    @implements(GIAV_DESCRIBE)
    def describe(self, step: DescribeStep) -> Described:
        return describing.describe(self._office(step.agency), step)

    @implements(GIAV_RECONCILE)
    def reconcile(self, step: ReconcileStep) -> ReconcilePage:
        page, pairs, unread = reconciling.reconcile_page(self._office(step.agency), step)
        keep_page(self._store, step, page, pairs, unread)
        return page

    @implements(GIAV_RECORD_REFUND)
    @where_it_is_used
    def record_refund(self, step: RefundStep) -> Done:
        return self._in_open_file(refunds.record_refund, step, step.refund_id)

    @implements(GIAV_RECORD_CHARGEBACK)
    @where_it_is_used
    def record_chargeback(self, step: ChargebackStep) -> Done:
        return self._in_open_file(refunds.record_chargeback, step, f"{step.chargeback_id}:{step.stage}")

    @implements(GIAV_REPORT_DECLINE)
    @where_it_is_used
    def report_decline(self, step: InstalmentStep) -> Done:
        return tasks.report_decline(self._office(step.agency), step)

    def _in_open_file(self, verb: Callable[[Office, S], Done], step: S, fact: str) -> Done:
        office = self._office(step.agency)
        return in_open_file(office, step.booking_id, fact, lambda: verb(office, step))

    def _office(self, agency: str) -> Office:
        account = self._accounts.get(agency)
        if account is None:
            raise NeedsPerson(f"agency {agency} has no GIAV configured", system=SYSTEM)
        known = self._offices.get(agency)
        if known is not None and known[0] is account:
            return known[1]
        office = Office(agency, account, self._store, Effects(self._store.effects), self._now)
        self._offices[agency] = (account, office)
        return office
