"""`user …`: who may sign in to the console, with which role, and what they did (docs/console.md)."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from domain.errors import Refused
from domain.people import Role
from starter.answers import CommandError, as_json, as_table, say
from starter.opening import AsJson, SettingsFile, agency_of, opened_store, read_settings
from store.audit_trail import Deed
from store.installation import Installation
from store.people import PersonEntry

app = typer.Typer(no_args_is_help=True, help="People who use the console.")

Name = Annotated[str, typer.Argument(help="The name to sign in with.")]
By = Annotated[str, typer.Option(help="Who does this, for the audit trail.")]
Agencies = Annotated[
    list[str] | None, typer.Option("--agency", help="An agency that the person sees; may be repeated.")
]
AllAgencies = Annotated[bool, typer.Option("--all-agencies", help="Every agency, also those that come later.")]


@contextmanager
def _plainly() -> Iterator[None]:
    try:
        yield
    except Refused as error:
        raise CommandError(error.message) from None


def _scope(installation: Installation, agencies: list[str] | None, every: bool) -> list[str] | None:
    if every == bool(agencies):
        raise CommandError("say which agencies the person sees: --agency NAME (repeated), or --all-agencies")
    for agency in agencies or ():
        agency_of(installation, agency)
    return None if every else agencies


def _read_password() -> str:
    """From the prompt, twice, or one line of standard input; never an argument, which every user of the machine can read."""
    if not sys.stdin.isatty():
        return sys.stdin.readline(1_000).rstrip("\n")
    password = getpass.getpass("Password (not shown): ")
    if password != getpass.getpass("Again: "):
        raise CommandError("the two passwords differ; nothing was changed")
    return password


@app.command()
def add(
    name: Name,
    settings: SettingsFile,
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    agency: Agencies = None,
    all_agencies: AllAgencies = False,
    by: By = "command line",
) -> None:
    """Let somebody in; the password is asked for, or read from standard input."""
    installation = read_settings(settings)
    agencies = _scope(installation, agency, all_agencies)
    password = _read_password()
    with opened_store(installation) as store, _plainly():
        person = store.people.add(name, role, agencies, password=password, by=by)
    say(f"{person.name} may sign in at {installation.console.url} as {person.role}")


@app.command(name="list")
def list_people(settings: SettingsFile, json_out: AsJson = False) -> None:
    """Everybody who may sign in."""
    with opened_store(read_settings(settings)) as store:
        people = store.people.list()
    if json_out:
        as_json([_plain(each) for each in people])
        return
    as_table(
        "People",
        ("name", "role", "agencies", "state", "signs in with", "last time"),
        (
            (
                each.person.name,
                each.person.role,
                "all" if each.person.agencies is None else ", ".join(sorted(each.person.agencies)),
                "locked" if each.person.locked else "active",
                "password" if each.person.has_password else "OpenID Connect",
                f"{each.signed_in_at:%Y-%m-%d %H:%M}" if each.signed_in_at else None,
            )
            for each in people
        ),
    )


def _plain(entry: PersonEntry) -> dict[str, object]:
    person = entry.person
    return {
        "name": person.name,
        "role": str(person.role),
        "agencies": None if person.agencies is None else sorted(person.agencies),
        "locked": person.locked,
        "signs_in_with": "password" if person.has_password else "OpenID Connect",
        "signed_in_at": entry.signed_in_at,
        "paused_until": entry.paused_until,
    }


@app.command()
def role(
    name: Name,
    role: Annotated[Role, typer.Argument(help="The new role.")],
    settings: SettingsFile,
    agency: Agencies = None,
    all_agencies: AllAgencies = False,
    why: Annotated[str, typer.Option(help="The reason, for the audit trail.")] = "",
    by: By = "command line",
) -> None:
    """Give another role or other agencies; open sessions of the person end."""
    installation = read_settings(settings)
    agencies = _scope(installation, agency, all_agencies)
    with opened_store(installation) as store, _plainly():
        store.people.set_role(name, role, agencies, by=by, why=why)
    say(f"{name} is {role} now; open sessions were ended")


@app.command()
def lock(
    name: Name,
    settings: SettingsFile,
    why: Annotated[str, typer.Option(help="The reason, for the audit trail.")],
    by: By = "command line",
) -> None:
    """Let somebody in no more; open sessions end at once."""
    with opened_store(read_settings(settings)) as store, _plainly():
        store.people.lock(name, by=by, why=why)
    say(f"{name} is locked")


@app.command()
def unlock(name: Name, settings: SettingsFile, by: By = "command line") -> None:
    """Let somebody in again, also after too many wrong passwords."""
    with opened_store(read_settings(settings)) as store, _plainly():
        store.people.unlock(name, by=by)
    say(f"{name} may sign in again")


@app.command()
def password(name: Name, settings: SettingsFile, by: By = "command line") -> None:
    """Set a new password, asked for or read from standard input; open sessions end."""
    with opened_store(read_settings(settings)) as store, _plainly():
        store.people.set_password(name, _read_password(), by=by)
    say(f"{name} has a new password; open sessions were ended")


@app.command()
def sessions(
    settings: SettingsFile,
    name: Annotated[str | None, typer.Argument(help="Only of this person.")] = None,
    end: Annotated[int | None, typer.Option(help="End the session with this number.")] = None,
    end_all: Annotated[bool, typer.Option("--end-all", help="End every session of the person.")] = False,
    by: By = "command line",
    json_out: AsJson = False,
) -> None:
    """Open sessions of the console; ends them if asked to."""
    installation = read_settings(settings)
    console = installation.console
    with opened_store(installation) as store:
        if end_all and not name:
            raise CommandError("whose? bookings user sessions NAME --end-all")
        if end is not None and not store.sessions.end_number(end):
            raise CommandError(f"there is no open session {end}; see 'bookings user sessions'")
        if end is not None or end_all:
            store.audit_trail.write(Deed(by, "user.sessions", name or f"session {end}", way="command"))
        if end_all and name:
            say(f"{store.sessions.end_all(name.lower())} sessions ended")
        found = store.sessions.list(name and name.lower(), idle=console.idle, longest=console.longest)
    if json_out:
        as_json([{"number": each.number, "name": each.name, "began_at": each.began_at} for each in found])
        return
    as_table(
        "Sessions",
        ("number", "name", "since", "last seen", "browser"),
        (
            (each.number, each.name, f"{each.began_at:%Y-%m-%d %H:%M}", f"{each.seen_at:%H:%M}", each.browser[:60])
            for each in found
        ),
        right=("number",),
    )


@app.command()
def trail(
    settings: SettingsFile,
    actor: Annotated[str | None, typer.Option(help="Only what this person did.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    json_out: AsJson = False,
) -> None:
    """What people did, newest first."""
    with opened_store(read_settings(settings)) as store:
        lines = store.audit_trail.list(actor=actor, limit=limit)
    if json_out:
        as_json([{"at": line.at, **{name: getattr(line.deed, name) for name in line.deed.__slots__}} for line in lines])
        return
    as_table(
        "Audit trail",
        ("when", "who", "way", "what", "on", "agency", "outcome", "why"),
        (
            (
                f"{line.at:%Y-%m-%d %H:%M:%S}",
                line.deed.actor,
                line.deed.way,
                line.deed.action,
                line.deed.object,
                line.deed.agency,
                line.deed.outcome,
                line.deed.why,
            )
            for line in lines
        ),
    )
