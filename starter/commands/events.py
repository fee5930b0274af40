"""`event send`, `event list`, `event replay`: what came in, and putting it in by hand."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import httpx
import typer
from temporalio.client import Client

from domain.people import Role
from starter.answers import CommandError, as_json, as_table, say
from starter.commands.acting import By, doing
from starter.dispatch import Dispatcher, TemporalAway
from starter.events import agency_of_source, source_of
from starter.gateway.app import CONTENT_TYPE
from starter.gateway.signatures import secrets_in_use, sign
from starter.opening import AsJson, SettingsFile, connected, opened_store, read_settings
from store import Store
from store.inbox import EventFilter
from store.installation import Installation
from workers.tracing import start_tracing, stop_tracing

app = typer.Typer(no_args_is_help=True, help="Events of the platform.")

AgencyOption = Annotated[str | None, typer.Option("--agency", help="Only this agency.")]
SinceOption = Annotated[
    datetime | None,
    typer.Option("--since", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Received at or after this time (UTC)."),
]


@app.command()
def send(
    file: Annotated[str, typer.Argument(help="A file with one event as JSON, or - for standard input.")],
    settings: SettingsFile,
    gateway: Annotated[str | None, typer.Option(help="Address of the gateway; from the settings by default.")] = None,
    secret: Annotated[
        str | None, typer.Option(envvar="BOOKINGS_WEBHOOK_SECRET", help="whsec_…; the agency's own by default.")
    ] = None,
    json_out: AsJson = False,
) -> None:
    """Sign an event and post it to the gateway. Ends with 0 only when the gateway took it in (202)."""
    installation = read_settings(settings)
    raw = _read(file)
    event_id = _id_of(raw)
    key = secret or _secret_for(installation, raw)
    address = gateway or f"http://{installation.gateway.host}:{installation.gateway.port}"
    url = address if address.rstrip("/").endswith("/events") else f"{address.rstrip('/')}/events"
    try:
        headers = sign(key, event_id, int(time.time()), raw)
    except ValueError:
        raise CommandError("the webhook secret is not whsec_ and base64") from None
    try:
        answer = httpx.post(
            url, content=raw.encode(), headers={**headers, "content-type": f"{CONTENT_TYPE}; charset=utf-8"}, timeout=30
        )
    except httpx.HTTPError as error:
        raise CommandError(
            f"the gateway at {url} does not answer ({type(error).__name__}); is 'bookings up' running?"
        ) from None
    problem = _problem(answer)
    if json_out:
        as_json({"status": answer.status_code, "event_id": event_id, **problem})
    else:
        say(f"{answer.status_code} {answer.reason_phrase}" + (f": {problem['detail']}" if "detail" in problem else ""))
    if answer.status_code != 202:
        raise typer.Exit(1)


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except OSError as error:
        raise CommandError(f"{file}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise CommandError(f"{file}: is not UTF-8") from None


def _id_of(raw: str) -> str:
    try:
        event_id = json.loads(raw)["id"]
    except (ValueError, KeyError, TypeError):
        raise CommandError("the input is not one JSON event with an id") from None
    return str(event_id)


def _secret_for(installation: Installation, raw: str) -> str:
    agency = agency_of_source(installation, source_of(raw) or "")
    if agency is None:
        raise CommandError("no agency in the settings has the event's source; give --secret to send it all the same")
    for secret in secrets_in_use(installation.agencies[agency].platform):
        return secret.value.get_secret_value()
    raise CommandError(f"agency '{agency}' has no webhook secret in the settings; give --secret")


def _problem(answer: httpx.Response) -> dict[str, str]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return {name: str(body[name]) for name in ("code", "detail") if name in body} if isinstance(body, dict) else {}


@app.command(name="list")
def list_events(
    settings: SettingsFile,
    agency: AgencyOption = None,
    state: Annotated[str | None, typer.Option(help="applied, superseded, repeated or parked.")] = None,
    kind: Annotated[str | None, typer.Option(help="For example payment.captured.")] = None,
    booking: Annotated[str | None, typer.Option(help="Events of this booking.")] = None,
    since: SinceOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    json_out: AsJson = False,
) -> None:
    """Events in the order of arrival, and how many wait for Temporal."""
    installation = read_settings(settings)
    wanted = EventFilter(agency=agency, state=state, kind=kind, booking_id=booking, since=_utc(since))
    with opened_store(installation) as store:
        found = store.inbox.list(wanted, limit)
        counts = store.inbox.counts(agency)
    rows = [
        {
            "received_at": event.received_at.isoformat(timespec="seconds"),
            "agency": event.agency,
            "event_id": event.event_id,
            "kind": event.kind,
            "aggregate": event.aggregate_id,
            "revision": event.revision,
            "state": event.state,
            "problem": event.problem,
        }
        for event in found
    ]
    if json_out:
        as_json({"events": rows, "counts": counts})
        return
    columns = ("received_at", "agency", "event_id", "kind", "aggregate", "revision", "state", "problem")
    as_table("Events", columns, ([row[column] for column in columns] for row in rows), right=("revision",))
    say(", ".join(f"{number} {name}" for name, number in sorted(counts.items())))


@app.command()
def replay(
    settings: SettingsFile,
    agency: AgencyOption = None,
    event_id: Annotated[list[str] | None, typer.Option("--id", help="This event; may be given several times.")] = None,
    since: SinceOption = None,
    undispatched: Annotated[bool, typer.Option(help="Only what still waits for Temporal.")] = False,
    by: By = "",
    json_out: AsJson = False,
) -> None:
    """Hand events to their workflows again; what a workflow has seen changes nothing."""
    if not (undispatched or event_id or since or agency):
        raise CommandError("say which events: --id, --since, --agency or --undispatched")
    installation = read_settings(settings)
    with opened_store(installation) as store:
        about = " ".join(
            event_id or ([f"since {since:%Y-%m-%d %H:%M}"] if since else ["undispatched" if undispatched else "all"])
        )
        with doing(store, by, "event.replay", about, agency=agency, needs=Role.SUPERVISOR):
            chosen = 0
            if not undispatched:
                chosen = store.inbox.redispatch(EventFilter(agency=agency, event_ids=event_id, since=_utc(since)))
                if event_id and not chosen:
                    _explain_nothing(store, agency, event_id)
            delivered = asyncio.run(_sweep(installation, store))
        waiting = store.inbox.counts(agency)["waiting"]
    if json_out:
        as_json({"chosen": chosen, "delivered": delivered, "waiting": waiting})
    else:
        say(f"{delivered} events handed to Temporal, {waiting} still wait")
    if waiting:
        raise typer.Exit(1)


def _explain_nothing(store: Store, agency: str | None, event_ids: list[str]) -> None:
    """An id that nobody knows is an error; one that waits already is not."""
    known = store.inbox.list(EventFilter(agency=agency, event_ids=event_ids), len(event_ids))
    missing = set(event_ids) - {event.event_id for event in known}
    if missing:
        raise CommandError(f"unknown event: {', '.join(sorted(missing))}")
    parked = [event.event_id for event in known if event.state == "parked"]
    if parked:
        raise CommandError(f"{', '.join(parked)} is parked; answer it with 'bookings park decide'")


async def _sweep(installation: Installation, store: Store) -> int:
    client = await connected(installation)

    async def the_client() -> Client:
        return client

    start_tracing(installation, "command")
    try:
        return await Dispatcher(store, the_client).sweep()
    except TemporalAway as error:
        raise CommandError(f"{error}; the events stay in the outbox") from None
    finally:
        stop_tracing()


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None
