"""`payment breakers`: which ERPs payments may be written into, and a person's word on it (contracts: payment-sync 3, 6.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from starter.answers import CommandError, as_json, as_table, say
from starter.commands.acting import at_the_desk
from starter.desk import breakers as desk
from starter.desk.acting import Acting, BackOffice
from starter.opening import AsJson, SettingsFile, agency_of, opened_store, read_settings

T = TypeVar("T")
Order = Callable[[BackOffice, Acting, str, str], Coroutine[Any, Any, T]]
app = typer.Typer(invoke_without_command=True, help="Breakers of the ERPs: who may write, and since when nobody does.")
AGENCY = typer.Argument(help="The agency, as the settings name it.", show_default=False)
By = Annotated[str, typer.Option("--by", help="Who commands: a person of 'bookings user list', once there are any.")]
Why = Annotated[str, typer.Option("--why", help="The reason, in at least 10 characters.")]
COLUMNS = (
    "agency",
    "connector",
    "breaker",
    "since",
    "reason",
    "waiting",
    "for a person",
    "next look",
    "by",
    "contract",
)


@app.callback()
def breakers(
    context: typer.Context,
    settings: Annotated[Path | None, typer.Option("--settings", envvar="BOOKINGS_SETTINGS", hidden=True)] = None,
    json_out: AsJson = False,
) -> None:
    """Without a command: the list."""
    if context.invoked_subcommand is not None:
        return
    if settings is None:
        raise CommandError("name the settings file with --settings or BOOKINGS_SETTINGS")
    list_breakers(settings, json_out)


@app.command(name="list")
def list_breakers(settings: SettingsFile, json_out: AsJson = False) -> None:
    """Every connector, and who waits behind it."""
    installation = read_settings(settings)
    rows = []
    with opened_store(installation) as store:
        for breaker in store.connectors.breakers():
            waiting = store.connectors.waiters(breaker.agency, breaker.connector)
            contract = store.connectors.contract(breaker.agency, breaker.connector)
            changed = contract is not None and contract.described.drifted
            rows.append(
                {
                    "agency": breaker.agency,
                    "connector": breaker.connector,
                    "breaker": breaker.phase.value,
                    "since": f"{breaker.since:%Y-%m-%d %H:%M}" if breaker.since else "",
                    "reason": breaker.words or breaker.explanation,
                    "waiting": waiting.waiting,
                    "for a person": waiting.unsynced,
                    "next look": f"{breaker.look_at:%H:%M:%S}" if breaker.look_at else "",
                    "by": breaker.by,
                    "contract": "CHANGED" if changed else "as accepted" if contract else "none shown",
                }
            )
    if json_out:
        as_json(rows)
    else:
        as_table("Breakers", COLUMNS, (list(row.values()) for row in rows), right=("waiting", "for a person"))


@app.command()
def contract(agency: Annotated[str, AGENCY], settings: SettingsFile, json_out: AsJson = False) -> None:
    """The contract that the ERP shows, and what differs from the one that was accepted."""
    installation = read_settings(settings)
    connector = agency_of(installation, agency).erp
    with opened_store(installation) as store:
        seen = store.connectors.contract(agency, connector)
    if seen is None:
        raise CommandError(
            f"{connector} of {agency} has shown no contract yet; it is asked when the workers start, and hourly"
        )
    rows: dict[str, Any] = {
        "seen": seen.described.contract,
        "seen at": f"{seen.seen_at:%Y-%m-%d %H:%M}",
        "accepted": seen.described.accepted,
        "accepted by": seen.accepted_by,
        "accepted at": f"{seen.accepted_at:%Y-%m-%d %H:%M}",
        "why": seen.why,
        "differs": list(seen.described.differs),
    }
    if json_out:
        as_json(rows)
        return
    rows["differs"] = "\n".join(seen.described.differs) or "nothing"
    as_table(f"{connector} of {agency}", ("what", "value"), rows.items())


@app.command(name="open")
def open_breaker(agency: Annotated[str, AGENCY], settings: SettingsFile, by: By, why: Why) -> None:
    """Let no payment into the ERP until somebody closes the breaker again."""
    told = _told(desk.open_breaker, settings, agency, by, why)
    say(
        f"{agency}: the breaker of {told.connector} is {told.phase.value}; payments wait until 'payment breakers close'"
    )


@app.command()
def close(agency: Annotated[str, AGENCY], settings: SettingsFile, by: By, why: Why) -> None:
    """Let payments into the ERP again; those that wait go on, the oldest first."""
    told = _told(desk.close_breaker, settings, agency, by, why)
    say(f"{agency}: the breaker of {told.connector} is {told.phase.value}; whoever waits goes on")


@app.command()
def accept(agency: Annotated[str, AGENCY], settings: SettingsFile, by: By, why: Why) -> None:
    """Accept the contract that the ERP shows now; payments go on."""
    told = _told(desk.accept_contract, settings, agency, by, why)
    say(f"{agency}: accepted {told.contract[:12] or 'an ERP that shows no contract'}")


def _told(order: Order[T], path: Path, agency: str, by: str, why: str) -> T:
    installation = read_settings(path)
    agency_of(installation, agency)
    with at_the_desk(installation) as office:
        return asyncio.run(order(office, office.acting(by), agency, why))
