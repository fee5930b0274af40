"""How each outside system answered lately, read from the effects: the last success, and what went wrong (docs/console.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal, select, union_all

from domain.effects import EffectState
from store.database import Database
from store.effect_tables import effects

WRONG = (EffectState.REFUSED, EffectState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Pulse:
    """Effects of one system of one agency. `done` and `wrong` count those whose last word came since the moment asked for."""

    agency: str
    system: str
    last_success: datetime | None
    done: int
    wrong: int
    open: int

    @property
    def error_rate(self) -> float | None:
        """The share that went wrong, None when nothing happened."""
        together = self.done + self.wrong
        return self.wrong / together if together else None


class Pulses:
    """One statement for all systems; each part of it reads a stretch of one index."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, systems: Sequence[tuple[str, str]], since: datetime) -> list[Pulse]:
        """The pulse of each (agency, system), in their order."""
        if not systems:
            return []
        parts = [self._part(number, agency, system, since) for number, (agency, system) in enumerate(systems)]
        query = union_all(*parts).order_by("number")
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [
            Pulse(agency, system, row.last_success, row.done, row.wrong, row.open)
            for row, (agency, system) in zip(rows, systems, strict=True)
        ]

    def _part(self, number: int, agency: str, system: str, since: datetime) -> Select[Any]:
        table = effects.c
        own = (table.agency == agency) & (table.system == system)
        done, wrong = table.state == EffectState.DONE.value, table.state.in_([state.value for state in WRONG])
        lately = table.updated_at >= since
        still_open = table.state.in_([EffectState.INTENDED.value, EffectState.UNKNOWN.value])
        count = func.count()
        return select(
            literal(number).label("number"),
            select(func.max(table.updated_at)).where(own, done).scalar_subquery().label("last_success"),
            select(count).select_from(effects).where(own, done, lately).scalar_subquery().label("done"),
            select(count).select_from(effects).where(own, wrong, lately).scalar_subquery().label("wrong"),
            select(count).select_from(effects).where(own, still_open).scalar_subquery().label("open"),
        )
