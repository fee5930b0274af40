"""`deal …`: what customers were asked to pay for deals of the CRM, and what a person wants done about it."""

from __future__ import annotations

import asyncio
import uuid
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from domain import naming
from domain.deal_steps import DealCommand, DealOrder, DealState
from domain.deals import amount_of
from domain.money import Money
from domain.people import Role
from starter.answers import CommandError, as_json, as_table, say
from starter.commands.acting import By, doing
from starter.connecting import EASYCOUNT
from starter.deals import LIFECYCLE
from starter.opening import AsJson, SettingsFile, agency_of, connected, opened_store, read_settings
from store.installation import Installation
from store.payment_request_records import Request
from workflows.searching import found_by

app = typer.Typer(no_args_is_help=True, help="Deals of the CRM: what was asked for, paid, cancelled, refunded.")

AGENCY = typer.Argument(help="The agency, as the settings name it.", show_default=False)
DEAL = typer.Argument(help="The deal's number in the CRM.", show_default=False, min=1)
CLOSING_TRIES = 3
CLOSING = frozenset({RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION})
Why = Annotated[str, typer.Option(help="Why, in at least 10 characters.", show_default=False)]


@app.command("list")
def list_deals(
    settings: SettingsFile,
    agency: Annotated[str | None, typer.Option(help="Only this agency.")] = None,
    state: Annotated[str | None, typer.Option(help="Only those in this state, as the deal shows it.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 200,
    json_out: AsJson = False,
) -> None:
    """Deals for which money was asked, with state, amounts, documents and pages."""
    installation = read_settings(settings)
    if agency:
        agency_of(installation, agency)
    with opened_store(installation) as store:
        found = [one for one in store.payment_requests.list(agency, limit) if state in (None, one.state)]
    rows = [_row(request) for request in found]
    if json_out:
        as_json(rows)
        return
    columns = ("agency", "deal", "state", "since", "asked", "paid", "refunded", "booking", "documents", "pages")
    as_table("Deals", columns, ([row[name] for name in columns] for row in rows), right=("asked", "paid", "refunded"))


@app.command()
def show(
    agency: Annotated[str, AGENCY], deal: Annotated[int, DEAL], settings: SettingsFile, json_out: AsJson = False
) -> None:
    """One deal: its revisions, documents, pages, payments and refunds. Whose it is stays in the CRM."""
    installation = read_settings(settings)
    agency_of(installation, agency)
    with opened_store(installation) as store:
        request = store.payment_requests.get(agency, deal)
    if request is None:
        raise CommandError(f"no money was asked for deal {deal}; ask with: bookings deal request {agency} {deal}")
    told = _row(request) | _details(request)
    if json_out:
        as_json(told)
        return
    say(f"deal {deal} of {agency}: {told['state']} since {told['since']}, revision {told['revision']}")
    say(f"asked {told['asked']}, paid {told['paid']}, refunded {told['refunded']}, booking {told['booking'] or 'none'}")
    for title, columns in (
        ("Documents", ("number", "type", "amount", "revision", "issued", "payment")),
        ("Pages", ("number", "revision", "amount", "made", "expires", "state")),
        ("Payments", ("payment", "page", "amount", "role", "seen", "outcome")),
        ("Refunds", ("refund", "payment", "amount", "reference", "by", "at")),
    ):
        rows = told[title.lower()]
        if rows:
            as_table(title, columns, ([row[name] for name in columns] for row in rows), right=("amount",))


@app.command("request")
def ask(
    agency: Annotated[str, AGENCY], deal: Annotated[int, DEAL], settings: SettingsFile, by: By, why: Why = ""
) -> None:
    """Ask the customer for what the deal says now, whatever its stage; a request that is over begins anew."""
    _order(settings, agency, deal, "request", by, why)


@app.command()
def cancel(
    agency: Annotated[str, AGENCY], deal: Annotated[int, DEAL], settings: SettingsFile, by: By, why: Why
) -> None:
    """Take an open request back. Its pages are still looked at: who pays all the same is noticed."""
    _order(settings, agency, deal, "cancel", by, why)


@app.command()
def refund(
    agency: Annotated[str, AGENCY],
    deal: Annotated[int, DEAL],
    settings: SettingsFile,
    by: By,
    why: Why,
    reference: Annotated[
        str, typer.Option(help="EasyCount's reference of the refund: the money goes back there first.")
    ],
    amount: Annotated[str | None, typer.Option(help="How much, e.g. 120.50; without it the whole payment.")] = None,
    payment: Annotated[str | None, typer.Option(help="Which payment, if there are several (pay_…).")] = None,
) -> None:
    """Record money that was given back: credit and receipt, the books, the deal."""
    _order(settings, agency, deal, "refund", by, why, reference=reference, amount=amount, payment=payment)


@app.command()
def poll(agency: Annotated[str, AGENCY], deal: Annotated[int, DEAL], settings: SettingsFile, by: By = "") -> None:
    """Look at the deal's pages now, without waiting for the clock."""
    _order(settings, agency, deal, "poll", by, "")


def _order(
    settings: SettingsFile,
    agency: str,
    deal: int,
    order: DealOrder,
    by: str,
    why: str,
    *,
    reference: str = "",
    amount: str | None = None,
    payment: str | None = None,
) -> None:
    installation = read_settings(settings)
    section = agency_of(installation, agency)
    with opened_store(installation) as store:
        if section.easycount is None and store.integrations.get(agency, EASYCOUNT) is None:
            words = f"agency '{agency}' has no EasyCount; begin with: bookings integration request {agency} --system {EASYCOUNT}"
            raise CommandError(f"{words} (docs/integrations/easycount.md)")
        known = store.payment_requests.get(agency, deal)
        asked = known.asked.said.amount if known is not None else None
        needs = Role.SUPERVISOR if order == "refund" else Role.OPERATOR
        with doing(store, by, f"deal.{order}", str(deal), agency=agency, why=why, needs=needs) as name:
            command = DealCommand(
                key=uuid.uuid4().hex,
                order=order,
                by=name,
                explanation=why,
                reference=reference,
                amount=None if amount is None else _amount(amount, asked.currency if asked else section.currency),
                payment_id=payment,
            )
            answer = asyncio.run(_told(installation, agency, deal, command))
    say(answer)


async def _told(installation: Installation, agency: str, deal: int, command: DealCommand) -> str:
    client = await connected(installation)
    try:
        return await order_deal(client, agency, deal, command)
    except WorkflowUpdateFailedError as error:
        raise CommandError(str(error.cause)) from None
    except RPCError as error:
        raise CommandError(f"Temporal answers {error.status.name}: {error.message}") from None


async def order_deal(client: Client, agency: str, deal: int, command: DealCommand) -> str:
    """Deliver an order, starting the deal's workflow where none runs. Raises `WorkflowUpdateFailedError`, `RPCError`.

    A run that ends or is renewed at this very moment takes no order any more; the next one does, and knows it by its key.
    """
    for left in reversed(range(CLOSING_TRIES)):
        start: WithStartWorkflowOperation[DealState, DealState] = WithStartWorkflowOperation(
            "RequestPayment",
            DealState(agency=agency, deal_id=deal),
            id=naming.deal_workflow(agency, deal),
            task_queue=naming.Queue.WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=found_by(LIFECYCLE, agency),
            static_summary=f"deal {deal} of {agency}",
        )
        try:
            told: str = await client.execute_update_with_start_workflow(
                "order", command, start_workflow_operation=start, result_type=str
            )
        except RPCError as error:
            if error.status not in CLOSING or not left:
                raise
        else:
            return told
    raise AssertionError("unreachable")


def _amount(text: str, currency: str) -> Money:
    try:
        found = amount_of(Decimal(text), currency)
    except InvalidOperation:
        found = None
    if found is None or found.amount <= 0:
        raise CommandError(f"'{text}' is no amount; write it like 120.50")
    return found


def _row(request: Request) -> dict[str, Any]:
    """Keys, states and money."""
    currency = request.asked.said.amount.currency if request.asked.said.amount else ""
    return {
        "agency": request.agency,
        "deal": request.deal_id,
        "state": request.state,
        "since": f"{request.since:%Y-%m-%d %H:%M}",
        "revision": request.asked.revision,
        "asked": str(request.asked.said.amount),
        "paid": str(Money(amount=request.paid, currency=currency)),
        "refunded": str(Money(amount=request.refunded, currency=currency)),
        "booking": request.asked.said.booking_id,
        "documents": ", ".join(document.number for document in request.documents),
        "pages": sum(not link.orphan for link in request.links),
    }


def _details(request: Request) -> dict[str, Any]:
    paid = {payment.link for payment in request.payments}
    return {
        "documents": [
            {
                "number": each.number,
                "type": each.type,
                "amount": str(each.amount),
                "revision": each.revision,
                "issued": f"{each.issued_at:%Y-%m-%d %H:%M}",
                "payment": each.payment_id,
                "pdf": each.pdf,
            }
            for each in request.documents
        ],
        "pages": [
            {
                "number": each.number,
                "revision": each.revision,
                "amount": str(each.amount),
                "made": f"{each.made_at:%Y-%m-%d %H:%M}",
                "expires": f"{each.expires_at:%Y-%m-%d %H:%M}",
                "state": "lost" if each.orphan else "paid" if each.number in paid else "open",
                "url": each.url,
            }
            for each in request.links
        ],
        "payments": [
            {
                "payment": each.payment_id,
                "page": each.link,
                "amount": str(each.amount),
                "role": each.role,
                "seen": f"{each.seen_at:%Y-%m-%d %H:%M}",
                "outcome": each.outcome or "under way",
                "authorisation": each.authorisation,
            }
            for each in request.payments
        ],
        "refunds": [
            {
                "refund": each.refund_id,
                "payment": each.payment_id,
                "amount": str(each.amount),
                "reference": each.reference,
                "by": each.by,
                "at": f"{each.at:%Y-%m-%d %H:%M}",
            }
            for each in request.refunds
        ],
    }
