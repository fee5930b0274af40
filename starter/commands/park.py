"""`park list`, `park show`, `park decide`: what stopped for a person, and the person's answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import BackOfficeError
from domain.steps import Decision, DecisionTaken
from starter.answers import CommandError, as_json, as_table, say
from starter.events import read_envelope
from starter.opening import AsJson, SettingsFile, connected, opened_store, read_settings
from store import Store
from store.inbox import AcceptedEvent, StoredEvent
from store.installation import Installation
from store.intake import examine
from store.parked import ParkedItem

app = typer.Typer(no_args_is_help=True, help="What waits for a person.")


@app.command(name="list")
def list_items(
    settings: SettingsFile,
    agency: Annotated[str | None, typer.Option(help="Only this agency.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Closed items too.")] = False,
    json_out: AsJson = False,
) -> None:
    """Parked items, the nearest deadline first."""
    installation = read_settings(settings)
    with opened_store(installation) as store:
        items = store.parked.list(agency, None if closed else "open")
    if json_out:
        as_json([_plain(item) for item in items])
        return
    now = datetime.now(UTC)
    as_table(
        "Parked",
        ("item", "agency", "about", "reason", "amount", "owner", "deadline", "answers"),
        (
            (
                item.item_id,
                item.agency,
                item.payment_id or item.booking_id or item.experience_id or item.event_id,
                item.reason,
                item.amount,
                item.owner,
                f"{item.deadline:%Y-%m-%d %H:%M}" + (" LATE" if item.state == "open" and item.deadline < now else ""),
                ", ".join(item.decisions) if item.state == "open" else item.state,
            )
            for item in items
        ),
        right=("amount",),
    )


@app.command()
def show(item: str, settings: SettingsFile, json_out: AsJson = False) -> None:
    """Everything about one parked item."""
    installation = read_settings(settings)
    with opened_store(installation) as store:
        plain = _plain(_find(store, item))
    plain["link"] = _link(installation, plain["workflow_id"]) if plain["workflow_id"] else None
    if json_out:
        as_json(plain)
        return
    as_table(item, ("what", "value"), ((name, value) for name, value in plain.items() if value not in (None, "", [])))


@app.command()
def decide(
    item: str,
    settings: SettingsFile,
    by: Annotated[str, typer.Option(help="Who decides.")],
    why: Annotated[str, typer.Option(help="The reason, in your words.")] = "",
    retry: Annotated[bool, typer.Option("--retry", help="Do it again.")] = False,
    skip: Annotated[bool, typer.Option("--skip", help="Go on without it.")] = False,
    adopt: Annotated[str | None, typer.Option(help="Take over the record with this id in the outside system.")] = None,
    abandon: Annotated[bool, typer.Option("--abandon", help="Give up and compensate.")] = False,
    approve: Annotated[bool, typer.Option("--approve", help="Answer a question: do it.")] = False,
    decline: Annotated[bool, typer.Option("--decline", help="Answer a question: leave it.")] = False,
    take_ours: Annotated[bool, typer.Option("--take-ours", help="Write ours over what was changed there.")] = False,
    keep_theirs: Annotated[bool, typer.Option("--keep-theirs", help="Leave what was changed there.")] = False,
    claim: Annotated[bool, typer.Option("--claim", help="Of money that is gone: the payer owes it.")] = False,
    write_off: Annotated[bool, typer.Option("--write-off", help="Of money that is gone: it is lost.")] = False,
    json_out: AsJson = False,
) -> None:
    """Answer a parked item; the work goes on exactly there."""
    choices: dict[Decision, bool] = {
        "retry": retry,
        "skip": skip,
        "adopt": adopt is not None,
        "abandon": abandon,
        "approve": approve,
        "decline": decline,
        "take_ours": take_ours,
        "keep_theirs": keep_theirs,
        "claim": claim,
        "write_off": write_off,
    }
    taken = DecisionTaken(item_id=item, decision=_decision(choices), by=by, explanation=why, outside_id=adopt)
    installation = read_settings(settings)
    with opened_store(installation) as store:
        found = _find(store, item)
        if found.state != "open":
            raise CommandError(f"{item} is already closed")
        if taken.decision not in found.decisions:
            raise CommandError(f"{item} may be answered with: {', '.join(found.decisions)}")
        waiting = found.workflow_id
        if waiting:
            said = asyncio.run(tell_workflow(installation, waiting, taken)) or _close_orphan(store, waiting, taken)
        else:
            said = _tell_inbox(installation, store, taken)
    as_json({"item": item, "decision": taken.decision, "answer": said}) if json_out else say(said)


def _decision(choices: Mapping[Decision, bool]) -> Decision:
    chosen = [name for name, given in choices.items() if given]
    if len(chosen) != 1:
        every = ", ".join("--adopt ID" if name == "adopt" else f"--{name.replace('_', '-')}" for name in choices)
        raise CommandError(f"choose exactly one of {every}; 'bookings park list' shows which the item takes")
    return chosen[0]


def _find(store: Store, item_id: str) -> ParkedItem:
    item = store.parked.get(item_id)
    if item is None:
        raise CommandError(f"there is no parked item {item_id}; see 'bookings park list'")
    return item


def _tell_inbox(installation: Installation, store: Store, taken: DecisionTaken) -> str:
    """Items that no workflow waits for: an event that could not be applied, or a record that exists twice."""

    def reexamine(event: StoredEvent) -> AcceptedEvent:
        envelope = read_envelope(event.body)
        settings = installation.agencies[event.agency]
        return examine(settings.platform, settings.environment, event.agency, envelope, event.body, event.received_at)

    try:
        store.inbox.decide(taken, reexamine)
    except BackOfficeError as error:
        raise CommandError(error.message) from None
    return f"{taken.item_id}: {taken.decision}" + ("; the gateway hands it on" if taken.decision == "retry" else "")


def _close_orphan(store: Store, workflow_id: str, taken: DecisionTaken) -> str:
    """The workflow is gone (terminated, or lost with Temporal's data): only an explained end may close its item."""
    if taken.decision not in ("skip", "abandon") or len(taken.explanation.strip()) < 10:
        raise CommandError(
            f"the workflow {workflow_id} does not run any more, so nothing can go on there; send its event again with "
            "'bookings event replay', or close the item with --skip and --why"
        )
    store.parked.close(taken.item_id, taken)
    return f"{taken.item_id}: closed; its workflow {workflow_id} does not run any more"


async def tell_workflow(installation: Installation, workflow_id: str, taken: DecisionTaken) -> str | None:
    """The workflow's answer, None when it does not run any more."""
    client = await connected(installation)
    try:
        answer: Any = await client.get_workflow_handle(workflow_id).execute_update("decide", taken, result_type=str)
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        raise CommandError(cause.message if isinstance(cause, ApplicationError) else str(cause)) from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise CommandError(f"Temporal answers {error.status.name}: {error.message}") from None
    return str(answer)


def _link(installation: Installation, workflow_id: str) -> str:
    settings = installation.temporal
    return f"{settings.ui}/namespaces/{settings.namespace}/workflows/{workflow_id.replace('/', '%2F')}"


def _plain(item: ParkedItem) -> dict[str, Any]:
    plain = asdict(item)
    plain["amount"] = str(item.amount) if item.amount else None
    plain["taken"] = [{**made.taken.model_dump(exclude={"item_id"}), "at": made.at} for made in item.taken]
    return plain
