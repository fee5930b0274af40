"""`import`: bookings of another system from CSV (docs/import.md)."""

from __future__ import annotations

import csv
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from domain.people import Role
from starter.answers import CommandError, as_json, as_table, err, say
from starter.commands.acting import By, doing
from starter.importing.mapping import MappingError, load_mapping
from starter.importing.reading import ImportFile
from starter.importing.taking import Import, ImportReport
from starter.opening import AsJson, SettingsFile, agency_of, opened_store, read_settings

MOST_SHOWN = 20
"""Unusable rows shown one by one; --json shows all."""


def import_file(
    file: Annotated[Path, typer.Argument(help="The CSV file; its first line names the columns.")],
    mapping_file: Annotated[Path, typer.Option("--map", help="What the columns mean (TOML).")],
    agency: Annotated[str, typer.Option(help="The agency whose bookings these are.")],
    settings: SettingsFile,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and judge everything, write nothing.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first rows.")] = None,
    by: By = "",
    json_out: AsJson = False,
) -> None:
    """Turn rows into events of the platform and take them in. The same file again changes nothing.

    Ends with 1 when an event had to be parked or contradicts one that was taken in before.
    """
    installation = read_settings(settings)
    configured = agency_of(installation, agency)
    try:
        mapping = load_mapping(mapping_file)
        source = ImportFile(file, mapping, agency, configured)
    except MappingError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"{file}: cannot be read ({error.strerror})") from None
    work = Import(source, installation, agency, mapping.currency, lambda: datetime.now(UTC))
    columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn())
    with (
        Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar,
        nullcontext() if dry_run else opened_store(installation) as store,
        nullcontext() if store is None else doing(store, by, "import", file.name, agency=agency, needs=Role.SUPERVISOR),
    ):
        task = bar.add_task("rows", total=None)
        try:
            report = work.run(store, limit=limit, progress=lambda done: bar.update(task, completed=done))
        except UnicodeDecodeError:
            raise CommandError(f"{file}: is not {mapping.encoding}; set encoding in {mapping_file}") from None
        except csv.Error as error:
            raise CommandError(f"{file}: is not CSV as {mapping_file} says: {error}") from None
    as_json(report.plain()) if json_out else _show(report)
    if report.results.keys() & {"conflict", "parked", "would be parked"}:
        raise typer.Exit(1)


def _show(report: ImportReport) -> None:
    if report.unusable:
        shown = report.unusable[:MOST_SHOWN]
        as_table(
            "Rows that were not used", ("line", "reason"), ((row.line, row.reason) for row in shown), right=("line",)
        )
        if len(report.unusable) > MOST_SHOWN:
            say(f"… and {len(report.unusable) - MOST_SHOWN} more; --json lists all")
        as_table("By reason", ("reason", "rows"), report.reasons.items(), right=("rows",))
    as_table("Events", ("kind", "number"), sorted(report.kinds.items()), right=("number",))
    as_table("Money", ("what", "amount"), report.money().items(), right=("amount",))
    say(f"{report.rows} rows = {report.used} used + {len(report.unusable)} not usable")
    results = ", ".join(f"{number} {name}" for name, number in sorted(report.results.items()))
    say(f"events: {results or 'none'}" + ("; nothing was written" if report.dry_run else ""))
