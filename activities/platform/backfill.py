"""What existed before an agency was activated comes in as if it had been delivered (contracts: platform-events 4, 7).

Four lists are gone through, page by page: the event log, which tells most and in the right order; the bookings, for what
the log has lost; the payments, for money that the log has lost; the log once more for payment plans, because an instalment
may be charged only when every payment is known. The inbox takes each event and each fact once, so that a page may be read
again.

Of a booking only its newest snapshot is told, and all of its money: prices that came and went before the activation would
become invoices and credit notes that nobody needs. A page waits while too many bookings wait for the system already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from temporalio import activity

from activities.failures import implements
from activities.platform.client import SYSTEM, PlatformClient
from activities.platform.mapping import event_of, told_by_listing, told_by_snapshot
from activities.platform.settings import PlatformAccount
from activities.signatures import INTEGRATION_BACKFILL
from domain.errors import ContractBroken, Refused, Transient
from domain.steps import BackfillProgress, IntegrationBackfill
from store import Store
from store.inbox import AcceptedEvent, EventFilter

Doc = Mapping[str, Any]
NEXT = {"events": "bookings", "bookings": "payments", "payments": "plans", "plans": "done"}
PLANS = ".payment_plan."
"""In the type of every event about a payment plan."""
CANCELLED = "booking.cancelled"
MOST_WAITING = 200
"""Bookings that the system has not begun with, above which no further page is told."""
PAUSE_SECONDS = 5.0
MOST_PAUSES = 120
"""In front of one page: bookings that somebody left out for good must not hold up the rest for ever."""
MOST_EVENTS = 10_000
"""More events than a booking has."""


class PlatformBackfill:
    """`accounts` holds every agency; one without an address has nothing to be read."""

    def __init__(self, store: Store, accounts: Mapping[str, PlatformAccount]) -> None:
        self._store = store
        self._accounts = accounts

    @implements(INTEGRATION_BACKFILL)
    def page(self, step: IntegrationBackfill) -> BackfillProgress:
        """One page of the list whose turn it is; the progress is kept in the store as well."""
        account = self._accounts[step.agency]
        if account.client is None:
            raise Refused("the agency's platform has no address in the settings", system=SYSTEM, operation="backfill")
        if step.progress.phase == "done":
            return step.progress
        self._wait_for_room(step)
        after = _Page(self._store, account, account.client, step).taken()
        finished = after.phase == "done"
        self._store.integrations.backfilled(
            step.agency, step.system, after.model_dump(mode="json"), step="backfilled" if finished else ""
        )
        return after

    def _wait_for_room(self, step: IntegrationBackfill) -> None:
        """Come back later while the system is busy with what was told; its own agency's daily work goes through it too."""
        pauses = activity.info().attempt - 1 if activity.in_activity() else 0
        waiting = self._store.facts.not_begun(step.agency, step.system)
        if waiting > MOST_WAITING and pauses < MOST_PAUSES:
            raise Transient(
                f"{waiting} bookings wait for {step.system} already", system=SYSTEM, retry_after=PAUSE_SECONDS
            )


def catch_up(store: Store, account: PlatformAccount, agency: str) -> BackfillProgress:
    """Read everything that the platform knows into the inbox, whatever the day of the trip: after a restored backup nobody
    can say which deliveries got lost. What is known already is passed over. Raises `Refused` without an address.
    """
    if account.client is None:
        raise Refused("the agency's platform has no address in the settings", system=SYSTEM, operation="catch up")
    progress = BackfillProgress(ended_since=date.min)
    while progress.phase != "done":
        step = IntegrationBackfill(agency=agency, system=SYSTEM, by="reconcile", progress=progress)
        progress = _Page(store, account, account.client, step).taken()
    return progress


