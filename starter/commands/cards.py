"""`card add`, `card scan`: account numbers, sealed under their tokens and nowhere else (contracts: tamara 5, platform-events 5)."""

from __future__ import annotations

import getpass
import json
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import BackOfficeError
from domain.people import Role
from starter.answers import CommandError, as_json, say
from starter.commands.acting import By, doing
from starter.opening import AsJson, SettingsFile, agency_of, opened_store, read_settings
from store.card_search import in_files, in_tables, passes_luhn
from store.installation import AgencySettings

app = typer.Typer(no_args_is_help=True, help="AirPlus accounts.")

AIRPLUS_PREFIXES = ("1220", "1920")
"""Those that were seen; an agency's settings may name others (contracts: tamara 5.4)."""
_TOKEN = re.compile(r"[0-9A-Za-z_.-]{2,80}")
_NUMBER = re.compile(r"\d{15}")
_EXPIRY = re.compile(r"(0[1-9]|1[0-2])\d{2}")


@app.callback()
def card() -> None:
    """AirPlus accounts."""


@app.command()
def add(
    agency: str,
    token: Annotated[str, typer.Argument(help="The token under which events name the account.")],
    settings: SettingsFile,
    by: By = "",
) -> None:
    """Seal an account number and its expiry in the vault.

    Both are asked for, or read from standard input as `NUMBER MMYY`; they are never arguments, which other users see.
    """
    installation = read_settings(settings)
    prefixes = _prefixes(agency_of(installation, agency))
    if not _TOKEN.fullmatch(token):
        raise CommandError("a token is 2 to 80 letters, digits, dots, dashes or underscores")
    number, expiry = _read_account()
    if not _NUMBER.fullmatch(number) or not passes_luhn(number):
        raise CommandError("that is not an account number: 15 digits with a right check digit")
    if not number.startswith(prefixes):
        known = ", ".join(prefixes)
        raise CommandError(f"that is not an account of AirPlus: it begins with none of {known} (tamara.prefixes)")
    if not _EXPIRY.fullmatch(expiry):
        raise CommandError("the expiry is a month and a year, MMYY")
    with (
        opened_store(installation) as store,
        doing(store, by, "card.add", f"card/{token}", agency=agency, needs=Role.ADMINISTRATOR),
    ):
        try:
            store.vault.seal(agency, f"card/{token}", json.dumps({"number": number, "expiry": expiry}))
        except BackOfficeError as error:
            raise CommandError(error.message) from None
    say(f"sealed for {agency}: card/{token}, ending in {number[-4:]}")


@app.command()
def scan(
    settings: SettingsFile,
    folders: Annotated[
        list[Path] | None, typer.Argument(help="More folders to search, such as those of logs and temporary files.")
    ] = None,
    without: Annotated[list[Path] | None, typer.Option(help="A folder to leave out; repeatable.")] = None,
    json_out: AsJson = False,
) -> None:
    """Look for account numbers where none may stand: the data folder, every table of the store, other folders.

    Exit code 1 when one was found; it is shown masked, with its place.
    """
    installation = read_settings(settings)
    prefixes = tuple(sorted({prefix for each in installation.agencies.values() for prefix in _prefixes(each)}))
    left_out = [path.resolve() for path in without or ()]
    found = [
        sighting
        for folder in (installation.data, *(path.resolve() for path in folders or ()))
        for sighting in in_files(folder, prefixes, left_out)
    ]
    with opened_store(installation) as store:
        found += in_tables(store, prefixes)
    if json_out:
        as_json([{"place": each.place, "number": each.masked} for each in found])
    elif found:
        say("\n".join(f"{each.masked}  {each.place}" for each in found))
    else:
        say("no account number stands where it may not")
    if found:
        raise typer.Exit(1)


def _prefixes(agency: AgencySettings) -> tuple[str, ...]:
    section = agency.tamara or {}
    return tuple(section.get("prefixes") or AIRPLUS_PREFIXES)


def _read_account() -> tuple[str, str]:
    if sys.stdin.isatty():
        number, expiry = getpass.getpass("Account number (not shown): "), getpass.getpass("Expiry MMYY (not shown): ")
    else:
        number, _, expiry = sys.stdin.readline(200).strip().rpartition(" ")
    return re.sub(r"[\s-]", "", number), re.sub(r"[\s/]", "", expiry)
