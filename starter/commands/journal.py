"""`journal`: accounts, statements, entries, exports, settlements, closing a period (contracts: money-rules 2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import ValidationError

from domain.errors import BackOfficeError
from domain.ledger import Chart, Fact, Movement, entry_of, key_of
from domain.money import Money
from domain.people import Role
from starter.answers import CommandError, as_csv, as_json, as_table, complain, say
from starter.commands.acting import By, doing
from starter.journal_files import POSTING_COLUMNS, contaplus_lines, make_folder, posting_rows, write_lines
from starter.opening import AsJson, SettingsFile, agency_of, opened_store, read_settings
from store import Store
from store.installation import AgencySettings
from store.journal import AccountBalance, PostedEntry

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="The books: accounts, entries, exports, periods.")

Agency = Annotated[str, typer.Argument(help="The agency.")]
From = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")]
To = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")]
Csv = Annotated[Path | None, typer.Option("--csv", help="Write CSV to this file; - for standard output.")]


@app.callback()
def journal() -> None:
    """The books: accounts, entries, exports, periods."""


@app.command("trial-balance")
def trial_balance(
    settings: SettingsFile,
    agency: Agency,
    since: From = None,
    until: To = None,
    by_sub: Annotated[bool, typer.Option("--sub", help="One row per sub-account.")] = False,
    csv: Csv = None,
    json_out: AsJson = False,
) -> None:
    """Debit, credit and balance of every account. Exit code 1 if they do not add up to zero."""
    with _store_of(settings, agency) as store:
        balances = store.journal.trial_balance(agency, since=_day(since), until=_day(until))
    rows = balances if by_sub else _without_subs(balances)
    columns = ("account", *(("sub",) if by_sub else ()), "currency", "debit", "credit", "balance")
    cells = [
        (
            row.account,
            *((row.sub,) if by_sub else ()),
            row.debit.currency,
            row.debit.decimal,
            row.credit.decimal,
            row.balance.decimal,
        )
        for row in rows
    ]
    _show(f"Trial balance of {agency}", columns, cells, csv, json_out)
    sums: dict[str, int] = {}
    for row in rows:
        sums[row.debit.currency] = sums.get(row.debit.currency, 0) + row.balance.amount
    if any(sums.values()):
        complain(f"the books of {agency} do not add up: {sums}")
        raise typer.Exit(1)


@app.command()
def statement(
    settings: SettingsFile,
    agency: Agency,
    account: Annotated[str, typer.Argument(help="An account; 43 means every account that begins with it.")],
    sub: Annotated[
        str | None, typer.Option(help="Only this sub-account: a payer, booking, processor or payment.")
    ] = None,
    since: From = None,
    until: To = None,
    csv: Csv = None,
    json_out: AsJson = False,
) -> None:
    """Opening balance, postings and closing balance of an account."""
    with _store_of(settings, agency) as store:
        found = store.statements.statement(agency, account, sub, since=_day(since), until=_day(until))
    columns = ("day", "entry", "booking", "text", "account", "sub", "debit", "credit", "balance")
    rows: list[tuple[object, ...]] = [("", "", "", "opening", "", "", "", "", found.opening.decimal)]
    for line in found.lines:
        debit, credit = (line.amount.decimal, "") if line.side == "debit" else ("", line.amount.decimal)
        rows.append(
            (
                line.on,
                line.number,
                line.booking_id,
                line.text,
                line.account,
                line.sub,
                debit,
                credit,
                line.balance.decimal,
            )
        )
    rows.append(("", "", "", "closing", "", "", "", "", found.closing.decimal))
    _show(f"Account {account} of {agency}", columns, rows, csv, json_out)


@app.command()
def entries(
    settings: SettingsFile,
    agency: Agency,
    booking: Annotated[str | None, typer.Option(help="Only this booking.")] = None,
    since: From = None,
    until: To = None,
    csv: Csv = None,
    json_out: AsJson = False,
) -> None:
    """The entries of a booking or a period, one row per posting."""
    with _store_of(settings, agency) as store:
        found = _entries(store, agency, booking, since, until)
    _show(f"Journal of {agency}", POSTING_COLUMNS, posting_rows(found), csv, json_out)


@app.command()
def export(
    settings: SettingsFile,
    agency: Agency,
    to: Annotated[Path, typer.Option("--into", help="Folder for the files; made if it does not exist.")],
    since: From = None,
    until: To = None,
    format_: Annotated[str, typer.Option("--format", help="contaplus (XDiario, XSubCta) or csv.")] = "contaplus",
    digits: Annotated[int, typer.Option(min=4, max=12, help="Digits of an account code in the program.")] = 8,
    first_number: Annotated[int, typer.Option(min=1, help="Number of the first entry in the file.")] = 1,
) -> None:
    """Write the entries of a period for the accountant's program."""
    if format_ not in ("contaplus", "csv"):
        raise CommandError(f"there is no format '{format_}'; known: contaplus, csv")
    with _store_of(settings, agency) as store:
        found = sorted(_entries(store, agency, None, since, until), key=lambda posted: (posted.entry.on, posted.number))
        if not found:
            raise CommandError("no entry in this period; nothing was written")
        if format_ == "csv":
            make_folder(to)
            as_csv(to / "journal.csv", POSTING_COLUMNS, posting_rows(found))
            say(f"{len(found)} entries in {to / 'journal.csv'}")
            return
        diary, accounts = contaplus_lines(store, agency, [posted.entry for posted in found], digits, first_number)
    make_folder(to)
    for name, lines in (("XDiario.txt", diary), ("XSubCta.txt", accounts)):
        write_lines(to / name, lines)
    say(f"{len(found)} entries in {to / 'XDiario.txt'}, {len(accounts)} accounts in {to / 'XSubCta.txt'}")


