"""`park list`, `park show`, `park decide`: what stopped for a person, and the person's answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer

from domain.people import Role
from domain.steps import Decision, DecisionTaken
from starter.answers import CommandError, as_json, as_table, say
from starter.commands.acting import at_the_desk
from starter.desk import parked
from starter.desk.acting import looking_on
from starter.opening import AsJson, SettingsFile, read_settings
from store.parked import OPEN

app = typer.Typer(no_args_is_help=True, help="What waits for a person.")
MOST = 500


@app.command(name="list")
def list_items(
    settings: SettingsFile,
    agency: Annotated[str | None, typer.Option(help="Only this agency.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Closed items too.")] = False,
    json_out: AsJson = False,
) -> None:
    """Parked items, the nearest deadline first."""
    installation = read_settings(settings)
    with at_the_desk(installation) as office:
        acting, state = looking_on(installation), None if closed else OPEN
        items = parked.list_items(office, acting, agency=agency, state=state, limit=MOST).items
    if json_out:
        as_json([item.model_dump(mode="json") for item in items])
        return
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
                f"{item.deadline:%Y-%m-%d %H:%M}" + (" LATE" if item.late else ""),
                ", ".join(item.decisions) if item.state == OPEN else item.state,
            )
            for item in items
        ),
        right=("amount",),
    )


@app.command()
def show(item: str, settings: SettingsFile, json_out: AsJson = False) -> None:
    """Everything about one parked item."""
    installation = read_settings(settings)
    with at_the_desk(installation) as office:
        plain = parked.show_item(office, looking_on(installation), item).model_dump(mode="json")
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
    with at_the_desk(read_settings(settings)) as office:
        acting = office.acting(by, unknown=Role.SUPERVISOR)
        done = asyncio.run(parked.decide(office, acting, taken))
    as_json({"item": item, "decision": done.decision, "answer": done.answer}) if json_out else say(done.answer)


def _decision(choices: Mapping[Decision, bool]) -> Decision:
    chosen = [name for name, given in choices.items() if given]
    if len(chosen) != 1:
        every = ", ".join("--adopt ID" if name == "adopt" else f"--{name.replace('_', '-')}" for name in choices)
        raise CommandError(f"choose exactly one of {every}; 'bookings park list' shows which the item takes")
    return chosen[0]
