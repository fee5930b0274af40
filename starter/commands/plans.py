"""`plan list`, `plan show`, `plan pause`, `plan resume`, `plan skip`, `plan charge-now`: payment plans and orders about them."""

from __future__ import annotations

import asyncio
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain import naming
from domain.allocation import open_amounts
from domain.collecting import taken_back
from domain.money import Money
from domain.plan_orders import OrderKind
from domain.plan_steps import PlanCommand
from domain.platform import PaymentPlan
from starter.answers import CommandError, as_json, as_table, say
from starter.opening import AsJson, SettingsFile, agency_of, connected, opened_store, read_settings
from store import Store
from store.installation import Installation

app = typer.Typer(no_args_is_help=True, help="Payment plans: what is due, what people ordered, and charging by hand.")
Agency = Annotated[str, typer.Argument(help="The agency, as the settings name it.", show_default=False)]
OfBooking = Annotated[str, typer.Argument(help="The booking whose plan it is (bkg_…).", show_default=False)]
OneInstalment = Annotated[str, typer.Argument(help="The instalment (ins_…).", show_default=False)]
By = Annotated[str, typer.Option(help="Who orders it.", show_default=False)]
Why = Annotated[str, typer.Option(help="The reason, in at least ten characters.", show_default=False)]


@app.command(name="list")
def list_plans(
    agency: Agency,
    settings: SettingsFile,
    held: Annotated[bool, typer.Option("--held", help="Only plans that are paused, or hold an instalment.")] = False,
    json_out: AsJson = False,
) -> None:
    """Every plan that still wants money, the next due day first."""
    installation = read_settings(settings)
    agency_of(installation, agency)
    with opened_store(installation) as store:
        plans = [plan for booking in store.facts.bookings(agency) if (plan := store.facts.plan(agency, booking.id))]
        rows = [_plain(store, agency, plan) for plan in plans]
    rows = [row for row in rows if row["open"] and (not held or row["paused"] or row["held"])]
    rows.sort(key=lambda row: (row["next_due"], row["plan"]))
    if json_out:
        as_json(rows)
        return
    as_table(
        f"Plans of {agency}",
        ("plan", "booking", "collected", "open", "next due", "paused", "held"),
        (
            (
                row["plan"],
                row["booking"],
                f"{row['collection']}, {row['method']}",
                row["open"],
                row["next_due"],
                row["paused"]["why"] if row["paused"] else None,
                ", ".join(row["held"]) or None,
            )
            for row in rows
        ),
        right=("open",),
    )


@app.command()
def show(agency: Agency, booking: OfBooking, settings: SettingsFile, json_out: AsJson = False) -> None:
    """One plan: its instalments, what is open of each, and every order with who gave it and why."""
    installation = read_settings(settings)
    agency_of(installation, agency)
    with opened_store(installation) as store:
        plain = _plain(store, agency, _plan(store, agency, booking))
    if json_out:
        as_json(plain)
        return
    paused = f", paused: {plain['paused']['why']}" if plain["paused"] else ""
    as_table(
        f"{plain['plan']} of {booking}, {plain['collection']} by {plain['method']}, mandate {plain['mandate']}{paused}",
        ("instalment", "due", "amount", "open", "status", "held"),
        (
            (each["id"], each["due_on"], each["amount"], each["open"], each["status"], plain["held"].get(each["id"]))
            for each in plain["instalments"]
        ),
        right=("amount", "open"),
    )
    if plain["orders"]:
        as_table(
            "Orders",
            ("at", "order", "instalment", "amount", "by", "why"),
            (
                (each["at"], each["order"], each["instalment_id"], each["amount"], each["by"], each["why"])
                for each in plain["orders"]
            ),
            right=("amount",),
        )


@app.command()
def pause(
    agency: Agency, booking: OfBooking, settings: SettingsFile, by: By, why: Why, json_out: AsJson = False
) -> None:
    """Collect nothing of this plan until it is resumed; also attempts that are under way wait."""
    _order(settings, agency, booking, "pause", by, why, json_out)


@app.command()
def resume(
    agency: Agency,
    booking: OfBooking,
    settings: SettingsFile,
    by: By,
    why: Why,
    instalment: Annotated[str | None, typer.Option(help="Only this instalment, which is skipped or stopped.")] = None,
    json_out: AsJson = False,
) -> None:
    """Go on with a plan, or with one instalment; what fell due meanwhile is collected at once."""
    _order(settings, agency, booking, "resume", by, why, json_out, instalment)


