"""What all systems hold after a case, in a form in which two agencies that lived through the same can be compared."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from domain.books import Books
from domain.effects import EffectRecord
from domain.invariants import When, audit
from faults.cutting import patiently
from faults.ledger import disagreements
from faults.stage import Stage
from starter.collecting import collect
from store import Store
from store.effect_tables import RECORD, effects, record_of
from store.payment_request_tables import payment_links

DROPPED = frozenset(
    {
        "agency",
        "partner_id",
        "taken_at",
        "at",
        "effective_at",
        "day",
        "issued_on",
        "number",
        "refers_to",
        "digest",
        "ref",
        "free_until",
        "link",
        "url",
    }
)
"""Moments, and numbers that depend on what was tried before; their rules are the invariants' matter."""
OUTSIDE_IDS = frozenset({"reservas", "receipts", "invoices", "orders"})
NAMES = re.compile(r"\b(ORQ-[A-Z2-7]{26}|(?:pay|ref|cxl|cbk|ins|dsc|evt)_[0-9A-Za-z_]+)")


@dataclass(frozen=True)
class Picture:
    """`broken` are invariants that do not hold; the rest is compared with the picture of the undisturbed twin."""

    books: str
    holdings: dict[str, int]
    parked: list[str]
    unsettled: list[str]
    broken: list[str] = field(default_factory=list)
    orphans: int = 0
    """Payment pages on record whose answer was lost: perhaps they exist, and nobody was ever sent there."""

    def differs(self, twin: Picture, *, fewer: bool = False) -> list[str]:
        """What is not as it is without the fault. `fewer`: it may have ended before a record was made that stays for good."""
        found = [f"broken: {each}" for each in self.broken if each not in twin.broken]
        for name in sorted(self.holdings.keys() | twin.holdings.keys()):
            here, there = self.holdings.get(name, 0), twin.holdings.get(name, 0)
            excused = name == "easycount.pages" and 0 <= here - there <= self.orphans
            if here != there and not excused and not (fewer and here < there):
                found.append(f"{here} × {name}, should be {there}")
        if self.parked != twin.parked:
            found.append(f"waiting for a person: {self.parked}, should be {twin.parked}")
        if self.unsettled and not twin.unsettled:
            found.append(f"not settled: {self.unsettled}")
        if self.books != twin.books:
            found += _where(json.loads(self.books), json.loads(twin.books), "books")[:8]
        return found


def take(stage: Stage) -> Picture:
    """Read everything; blocking, to be called in a thread."""
    office, agency = stage.office, stage.agency
    books = read_books(stage)
    store = office.store
    return Picture(
        books=canonical(books),
        holdings=stage.house.holdings(),
        parked=sorted(f"{item.reason} at {item.verb}" for item in store.parked.list(agency)),
        unsettled=sorted(
            f"{each.record.key.system} {each.record.key.entity} {each.record.key.operation} {each.record.state}"
            for each in store.effects.unsettled(agency)
        ),
        broken=[*broken(books), *misremembered(stage)],
        orphans=_orphans(store, agency),
    )


def misremembered(stage: Stage) -> list[str]:
    """Where our ledger and the systems do not tell the same (I10)."""
    of_agency = RECORD.where(effects.c.agency == stage.agency)

    def ledger() -> list[EffectRecord]:
        with stage.office.store.database.read() as connection:
            return [record_of(row) for row in connection.execute(of_agency)]

    return [f"I10 {each}" for each in disagreements(patiently(ledger), stage.house.states())]


def _orphans(store: Store, agency: str) -> int:
    lost = select(func.count()).where(payment_links.c.agency == agency, payment_links.c.orphan == 1)
    with store.database.read() as connection:
        return connection.scalar(lost) or 0


def read_books(stage: Stage) -> Books:
    settings = stage.office.installation.agencies[stage.agency]
    return patiently(lambda: collect(stage.office.store, stage.agency, settings, stage.house.collected))


def broken(books: Books, *, only_always: bool = False) -> list[str]:
    """Invariants that do not hold, with where."""
    return [
        f"{verdict.invariant.id} {each.where}: {each.found}"
        for verdict in audit(books)
        if not only_always or verdict.invariant.when is When.ALWAYS
        for each in verdict.violations
    ]


def canonical(books: Books) -> str:
    """The books as text: ids and references by the order in which they appear, lists without an order of their own sorted."""
    bare = _bare(books.model_dump(mode="json"))
    numbers: dict[str, dict[str, int]] = defaultdict(dict)
    # Instalments are charged side by side: what they are tells them apart, not who came first.
    payments = sorted(
        (each.method, each.amount, each.id) for booking in books.bookings for each in booking.platform.payments
    )
    for number, (*_, own) in enumerate(payments, start=1):
        numbers["pay"][own] = number

    def named(match: re.Match[str]) -> str:
        prefix = match[1][:3]
        return f"{prefix}#{numbers[prefix].setdefault(match[1], len(numbers[prefix]) + 1)}"

    def nameless(match: re.Match[str]) -> str:
        return named(match) if match[1] in numbers["pay"] else match[1][:3]

    # Sorted by what they say before they are named: what was written first must not decide who is number one.
    text = _sorted(json.dumps(bare, ensure_ascii=False), by=lambda text: NAMES.sub(nameless, text))
    return _sorted(NAMES.sub(named, text))


def _sorted(text: str, by: Callable[[str], str] = str) -> str:
    def turn(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: turn(each) for name, each in value.items()}
        if isinstance(value, list):
            return sorted((turn(each) for each in value), key=lambda each: by(json.dumps(each, sort_keys=True)))
        return value

    return json.dumps(turn(json.loads(text)), sort_keys=True, ensure_ascii=False)


def _bare(value: Any, inside: str = "") -> Any:
    if isinstance(value, dict):
        kept = {}
        for name, each in value.items():
            if name in DROPPED or (name == "id" and inside in OUTSIDE_IDS):
                continue
            if name == "expediente_id":
                each = "its expediente"
            if name.endswith("_document") and each:
                # Compared, and never written down: it says who somebody is.
                each = hashlib.sha256(str(each).encode()).hexdigest()[:12]
            if name == "expedientes":
                each = len(each)
            kept[name] = _bare(each, name)
        return kept
    return [_bare(each, inside) for each in value] if isinstance(value, list) else value


def _where(here: Any, there: Any, path: str) -> list[str]:
    if isinstance(here, dict) and isinstance(there, dict):
        return [
            line
            for name in sorted(here.keys() | there.keys())
            for line in _where(here.get(name), there.get(name), f"{path}.{name}")
        ]
    if isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        return [
            line
            for place, pair in enumerate(zip(here, there, strict=True))
            for line in _where(*pair, f"{path}[{place}]")
        ]
    return [] if here == there else [f"{path} is {json.dumps(here)[:160]}, should be {json.dumps(there)[:160]}"]
