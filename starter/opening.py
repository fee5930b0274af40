"""What a command opens before it works: the settings file, the store, the connection to Temporal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import OperationalError
from temporalio.client import Client

from starter import temporal
from starter.answers import CommandError
from store import Store
from store.installation import AgencySettings, Installation, SettingsError, load_installation
from store.opening import open_store

SettingsFile = Annotated[
    Path,
    typer.Option("--settings", envvar="BOOKINGS_SETTINGS", help="The settings file of the installation (TOML)."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def read_settings(path: Path) -> Installation:
    """The installation of `path`; its errors are already one plain line."""
    try:
        return load_installation(path)
    except SettingsError as error:
        raise CommandError(f"{error}. Name the file with --settings or BOOKINGS_SETTINGS.") from None


def agency_of(installation: Installation, name: str) -> AgencySettings:
    """The settings of one agency, or an error that lists those that exist."""
    try:
        return installation.agencies[name]
    except KeyError:
        known = ", ".join(sorted(installation.agencies))
        raise CommandError(f"there is no agency '{name}' in the settings; known: {known}") from None


@contextmanager
def opened_store(installation: Installation, *, migrate: bool = False) -> Iterator[Store]:
    """The store, closed at the end. Without `migrate` an outdated schema is an error that says what to do."""
    try:
        store = open_store(installation)
    except SettingsError as error:
        raise CommandError(f"settings: {error}") from None
    try:
        if migrate:
            store.database.migrate()
        elif not store.database.schema_is_current():
            raise CommandError("the store's tables are missing or old; run: bookings store migrate")
        yield store
    except OperationalError as error:
        raise CommandError(f"the store does not answer: {str(error.orig)[:200]}") from None
    finally:
        store.close()


async def connected(installation: Installation) -> Client:
    """A Temporal client, or an error that says what to do."""
    try:
        return await temporal.connect(installation)
    except RuntimeError:
        target = installation.temporal.target
        raise CommandError(
            f"Temporal does not answer at {target}; start it with 'bookings up', or correct [temporal] in the settings"
        ) from None
