"""`card add`: a company's AirPlus account number, sealed under its token (contracts: tamara, platform-events 5)."""

from __future__ import annotations

import getpass
import re
import sys
from typing import Annotated

import typer

from domain.errors import BackOfficeError
from starter.answers import CommandError, say
from starter.opening import SettingsFile, agency_of, opened_store, read_settings

app = typer.Typer(no_args_is_help=True, help="AirPlus accounts.")

_TOKEN = re.compile(r"[0-9A-Za-z_.-]{2,80}")
_NUMBER = re.compile(r"\d{12,19}")


@app.callback()
def card() -> None:
    """AirPlus accounts."""


@app.command()
def add(
    agency: str,
    token: Annotated[str, typer.Argument(help="The token under which events name the account.")],
    settings: SettingsFile,
) -> None:
    """Seal an account number in the vault. The number is asked for, or read from standard input; never an argument."""
    installation = read_settings(settings)
    agency_of(installation, agency)
    if not _TOKEN.fullmatch(token):
        raise CommandError("a token is 2 to 80 letters, digits, dots, dashes or underscores")
    number = _read_number()
    if not _NUMBER.fullmatch(number) or not passes_luhn(number):
        raise CommandError("that is not an account number: 12 to 19 digits with a right check digit")
    with opened_store(installation) as store:
        try:
            store.vault.seal(agency, f"card/{token}", number)
        except BackOfficeError as error:
            raise CommandError(error.message) from None
    say(f"sealed for {agency}: card/{token}, ending in {number[-4:]}")


def _read_number() -> str:
    text = getpass.getpass("Account number (not shown): ") if sys.stdin.isatty() else sys.stdin.readline(200)
    return re.sub(r"[\s-]", "", text)


def passes_luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