@app.command()
def skip(
    agency: Agency,
    booking: OfBooking,
    instalment: OneInstalment,
    settings: SettingsFile,
    by: By,
    why: Why,
    json_out: AsJson = False,
) -> None:
    """Do not collect one instalment; it stays open on the platform, for instance because a transfer is on its way."""
    _order(settings, agency, booking, "skip", by, why, json_out, instalment)


@app.command(name="charge-now")
def charge_now(
    agency: Agency,
    booking: OfBooking,
    instalment: OneInstalment,
    settings: SettingsFile,
    by: By,
    why: Why,
    amount: Annotated[str | None, typer.Option(help="Less than all that is open, in major units: 120.50")] = None,
    json_out: AsJson = False,
) -> None:
    """Charge one instalment now, before its day or after it was given up; limits of mandate and networks hold."""
    _order(settings, agency, booking, "charge_now", by, why, json_out, instalment, amount)


def _order(
    settings: Any,
    agency: str,
    booking: str,
    order: OrderKind,
    by: str,
    why: str,
    json_out: bool,
    instalment: str | None = None,
    amount: str | None = None,
) -> None:
    installation = read_settings(settings)
    agency_of(installation, agency)
    with opened_store(installation) as store:
        plan = _plan(store, agency, booking)
    command = PlanCommand(
        order=order, by=by, why=why, instalment_id=instalment, amount=_money(amount, plan.currency) if amount else None
    )
    said = asyncio.run(tell_plan(installation, agency, booking, command))
    as_json({"plan": plan.id, "order": order, "answer": said}) if json_out else say(said)


async def tell_plan(installation: Installation, agency: str, booking: str, command: PlanCommand) -> str:
    """The plan's answer. Raises `CommandError` with its refusal."""
    client = await connected(installation)
    handle = client.get_workflow_handle(naming.plan_workflow(agency, booking))
    try:
        answer: Any = await handle.execute_update("order", command, result_type=str)
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        raise CommandError(cause.message if isinstance(cause, ApplicationError) else str(cause)) from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise CommandError(
                f"the plan of {booking} does not run: everything is paid or cancelled, or its event has not come; "
                f"see 'bookings plan show {agency} {booking}'"
            ) from None
        raise CommandError(f"Temporal answers {error.status.name}: {error.message}") from None
    return str(answer)


def _money(text: str, currency: str) -> Money:
    try:
        minor = Decimal(text.replace(",", ".")) * 100
    except InvalidOperation:
        minor = Decimal("NaN")
    if not minor.is_finite() or minor != minor.to_integral_value() or minor <= 0:
        raise CommandError(f"'{text}' is no amount; write it in major units, for instance 120.50")
    return Money(amount=int(minor), currency=currency)


def _plan(store: Store, agency: str, booking: str) -> PaymentPlan:
    plan = store.facts.plan(agency, booking)
    if plan is None:
        raise CommandError(f"{agency} has no payment plan of booking {booking}; see 'bookings plan list {agency}'")
    return plan


def _plain(store: Store, agency: str, plan: PaymentPlan) -> dict[str, Any]:
    facts, booking = store.facts, plan.booking_id
    known = facts.booking(agency, booking)
    wanted = open_amounts(
        plan,
        facts.payments_of(agency, booking),
        facts.refunds_of(agency, booking),
        taken_back(facts.chargebacks_of(agency, booking)),
        store.payment_sync.duplicates_of(agency, booking),
    )
    wanted = {} if known is not None and known.status == "cancelled" else wanted
    stands = store.plan_orders.standing(agency, plan)
    days = [item.due_on for item in plan.installments if item.id in wanted]
    total = sum((amount.amount for amount in wanted.values()), 0)
    return {
        "plan": plan.id,
        "booking": booking,
        "revision": plan.revision,
        "collection": plan.collection,
        "method": plan.method,
        "mandate": plan.mandate.status if plan.mandate else None,
        "open": str(Money(amount=total, currency=plan.currency)) if wanted else None,
        "next_due": min(days).isoformat() if days else None,
        "paused": stands.paused.model_dump(mode="json") if stands.paused else None,
        "held": {own: f"{each.order}: {each.why}" for own, each in stands.held.items() if own in wanted},
        "instalments": [
            {
                "id": item.id,
                "due_on": item.due_on.isoformat(),
                "kind": item.kind,
                "amount": str(item.amount),
                "open": str(wanted[item.id]) if item.id in wanted else None,
                "status": item.status,
            }
            for item in plan.installments
        ],
        "orders": [
            {**order.model_dump(mode="json"), "amount": str(order.amount) if order.amount else None}
            for order in store.plan_orders.of(agency, plan.id)
        ],
    }
