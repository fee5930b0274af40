"""Tables for people from the store: bookings with their money, and the report at the end of a season."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.money import Money, total
from domain.platform import Booking
from store import Store

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
