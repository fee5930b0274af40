"""Restored backups: until what was restored agrees with the world again, the ledger knows that it may lack writes (DESIGN 5).

While a restore stands open, an effect without a row is looked for before it is sent: it may have been made between the
backup and the loss. What cannot be looked for is refused until a person has looked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Integer, Row, String, Table, Text, and_, case, exists, func, select, update

from domain.effects import EffectState
from store.clock import Clock
from store.database import Database
from store.effect_tables import effects
from store.events import events, outbox
from store.tables import Instant, LongId, id_column, metadata

restores = Table(
    "restores",
    metadata,
    Column("id", LongId, primary_key=True, autoincrement=True),
    Column("taken_at", Instant, nullable=False),
    Column("restored_at", Instant, nullable=False),
    id_column("restored_by"),
    Column("source", String(500), nullable=False),
    Column("caught_up", Integer, nullable=False),
    Column("caught_up_at", Instant),
    Column("settled_at", Instant),
    id_column("settled_by", nullable=True),
    Column("explanation", Text),
)

STANDS = exists().where(restores.c.settled_at.is_(None))
"""Whether a restore stands open: part of the statement that inserts an effect, so that no process can miss it."""


@dataclass(frozen=True, slots=True)
class Restore:
    """A backup that was put in place of a store that got lost. Everything written after `taken_at` is unknown to it."""

    id: int
    taken_at: datetime
    restored_at: datetime
    restored_by: str
    source: str
    caught_up: int
    caught_up_at: datetime | None
    settled_at: datetime | None
    settled_by: str | None
    explanation: str | None


@dataclass(frozen=True, slots=True)
class SinceRestore:
    """What became of effects since a restore, by agency and system. `found` were there already and were adopted; `doubtful`
    cannot be looked for and wait for a person; `open` are on their way."""

    agency: str
    system: str
    found: int
    sent: int
    doubtful: int
    open: int


class Restores:
    """Each method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, taken_at: datetime, by: str, source: str) -> Restore:
        """From now on nothing is sent unseen."""
        with self._database.begin() as connection:
            row = connection.execute(
                restores.insert()
                .values(taken_at=taken_at, restored_at=self._clock(), restored_by=by, source=source, caught_up=0)
                .returning(*restores.c)
            ).one()
        return _restore(row)

    def standing(self) -> list[Restore]:
        """The restores that are not settled, oldest first."""
        return self._list(select(restores).where(restores.c.settled_at.is_(None)))

    def all(self) -> list[Restore]:
        return self._list(select(restores))

    def caught_up(self, taken: int) -> None:
        """The platforms' facts since the backup were read again; `taken` of them were new."""
        with self._database.begin() as connection:
            connection.execute(
                update(restores)
                .where(restores.c.settled_at.is_(None))
                .values(caught_up=restores.c.caught_up + taken, caught_up_at=self._clock())
            )

    def settle(self, by: str, explanation: str) -> int:
        """What was restored agrees with the world again: effects are sent without a look from now on."""
        with self._database.begin() as connection:
            changed = connection.execute(
                update(restores)
                .where(restores.c.settled_at.is_(None))
                .values(settled_at=self._clock(), settled_by=by, explanation=explanation)
            )
        return changed.rowcount

    def since(self, moment: datetime) -> Sequence[SinceRestore]:
        """What became of the effects that began at `moment` or later."""
        unsettled = effects.c.state.not_in(
            (EffectState.DONE.value, EffectState.UNDONE.value, EffectState.REFUSED.value)
        )
        done = effects.c.state.in_((EffectState.DONE.value, EffectState.UNDONE.value))
        refused = effects.c.state == EffectState.REFUSED.value
        query = (
            select(
                effects.c.agency,
                effects.c.system,
                _number(and_(done, effects.c.adopted)).label("found"),
                _number(and_(done, ~effects.c.adopted)).label("sent"),
                _number(refused).label("doubtful"),
                _number(unsettled).label("open"),
            )
            .where(effects.c.created_at >= moment)
            .group_by(effects.c.agency, effects.c.system)
            .order_by(effects.c.agency, effects.c.system)
        )
        with self._database.read() as connection:
            return [
                SinceRestore(row.agency, row.system, int(row.found), int(row.sent), int(row.doubtful), int(row.open))
                for row in connection.execute(query)
            ]

    def hand_on_again(self, received_since: datetime | None) -> int:
        """Put events into the outbox again, all of them or those received since: their workflows may have lost them."""
        chosen = select(events.c.agency, events.c.event_id)
        if received_since is not None:
            chosen = chosen.where(events.c.received_at >= received_since)
        them = chosen.subquery()
        with self._database.begin() as connection:
            changed = connection.execute(
                update(outbox)
                .where(outbox.c.dispatched_at.is_not(None))
                .where(outbox.c.agency == them.c.agency, outbox.c.event_id == them.c.event_id)
                .values(dispatched_at=None, attempts=0, last_reason="")
            )
        return changed.rowcount

    def _list(self, query: Any) -> list[Restore]:
        with self._database.read() as connection:
            return [_restore(row) for row in connection.execute(query.order_by(restores.c.id))]


def _number(condition: Any) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _restore(row: Row[Any]) -> Restore:
    return Restore(**row._mapping)
