"""`tamara lines`, `fix`, `abandon`, `answers`, `read`, `enter`: what AirPlus gets and gave back (contracts: tamara 3.9 to 3.12)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from temporalio.client import WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from domain.money import Money
from domain.naming import Queue, tamara_answers_schedule
from domain.people import Role
from domain.tamara_steps import TamaraAnswersOrder, TamaraAnswersRead
from starter.answers import CommandError, as_json, as_table, say
from starter.commands.acting import By, at_the_desk, doing
from starter.desk import tamara
from starter.opening import AsJson, SettingsFile, agency_of, connected, opened_store, read_settings
from store.installation import Installation
from store.tamara_answers import LineAnswer
from store.tamara_tables import Line, LineState
from workflows.searching import found_by

ENTERED = {
    None: "the same was entered before",
    "APPLIED": "applied",
    "DUPLICATE": "known already, nothing changed",
    "UNKNOWN": "it was not sent yet, nothing was applied",
    "CONTRADICTION": "it contradicts what was told before; what is clear was applied, see 'bookings tamara answers'",
    "UNREADABLE": "not understood",
}
STATES: tuple[str, ...] = get_args(LineState)


def lines(
    agency: str,
    settings: SettingsFile,
    state: Annotated[list[str] | None, typer.Option(help="Only this state; may be repeated.")] = None,
    booking: Annotated[str | None, typer.Option(help="Only this booking.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only lines stopped by this rule or reason (V019, A001).")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, the newest first.")] = 200,
    json_out: AsJson = False,
) -> None:
    """Lines for AirPlus with their state; for those that are stopped the field, the rule and what to do."""
    installation = _checked(settings, agency)
    wanted = [each.upper() for each in state or ()]
    unknown = sorted(set(wanted) - set(STATES))
    if unknown:
        raise CommandError(f"there is no state {unknown[0]}; known: {', '.join(STATES)}")
    with opened_store(installation) as store:
        found = store.tamara_lists.lines(agency, states=wanted, booking=booking, rule=rule, limit=limit)  # type: ignore[arg-type]
        told = store.tamara_answers.of_lines([line.id for line in found])
    rows = [_plain(line, told.get(line.id)) for line in found]
    if json_out:
        as_json(rows)
        return
    columns = ("line", "booking", "state", "type", "amount", "invoice", "file", "rule", "field", "what to do")
    as_table("AirPlus lines", columns, ([row[name] for name in columns] for row in rows), right=("amount",))


def fix(
    agency: str,
    line: Annotated[int, typer.Argument(help="The number of the line in 'tamara lines'.")],
    settings: SettingsFile,
    by: Annotated[str, typer.Option(help="Who mends it: a person of 'bookings user list', once there are any.")],
    given: Annotated[
        list[str] | None, typer.Option("--set", help="FIELD=VALUE as in 400.PR=P-77; may be repeated; empty removes.")
    ] = None,
    card: Annotated[str | None, typer.Option(help="Another account, by the token under which it is lodged.")] = None,
    json_out: AsJson = False,
) -> None:
    """Set fields of a stopped line and hold it against the rules again; without --set it is only judged again.

    What AirPlus rejected becomes the next version and goes with the next file. Card numbers are never typed here.
    """
    installation = _checked(settings, agency)
    changes = dict(_change(each) for each in given or ())
    with at_the_desk(installation) as office:
        mended = asyncio.run(tamara.fix(office, office.acting(by), agency, line, changes, card))
        told = office.store.tamara_answers.of_lines([mended.id])
    if json_out:
        as_json(_plain(mended, told.get(mended.id)))
    elif mended.state == "STAGED":
        version = f" as version {mended.version:02d}" if mended.version else ""
        say(f"line {mended.id} passes every rule and goes with the next file{version}")
    elif mended.state == "ABANDONED":
        say(f"line {mended.id} is abandoned: nothing is owed any more")
    else:
        say(f"line {mended.id} still waits: {mended.refused_text}")
        raise typer.Exit(1)


def abandon(
    agency: str,
    line: Annotated[int, typer.Argument(help="The number of the line in 'tamara lines'.")],
    settings: SettingsFile,
    by: Annotated[str, typer.Option(help="Who decides.")],
    why: Annotated[str, typer.Option(help="The reason; how the invoice is paid instead.")],
) -> None:
    """Give up a line that AirPlus rejected: it is not sent again, and its invoice has to be paid in another way."""
    installation = _checked(settings, agency)
    with at_the_desk(installation) as office:
        found = asyncio.run(tamara.abandon(office, office.acting(by), agency, line, why))
    say(
        f"line {line} is abandoned; accounting is told that AirPlus does not settle {found.credit_note_number or found.invoice_number}"
    )


def answers(agency: str, settings: SettingsFile, limit: int = 60, json_out: AsJson = False) -> None:
    """What AirPlus answered, the newest first, and what was unclear about it."""
    installation = _checked(settings, agency)
    with opened_store(installation) as store:
        found = store.tamara_answers.list(agency, limit)
    if json_out:
        as_json([each.model_dump() for each in found])
        return
    as_table(
        "AirPlus answers",
        ("received", "answer", "kind", "file", "status", "accepted", "rejected", "held", "verdict", "what"),
        (
            (
                f"{each.received_at:%Y-%m-%d %H:%M}",
                each.name,
                each.kind,
                each.seq,
                " ".join(filter(None, (each.file_status, each.file_reason))),
                each.accepted,
                each.rejected,
                each.held,
                each.verdict if each.settled_by is None else f"{each.verdict}, seen by {each.settled_by}",
                each.text,
            )
            for each in found
        ),
        right=("file", "accepted", "rejected", "held"),
    )


def read(agency: str, settings: SettingsFile, by: By = "", json_out: AsJson = False) -> None:
    """Read AirPlus' answers now instead of at the next hour."""
    installation = _checked(settings, agency)
    with (
        opened_store(installation) as store,
        doing(store, by, "tamara.read", "answers", agency=agency, needs=Role.OPERATOR),
    ):
        found = asyncio.run(run_reading(installation, agency))
    if json_out:
        as_json(found.model_dump() if found else None)
        return
    say(f"{found.read} new answers, {found.applied} applied" if found else "nothing was read")
    for trouble in found.troubles if found else ():
        say(f"{trouble.about}: {trouble.detail}")


