"""The books: entries, an account's statement, and the trial balance, each of a period (contracts: money-rules 2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from domain.ledger import Fact, Posting
from domain.money import Money
from starter.console import labels
from starter.console.areas import Area, Link
from starter.console.languages import N_
from starter.console.listing import After, Column, OneAgency, Word, as_file, day_of, each, list_page, page_of, place_of
from starter.console.visiting import Here, Surroundings, Viewer
from store.journal import AccountBalance, PostedEntry
from store.journal_pages import EntryPlace, LinePlace
from store.statements import StatementLine

router = APIRouter()
AREA = Area("ledger", router, (Link("/journal/entries", N_("Diario contable"), "money", 60),))
SIZE = 50
LINES = 100
FACTS = tuple(fact.value for fact in Fact)

labels.add(
    "fact",
    {
        "invoice": N_("factura"),
        "collection": N_("cobro"),
        "suspense": N_("en suspenso"),
        "match": N_("conciliación"),
        "duplicate_set_aside": N_("duplicado apartado"),
        "rectifying": N_("rectificativa"),
        "invoice_reversed": N_("factura anulada"),
        "refund_beyond_decision": N_("devolución de más"),
        "refund_beyond_decision_by_bank": N_("devolución de más por banco"),
        "excess_claimed": N_("exceso reclamado"),
        "excess_written_off": N_("exceso dado por perdido"),
        "service_rendered_less": N_("servicio prestado, corregido"),
        "penalty": N_("penalización"),
        "fee": N_("comisión"),
        "refund": N_("devolución"),
        "refund_by_bank": N_("devolución por banco"),
        "chargeback_withdrawn": N_("contracargo retirado"),
        "chargeback_won": N_("contracargo ganado"),
        "chargeback_lost": N_("contracargo perdido"),
        "claim_written_off": N_("crédito incobrable"),
        "settlement": N_("liquidación"),
        "service_rendered": N_("servicio prestado"),
        "supplier_invoice": N_("factura de proveedor"),
        "supplier_credit": N_("abono de proveedor"),
    },
)


@dataclass(frozen=True, slots=True)
class Period:
    """Days, both inclusive; `since` is the first of this month where the address says nothing."""

    since: date | None
    until: date | None


def period(here: Here, agency: OneAgency, since: Word | None = None, until: Word = "") -> Period:
    if since is None:
        return Period(here.now().astimezone(here.zone(agency)).date().replace(day=1), day_of(until))
    return Period(day_of(since), day_of(until))


OfPeriod = Annotated[Period, Depends(period)]
Row = tuple[str, PostedEntry, Posting]


ENTRIES: tuple[Column[Row], ...] = (
    Column("entry", N_("Asiento"), lambda row: row[1].number, "id"),
    Column("day", N_("Día"), lambda row: row[1].entry.on, "day"),
    Column("fact", N_("Hecho"), lambda row: row[1].entry.fact, "label", "fact"),
    Column(
        "booking",
        N_("Reserva"),
        lambda row: row[1].entry.booking_id,
        "id",
        link=lambda row: f"/bookings/{row[0]}/{row[1].entry.booking_id}" if row[1].entry.booking_id else "",
    ),
    Column("text", N_("Concepto"), lambda row: row[1].entry.text),
    Column(
        "account",
        N_("Cuenta"),
        lambda row: row[2].account,
        "id",
        link=lambda row: f"/journal/statement?agency={row[0]}&account={row[2].account}",
    ),
    Column("sub", N_("Subcuenta"), lambda row: row[2].sub, "id"),
    Column("debit", N_("Debe"), lambda row: row[2].amount if row[2].side == "debit" else None, "money"),
    Column("credit", N_("Haber"), lambda row: row[2].amount if row[2].side == "credit" else None, "money"),
)
STATEMENT: tuple[Column[tuple[str, StatementLine]], ...] = (
    Column("day", N_("Día"), lambda row: row[1].on, "day"),
    Column("entry", N_("Asiento"), lambda row: row[1].number, "id"),
    Column(
        "booking",
        N_("Reserva"),
        lambda row: row[1].booking_id,
        "id",
        link=lambda row: f"/bookings/{row[0]}/{row[1].booking_id}" if row[1].booking_id else "",
    ),
    Column("text", N_("Concepto"), lambda row: row[1].text),
    Column("account", N_("Cuenta"), lambda row: row[1].account, "id"),
    Column("sub", N_("Subcuenta"), lambda row: row[1].sub, "id"),
    Column("debit", N_("Debe"), lambda row: row[1].amount if row[1].side == "debit" else None, "money"),
    Column("credit", N_("Haber"), lambda row: row[1].amount if row[1].side == "credit" else None, "money"),
    Column("balance", N_("Saldo"), lambda row: row[1].balance, "money"),
)
BALANCE: tuple[Column[tuple[str, AccountBalance]], ...] = (
    Column(
        "account",
        N_("Cuenta"),
        lambda row: row[1].account,
        "id",
        link=lambda row: (
            f"/journal/statement?agency={row[0]}&account={row[1].account}&currency={row[1].debit.currency}"
        ),
    ),
    Column("debit", N_("Debe"), lambda row: row[1].debit, "money"),
    Column("credit", N_("Haber"), lambda row: row[1].credit, "money"),
    Column("balance", N_("Saldo"), lambda row: row[1].balance, "money"),
)


def _entries(
    here: Surroundings,
    agency: str,
    days: Period,
    booking: str,
    fact: str,
    after: EntryPlace | None,
    limit: int,
) -> list[PostedEntry]:
    return here.store.journal_pages.entries(
        agency,
        since=days.since,
        until=days.until,
        booking_id=booking or None,
        fact=fact or None,
        after=after,
        limit=limit,
    )


def _entry_place(posted: PostedEntry) -> EntryPlace:
    return posted.entry.on, posted.number


def _postings(agency: str, found: Sequence[PostedEntry] | Iterator[PostedEntry]) -> Iterator[Row]:
    return ((agency, posted, posting) for posted in found for posting in posted.entry.postings)


@router.get("/journal/entries")
def entries(
    request: Request,
    here: Here,
    visitor: Viewer,
    agency: OneAgency,
    days: OfPeriod,
    booking: Word = "",
    fact: Word = "",
    after: After = "",
) -> Response:
    place = place_of(after, date.fromisoformat, int)
    found = _entries(here, agency, days, booking, fact, place, SIZE + 1)
    shown, following = page_of(found, SIZE, _entry_place)
    return list_page(
        request,
        "ledger/entries.html",
        agency=agency,
        columns=ENTRIES,
        rows=list(_postings(agency, shown)),
        next=following,
        facts=FACTS,
        days=days,
        closed_until=here.store.periods.closed_until(agency),
    )


@router.get("/journal/entries.csv")
def export_entries(
    here: Here, visitor: Viewer, agency: OneAgency, days: OfPeriod, booking: Word = "", fact: Word = ""
) -> Response:
    visitor.did("export", "journal entries", agency=agency)
    found = each(lambda after, limit: _entries(here, agency, days, booking, fact, after, limit), _entry_place)
    return as_file(f"diario-{agency}", ENTRIES, _postings(agency, found))


@router.get("/journal/statement")
def statement(
    request: Request,
    here: Here,
    visitor: Viewer,
    agency: OneAgency,
    days: OfPeriod,
    account: Word = "430",
    sub: Word = "",
    currency: Word = "",
    after: After = "",
) -> Response:
    """An account; `43` means every account that begins with it."""
    own = currency or here.installation.agencies[agency].currency
    place = place_of(after, date.fromisoformat, int, int)
    found = here.store.journal_pages.statement(
        agency,
        account,
        sub or None,
        since=days.since,
        until=days.until,
        currency=own,
        after=place,
        limit=LINES + 1,
    )
    lines = [(agency, line) for line in found.lines[:LINES]]
    places = dict(zip(found.lines, found.places, strict=True))
    rows, following = page_of([(agency, line) for line in found.lines], LINES, lambda row: places[row[1]])
    return list_page(
        request,
        "ledger/statement.html",
        agency=agency,
        account=account,
        currency=own,
        columns=STATEMENT,
        rows=rows,
        next=following,
        opening=found.opening,
        closing=lines[-1][1].balance if lines else found.opening,
        days=days,
    )


@router.get("/journal/statement.csv")
def export_statement(
    here: Here,
    visitor: Viewer,
    agency: OneAgency,
    days: OfPeriod,
    account: Word = "430",
    sub: Word = "",
    currency: Word = "",
) -> Response:
    visitor.did("export", f"account {account}", agency=agency)
    own = currency or here.installation.agencies[agency].currency

    def fetch(after: LinePlace | None, limit: int) -> Sequence[tuple[LinePlace, StatementLine]]:
        found = here.store.journal_pages.statement(
            agency,
            account,
            sub or None,
            since=days.since,
            until=days.until,
            currency=own,
            after=after,
            limit=limit,
        )
        return list(zip(found.places, found.lines, strict=True))

    rows = each(fetch, lambda row: row[0])
    return as_file(f"cuenta-{account}-{agency}", STATEMENT, ((agency, line) for _, line in rows))


@router.get("/journal/balance")
def balance(request: Request, here: Here, visitor: Viewer, agency: OneAgency, days: OfPeriod) -> Response:
    """Sums and balances per account; they add up to zero, or something is very wrong."""
    rows = here.store.journal_pages.accounts(agency, since=days.since, until=days.until)
    sums: dict[str, Money] = {}
    for row in rows:
        sums[row.debit.currency] = sums.get(row.debit.currency, Money.zero(row.debit.currency)) + row.balance
    return list_page(
        request,
        "ledger/balance.html",
        agency=agency,
        columns=BALANCE,
        rows=[(agency, row) for row in rows],
        days=days,
        unbalanced=[amount for amount in sums.values() if amount],
    )


@router.get("/journal/balance.csv")
def export_balance(here: Here, visitor: Viewer, agency: OneAgency, days: OfPeriod) -> Response:
    visitor.did("export", "trial balance", agency=agency)
    rows = here.store.journal_pages.accounts(agency, since=days.since, until=days.until)
    return as_file(f"sumas-y-saldos-{agency}", BALANCE, ((agency, row) for row in rows))
