"""`midoffice …`: which bookings the mid-office has, what it does not have and why, and sending one again."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer
from temporalio.client import WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from domain.naming import Queue, resend_workflow
from domain.people import Role
from domain.steps import BookingQuestion, DecisionTaken, Done
from starter.answers import CommandError, as_json, as_table, say
from starter.commands.acting import By, at_the_desk, doing
from starter.desk import parked
from starter.opening import AsJson, SettingsFile, agency_of, connected, opened_store, read_settings
from starter.transferred import STATES, TransferredBooking, mid_offices, transferred
from store import Store
from store.installation import Installation
from store.parked import ParkedItem
from workflows.searching import found_by

app = typer.Typer(no_args_is_help=True, help="Bookings in the mid-office.")


@app.callback()
def midoffice() -> None:
    """Bookings in the mid-office."""


@app.command("list")
def list_bookings(
    settings: SettingsFile,
    agency: Annotated[str | None, typer.Option(help="Only this agency.")] = None,
    state: Annotated[str | None, typer.Option(help=f"Only one of: {', '.join(STATES)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the last touched first.")] = 200,
    json_out: AsJson = False,
) -> None:
    """Every booking that concerns a mid-office, with its state on our side and on theirs."""
    if state is not None and state not in STATES:
        raise CommandError(f"there is no state '{state}'; choose one of: {', '.join(STATES)}")
    installation = read_settings(settings)
    if agency is not None:
        agency_of(installation, agency)
    with opened_store(installation) as store:
        rows = [
            _row(store, one)
            for name in ([agency] if agency else installation.agencies)
            for one in transferred(store, name, mid_offices(installation, store, name))
            if state in (None, one.state)
        ][:limit]
    if json_out:
        as_json(rows)
        return
    columns = ("agency", "booking", "system", "ours", "theirs", "orders", "since", "note")
    shown = [{**row, "orders": ", ".join(row["orders"]), "note": "; ".join(row["notes"])} for row in rows]
    as_table("Mid-office", columns, ([row[name] for name in columns] for row in shown), whole=("booking",))


@app.command()
def show(
    agency: str,
    booking: str,
    settings: SettingsFile,
    ask: Annotated[bool, typer.Option("--ask", help="Ask the mid-office what it holds now.")] = False,
    json_out: AsJson = False,
) -> None:
    """One booking: its lines, every message about it, what is parked, and with --ask what they hold."""
    installation = read_settings(settings)
    agency_of(installation, agency)
    with opened_store(installation) as store:
        found = _found(installation, store, agency, booking)
        told: dict[str, Any] = {
            **_row(store, found),
            "lines": [
                {"line": one.line_id, "state": one.state, "order": one.outside_id, "reason": one.reason}
                for one in found.lines
            ],
            "messages": [
                {
                    "message": f"{row.record.key.entity} {row.record.key.business_id.rpartition('/')[2]}",
                    "revision": row.record.key.sequence or None,
                    "state": row.record.state.value,
                    "id": row.record.outside_id,
                    "since": f"{row.created_at:%Y-%m-%d %H:%M}",
                    "settled": f"{row.updated_at:%Y-%m-%d %H:%M}",
                    "reason": row.record.reason,
                }
                for row in store.effects.history(agency, booking, found.system)
            ],
            "parked": [item.item_id for item in _parked(store, agency, booking)],
        }
        if ask:
            from workers.asking import held_there

            told["held"] = held_there(installation, store, agency, booking)
    if json_out:
        as_json(told)
        return
    as_table(
        f"{booking} at {found.system}",
        ("what", "value"),
        ((name, value) for name, value in told.items() if isinstance(value, str) and value),
    )
    for name in ("lines", "messages", "held"):
        rows = told.get(name) or []
        columns = list(dict.fromkeys(column for row in rows for column in row))
        if rows:
            as_table(name, columns, ([row.get(column) for column in columns] for row in rows))
    for item in told["parked"]:
        say(f"parked: {item}; see 'bookings park show {item}'")


@app.command()
def resend(
    agency: str,
    booking: str,
    settings: SettingsFile,
    by: By = "",
    why: Annotated[str, typer.Option(help="The reason, in your words.")] = "",
    json_out: AsJson = False,
) -> None:
    """Send again what they refused, or what they were not told before; what they have is not sent twice."""
    installation = read_settings(settings)
    agency_of(installation, agency)
    with (
        opened_store(installation) as store,
        doing(store, by, "midoffice.resend", booking, agency=agency, why=why, needs=Role.OPERATOR) as name,
    ):
        items = [item for item in _parked(store, agency, booking) if "retry" in item.decisions and item.workflow_id]
        if not items:
            _refuse_if_settled(installation, store, agency, booking)
            done = asyncio.run(_resend(installation, agency, booking))
            said: dict[str, Any] = {"booking": booking, **(done.model_dump() if done else {"outcome": "left out"})}
        else:
            said = {"booking": booking, "answered": _answered(installation, items, name, why)}
    if json_out:
        as_json(said)
    else:
        say("; ".join(said["answered"]) if items else f"{booking}: {said['outcome']}. {said.get('note', '')}".strip())


def _answered(installation: Installation, items: list[ParkedItem], by: str, why: str) -> list[str]:
    """What stopped is answered with `retry`."""
    with at_the_desk(installation) as office:
        acting = office.acting(by)
        return [
            asyncio.run(parked.decide(office, acting, taken)).answer
            for taken in (
                DecisionTaken(item_id=item.item_id, decision="retry", by=by, explanation=why) for item in items
            )
        ]


async def _resend(installation: Installation, agency: str, booking: str) -> Done | None:
    client = await connected(installation)
    try:
        handle = await client.start_workflow(
            "ResendBooking",
            BookingQuestion(agency=agency, booking_id=booking),
            id=resend_workflow(agency, booking),
            task_queue=Queue.WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=found_by("ResendBooking", agency, booking=booking),
            static_summary=f"send {booking} to the mid-office again",
            result_type=Done,
        )
        return await asyncio.wait_for(handle.result(), 120)
    except TimeoutError:
        raise CommandError(
            f"it is under way and not settled yet; see 'bookings midoffice show {agency} {booking}' and 'bookings park list'"
        ) from None
    except WorkflowFailureError as error:
        raise CommandError(f"it failed: {error.cause or error}") from None
    except RPCError as error:
        raise CommandError(f"Temporal answers {error.status.name}: {error.message}") from None


def _refuse_if_settled(installation: Installation, store: Store, agency: str, booking: str) -> None:
    """Raises `CommandError` where sending again would send nothing."""
    systems = mid_offices(installation, store, agency)
    if not systems:
        raise CommandError(f"{agency} has no mid-office; see docs/integrations/midoffice.md")
    traces = [one for one in transferred(store, agency, systems) if one.booking_id == booking]
    if not traces and store.facts.booking(agency, booking) is not None:
        return  # made before the mid-office was in use
    found = traces[0] if traces else _found(installation, store, agency, booking)
    match found.state:
        case "transferred" | "cancelled":
            raise CommandError(f"nothing to send: {found.system} has {found.booking_id} as {', '.join(found.orders)}")
        case "queued":
            raise CommandError(
                f"nothing to send: {found.system} has {found.booking_id} in its queue since {found.since:%Y-%m-%d %H:%M} UTC"
            )
        case "in doubt":
            raise CommandError(f"nothing to send: {found.booking_id} is being sent; its outcome is looked up by itself")


def _found(installation: Installation, store: Store, agency: str, booking: str) -> TransferredBooking:
    for one in transferred(store, agency, mid_offices(installation, store, agency)):
        if one.booking_id == booking:
            return one
    raise CommandError(f"{agency} has nothing of {booking} for a mid-office; see 'bookings midoffice list'")


def _parked(store: Store, agency: str, booking: str) -> list[ParkedItem]:
    items = store.parked.list(agency=agency, booking_id=booking)
    return [item for item in items if item.verb.startswith("midoffice.")]


def _row(store: Store, one: TransferredBooking) -> dict[str, Any]:
    booking = store.facts.booking(one.agency, one.booking_id)
    revision = store.facts.booking_revision(one.agency, one.booking_id)
    return {
        "agency": one.agency,
        "booking": one.booking_id,
        "system": one.system,
        "ours": f"{booking.status}, revision {revision}" if booking else "unknown",
        "theirs": one.state,
        "orders": one.orders,
        "since": f"{one.since:%Y-%m-%d %H:%M}",
        "notes": one.notes,
    }
