"""What every system holds after a season, and whether the auditor's invariants hold (contracts: money-rules 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from domain.books import BookingBooks, Books, SupplierSale
from domain.invariants import When, audit
from domain.money import Money
from starter.collecting import StandIns, collect
from starter.collecting.mid_offices import kind_of
from starter.reports import Invariant, ReportTable, SeasonReport
from store import Store
from store.installation import Installation

COLUMNS = ("sale", "cost", "margin", "collected", "invoiced", "refunded", "due")
NOTHING = "–"
NAMES = {"midoco": "MIDOCO", "tina": "TINA", "sapeig": "Sapeig", "xmid": "xMid", "ziel": "Z.I.E.L."}

Column = Callable[[BookingBooks], int]

PLATFORM: dict[str, Column] = {
    "sale": lambda b: b.platform.sale,
    "cost": lambda b: b.platform.cost,
    "margin": lambda b: b.platform.margin,
    "collected": lambda b: b.captured,
    "refunded": lambda b: b.refunded,
    "due": lambda b: b.platform.due,
}
GIAV: dict[str, Column] = {
    "sale": lambda b: sum(r.sale for r in b.reservas),
    "cost": lambda b: sum(r.cost for r in b.reservas),
    "margin": lambda b: sum(r.sale - r.cost for r in b.reservas),
    "collected": lambda b: b.collected,
    "invoiced": lambda b: b.invoiced + b.penalties,
    "refunded": lambda b: b.returned,
    "due": lambda b: sum(r.sale for r in b.reservas) - b.collected + b.returned,
}
JOURNAL: dict[str, Column] = {
    "collected": lambda b: b.accounts.get("5729", 0) + b.accounts.get("5728", 0) + b.refunded,
    "invoiced": lambda b: -b.accounts.get("438", 0) - b.accounts.get("778", 0),
    "due": lambda b: b.accounts.get("430", 0) + b.accounts.get("4309", 0),
}
MIDOFFICE: dict[str, Column] = {"sale": lambda b: sum(o.price for o in b.orders)}
AIRPLUS: dict[str, Column] = {
    "collected": lambda b: sum(line.gross for line in b.airplus if line.debit and line.accepted),
    "refunded": lambda b: sum(line.gross for line in b.airplus if not line.debit and line.accepted),
}

Holds = Callable[[BookingBooks], bool]

SYSTEMS: tuple[tuple[str, dict[str, Column], Holds], ...] = (
    ("platform", PLATFORM, lambda _: True),
    ("GIAV", GIAV, lambda b: bool(b.reservas)),
    ("mid-office", MIDOFFICE, lambda b: bool(b.orders)),
    ("AirPlus", AIRPLUS, lambda b: bool(b.airplus)),
    ("journal", JOURNAL, lambda b: bool(b.accounts)),
)
"""Each system with what it knows of a booking; in the journal `due` is what is invoiced and not yet collected."""


def season_report(installation: Installation, store: Store, stand_ins: StandIns) -> SeasonReport:
    """One table of all systems, one of all bookings, the parked items and every invariant. Raises `CommandError`."""
    tables: list[ReportTable] = []
    invariants: list[Invariant] = []
    for agency, settings in installation.agencies.items():
        books, kind = collect(store, agency, settings, stand_ins), kind_of(settings)
        tables += [_systems(books, NAMES.get(kind, kind)), _bookings(books), *_supplied(books), _writes(agency, store)]
        invariants += _verdicts(books)
    return SeasonReport(tuple(tables), tuple(invariants))


def _systems(books: Books, mid_office: str) -> ReportTable:
    rows = []
    for system, columns, holds in SYSTEMS:
        name = mid_office if system == "mid-office" else system
        mine = [b for b in books.bookings if holds(b)]
        rows.append((name, len(mine), *(_sum(mine, columns.get(column)) for column in COLUMNS)))
    title = f"{books.agency}: the season in every system"
    return ReportTable(title, ("system", "bookings", *COLUMNS), tuple(rows), ("bookings", *COLUMNS))


def _sum(bookings: Iterable[BookingBooks], column: Column | None) -> str:
    if column is None:
        return NOTHING
    per_currency: dict[str, int] = {}
    for booking in bookings:
        per_currency[booking.currency] = per_currency.get(booking.currency, 0) + column(booking)
    return " + ".join(str(Money(amount=amount, currency=cur)) for cur, amount in per_currency.items()) or NOTHING


def _bookings(books: Books) -> ReportTable:
    rows = tuple(
        (
            b.booking_id,
            b.platform.status,
            *(str(Money(amount=GIAV[column](b), currency=b.currency).decimal) for column in COLUMNS),
            "waits" if b.waiting else "",
        )
        for b in sorted(books.bookings, key=lambda b: b.booking_id)
    )
    columns = ("booking", "status", *COLUMNS, "")
    return ReportTable(f"{books.agency}: bookings as GIAV holds them", columns, rows, COLUMNS)


def _supplied(books: Books) -> Iterable[ReportTable]:
    """The suppliers' orders with what GIAV says that they cost; no table where no supplier was asked."""
    rows = tuple(
        (
            order.partner_order_id,
            order.status,
            str(Money(amount=order.payable, currency=order.currency)),
            str(Money(amount=_estimated(b, order), currency=b.currency).decimal),
            str(Money(amount=_nested(b, order), currency=b.currency).decimal),
            order.free_until or NOTHING,
        )
        for b in sorted(books.bookings, key=lambda b: b.booking_id)
        for order in b.supplied
    )
    if rows:
        columns = ("order", "status", "payable", "estimated", "in GIAV", "free until")
        yield ReportTable(f"{books.agency}: orders at RateHawk", columns, rows, ("payable", "estimated", "in GIAV"))


def _estimated(b: BookingBooks, order: SupplierSale) -> int:
    return sum(b.platform.line_costs.get(line, 0) for line in order.line_ids)


def _nested(b: BookingBooks, order: SupplierSale) -> int:
    return sum(reserva.line_costs.get(line, 0) for reserva in b.reservas for line in order.line_ids)


def _writes(agency: str, store: Store) -> ReportTable:
    counts = store.effects.counts(agency)
    rows = tuple((system, state, number) for (system, state), number in sorted(counts.items()))
    return ReportTable(f"{agency}: writes in outside systems", ("system", "state", "number"), rows, ("number",))


def _verdicts(books: Books) -> Iterable[Invariant]:
    at_rest = sum(1 for b in books.bookings if not b.waiting)
    for verdict in audit(books):
        rule = verdict.invariant
        found = "; ".join(f"{violation.where}: {violation.found}" for violation in verdict.violations[:5])
        looked = f"{at_rest} of {len(books.bookings)} bookings at rest" if rule.when is When.AT_REST else "always"
        yield Invariant(f"{rule.id} {rule.words}", verdict.holds, found or looked)
