"""`payment list`, `payment show` and the commands: paid and not synchronised, and what a person does about it (payment-sync 8)."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain import naming
from domain.payment_sync import CAUSES, SHOWN_AS, UNSYNCHRONISED, Command, CommandOutcome, Kind, Role, State, offers
from domain.payment_sync.commands import COMMANDS
from starter.answers import CommandError, as_csv, as_json, as_table, say
from starter.opening import AsJson, SettingsFile, agency_of, connected, opened_store, read_settings
from store import Store
from store.installation import Installation
from store.payment_lists import PaymentFilter
from store.payment_sync import SyncedPayment

app = typer.Typer(no_args_is_help=True, help="Captured payments on their way into the ERP.")
AGENCY = typer.Argument(help="The agency, as the settings name it.", show_default=False)
PAYMENT = typer.Argument(help="The payment's id (pay_…).", show_default=False)
COLUMNS = ("agency", "payment", "booking", "amount", "currency", "status", "state", "reason", "claimed by", "captured",
           "since", "age hours", "suggested")  # fmt: skip
By = Annotated[str, typer.Option("--by", help="Who commands.")]
Why = Annotated[str, typer.Option("--why", help="The explanation, in your words.")]


@app.command(name="list")
def list_payments(
    settings: SettingsFile,
    agency: Annotated[str | None, typer.Option(help="Only this agency.")] = None,
    status: Annotated[str | None, typer.Option(help="Part of the words shown ('sin sincronizar') or a state.")] = None,
    reason: Annotated[
        str | None, typer.Option(help="The reason, as the list shows it: business, transient, paid_otherwise …")
    ] = None,
    connector: Annotated[str | None, typer.Option(help="Only this ERP.")] = None,
    older_than: Annotated[float | None, typer.Option(help="Captured more than so many hours ago.")] = None,
    least: Annotated[float | None, typer.Option(help="Least amount, in the payment's currency.")] = None,
    most: Annotated[float | None, typer.Option(help="Greatest amount.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 500,
    json_out: AsJson = False,
    csv_out: Annotated[Path | None, typer.Option("--csv", help="Write a CSV file, '-' for standard output.")] = None,
) -> None:
    """Payments: those that are paid and not synchronised first, the oldest first."""
    installation, now = read_settings(settings), datetime.now(UTC)
    wanted = PaymentFilter(
        states=_states(status),
        causes=frozenset() if reason is None else frozenset({_cause(reason)}),
        connector=connector,
        captured_before=None if older_than is None else now - timedelta(hours=older_than),
        least=None if least is None else round(least * 100),
        most=None if most is None else round(most * 100),
    )
    agencies = sorted(installation.agencies) if agency is None else [agency]
    with opened_store(installation) as store:
        pages = [store.payment_lists.page(each, wanted, limit=limit) for each in agencies]
    found = [payment for page in pages for payment in page.payments][:limit]
    rows = [_row(each, now) for each in found]
    if json_out:
        as_json(rows)
    elif csv_out is not None:
        as_csv(csv_out, COLUMNS, (list(row.values()) for row in rows))
    else:
        as_table("Payments", COLUMNS, (list(row.values()) for row in rows), right=("amount", "age hours"))


@app.command()
def show(
    agency: Annotated[str, AGENCY], payment: Annotated[str, PAYMENT], settings: SettingsFile, json_out: AsJson = False
) -> None:
    """A payment beside what the ERP shows, its verdict, its way so far, and what may be done now."""
    installation, now = read_settings(settings), datetime.now(UTC)
    with opened_store(installation) as store:
        found = _find(store, agency, payment)
        paid = store.facts.payment(agency, payment)
        lines = store.payment_sync.transitions(agency, payment)
    sync, evidence = found.sync, found.sync.evidence
    ours = {
        "amount": str(sync.amount),
        "reference": paid.processor.payment_ref if paid else "",
        "authorisation": (paid.processor.authorization_code or "") if paid else "",
        "processor": paid.processor.name if paid else "",
    }
    may = offers(sync, now)
    if json_out:
        plain = {**_row(found, now), "payment side": ours, "evidence": evidence and evidence.model_dump(mode="json")}
        as_json(plain | {"timeline": [line.model_dump(mode="json") for line in lines], "actions": may})
        return
    as_table(payment, ("what", "value"), ((name, value) for name, value in _row(found, now).items() if value))
    receipts = evidence.receipts if evidence else ()
    columns = ("", "payment", *(f"receipt {each.id}" for each in receipts))
    body: list[Sequence[object]] = [
        ("amount", ours["amount"], *(_same(str(each.amount), ours["amount"]) for each in receipts)),
        ("reference", ours["reference"], *(_same(each.reference, ours["reference"]) for each in receipts)),
        ("authorisation", ours["authorisation"], *(_same(each.auth_code, ours["authorisation"]) for each in receipts)),
        ("method", ours["processor"], *(each.method for each in receipts)),
        ("day", f"{sync.captured_at:%Y-%m-%d}" if sync.captured_at else "", *(each.on for each in receipts)),
    ]
    as_table("Both sides", columns, body)
    if evidence:
        say(f"verdict: {evidence.verdict.value} ({evidence.words}), seen {evidence.at:%Y-%m-%d %H:%M} UTC")
    as_table(
        "Timeline",
        ("at", "from", "to", "event", "row", "who", "reason", "explanation"),
        (
            (f"{e.at:%Y-%m-%d %H:%M:%S}", e.before.value, e.after.value, e.event.value, e.row,
             e.actor or e.actor_type.value, e.reason, e.explanation)
            for e in lines
        ),
    )  # fmt: skip
    as_table("Actions", ("command", "now"), ((name.replace("_", "-"), why or "yes") for name, why in may.items()))


def _commands() -> None:
    """One command for each of the machine's, except the one that also takes a batch."""
    for kind in COMMANDS:
        if kind is not Kind.SYNC_NOW:
            app.command(kind.value.replace("_", "-"), help=WORDS[kind])(_single(kind))


