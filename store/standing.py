"""How much waits and since when, counted at one moment: what alerts are made of (docs/operations.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, select

from domain.effects import EffectState
from domain.payment_sync import UNSYNCHRONISED
from domain.payment_sync.breaker import Phase
from store.clock import Clock
from store.connectors import connector_breakers
from store.database import Database
from store.effect_tables import effects
from store.events import outbox
from store.parked import OPEN, parked_items
from store.payment_sync import payment_syncs
from store.tables import Instant
from store.tamara_tables import files as tamara_files

_now: BindParameter[datetime] = bindparam("now", type_=Instant)

UNANSWERED = ("DELIVERED", "UNCONFIRMED")
"""States of an AirPlus file that was delivered and of which nothing was heard."""


@dataclass(frozen=True, slots=True)
class Standing:
    """So many of one kind wait; `labels` tell them apart; the oldest has waited for `oldest`."""

    kind: str
    labels: tuple[str, ...]
    count: int
    oldest: timedelta


class Standings:
    """One query a kind; each reads an index of what is open only."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def all(self) -> list[Standing]:
        """Everything that waits now. A kind of which nothing waits is absent."""
        now = self._clock()
        with self._database.read() as connection:
            return [
                Standing(kind, tuple(row[:-2]), row[-2], max(now - row[-1], timedelta(0)))
                for kind, query in QUERIES.items()
                for row in connection.execute(query, {"now": now} if kind == "overdue_items" else {})
            ]


def _waiting(labels: Iterable[ColumnElement[Any]], since: ColumnElement[datetime]) -> Select[Any]:
    named = tuple(labels)
    return select(*named, func.count(), func.min(since, type_=since.type)).group_by(*named)


QUERIES: dict[str, Select[Any]] = {
    "parked_items": _waiting((parked_items.c.agency, parked_items.c.reason), parked_items.c.since).where(
        parked_items.c.state == OPEN
    ),
    "overdue_items": _waiting((parked_items.c.agency, parked_items.c.owner), parked_items.c.deadline)
    .where(parked_items.c.state == OPEN)
    .where(parked_items.c.deadline < _now),
    "unsynchronised_payments": _waiting(
        (payment_syncs.c.agency, payment_syncs.c.connector), payment_syncs.c.captured_at
    ).where(payment_syncs.c.state.in_([state.value for state in UNSYNCHRONISED])),
    "tamara_files_without_answer": _waiting(
        (tamara_files.c.agency, tamara_files.c.kind), tamara_files.c.delivered_at
    ).where(tamara_files.c.state.in_(UNANSWERED)),
    "events_waiting": _waiting((outbox.c.agency,), outbox.c.created_at).where(outbox.c.dispatched_at.is_(None)),
    "open_breakers": _waiting(
        (connector_breakers.c.agency, connector_breakers.c.connector), connector_breakers.c.kept_at
    ).where(connector_breakers.c.phase != Phase.CLOSED.value),
    "unknown_outcomes": _waiting((effects.c.agency, effects.c.system), effects.c.updated_at).where(
        effects.c.state == EffectState.UNKNOWN.value
    ),
}
"""Kind → what is counted, by which labels (the last two columns: how many, since when)."""

LABELS: dict[str, tuple[str, ...]] = {
    "parked_items": ("agency", "reason"),
    "overdue_items": ("agency", "owner"),
    "unsynchronised_payments": ("agency", "connector"),
    "tamara_files_without_answer": ("agency", "kind"),
    "events_waiting": ("agency",),
    "open_breakers": ("agency", "connector"),
    "unknown_outcomes": ("agency", "system"),
}
