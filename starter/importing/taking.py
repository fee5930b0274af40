"""A whole import: rows into events, events into the inbox, and an account of every row (docs/import.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.checks import discrepancies
from domain.money import Money
from domain.platform import EventData
from starter.events import read_envelope, take_in
from starter.importing.reading import ImportFile, UnusableRow, wire
from starter.importing.sale import Data
from store import Store
from store.installation import Installation
from store.intake import examine


@dataclass(slots=True)
class ImportReport:
    """What became of every row: `used` + `unusable` = `rows`. Amounts are in minor units of `currency`."""

    currency: str
    dry_run: bool
    rows: int = 0
    used: int = 0
    unusable: list[UnusableRow] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)
    sold: int = 0
    captured: int = 0
    refunded: int = 0
    penalties: int = 0

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows were refused, by reason, the commonest first."""
        return dict(Counter(row.reason for row in self.unusable).most_common())

    def money(self) -> dict[str, Money]:
        amounts = {
            "sold": self.sold,
            "captured": self.captured,
            "refunded": self.refunded,
            "penalties": self.penalties,
            "due": self.sold - self.captured + self.refunded,
        }
        return {name: Money(amount=amount, currency=self.currency) for name, amount in amounts.items()}

    def plain(self) -> dict[str, Any]:
        return {
            "dry_run": self.dry_run,
            "rows": self.rows,
            "used": self.used,
            "unusable": len(self.unusable),
            "unusable_rows": [{"line": row.line, "reason": row.reason} for row in self.unusable],
            "reasons": self.reasons,
            "events": dict(sorted(self.kinds.items())),
            "results": dict(sorted(self.results.items())),
            "money": {name: amount.model_dump() for name, amount in self.money().items()},
        }


class Import:
    """Takes a file in; without a store it only checks (`--dry-run`)."""

    def __init__(
        self, file: ImportFile, installation: Installation, agency: str, currency: str, now: Callable[[], datetime]
    ) -> None:
        self._file = file
        self._installation = installation
        self._agency = agency
        self._currency = currency
        self._now = now

    def run(
        self, store: Store | None, *, limit: int | None = None, progress: Callable[[int], None] = lambda _: None
    ) -> ImportReport:
        """Every row once, in the file's order; `progress` is told the number of rows done."""
        report = ImportReport(self._currency, dry_run=store is None)
        for row in self._file.rows(limit):
            report.rows += 1
            if isinstance(row, UnusableRow):
                report.unusable.append(row)
            else:
                report.used += 1
                for event in row.events:
                    self._one(event, store, report)
                self._count(row.events, report)
            progress(report.rows)
        return report

    def _one(self, event: Data, store: Store | None, report: ImportReport) -> None:
        kind = event["type"].removesuffix(".v1").split(".")
        report.kinds[".".join(kind[-2:])] += 1
        raw = wire(event)
        if store is None:
            report.results[self._judge(raw)] += 1
            return
        receipt = take_in(store, self._installation, raw, received_at=self._now(), agency=self._agency)
        report.results[receipt.result] += 1

    def _judge(self, raw: bytes) -> str:
        """What the inbox would say of a new event."""
        settings = self._installation.agencies[self._agency]
        accepted = examine(settings.platform, settings.environment, self._agency, read_envelope(raw), raw, self._now())
        fits = isinstance(accepted.data, EventData) and not discrepancies(accepted.data)
        return "would be taken in" if fits else "would be parked"

    def _count(self, events: tuple[Data, ...], report: ImportReport) -> None:
        snapshots = [event["data"]["booking"] for event in events if "booking" in event["data"]]
        report.sold += snapshots[-1]["totals"]["total"]["amount"]
        report.penalties += snapshots[-1]["totals"]["penalty"]["amount"]
        for event in events:
            data = event["data"]
            if "payment" in data:
                report.captured += data["payment"]["amount"]["amount"]
            if "refund" in data:
                report.refunded += data["refund"]["amount"]["amount"]
