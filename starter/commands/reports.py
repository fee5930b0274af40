"""`report bookings`, `report margins`, `report receivables`: what the read model says of the money (contracts: money-rules 1.2, M7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import BackOfficeError
from domain.reporting import summed
from starter.answers import CommandError, as_json, as_table, say
from starter.figures import BookingRow, ReadModel, Selection, Trip
from starter.layouts import BOOKINGS, MARGINS, RECEIVABLES, Layout, Report, Row, decimals, plain
from starter.opening import AsJson, SettingsFile, agency_of, opened_store, read_settings
from starter.verification import WRONG, Compared, Verification, counts
from store import Store
from store.installation import Installation

app = typer.Typer(help="Bookings, margins and receivables.", invoke_without_command=True)

Agency = Annotated[str | None, typer.Option(help="Only this agency.")]
OfExperience = Annotated[str | None, typer.Option(help="Only this experience.")]
From = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Departing on this day or later.")]
To = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Departing on this day or earlier.")]
ByBooking = Annotated[bool, typer.Option("--bookings", help="One row per booking instead of one per experience.")]
Csv = Annotated[Path | None, typer.Option("--csv", help="Write CSV to this file; - for standard output.")]
Verify = Annotated[bool, typer.Option("--verify", help="Compare every expediente with GIAV's own figures.")]


@dataclass(frozen=True, slots=True)
class Output:
    """How a report is wanted."""

    by_booking: bool
    verify: bool
    csv: Path | None
    json: bool

    @property
    def to_stdout(self) -> bool:
        return str(self.csv) == "-"


@app.callback()
def report(
    context: typer.Context,
    settings: Annotated[Path | None, typer.Option("--settings", envvar="BOOKINGS_SETTINGS", hidden=True)] = None,
    agency: Agency = None,
    json_out: AsJson = False,
) -> None:
    """Bookings, margins and receivables; without a name, the bookings."""
    if context.invoked_subcommand is not None:
        if agency or json_out:
            raise CommandError(f"options stand behind the name: bookings report {context.invoked_subcommand} …")
        return
    if settings is None:
        raise CommandError("name the settings file with --settings or BOOKINGS_SETTINGS")
    bookings(settings, agency, json_out)


@app.command()
def bookings(settings: SettingsFile, agency: Agency = None, json_out: AsJson = False) -> None:
    """Sale, cost, margin and money of every booking."""
    selection = Selection(agency)
    installation = _installation(settings, selection)
    with opened_store(installation) as store:
        rows = ReadModel(installation, store).rows(selection)
    agencies = list(installation.agencies)
    rows.sort(key=lambda row: (agencies.index(row.trip.agency), row.booking_id))
    if json_out:
        as_json([_booking(row) for row in rows])
        return
    columns = tuple(BOOKINGS.columns)
    told = any(row.airplus for row in rows)
    body: list[tuple[object, ...]] = [
        (
            *(row.trip.agency, row.booking_id, row.status, row.currency),
            *decimals(BOOKINGS.cells(row.figures), columns),
            *([", ".join(f"{count} {state}" for state, count in row.airplus.items())] if told else []),
        )
        for row in rows
    ]
    for currency, added in summed((row.currency, row.figures) for row in rows).items():
        body.append(("total", "", "", currency, *decimals(BOOKINGS.cells(added), columns), *([""] if told else [])))
    names = ("agency", "booking", "status", "currency", *columns, *(["AirPlus"] if told else []))
    as_table(BOOKINGS.title, names, body, right=columns, whole=("booking",))


def _booking(row: BookingRow) -> dict[str, object]:
    names = {"agency": row.trip.agency, "booking": row.booking_id, "experience": row.trip.experience_id}
    told = {"airplus": dict(row.airplus)} if row.airplus else {}
    return {**names, "status": row.status, **plain(BOOKINGS.cells(row.figures)), **told}


@app.command()
def margins(
    settings: SettingsFile,
    agency: Agency = None,
    experience: OfExperience = None,
    departs_from: From = None,
    departs_to: To = None,
    by_booking: ByBooking = False,
    verify: Verify = False,
    csv: Csv = None,
    json_out: AsJson = False,
) -> None:
    """Sale, nested costs, margin and money of every experience. With --verify it ends with 1 when GIAV differs."""
    selection = _selection(agency, experience, departs_from, departs_to)
    _run(MARGINS, settings, selection, Output(by_booking, verify, csv, json_out))


@app.command()
def receivables(
    settings: SettingsFile,
    agency: Agency = None,
    experience: OfExperience = None,
    departs_from: From = None,
    departs_to: To = None,
    by_booking: ByBooking = False,
    verify: Verify = False,
    csv: Csv = None,
    json_out: AsJson = False,
) -> None:
    """What payers still owe, by days since it fell due, and what is owed to them."""
    selection = _selection(agency, experience, departs_from, departs_to)
    _run(RECEIVABLES, settings, selection, Output(by_booking, verify, csv, json_out))


def _selection(
    agency: str | None, experience: str | None, departs_from: datetime | None, departs_to: datetime | None
) -> Selection:
    return Selection(agency, experience, departs_from and departs_from.date(), departs_to and departs_to.date())


def _installation(settings: Path, selection: Selection) -> Installation:
    installation = read_settings(settings)
    if selection.agency:
        agency_of(installation, selection.agency)
    return installation


def _run(layout: Layout[Row], settings: Path, selection: Selection, output: Output) -> None:
    if output.to_stdout and (output.json or output.verify):
        raise CommandError("--csv - fills standard output; name a file to combine it with --json or --verify")
    installation = _installation(settings, selection)
    with opened_store(installation) as store:
        model = ReadModel(installation, store)
        if selection.experience and not model.knows(selection):
            agency = f" of {selection.agency}" if selection.agency else ""
            raise CommandError(
                f"there is no experience {selection.experience!r}{agency}; bookings report margins lists them all"
            )
        rows = model.rows(selection)
        compared = _verified(installation, store, model.trips(selection), rows, selection) if output.verify else []
    report = Report(layout, rows, by_booking=output.by_booking)
    if output.csv is not None:
        report.write_csv(output.csv)
    if output.json:
        told = report.plain()
        if output.verify:
            told["verified"] = {"counts": counts(compared), "files": [each.plain() for each in compared]}
        as_json(told)
    elif not output.to_stdout:
        report.show()
        if output.verify:
            _print_compared(compared)
    if any(each.verdict in WRONG for each in compared):
        raise typer.Exit(1)


def _verified(
    installation: Installation, store: Store, trips: list[Trip], rows: list[BookingRow], selection: Selection
) -> list[Compared]:
    from workers.economics import economics

    chosen = [selection.agency] if selection.agency else list(installation.agencies)
    try:
        with economics(installation, store) as readers:
            if not any(agency in readers for agency in chosen):
                raise CommandError(f"no GIAV is configured for {', '.join(chosen)}; there is nothing to compare with")
            return list(Verification(store, readers).compare(trips, rows))
    except BackOfficeError as error:
        raise CommandError(f"{error}; nothing was compared any further") from None


def _print_compared(compared: list[Compared]) -> None:
    """The files that do not agree, one row per figure, and how many there are of each kind."""
    body: list[tuple[object, ...]] = []
    for each in compared:
        if each.verdict == "agrees":
            continue
        names = (each.trip.agency, each.trip.experience_id, each.file, each.verdict)
        why = "; ".join(each.why)
        body += [
            (*names, found.figure, found.ours.decimal, found.theirs.decimal, found.amount.decimal, why)
            for found in each.differences
        ] or [(*names, None, None, None, None, why)]
    if body:
        right = ("ours", "GIAV", "difference")
        columns = ("agency", "experience", "expediente", "verdict", "figure", *right, "why")
        as_table("Compared with GIAV", columns, body, right=right, whole=("experience", "verdict", "figure"))
    words = ", ".join(f"{number} {verdict}" for verdict, number in sorted(counts(compared).items()))
    say(f"{len(compared)} expedientes compared: {words or 'none'}")