class _Page:
    """One page on its way into the inbox."""

    def __init__(
        self, store: Store, account: PlatformAccount, client: PlatformClient, step: IntegrationBackfill
    ) -> None:
        self._store = store
        self._account = account
        self._client = client
        self._agency = step.agency
        self._before = step.progress
        self._first = store.inbox.first_sequence(step.agency)
        self._counts = {"taken": 0, "known": 0, "past": 0, "superseded": 0, "unusable": 0}
        self._snapshots: dict[str, Doc] = {}
        self._ends: dict[str, date | None] = {}

    def taken(self) -> BackfillProgress:
        read: dict[str, Callable[[str], tuple[list[dict[str, Any]], str | None]]] = {
            "events": self._client.event_page,
            "bookings": self._client.booking_page,
            "payments": self._client.payment_page,
            "plans": self._client.event_page,
        }
        take = {"events": self._event, "bookings": self._booking, "payments": self._payment, "plans": self._event}
        phase = self._before.phase
        items, cursor = read[phase](self._before.cursor)
        if phase in ("events", "plans"):
            items = [item for item in items if (PLANS in str(item.get("type"))) == (phase == "plans")]
        for item in items:
            if activity.in_activity():
                activity.heartbeat(f"backfill {phase}")
            self._counts[take[phase](item)] += 1
        before = self._before.model_dump()
        counted = {name: before[name] + number for name, number in self._counts.items()}
        place = {"phase": phase, "cursor": cursor} if cursor else {"phase": NEXT[phase], "cursor": ""}
        return BackfillProgress.model_validate({**before, **counted, **place, "seen": before["seen"] + len(items)})

    # One item each; the answer is what it counts as ------------------------------------------------------------------

    def _event(self, document: Doc) -> str:
        try:
            event = event_of(self._account, self._agency, document, datetime.now(UTC))
        except ContractBroken:
            return "unusable"
        live = self._first is not None and event.sequence is not None and event.sequence >= self._first
        if not live and self._is_past(self._experience_of(event)):
            return "past"
        if not live and self._is_superseded(event):
            return "superseded"
        # Its number would open a gap for everything that is left out in front of the first delivery.
        return self._accept(event if live else replace(event, sequence=None))

    def _booking(self, snapshot: Doc) -> str:
        booking_id, experience_id = str(snapshot.get("id")), str(snapshot.get("experience_id"))
        if self._is_past(experience_id):
            return "past"
        if self._newest_told(booking_id) >= int(snapshot.get("revision", 1)):
            return "known"
        if self._store.facts.experience(self._agency, experience_id) is None:
            experience = self._client.experience(experience_id)
            if experience is not None:
                self._tell(told_by_snapshot(self._account, "experience", experience))
        known = self._store.facts.booking(self._agency, booking_id)
        before = known.totals.total if known else None
        self._tell(told_by_snapshot(self._account, "booking", snapshot, before))
        return "taken"

    def _payment(self, listed: Doc) -> str:
        """Captured money, and what of it went back, as far as nobody told it."""
        if self._is_past(str(listed.get("experience_id"))):
            return "past"
        told = [self._tell(document) for document in told_by_listing(self._account, listed) if self._is_news(document)]
        return "taken" if "taken" in told else "known"

    # What is known ---------------------------------------------------------------------------------------------------

    def _tell(self, document: Doc) -> str:
        return self._accept(event_of(self._account, self._agency, document, datetime.now(UTC)))

    def _accept(self, event: AcceptedEvent) -> str:
        if self._store.inbox.get(self._agency, event.event_id) is not None:
            return "known"
        return "taken" if self._store.inbox.accept(event) == "new" else "known"

    def _is_news(self, document: Doc) -> bool:
        """Whether the money fact that a document tells is one that we do not know."""
        facts, agency, data = self._store.facts, self._agency, document["data"]
        if "payment" in data:
            return facts.payment(agency, data["payment"]["id"]) is None
        if "refund" in data:
            return facts.refund(agency, data["refund"]["id"]) is None
        stage = data["chargeback"]
        known: Iterable[Any] = facts.chargebacks_of(agency, stage["booking_id"])
        return all((one.id, one.stage) != (stage["id"], stage["stage"]) for one in known)

    def _newest_told(self, booking_id: str) -> int:
        """The newest revision that any event told, also one that is parked."""
        events = self._store.inbox.list(EventFilter(agency=self._agency, aggregate_id=booking_id), limit=MOST_EVENTS)
        return max((event.revision or 0 for event in events), default=0)

    def _experience_of(self, event: AcceptedEvent) -> str | None:
        """None for an event that cannot be read; it is taken in and parked."""
        notice = event.notice
        if notice is None or notice.experience_id:
            return notice.experience_id if notice else None
        known = self._store.facts.booking(self._agency, notice.booking_id or "")
        if known is not None:
            return known.experience_id
        found = self._now(notice.booking_id or "").get("experience_id")
        return str(found) if found else None

    def _is_superseded(self, event: AcceptedEvent) -> bool:
        """Whether a newer snapshot of the booking says all that this one did. A cancellation that stands is a fact of its
        own, and is told although the booking changed after it."""
        notice = event.notice
        if notice is None or not event.kind.startswith("booking."):
            return False
        newest = self._now(notice.booking_id or "")
        if notice.revision >= int(newest.get("revision", 0)):
            return False
        return event.kind != CANCELLED or newest.get("status") != "cancelled"

    def _now(self, booking_id: str) -> Doc:
        """The booking as it stands on the platform, asked once a page; empty when it is not known there."""
        if booking_id not in self._snapshots:
            self._snapshots[booking_id] = self._client.booking(booking_id) or {}
        return self._snapshots[booking_id]

    def _is_past(self, experience_id: str | None) -> bool:
        """Whether the trip was over before the day from which on trips count; in doubt it was not."""
        if experience_id is None:
            return False
        if experience_id not in self._ends:
            snapshot = self._client.experience(experience_id) or {}
            day = snapshot.get("ends_on")
            self._ends[experience_id] = date.fromisoformat(str(day)) if day else None
        ends = self._ends[experience_id]
        return ends is not None and ends < self._before.ended_since
