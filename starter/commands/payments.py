"""`payment list`, `payment show` and the commands: paid and not synchronised, and what a person does about it (payment-sync 8)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from domain.payment_sync import SHOWN_AS, CommandOutcome, Kind
from domain.payment_sync.commands import COMMANDS
from starter.answers import CommandError, as_csv, as_json, as_table, say
from starter.commands import breakers, reconciling
from starter.commands.acting import at_the_desk
from starter.desk import payment_commands, payments
from starter.desk.acting import looking_on
from starter.desk.payment_commands import Said
from starter.desk.payments import COLUMNS, PaymentDetail, as_cells, states_called
from starter.desk.refusals import Refused
from starter.opening import AsJson, SettingsFile, agency_of, read_settings
from store.payment_lists import PaymentFilter

app = typer.Typer(no_args_is_help=True, help="Captured payments on their way into the ERP.")
app.add_typer(breakers.app, name="breakers")
app.add_typer(reconciling.app, name="reconciliation")
app.command(name="reconcile")(reconciling.reconcile)
AGENCY = typer.Argument(help="The agency, as the settings name it.", show_default=False)
PAYMENT = typer.Argument(help="The payment's id (pay_…).", show_default=False)
SHORT = ("agency", "payment", "booking", "invoice", "amount", "currency", "status", "state", "cause", "claimed by",
         "captured", "age hours", "suggested")  # fmt: skip
By = Annotated[str, typer.Option("--by", help="Who commands: a person of 'bookings user list', once there are any.")]
Why = Annotated[str, typer.Option("--why", help="The explanation, in your words.")]


@app.command(name="list")
def list_payments(
    settings: SettingsFile,
    agency: Annotated[str | None, typer.Option(help="Only this agency.")] = None,
    status: Annotated[str | None, typer.Option(help="Part of the words shown ('sin sincronizar') or a state.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why it waits, in one word: business, paid_otherwise …")] = None,
    connector: Annotated[str | None, typer.Option(help="Only this ERP.")] = None,
    older_than: Annotated[float | None, typer.Option(help="Captured more than so many hours ago.")] = None,
    least: Annotated[float | None, typer.Option(help="Least amount, in the payment's currency.")] = None,
    most: Annotated[float | None, typer.Option(help="Greatest amount.")] = None,
    name: Annotated[
        str | None, typer.Option(help="Payment, booking, locator, processor's reference or invoice number.")
    ] = None,
    newest: Annotated[bool, typer.Option("--newest", help="The newest first.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 500,
    json_out: AsJson = False,
    csv_out: Annotated[Path | None, typer.Option("--csv", help="Write a CSV file, '-' for standard output.")] = None,
) -> None:
    """Payments: those that are paid and not synchronised first, the oldest first."""
    installation = read_settings(settings)
    with at_the_desk(installation) as office:
        wanted = PaymentFilter(
            states=states_called(status),
            causes=frozenset() if reason is None else frozenset({reason}),
            connector=connector,
            captured_before=None if older_than is None else office.now() - timedelta(hours=older_than),
            least=None if least is None else round(least * 100),
            most=None if most is None else round(most * 100),
            text=name,
        )
        page = payments.list_payments(
            office,
            looking_on(installation),
            wanted,
            agency=agency,
            order="newest" if newest else "urgent",
            limit=limit,
        )
    rows = [as_cells(row) for row in page.items]
    if json_out:
        as_json([row.model_dump(mode="json") for row in page.items])
    elif csv_out is not None:
        as_csv(csv_out, COLUMNS, rows)
    else:
        places = [COLUMNS.index(column) for column in SHORT]
        as_table("Payments", SHORT, [[row[place] for place in places] for row in rows], right=("amount", "age hours"))
        if page.next:
            say(f"there are more than {limit}; narrow the list or raise --limit")


@app.command()
def show(
    agency: Annotated[str, AGENCY], payment: Annotated[str, PAYMENT], settings: SettingsFile, json_out: AsJson = False
) -> None:
    """A payment beside what the ERP shows, its verdict, its way so far, and what may be done now."""
    installation = read_settings(settings)
    with at_the_desk(installation) as office:
        found = payments.show_payment(office, looking_on(installation), agency, payment)
    if json_out:
        as_json(found.model_dump(mode="json"))
        return
    named = zip(COLUMNS, as_cells(found), strict=True)
    as_table(payment, ("what", "value"), ((name, value) for name, value in named if value))
    _both_sides(found)
    if found.evidence:
        verdict = found.evidence
        say(f"verdict: {verdict.verdict.value} ({verdict.words}), seen {verdict.at:%Y-%m-%d %H:%M} UTC")
    if found.last_error:
        say(f"last error, {found.last_error.at:%Y-%m-%d %H:%M} UTC: {found.last_error.words}")
    as_table(
        "Timeline",
        ("at", "from", "to", "event", "row", "who", "reason", "explanation"),
        (
            (f"{e.at:%Y-%m-%d %H:%M:%S}", e.before.value, e.after.value, e.event.value, e.row,
             e.actor or e.actor_type.value, e.reason, e.explanation)
            for e in found.timeline
        ),
    )  # fmt: skip
    as_table("Actions", ("command", "now"), ((a.command.replace("_", "-"), a.why_not or "yes") for a in found.actions))


def _both_sides(found: PaymentDetail) -> None:
    """What says the same on both sides is marked."""
    ours = found.ours
    fields = {
        "amount": str(ours.amount),
        "reference": ours.reference,
        "authorisation": ours.authorisation,
        "method": ours.method,
        "day": ours.day,
    }
    body: list[Sequence[object]] = [
        (name, value, *((f"= {getattr(r, name)}" if name in r.same else getattr(r, name)) for r in found.receipts))
        for name, value in fields.items()
    ]
    as_table("Both sides", ("", "payment", *(f"receipt {each.id}" for each in found.receipts)), body)


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
        installation = read_settings(settings)
        agency_of(installation, agency)
        said = Said(explanation=why, override=overrule, reference=reference)
        with at_the_desk(installation) as office, _told(payment):
            acting = office.acting(by, supervisor=supervisor or bool(overrule))
            done = asyncio.run(payment_commands.command(office, acting, agency, payment, kind, said))
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
    with at_the_desk(installation) as office:
        acting = office.acting(by)
        if payment is not None and reason is None:
            with _told(payment):
                done = asyncio.run(payment_commands.command(office, acting, agency, payment, Kind.SYNC_NOW, Said()))
            _answer(payment, done, json_out)
            return
        if reason is None or payment is not None:
            raise CommandError("name one payment, or a --reason for all that have it")
        lines = asyncio.run(payment_commands.batch(office, acting, agency, reason))
    rows = [line.model_dump(mode="json") for line in lines]
    columns = ("payment", "accepted", "state", "reason")
    as_json(rows) if json_out else as_table("Sync now", columns, (list(row.values()) for row in rows))


@contextmanager
def _told(payment: str) -> Iterator[None]:
    """A refusal with what the ERP showed."""
    try:
        yield
    except Refused as refusal:
        evidence = refusal.outcome.evidence if refusal.outcome else None
        seen = f"; the ERP shows {evidence.verdict.value}: {evidence.words}" if evidence else ""
        raise CommandError(f"{payment}: refused, {refusal}{seen}; see 'bookings payment show'") from None


def _answer(payment: str, done: CommandOutcome, json_out: bool) -> None:
    if json_out:
        as_json(done.model_dump(mode="json"))
    else:
        say(f"{payment}: {SHOWN_AS[done.state]} ({done.state.value})")
