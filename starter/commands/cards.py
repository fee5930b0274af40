"""`card add`: a company's AirPlus account number, sealed under its token (contracts: tamara, platform-events 5)."""

from __future__ import annotations

import getpass
import json
import re
import sys
from typing import Annotated

import typer

from domain.errors import BackOfficeError
from starter.answers import CommandError, say
from starter.opening import SettingsFile, agency_of, opened_store, read_settings

app = typer.Typer(no_args_is_help=True, help="AirPlus accounts.")

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
) -> None:
    """Seal an account number and its expiry in the vault.

    Both are asked for, or read from standard input as `NUMBER MMYY`; they are never arguments, which other users see.
    """
    installation = read_settings(settings)
    agency_of(installation, agency)
    if not _TOKEN.fullmatch(token):
        raise CommandError("a token is 2 to 80 letters, digits, dots, dashes or underscores")
    number, expiry = _read_account()
    if not _NUMBER.fullmatch(number) or not passes_luhn(number):
        raise CommandError("that is not an account number: 15 digits with a right check digit")
    if not _EXPIRY.fullmatch(expiry):
        raise CommandError("the expiry is a month and a year, MMYY")
    with opened_store(installation) as store:
        try:
            store.vault.seal(agency, f"card/{token}", json.dumps({"number": number, "expiry": expiry}))
        except BackOfficeError as error:
            raise CommandError(error.message) from None
    say(f"sealed for {agency}: card/{token}, ending in {number[-4:]}")


def _read_account() -> tuple[str, str]:
    if sys.stdin.isatty():
        number, expiry = getpass.getpass("Account number (not shown): "), getpass.getpass("Expiry MMYY (not shown): ")
    else:
        number, _, expiry = sys.stdin.readline(200).strip().rpartition(" ")
    return re.sub(r"[\s-]", "", number), re.sub(r"[\s/]", "", expiry)


def passes_luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