def _single(kind: Kind) -> Callable[..., None]:
    def command(
        agency: Annotated[str, AGENCY],
        payment: Annotated[str, PAYMENT],
        settings: SettingsFile,
        by: By,
        why: Why = "",
        overrule: Annotated[str, typer.Option(help="As a supervisor: the second explanation.")] = "",
        supervisor: Annotated[bool, typer.Option("--supervisor", help="Act as a supervisor.")] = False,
        reference: Annotated[str, typer.Option(help="The processor's reference of a refund.")] = "",
        json_out: AsJson = False,
    ) -> None:
        role = Role.SUPERVISOR if supervisor or overrule else Role.OPERATOR
        told = {"actor": by, "role": role, "explanation": why, "override": overrule, "reference": reference}
        installation = read_settings(settings)
        agency_of(installation, agency)
        with opened_store(installation) as store:
            found = _find(store, agency, payment)
        (done,) = asyncio.run(_tell(installation, kind, [found], told))
        _answer(payment, done, json_out)

    return command


WORDS: dict[Kind, str] = {
    Kind.CLAIM: "Look at a payment yourself: for half an hour nobody else may decide.",
    Kind.RELEASE: "Let a claimed payment go.",
    Kind.SYNC_MANUALLY: "Sincronizar manualmente: it is in the ERP already; nothing is written there.",
    Kind.DECLARE_DUPLICATE: "Something else has settled what this payment was for.",
    Kind.ASK_CUSTOMER: "The customer was asked: credit, or money back.",
    Kind.CHOOSE_CREDIT: "A duplicate is credited to what is open of the same sale.",
    Kind.CHOOSE_REFUND: "A duplicate is given back.",
    Kind.REFUND_DONE: "The processor has given it back, under this --reference.",
    Kind.RETRY_REFUND: "Ask the processor again.",
    Kind.UNDO_MANUAL: "Take a manual mark back (supervisors, within 30 days).",
}
_commands()


