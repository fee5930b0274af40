"""How cells of the journal post: entries that belong together are one effect and one transaction (contracts: money-rules 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from activities.accounting.settings import JournalSettings
from activities.effects import Effect, Effects
from domain.effects import EffectKey
from domain.ledger import Entry, Movement, entry_of
from domain.steps import Done
from store import Store

SYSTEM = "journal"


def utc_now() -> datetime:
    return datetime.now(UTC)


class Posting:
    """What every class of the journal's cells has: the store, each agency's accounts and days, and one way to post."""

    def __init__(
        self, store: Store, settings: Mapping[str, JournalSettings], *, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._store = store
        self._settings = settings
        self._now = now
        self._effects = Effects(store.effects)

    def _post(self, agency: str, operation: str, movements: list[Movement], booking_id: str | None = "") -> Done:
        accounts = self._of(agency).accounts
        return self._append(agency, operation, [entry_of(each, accounts) for each in movements], booking_id)

    def _append(self, agency: str, operation: str, entries: list[Entry], booking_id: str | None = "") -> Done:
        """Appended once by the key of the first. `booking_id` is whose effect it is; empty: the first entry's own."""
        first, journal = entries[0], self._store.journal

        def append(_reference: str) -> str:
            return str(journal.append(agency, *entries)[0])

        def look_up(_reference: str) -> list[str]:
            posted = journal.find(agency, first.key)
            return [str(posted.number)] if posted else []

        key = EffectKey(agency, SYSTEM, "entry", first.key, operation)
        own = first.booking_id if booking_id == "" else booking_id
        number = self._effects.perform(Effect(key, act=append, look_up=look_up, booking_id=own))
        return Done(ids={first.key: number})

    def _today(self, agency: str) -> datetime:
        """Now, by the agency's own clock."""
        return self._now().astimezone(self._of(agency).zone)

    def _of(self, agency: str) -> JournalSettings:
        return self._settings.get(agency) or JournalSettings()
