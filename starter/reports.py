"""The report at the end of a season, as plain tables and promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table of a report; columns in `right` hold amounts or counts."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    right: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Invariant:
    """A promise that was checked: its name, whether it holds, and what breaks it."""

    name: str
    holds: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SeasonReport:
    """What every system holds after a season, and whether the promises hold."""

    tables: tuple[ReportTable, ...]
    invariants: tuple[Invariant, ...]

    @property
    def all_hold(self) -> bool:
        return bool(self.invariants) and all(invariant.holds for invariant in self.invariants)

    def plain(self) -> dict[str, Any]:
        return {
            "all_hold": self.all_hold,
            "invariants": [
                {"name": invariant.name, "holds": invariant.holds, "detail": invariant.detail}
                for invariant in self.invariants
            ],
            "tables": [
                {
                    "title": table.title,
                    "columns": table.columns,
                    "rows": [[str(cell) for cell in row] for row in table.rows],
                }
                for table in self.tables
            ],
        }
