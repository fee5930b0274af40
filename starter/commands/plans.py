"""`plan list`, `plan show`, `plan pause`, `plan resume`, `plan skip`, `plan charge-now`: payment plans and orders about them."""

from __future__ import annotations

import asyncio
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.money import Money
from domain.plan_orders import OrderKind
from domain.plan_steps import PlanCommand
from starter.answers import CommandError, as_json, as_table, say
from starter.commands.acting import at_the_desk
from starter.desk import plans
from starter.desk.acting import looking_on
from starter.desk.plans import PlanShown
from starter.opening import AsJson, SettingsFile, agency_of, read_settings

AT_A_TIME = 200
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
    rows: list[dict[str, Any]] = []
    with at_the_desk(installation) as office:
        after: str | None = ""
        while after is not None:
            page = plans.list_plans(office, looking_on(installation), agency, held=held, after=after, limit=AT_A_TIME)
            rows += [_plain(plan) for plan in page.items]
            after = page.next
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
    with at_the_desk(installation) as office:
        plain = _plain(plans.show_plan(office, looking_on(installation), agency, booking))
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
    settings: Path,
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
    with at_the_desk(installation) as office:
        acting = office.acting(by)
        plan = plans.show_plan(office, acting, agency, booking)
        currency = plan.instalments[0].amount.currency
        command = PlanCommand(
            order=order, by=by, why=why, instalment_id=instalment, amount=_money(amount, currency) if amount else None
        )
        done = asyncio.run(plans.order(office, acting, agency, booking, command))
    as_json({"plan": done.plan, "order": done.order, "answer": done.answer}) if json_out else say(done.answer)


def _money(text: str, currency: str) -> Money:
    try:
        minor = Decimal(text.replace(",", ".")) * 100
    except InvalidOperation:
        minor = Decimal("NaN")
    if not minor.is_finite() or minor != minor.to_integral_value() or minor <= 0:
        raise CommandError(f"'{text}' is no amount; write it in major units, for instance 120.50")
    return Money(amount=int(minor), currency=currency)


def _plain(plan: PlanShown) -> dict[str, Any]:
    """Amounts as people write them."""
    return {
        "plan": plan.plan,
        "booking": plan.booking,
        "revision": plan.revision,
        "collection": plan.collection,
        "method": plan.method,
        "mandate": plan.mandate,
        "open": str(plan.open) if plan.open else None,
        "next_due": plan.next_due.isoformat() if plan.next_due else None,
        "paused": plan.paused.model_dump(mode="json") if plan.paused else None,
        "held": {own: f"{each.order}: {each.why}" for own, each in plan.held.items()},
        "instalments": [
            {
                "id": item.id,
                "due_on": item.due_on.isoformat(),
                "kind": item.kind,
                "amount": str(item.amount),
                "open": str(item.open) if item.open else None,
                "status": item.status,
            }
            for item in plan.instalments
        ],
        "orders": [
            {**order.model_dump(mode="json"), "amount": str(order.amount) if order.amount else None}
            for order in plan.orders
        ],
    }
