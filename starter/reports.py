"""Tables for people from the store: bookings with their money, and the report at the end of a season."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.effects import EffectState
from domain.money import Money, total
from domain.platform import Booking
from store import Store
from store.installation import Installation

MONEY_MOVES = {"funds_withdrawn": 1, "won": -1}
"""The stages of a chargeback that take money away or bring it back."""


@dataclass(frozen=True, slots=True)
class BookingMoney:
    """One booking of the read model; every amount from the facts themselves, not from the snapshot's totals."""

    agency: str
    booking: Booking
    collected: Money
    invoiced: Money
    refunded: Money
    disputed: Money

    @property
    def due(self) -> Money:
        return self.booking.totals.total - self.collected + self.refunded + self.disputed

    def amounts(self) -> dict[str, Money]:
        totals = self.booking.totals
        return {
            "sale": totals.total,
            "cost": totals.cost,
            "margin": totals.margin,
            "collected": self.collected,
            "invoiced": self.invoiced,
            "refunded": self.refunded,
            "due": self.due,
        }


def bookings_with_money(store: Store, agency: str) -> list[BookingMoney]:
    """Every booking of an agency, by id."""
    return [_with_money(store, agency, booking) for booking in store.facts.bookings(agency)]


def _with_money(store: Store, agency: str, booking: Booking) -> BookingMoney:
    currency, facts = booking.currency, store.facts
    disputes = (
        chargeback.amount * MONEY_MOVES[chargeback.stage]
        for chargeback in facts.chargebacks_of(agency, booking.id)
        if chargeback.stage in MONEY_MOVES
    )
    documents = store.documents.of_booking(agency, booking.id, "giav")
    return BookingMoney(
        agency=agency,
        booking=booking,
        collected=total((payment.amount for payment in facts.payments_of(agency, booking.id)), currency),
        invoiced=total((document.amount for document in documents), currency),
        refunded=total((refund.amount for refund in facts.refunds_of(agency, booking.id)), currency),
        disputed=total(disputes, currency),
    )


def sums(rows: Sequence[BookingMoney]) -> dict[str, dict[str, Money]]:
    """Currency → column → sum."""
    result: dict[str, dict[str, Money]] = {}
    for row in rows:
        columns = result.setdefault(row.booking.currency, {})
        for name, amount in row.amounts().items():
            columns[name] = columns[name] + amount if name in columns else amount
    return result


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


def season_report(installation: Installation, store: Store) -> SeasonReport:
    """Tables per system and the invariants that can be judged from the store alone."""
    tables: list[ReportTable] = []
    invariants: list[Invariant] = []
    for agency in installation.agencies:
        rows = bookings_with_money(store, agency)
        tables.append(_bookings_table(agency, rows))
        tables.append(_effects_table(agency, store))
        invariants += _invariants(agency, store, rows)
    return SeasonReport(tuple(tables), tuple(invariants))


def _bookings_table(agency: str, rows: Sequence[BookingMoney]) -> ReportTable:
    columns = ("sale", "cost", "margin", "collected", "invoiced", "refunded", "due")
    body = [
        (currency, len(rows), *(by_column[name].decimal for name in columns))
        for currency, by_column in sums(rows).items()
    ]
    return ReportTable(f"{agency}: bookings", ("currency", "bookings", *columns), tuple(body), ("bookings", *columns))


def _effects_table(agency: str, store: Store) -> ReportTable:
    counts = store.effects.counts(agency)
    body = tuple((system, state, number) for (system, state), number in sorted(counts.items()))
    return ReportTable(f"{agency}: writes in outside systems", ("system", "state", "number"), body, ("number",))


def _invariants(agency: str, store: Store, rows: Sequence[BookingMoney]) -> list[Invariant]:
    waiting = store.inbox.counts(agency)["waiting"]
    open_states = (EffectState.INTENDED, EffectState.UNKNOWN)
    unsettled = [row for row in store.effects.unsettled(agency) if row.record.state in open_states]
    unbalanced = [
        entry.number
        for entry in store.journal.entries(agency)
        if sum(p.amount.amount * (1 if p.side == "debit" else -1) for p in entry.entry.postings)
    ]
    not_invoiced = [
        row.booking.id for row in rows if row.collected and not store.documents.of_booking(agency, row.booking.id)
    ]
    listed = {item.booking_id for item in store.parked.list(agency)}
    lost = [booking for booking in not_invoiced if booking not in listed]
    return [
        Invariant(f"{agency}: every event reached its workflow", waiting == 0, f"{waiting} wait" if waiting else ""),
        Invariant(
            f"{agency}: no write has an unknown outcome",
            not unsettled,
            f"{len(unsettled)} are open" if unsettled else "",
        ),
        Invariant(f"{agency}: every journal entry balances", not unbalanced, ", ".join(map(str, unbalanced[:5]))),
        Invariant(f"{agency}: collected money has a document or is on the list", not lost, ", ".join(lost[:5])),
    ]
