"""The platform column: read the truth of a booking back, collect an instalment (contracts: platform-events 4, 7; money-rules 1.7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from activities.effects import beat
from activities.failures import implements
from activities.platform.client import SYSTEM, PlatformClient
from activities.platform.collecting import Collecting
from activities.platform.mapping import event_of, told_by_snapshot
from activities.platform.settings import PlatformAccount
from activities.signatures import PLATFORM_COLLECT_INSTALMENT, PLATFORM_READ_BOOKING
from domain.collecting import PlanRules
from domain.errors import Refused
from domain.steps import BookingStep, ChargeResult, Done, InstalmentStep
from store import Store
from store.inbox import EventFilter

MOST_EVENTS = 10_000
"""More events than a booking has."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class PlatformActivities:
    """`accounts` holds every agency, also those that only import events."""

    def __init__(
        self,
        store: Store,
        accounts: Mapping[str, PlatformAccount],
        rules: Mapping[str, PlanRules] | None = None,
        zones: Mapping[str, str] | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._collecting = Collecting(store, rules or {}, zones or {}, now)

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
        return self._collecting.collect(step, account.client, lambda: self._client(account, "charge"))

    @staticmethod
    def _client(account: PlatformAccount, operation: str) -> PlatformClient:
        if account.client is None:
            raise Refused(
                "the agency's platform has no address in the settings (events are only imported)",
                system=SYSTEM,
                operation=operation,
            )
        return account.client
