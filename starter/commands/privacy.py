"""`privacy export`, `privacy erase`, `privacy due`: what a person may ask for (docs/privacy.md)."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from domain.people import Role
from starter import privacy
from starter.answers import CommandError, as_json, as_table, say
from starter.commands.acting import By, allowed, doing
from starter.opening import AsJson, SettingsFile, agency_of, opened_store, read_settings
from store.installation import AgencySettings
from store.people_sought import Wanted

app = typer.Typer(no_args_is_help=True, help="What a person may ask for: their data, and to be forgotten.")

Email = Annotated[str | None, typer.Option("--email", help="The person's e-mail address.")]
Customer = Annotated[str | None, typer.Option("--customer", help="The platform's id of the customer, cus_….")]
Booking = Annotated[str | None, typer.Option("--booking", help="With --party: the booking, bkg_….")]
Party = Annotated[
    str | None, typer.Option("--party", help="With --booking: the traveller, trv_…, or the customer, cus_….")
]
SHORTEST_WHY = 5


@app.callback()
def of_people() -> None:
    """What a person may ask for: their data, and to be forgotten."""


@app.command()
def export(
    agency: str,
    settings: SettingsFile,
    by: By,
    out: Annotated[Path, typer.Option(help="A new file; only its owner may read it.")],
    email: Email = None,
    customer: Customer = None,
    booking: Booking = None,
    party: Party = None,
) -> None:
    """Write down everything that we hold of a person, and which outside systems hold more. Names of others are taken out."""
    installation = read_settings(settings)
    agency_of(installation, agency)
    wanted = _wanted(agency, email, customer, booking, party)
    with opened_store(installation) as store:
        found = store.privacy.find(wanted)
        if not found.appearances:
            raise CommandError(f"{wanted}: nobody is known under it in agency '{agency}' (any more)")
        with doing(store, by, "privacy export", str(wanted), agency=agency, needs=Role.SUPERVISOR):
            told = privacy.export(store, found, wanted)
            _write(out, json.dumps(told, ensure_ascii=False, indent=1, default=str))
    rows = sum(len(each) for each in told["held_here"].values())
    say(f"{rows} rows of {len(told['held_here'])} tables written to {out}; read it before you hand it over")


@app.command()
def erase(
    agency: str,
    settings: SettingsFile,
    by: By,
    why: Annotated[str, typer.Option(help="The request, for example its date and how it came.")],
    email: Email = None,
    customer: Customer = None,
    booking: Booking = None,
    party: Party = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    json_out: AsJson = False,
) -> None:
    """Take a person out of everything that we hold, as far as the law lets go of them; books and sums stay as they are.

    May be repeated. What has to be kept for now goes with 'bookings privacy due'.
    """
    installation = read_settings(settings)
    section = agency_of(installation, agency)
    wanted = _wanted(agency, email, customer, booking, party)
    if len(why.strip()) < SHORTEST_WHY:
        raise CommandError("say in --why which request this is")
    with opened_store(installation) as store:
        found = store.privacy.find(wanted)
        today = _today(section)
        if not found.appearances:
            raise CommandError(f"{wanted}: nobody is known under it in agency '{agency}' (any more)")
        if dry_run:
            parts = privacy.parts_of(store, section, found, today)
            rows: dict[str, int] = {}
            for hit in store.privacy.hits(found):
                rows[hit.table] = rows.get(hit.table, 0) + 1
            told: dict[str, Any] = {
                "asked_for": str(wanted),
                "parts": [part.told() for part in parts],
                "outside": privacy.outside(store, found),
                "rows": rows,
            }
        else:
            name = allowed(store, by, needs=Role.SUPERVISOR, agency=agency)
            told = privacy.erase(store, section, found, wanted, name, why.strip(), today)
    if json_out:
        as_json({"dry_run": dry_run, **told})
    else:
        _show(told, dry_run=dry_run)


@app.command()
def due(settings: SettingsFile, by: By, json_out: AsJson = False) -> None:
    """Erase what had to be kept when it was asked for and need not be kept any more. For a nightly timer."""
    installation = read_settings(settings)
    done = []
    with opened_store(installation) as store:
        who = allowed(store, by, needs=Role.SUPERVISOR)
        for name, section in installation.agencies.items():
            done += list(privacy.due(store, name, section, who, _today(section)))
    if json_out:
        as_json(done)
        return
    for told in done:
        _show(told, dry_run=False)
    say(f"{len(done)} requests were taken up again")


def _wanted(agency: str, email: str | None, customer: str | None, booking: str | None, party: str | None) -> Wanted:
    ways = [bool(email), bool(customer), bool(booking or party)]
    if sum(ways) != 1 or bool(booking) != bool(party):
        raise CommandError("name the person in one way: --email, or --customer, or --booking and --party")
    return Wanted(agency, email, customer, booking, party)


def _today(section: AgencySettings) -> date:
    return datetime.now(UTC).astimezone(ZoneInfo(section.timezone)).date()


def _write(out: Path, text: str) -> None:
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CommandError(f"{out}: cannot be written ({error.strerror}); name a new file") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")


def _show(told: dict[str, Any], *, dry_run: bool) -> None:
    words = {"all": "everything", "contact": "all but the invoice's recipient", "nothing": "nothing yet"}
    rows = [
        (part["thing"], ", ".join(part["roles"]), words[part["erase"]], part["rest_on"] or "", part["because"])
        for part in told["parts"]
    ]
    title = "Would be erased" if dry_run else "Erased"
    as_table(f"{title}: {told['asked_for']}", ("of", "as", "goes", "rest from", "because"), rows)
    changed = ", ".join(f"{number} in {table}" for table, number in sorted(told["rows"].items()))
    say(f"rows: {changed or 'none'}")
    as_table(
        "Still outside",
        ("system", "holds", "ask"),
        [(o["system"], ", ".join(o["holds"]), o["ask"]) for o in told["outside"]],
    )