@app.command()
def settle(
    settings: SettingsFile,
    agency: Agency,
    processor: Annotated[str, typer.Argument(help="The processor as payments name it, for example stripe.")],
    reference: Annotated[str, typer.Option(help="The processor's own reference of the payout; counted once.")],
    paid: Annotated[str, typer.Option(help="What reached the bank, for example 295.50.")],
    on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day it reached the bank.")],
    fee: Annotated[str, typer.Option(help="What the processor kept.")] = "0",
    method: Annotated[str, typer.Option(help="card, or a payment method with a clearing account of its own.")] = "card",
    by: By = "",
) -> None:
    """Post a payout: bank and charges against the processor's clearing account."""
    installation = read_settings(settings)
    configured = agency_of(installation, agency)
    currency, chart = configured.currency, _chart(configured)
    movement = Movement(
        fact=Fact.SETTLEMENT,
        key=key_of("set", processor, reference),
        on=on.date(),
        booking_id="",
        text=f"settlement {processor} {reference}",
        amount=_amount("--paid", paid, currency),
        fee=_amount("--fee", fee, currency, or_nothing=True),
        processor=processor,
        method=method,
    )
    with opened_store(installation) as store:
        about = f"{processor} {reference}"
        with doing(store, by, "journal.settle", about, agency=agency, why=f"{movement.amount}", needs=Role.SUPERVISOR):
            (number,) = _refusing(lambda: store.journal.append(agency, entry_of(movement, chart)))
        left = store.journal.balance(agency, chart.clearing(method), processor, currency=currency)
    say(f"posted as entry {number}; {processor} still owes {left}")


@app.command()
def close(
    settings: SettingsFile,
    agency: Agency,
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day of the period.")],
    by: By = "",
    why: Annotated[str, typer.Option(help="A note.")] = "",
) -> None:
    """Close the books up to and including a day; what comes later is posted on the first open day."""
    day = until.date()
    with (
        _store_of(settings, agency) as store,
        doing(store, by, "journal.close", str(day), agency=agency, why=why, needs=Role.SUPERVISOR) as name,
    ):
        _refusing(lambda: store.periods.close(agency, day, by=name, reason=why))
    say(f"the books of {agency} are closed until {until.date()}")


