"""`user token …`: what programs prove themselves with at the HTTP API, each in the name of a person (docs/api.md)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from domain.errors import Refused
from domain.people import Role
from starter.answers import CommandError, as_json, as_table, say
from starter.commands.acting import By, allowed
from starter.opening import AsJson, SettingsFile, opened_store, read_settings

app = typer.Typer(no_args_is_help=True, help="Tokens of the HTTP API: a program acts for a person.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="The person for whom the program acts.")],
    settings: SettingsFile,
    label: Annotated[str, typer.Option(help="What the token is for.")],
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it lasts.")] = 90,
    most: Annotated[Role | None, typer.Option(help="The most that it may do; else what its person may.")] = None,
    by: By = "",
    json_out: AsJson = False,
) -> None:
    """Make a token. It is printed once; the store keeps only its hash."""
    with opened_store(read_settings(settings)) as store:
        maker = allowed(store, by, needs=Role.ADMINISTRATOR)
        try:
            token = store.api_tokens.create(name, label, timedelta(days=days), by=maker, most=most)
        except Refused as error:
            raise CommandError(error.message) from None
    as_json({"token": token, "name": name, "label": label, "days": days}) if json_out else say(token)


@app.command(name="list")
def list_tokens(
    settings: SettingsFile,
    name: Annotated[str | None, typer.Option(help="Only this person's.")] = None,
    json_out: AsJson = False,
) -> None:
    """Every token ever given, without what opens anything."""
    with opened_store(read_settings(settings)) as store:
        found = store.api_tokens.list(name)
    now = datetime.now(UTC)
    rows = [
        {
            "number": each.number,
            "name": each.name,
            "label": each.label,
            "most": str(each.most) if each.most else None,
            "state": "stands" if each.stands(now) else "revoked" if each.revoked_at else "over",
            "ends_at": f"{each.ends_at:%Y-%m-%d}",
            "used_at": f"{each.used_at:%Y-%m-%d %H:%M}" if each.used_at else None,
        }
        for each in found
    ]
    if json_out:
        as_json(rows)
    else:
        columns = ("number", "name", "label", "most", "state", "ends_at", "used_at")
        as_table("Tokens", columns, ([row[name] for name in columns] for row in rows), right=("number",))


@app.command()
def revoke(
    number: Annotated[int, typer.Argument(help="As 'bookings user token list' shows it.")],
    settings: SettingsFile,
    by: By = "",
) -> None:
    """End a token now."""
    with opened_store(read_settings(settings)) as store:
        ender = allowed(store, by, needs=Role.ADMINISTRATOR)
        try:
            ended = store.api_tokens.revoke(number, by=ender)
        except Refused as error:
            raise CommandError(error.message) from None
    say(f"token {number} of {ended.name} ({ended.label}) opens nothing any more")
