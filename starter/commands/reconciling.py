"""`payment reconcile`, `payment reconciliation`: both sides of a connector beside each other, and what differs (payment-sync 7)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer
from temporalio.client import WorkflowFailureError
from temporalio.service import RPCError

from domain import naming
from domain.connector_steps import ReconcileOrder, ReconcilePage
from domain.money import Money
from domain.people import Role
from starter.answers import CommandError, as_json, as_table, say
from starter.commands.acting import By, doing
from starter.opening import AsJson, SettingsFile, agency_of, connected, opened_store, read_settings
from store.installation import Installation
from store.reconciliations import Reconciliation

app = typer.Typer(no_args_is_help=True, help="Reports of the nightly reconciliation of payments and receipts.")
AGENCY = typer.Argument(help="The agency, as the settings name it.", show_default=False)


def reconcile(
    agency: Annotated[str, AGENCY],
    settings: SettingsFile,
    last: Annotated[
        datetime | None, typer.Option("--last", formats=["%Y-%m-%d"], help="The last UTC day; today.")
    ] = None,
    by: By = "",
    json_out: AsJson = False,
) -> None:
    """Lay the payments of the last 31 days beside the ERP's receipts, now. Exit code 1 when they differ."""
    installation = read_settings(settings)
    connector = agency_of(installation, agency).erp
    day = last.date() if last else datetime.now(UTC).date()
    order = ReconcileOrder(agency=agency, connector=connector, day=day)
    with opened_store(installation) as store:
        with doing(store, by, "payment.reconcile", connector, agency=agency, needs=Role.OPERATOR):
            report_id = asyncio.run(_run(installation, order))
        report = store.reconciliations.get(report_id)
    if report is None:
        raise CommandError(f"no report was written; see 'bookings park list' for what stopped {connector}.reconcile")
    _show(report, json_out)
    if report.differing or report.unread:
        raise typer.Exit(1)


async def _run(installation: Installation, order: ReconcileOrder) -> str:
    client = await connected(installation)
    own = f"{naming.reconciliation_schedule(order.agency)}/by-hand-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    try:
        await client.execute_workflow(
            "Reconcile", order, id=own, task_queue=naming.Queue.WORKFLOWS, result_type=ReconcilePage
        )
    except WorkflowFailureError as error:
        raise CommandError(f"{own} failed: {error.cause}") from None
    except RPCError as error:
        raise CommandError(f"Temporal answers {error.status.name}: {error.message}") from None
    return f"{own}/{order.day}"


@app.command(name="list")
def list_reports(
    settings: SettingsFile,
    agency: Annotated[str | None, typer.Option(help="Only this agency.")] = None,
    json_out: AsJson = False,
) -> None:
    """Reports, the newest first."""
    installation = read_settings(settings)
    with opened_store(installation) as store:
        found = store.reconciliations.list(agency)
    rows = [
        {
            "report": each.id,
            "agency": each.agency,
            "connector": each.connector,
            "first": each.first.isoformat(),
            "last": each.last.isoformat(),
            "begun": f"{each.begun_at:%Y-%m-%d %H:%M}",
            "payments": sum(pair.payment_id != "" for pair in each.pairs),
            "differ": each.differing,
            "unread": len(each.unread),
            "ended": each.ended_at is not None,
        }
        for each in found
    ]
    columns = tuple(rows[0]) if rows else ("report",)
    as_json(rows) if json_out else as_table("Reconciliations", columns, (list(row.values()) for row in rows))


@app.command()
def show(
    settings: SettingsFile,
    report: Annotated[str | None, typer.Argument(help="The report's id; the newest one without.")] = None,
    agency: Annotated[str | None, typer.Option(help="The newest of this agency.")] = None,
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Every payment of this UTC day.")] = None,
    json_out: AsJson = False,
) -> None:
    """Sums per UTC day, and every difference; with --day every payment and receipt of that day."""
    installation = read_settings(settings)
    with opened_store(installation) as store:
        found = (
            store.reconciliations.get(report)
            if report
            else next(iter(store.reconciliations.list(agency, limit=1)), None)
        )
    if found is None:
        raise CommandError("there is no such report; see 'bookings payment reconciliation list'")
    _show(found, json_out, day.date() if day else None)


def _show(report: Reconciliation, json_out: bool, day: date | None = None) -> None:
    if json_out:
        as_json(report.model_dump(mode="json") | {"days": list(_days(report)), "differing": report.differing})
        return
    say(f"{report.id}: {report.connector} of {report.agency}, {report.first} to {report.last}; {report.boundary}")
    days = list(_days(report))
    if days:
        as_table("Days", tuple(days[0]), (list(row.values()) for row in days), right=("captured", "receipts", "open"))
    wanted = [each for each in report.pairs if (each.day == day if day else each.verdict not in ("agrees", "waits"))]
    as_table(
        f"{day}" if day else "Differences",
        ("day", "verdict", "payment", "booking", "state", "paid", "receipt", "received", "words"),
        (
            (
                p.day,
                p.verdict,
                p.payment_id,
                p.booking_id,
                p.state,
                p.paid or "",
                p.receipt_id,
                p.received or "",
                p.words,
            )
            for p in sorted(wanted, key=lambda each: (each.day, each.payment_id))
        ),
        right=("paid", "received"),
    )
    for each in report.unread:
        say(f"could not be read: {each}")


def _days(report: Reconciliation) -> Iterator[dict[str, Any]]:
    """Sums of both sides per UTC day and currency."""
    sums: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for pair in report.pairs:
        for place, amount in enumerate((pair.paid, pair.received)):
            if amount is not None:
                sums[pair.day, amount.currency][place] += amount.amount
        if pair.paid is not None and pair.verdict == "waits":
            sums[pair.day, pair.paid.currency][2] += pair.paid.amount
    for (on, currency), (captured, received, waiting) in sorted(sums.items()):
        yield {
            "day": on.isoformat(),
            "currency": currency,
            "captured": f"{Money(amount=captured, currency=currency).decimal}",
            "receipts": f"{Money(amount=received, currency=currency).decimal}",
            "open": f"{Money(amount=waiting, currency=currency).decimal}",
        }
