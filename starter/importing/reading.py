"""A whole file: rows read, judged, told as platform events in the file's order (docs/import.md)."""

from __future__ import annotations

import csv
import hashlib
import json
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from domain.money import Money
from starter.importing.expressions import Row, Unusable
from starter.importing.history import BookingHistory, Moment
from starter.importing.identity import Identity
from starter.importing.mapping import Mapping
from starter.importing.sale import EXTRA_SERVICE, Data, money
from store.installation import AgencySettings

OPENING = time(10, 0, tzinfo=UTC)
"""The hour given to facts of which only the day is known; later ones of the same booking follow by minutes."""


@dataclass(frozen=True, slots=True)
class UsableRow:
    """One row as its events; the first row of an experience begins with the event that opens it."""

    line: int
    events: tuple[Data, ...]


@dataclass(frozen=True, slots=True)
class UnusableRow:
    line: int
    reason: str


class ImportFile:
    """One CSV file under one mapping for one agency. Two readings of the same bytes give the same events."""

    def __init__(self, path: Path, mapping: Mapping, agency: str, settings: AgencySettings) -> None:
        self._path = path
        self._mapping = mapping
        self._agency = agency
        self._settings = settings
        with path.open("rb") as file:
            self.digest = hashlib.file_digest(file, "sha256").hexdigest()
        self._experiences: set[str] = set()
        self._sequence = 0

    @property
    def source(self) -> str:
        """The event source of this file: its own stream beside the platform's, so that sequences stay contiguous."""
        return f"{self._settings.platform.source}/imports/{self.digest[:16]}"

    def rows(self, limit: int | None = None) -> Iterator[UsableRow | UnusableRow]:
        """Every row once, in order. Raises `UnicodeDecodeError` and `csv.Error` when the file is not what the mapping says."""
        self._experiences.clear()
        self._sequence = 0
        with self._path.open(encoding=self._mapping.encoding, newline="") as file:
            reader = csv.DictReader(file, delimiter=self._mapping.delimiter, strict=True)
            for count, columns in enumerate(reader):
                if limit is not None and count >= limit:
                    return
                yield self._read(reader.line_num, columns)

    def _read(self, line: int, columns: dict[str | None, str | None]) -> UsableRow | UnusableRow:
        if None in columns or None in columns.values():
            return UnusableRow(line, "the row has another number of columns than the first line")
        texts = {str(name): str(text) for name, text in columns.items()}
        mapping = self._mapping
        row = Row(self.digest[:8], line, texts, frozenset(mapping.missing), mapping.values, mapping.dates)
        try:
            for refusal in mapping.unusable:
                if row.holds(refusal):
                    return UnusableRow(line, refusal.reason)
            return UsableRow(line, tuple(self._tell(row)))
        except Unusable as reason:
            return UnusableRow(line, str(reason))
        except RecursionError:
            return UnusableRow(line, "the mapping's values or dates refer to each other in a circle")

    def _tell(self, row: Row) -> list[Data]:
        identity = Identity(self._agency, self._mapping.name, self.digest, str(row.line))
        experience_key = row.fill(self._mapping.experience.key)
        experience_id = f"exp_{identity.shared('experience', experience_key)}"
        moments = BookingHistory(self._mapping, row, identity, experience_id).tell()
        if experience_id not in self._experiences:
            self._experiences.add(experience_id)
            parts = {"experience": self._experience(row, experience_id)}
            opening = Moment("experience.created", moments[0].on, ("experience", experience_id, 1), parts)
            return [self._envelope(moment, identity, index) for index, moment in enumerate([opening, *moments])]
        return [self._envelope(moment, identity, index) for index, moment in enumerate(moments, start=1)]

    def _envelope(self, moment: Moment, identity: Identity, index: int) -> Data:
        self._sequence += 1
        kind, aggregate_id, revision = moment.aggregate
        instant = datetime.combine(moment.on, OPENING) + timedelta(minutes=index)
        partition = moment.parts.get("booking", {}).get("id") or next(
            (part["booking_id"] for part in moment.parts.values() if isinstance(part, dict) and "booking_id" in part),
            aggregate_id,
        )
        return {
            "specversion": "1.0",
            "id": identity.event(index),
            "source": self.source,
            "type": f"{self._settings.platform.event_prefix}.{moment.kind}.v1",
            "subject": f"{kind}/{aggregate_id}",
            "time": instant.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "datacontenttype": "application/json",
            "partitionkey": partition,
            "sequence": f"{self._sequence:020d}",
            "data": {
                "schema_version": 1,
                "environment": self._settings.environment,
                "planner_id": self._settings.platform.source.rstrip("/").rsplit("/", 1)[-1],
                "aggregate": {"type": kind, "id": aggregate_id, "revision": revision},
                "actor": {"type": "platform"},
                "reason": None,
                **moment.parts,
            },
        }

    def _experience(self, row: Row, experience_id: str) -> Data:
        rules = self._mapping.experience
        starts, ends = self._period(row)
        return {
            "id": experience_id,
            "title": row.fill(rules.title),
            "sales_mode": rules.sales_mode,
            "split_payment": False,
            "status": "confirmed",
            "currency": self._mapping.currency,
            "timezone": self._settings.timezone,
            "starts_on": starts.isoformat(),
            "ends_on": ends.isoformat(),
            "package_travel": rules.package_travel,
            "tax_regime": rules.tax_regime,
            "services": self._services(row),
            "cancellation_policy": {"basis": "total", "tiers": []},
            "payment_plan_template": [],
        }

    def _period(self, row: Row) -> tuple[date, date]:
        arrival = row.day("arrival")
        if self._mapping.experience.period == "stay":
            return arrival, row.day("departure")
        return arrival.replace(day=1), arrival.replace(day=monthrange(arrival.year, arrival.month)[1])

    def _services(self, row: Row) -> list[Data]:
        currency, area = self._mapping.currency, self._mapping.experience.area

        def service(
            code: str, kind: str, text: str, supplier: tuple[str, str], unit: str, price: Money, cost: float
        ) -> Data:
            return {
                "id": code,
                "kind": kind,
                "description": text,
                "supplier": {"id": f"sup_{supplier[0]}", "name": supplier[1]},
                "unit": unit,
                "price": money(price),
                "cost_estimated": money(price.percent(str(cost))),
                "optional": False,
                "area": area,
            }

        sold = []
        for rule in self._mapping.services:
            price = Money.zero(currency)
            if rule.list_price is not None:
                price = Money.of_decimal(row.number(rule.list_price), currency)
            supplier = (rule.supplier, rule.supplier_name)
            text = row.fill(rule.description)
            sold.append(service(f"svc_{rule.code}", rule.kind, text, supplier, rule.unit, price, rule.cost_percent))
        if self._mapping.changes:
            extra, first = self._mapping.changes.extra, self._mapping.services[0]
            price = Money.of_decimal(row.number(extra.unit_price), currency)
            supplier = (first.supplier, first.supplier_name)
            text = row.fill(extra.description)
            sold.append(service(EXTRA_SERVICE, "other", text, supplier, "group", price, extra.cost_percent))
        return sold


def wire(event: Data) -> bytes:
    """The event as bytes, the same for the same event."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