@app.command(name="sync-now")
def sync_now(
    settings: SettingsFile,
    by: By,
    agency: Annotated[str, AGENCY],
    payment: Annotated[str | None, PAYMENT] = None,
    reason: Annotated[
        str | None, typer.Option(help="All unsynchronised payments with this reason, oldest first.")
    ] = None,
    json_out: AsJson = False,
) -> None:
    """Sincronizar ahora: write it into the ERP, after a look at this minute's state there."""
    installation = read_settings(settings)
    agency_of(installation, agency)
    if (payment is None) == (reason is None):
        raise CommandError("name one payment, or a --reason for all that have it")
    with opened_store(installation) as store:
        if payment is not None:
            found = [_find(store, agency, payment)]
        else:
            waiting = frozenset({State.UNSYNCED, State.RETRY_WAIT})
            wanted = PaymentFilter(states=waiting, causes=frozenset({_cause(reason or "")}))
            found = store.payment_lists.page(agency, wanted, limit=500).payments
    done = asyncio.run(_tell(installation, Kind.SYNC_NOW, found, {"actor": by, "role": Role.OPERATOR}))
    if payment is not None:
        _answer(payment, done[0], json_out)
        return
    rows = [
        {"payment": each.sync.payment_id, "accepted": told.accepted, "state": told.state.value, "reason": told.reason}
        for each, told in zip(found, done, strict=True)
    ]
    columns = ("payment", "accepted", "state", "reason")
    as_json(rows) if json_out else as_table("Sync now", columns, (list(row.values()) for row in rows))


async def _tell(
    installation: Installation, kind: Kind, payments: list[SyncedPayment], told: dict[str, Any]
) -> list[CommandOutcome]:
    """One after the other, so that the ERP is not stormed; each with its own look."""
    client = await connected(installation)
    return [await _command(client, kind, each, told) for each in payments]


async def _command(client: Client, kind: Kind, payment: SyncedPayment, told: dict[str, Any]) -> CommandOutcome:
    sync = payment.sync
    own = uuid.uuid4().hex
    given = Command(command_id=own, expected_version=sync.version, **told)
    workflow_id = naming.payment_workflow(payment.agency, sync.payment_id)
    try:
        done: CommandOutcome = await client.get_workflow_handle(workflow_id).execute_update(
            kind.value, given, result_type=CommandOutcome
        )
    except WorkflowUpdateFailedError as error:
        words = error.cause.message if isinstance(error.cause, ApplicationError) else str(error.cause)
        return CommandOutcome(command_id=own, accepted=False, state=sync.state, version=sync.version, reason=words)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise CommandError(f"Temporal answers {error.status.name}: {error.message}") from None
        words = "its workflow does not run any more: the payment has come to its end"
        return CommandOutcome(command_id=own, accepted=False, state=sync.state, version=sync.version, reason=words)
    return done


def _answer(payment: str, done: CommandOutcome, json_out: bool) -> None:
    if json_out:
        as_json(done.model_dump(mode="json"))
    elif done.accepted:
        say(f"{payment}: {SHOWN_AS[done.state]} ({done.state.value})")
    if not done.accepted:
        seen = f"; the ERP shows {done.evidence.verdict.value}: {done.evidence.words}" if done.evidence else ""
        raise CommandError(f"{payment}: refused, {done.reason}{seen}; see 'bookings payment show'")


def _cause(text: str) -> str:
    if text not in CAUSES:
        raise CommandError(f"no reason is called '{text}'; reasons are: {', '.join(CAUSES)}")
    return text


def _states(status: str | None) -> frozenset[State]:
    if status is None:
        return frozenset()
    found = [state for state in State if status == state.value or status.lower() in SHOWN_AS[state].lower()]
    if status.lower() == "pagado sin sincronizar":
        found = [state for state in State if state in UNSYNCHRONISED]
    if not found:
        raise CommandError(f"no status is called '{status}'; try 'Pagado sin sincronizar', 'Pagado' or 'Devuelto'")
    return frozenset(found)


def _row(payment: SyncedPayment, now: datetime) -> dict[str, Any]:
    sync = payment.sync
    captured = sync.captured_at or sync.since
    values = (
        payment.agency,
        sync.payment_id,
        payment.booking_id,
        f"{sync.amount.decimal}",
        sync.amount.currency,
        SHOWN_AS[sync.state],
        sync.state.value,
        sync.reason,
        sync.claimed_by or "",
        f"{captured:%Y-%m-%d %H:%M}",
        f"{sync.since:%Y-%m-%d %H:%M}",
        f"{(now - captured).total_seconds() / 3600:.1f}",
        sync.suggestion.replace("_", "-"),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _same(theirs: str, ours: str) -> str:
    """Marked where both sides say the same."""
    return f"= {theirs}" if theirs and theirs == ours else theirs


def _find(store: Store, agency: str, payment: str) -> SyncedPayment:
    found = store.payment_sync.get(agency, payment)
    if found is None:
        raise CommandError(f"{agency} has no payment {payment}; see 'bookings payment list'")
    return found