@app.command()
def reopen(
    settings: SettingsFile,
    agency: Agency,
    why: Annotated[str, typer.Option(help="The reason, at least ten characters; kept for ever.")],
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Stay closed until this day; without it every day opens."),
    ] = None,
    by: By = "",
) -> None:
    """Take a closing back."""
    if len(why.strip()) < 10:
        raise CommandError("--why needs at least ten characters: an auditor reads it")
    day = _day(until)
    with (
        _store_of(settings, agency) as store,
        doing(store, by, "journal.reopen", str(day or ""), agency=agency, why=why, needs=Role.SUPERVISOR) as name,
    ):
        _refusing(lambda: store.periods.reopen(agency, day, by=name, reason=why))
    say(f"the books of {agency} are {f'closed until {day}' if day else 'open'}")


@app.command()
def periods(settings: SettingsFile, agency: Agency, json_out: AsJson = False) -> None:
    """Every closing and re-opening."""
    with _store_of(settings, agency) as store:
        history = store.periods.history(agency)
    columns = ("closed until", "by", "why", "at")
    rows = [
        (change.closed_until, change.by, change.reason, change.at.isoformat(timespec="seconds")) for change in history
    ]
    _show(f"Periods of {agency}", columns, rows, None, json_out)


def _entries(
    store: Store, agency: str, booking: str | None, since: datetime | None, until: datetime | None
) -> list[PostedEntry]:
    if booking is None:
        return store.journal.entries(agency, _day(since), _day(until))
    found = store.journal.entries_of(agency, booking)
    first, last = _day(since) or date.min, _day(until) or date.max
    return [posted for posted in found if first <= posted.entry.on <= last]


def _without_subs(balances: Sequence[AccountBalance]) -> list[AccountBalance]:
    added: dict[tuple[str, str], AccountBalance] = {}
    for row in balances:
        known = added.get((row.account, row.debit.currency))
        debit, credit = (known.debit + row.debit, known.credit + row.credit) if known else (row.debit, row.credit)
        added[row.account, row.debit.currency] = AccountBalance(row.account, "", debit, credit)
    return list(added.values())


def _show(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], csv: Path | None, json_out: bool
) -> None:
    if json_out:
        as_json([dict(zip(columns, row, strict=True)) for row in rows])
    elif csv is not None:
        as_csv(csv, columns, rows)
    else:
        amounts = tuple(name for name in ("debit", "credit", "balance") if name in columns)
        as_table(title, columns, rows, right=amounts, whole=tuple(n for n in ("booking", "sub", "key") if n in columns))


def _store_of(settings: Path, agency: str) -> AbstractContextManager[Store]:
    installation = read_settings(settings)
    agency_of(installation, agency)
    return opened_store(installation)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _amount(option: str, text: str, currency: str, *, or_nothing: bool = False) -> Money:
    try:
        value = Decimal(text)
        amount = Money.of_decimal(value, currency)
    except (InvalidOperation, ValueError):
        raise CommandError(f"{option} {text}: write an amount like 295.50") from None
    if amount.decimal != value or amount.amount < 0 or not (amount.amount or or_nothing):
        raise CommandError(f"{option} {text}: write a positive amount with at most two decimals, like 295.50")
    return amount


def _chart(configured: AgencySettings) -> Chart:
    try:
        return Chart.model_validate(configured.journal.get("accounts", {}))
    except ValidationError as error:
        raise CommandError(f"settings, journal.accounts: {error.errors()[0]['msg']}") from None


def _refusing(work: Callable[[], T]) -> T:
    """What the books refuse is one line for the user."""
    try:
        return work()
    except BackOfficeError as error:
        raise CommandError(str(error)) from None