def enter(
    agency: str,
    file: Annotated[
        Path, typer.Argument(help="Rows of file_seq;kind;reference;status;reason;text, or - for standard input.")
    ],
    settings: SettingsFile,
    by: Annotated[str, typer.Option(help="Who enters it.")],
    json_out: AsJson = False,
) -> None:
    """Enter what stands in AirPlus' e-mail or Viewer; it counts like an answer file.

    The reference is TXN_REF, ticket or invoice; without one the row is about the whole file.
    """
    installation = _checked(settings, agency)
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read as UTF-8 text ({type(error).__name__})") from None
    with at_the_desk(installation) as office:
        found = asyncio.run(tamara.enter(office, office.acting(by), agency, text.encode(), room=None))
    if json_out:
        as_json([{"kind": key.kind, "file": key.seq, "verdict": verdict or "KNOWN"} for key, verdict in found])
        return
    for key, verdict in found:
        say(f"file {key.kind} {key.seq}: {ENTERED[verdict]}")
    if any(verdict == "CONTRADICTION" for _, verdict in found):
        raise typer.Exit(1)


async def run_reading(installation: Installation, agency: str) -> TamaraAnswersRead | None:
    """Start the reading, or join the one that runs; its result."""
    client = await connected(installation)
    try:
        handle = await client.start_workflow(
            "ReadTamaraAnswers",
            TamaraAnswersOrder(agency=agency),
            id=f"{tamara_answers_schedule(agency)}/by-hand",
            task_queue=Queue.WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=found_by("ReadTamaraAnswers", agency),
            static_summary=f"AirPlus' answers to {agency}",
            result_type=TamaraAnswersRead,
        )
        found: TamaraAnswersRead = await handle.result()
        return found
    except WorkflowFailureError as error:
        raise CommandError(f"the reading failed: {error.cause or error}") from None
    except RPCError as error:
        raise CommandError(f"Temporal answers {error.status.name}: {error.message}") from None


def _checked(path: Any, agency: str) -> Installation:
    installation = read_settings(path)
    if agency_of(installation, agency).tamara is None:
        raise CommandError(f"agency '{agency}' has no [agencies.{agency}.tamara] in the settings")
    return installation


def _change(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark or "." not in name:
        raise CommandError(f"'{text}' is not FIELD=VALUE; a field is record and name, as in 400.PR=P-77")
    return name.strip(), value.strip()


def _plain(line: Line, told: LineAnswer | None) -> dict[str, Any]:
    """A line for people and machines; of a card only the token."""
    back = line.state in ("REJECTED", "EXPIRED") and told is not None
    return {
        "line": line.id,
        "booking": line.booking_id,
        "payment": line.payment_id,
        "state": line.state,
        "type": f"{line.type} {line.dc}",
        "amount": str(Money(amount=line.gross, currency=line.currency)),
        "invoice": line.credit_note_number or line.invoice_number,
        "file": f"{line.kind} {line.seq}" if line.seq is not None else None,
        "rule": told.reason if back and told else line.refused_rule if line.state == "REFUSED" else None,
        "field": told.field if back and told else line.refused_field if line.state == "REFUSED" else None,
        "what to do": told.text if back and told else line.refused_text if line.state == "REFUSED" else None,
        "version": line.version,
        "txn_ref": line.txn_ref,
        "notes": list(line.notes),
    }
