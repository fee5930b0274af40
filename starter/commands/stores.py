"""`store migrate`, `store rotate-key`: bring the tables to this version, the secrets under a new master key; and backups."""

from __future__ import annotations

import typer

from domain.errors import BackOfficeError
from domain.people import Role
from starter.answers import CommandError, as_json, say
from starter.commands import backups
from starter.commands.acting import By, doing
from starter.opening import AsJson, SettingsFile, opened_store, read_settings

app = typer.Typer(no_args_is_help=True, help="The store.")


@app.callback()
def store() -> None:
    """The store."""


for command in (backups.backup, backups.restore, backups.restored, backups.reconcile):
    app.command()(command)


@app.command()
def migrate(settings: SettingsFile) -> None:
    """Create or update the tables; safe to repeat and to run from several machines at once."""
    installation = read_settings(settings)
    with opened_store(installation, migrate=True):
        say("the store is up to date")


@app.command("rotate-key")
def rotate_key(settings: SettingsFile, by: By = "", json_out: AsJson = False) -> None:
    """Seal every secret anew under store.master_key; store.retired_keys still open what they sealed.

    May be broken off and begun again, beside running workers. Afterwards the retired keys can leave the settings.
    """
    installation = read_settings(settings)
    with opened_store(installation) as opened, doing(opened, by, "store.rotate-key", "vault", needs=Role.ADMINISTRATOR):
        done = 0
        try:
            for number in opened.vault.resealing():
                done += number
                if not json_out:
                    say(f"{done} secrets sealed anew")
        except BackOfficeError as error:
            raise CommandError(
                f"{error.message}. {done} secrets were sealed anew; add the missing key to store.retired_keys and repeat"
            ) from None
        held, present = opened.vault.held_by_key(), opened.vault.master_key_id or ""
    if json_out:
        as_json({"sealed_anew": done, "master_key": present, "held_by_key": held})
    else:
        say(f"every secret ({held.get(present, 0)}) is under master key {present}; store.retired_keys may be emptied")
