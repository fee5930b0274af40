"""`store migrate`: bring the tables to this version."""

from __future__ import annotations

import typer

from starter.answers import say
from starter.opening import SettingsFile, opened_store, read_settings

app = typer.Typer(no_args_is_help=True, help="The store.")


@app.callback()
def store() -> None:
    """The store."""


@app.command()
def migrate(settings: SettingsFile) -> None:
    """Create or update the tables; safe to repeat and to run from several machines at once."""
    installation = read_settings(settings)
    with opened_store(installation, migrate=True):
        say("the store is up to date")
