"""`giav check`: what stands in GIAV's files against our ledger, now instead of at night (contracts: giav 4 "nightly check")."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from domain.errors import BackOfficeError
from domain.people import Role
from starter.answers import CommandError, as_json, as_table, say
from starter.commands.acting import By, doing
from starter.opening import AsJson, SettingsFile, agency_of, opened_store, read_settings

app = typer.Typer(no_args_is_help=True, help="GIAV's files.")


@app.callback()
def giav() -> None:
    """GIAV's files."""


@app.command()
def check(
    settings: SettingsFile,
    experience: Annotated[str | None, typer.Argument(help="Only this experience; otherwise all.")] = None,
    agency: Annotated[str | None, typer.Option(help="Only this agency.")] = None,
    by: By = "",
    json_out: AsJson = False,
) -> None:
    """Compare files with our ledger: four reads each, nothing is written there; differences are put on the list.

    Ends with 1 when something differs.
    """
    from workers.files import file_checks

    installation = read_settings(settings)
    if agency is not None:
        agency_of(installation, agency)
    names = [agency] if agency is not None else list(installation.agencies)
    try:
        with opened_store(installation) as store, file_checks(installation, store) as checks:
            chosen = [name for name in names if checks.has(name)]
            if not chosen:
                raise CommandError(f"no GIAV is configured for {', '.join(names)}; there is nothing to compare with")
            about = experience or "every experience"
            with doing(store, by, "giav.check", about, agency=agency, needs=Role.OPERATOR):
                verdicts = [verdict for name in chosen for verdict in checks.verdicts(name, experience)]
    except BackOfficeError as error:
        raise CommandError(f"{error}; nothing was compared any further") from None
    if experience is not None and not verdicts:
        raise CommandError(f"there is no experience {experience}; see 'bookings report margins'")
    if json_out:
        as_json([each.plain() for each in verdicts])
    else:
        _print([each.plain() for each in verdicts])
    if any(each.findings for each in verdicts):
        raise typer.Exit(1)


def _print(verdicts: list[dict[str, Any]]) -> None:
    body = [
        (each["experience"], found["reason"], found["booking"], found["payment"], found["words"])
        for each in verdicts
        for found in each["findings"]
    ]
    if body:
        columns = ("experience", "reason", "booking", "payment", "what differs")
        as_table("GIAV differs", columns, body, whole=("experience", "reason"))
    left_out = sum(each["verdict"] == "waits" for each in verdicts)
    differing = sum(each["verdict"] == "differs" for each in verdicts)
    say(f"{len(verdicts) - left_out} files compared, {differing} differ, {left_out} left out: something is on its way")
