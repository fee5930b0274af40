"""What is particular to connecting a mid-office from the command line (docs/integrations/midoffice.md)."""

from __future__ import annotations

import getpass
import sys

from starter.activation import KOMMO, progress_of
from starter.answers import CommandError, say
from store import Store
from store.integrations import Integration

GIAV = "giav"
EASYCOUNT = "easycount"
ALONE = (GIAV, KOMMO, EASYCOUNT)
"""Systems that stand beside a mid-office; every other one is a mid-office."""
LONGEST_KEY = 20_000
"""Characters; a private key has some thousands."""


def named(agency: str, system: str) -> str:
    """Agency and system as the commands take them."""
    return agency if system == GIAV else f"{agency} --system {system}"


def section_of(system: str) -> str:
    """The section of the settings file that counts before an integration of this system."""
    from workers import activating

    return activating.section_of(system)


def must_be_the_only_mid_office(store: Store, agency: str, system: str) -> None:
    """An agency has one mid-office; another may come when the first was suspended. Raises `CommandError`."""
    if system in ALONE:
        return
    for one in store.integrations.list(agency):
        if one.system not in (*ALONE, system) and one.state != "suspended":
            raise CommandError(
                f"{one.system} of {agency} is {one.state}, and an agency has one mid-office; suspend it first: "
                f"bookings integration suspend {named(agency, one.system)} --why TEXT"
            )


def say_letters(system: str, agency_name: str, *when: str) -> None:
    """The letters whose turn it is, to be sent by a person."""
    from workers import activating

    for to_whom, text in activating.letters(system, agency_name).items():
        if to_whom.endswith(when):
            say(f"send {to_whom}:\n  {text}")


def told(found: Integration) -> str:
    """What happened besides the state."""
    if found.system == GIAV:
        return f"backfill: {progress_of(found) or 'not begun'}"
    if found.system == EASYCOUNT:
        return f"environment: {found.catalogue.get('environment', 'not checked yet')}"
    if found.system == KOMMO:
        return f"account: {found.catalogue.get('account', 'not checked yet')}"
    return f"account manager told: {found.catalogue.get('confirmed', 'not yet')}"


def read_key(system: str) -> str:
    """The key, asked for or from standard input; a private key has several lines. Raises `CommandError`."""
    from workers.activating import SECRETS

    if SECRETS[system].endswith("private_key"):
        return _private_key()
    value = getpass.getpass("Key (not shown): ") if sys.stdin.isatty() else sys.stdin.readline(1000)
    value = value.strip()
    if not value or not value.isprintable() or " " in value:
        raise CommandError("that is no key: one line without spaces, from the prompt or standard input")
    return value


def _private_key() -> str:
    if sys.stdin.isatty():
        raise CommandError("a private key has several lines; give it on standard input: … < id_ed25519")
    value = sys.stdin.read(LONGEST_KEY).strip()
    if not value.startswith("-----BEGIN ") or "PRIVATE KEY-----" not in value:
        raise CommandError("that is no private key in OpenSSH or PEM form")
    return f"{value}\n"
