"""Payment plans: a calendar of instalments, one plan with its orders, and ordering it (contracts: money-rules 1.6, 1.7)."""

from __future__ import annotations

from calendar import Calendar
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.concurrency import run_in_threadpool

from domain import naming
from domain.money import Money
from domain.people import Role
from domain.plan_orders import OrderKind
from domain.plan_steps import PlanCommand
from starter.console import labels
from starter.console.areas import Area, Link
from starter.console.languages import N_
from starter.console.listing import After, Column, OneAgency, Word, as_file, each, list_page, page_of, place_of
from starter.console.refusals import ConsoleRefusal, NotHere
from starter.console.rendering import back_to
from starter.console.visiting import Here, Operator, Surroundings, Viewer, Visitor
from starter.desk.plans import PlanShown, order, show_plan
from starter.desk.refusals import DeskError, NotFound
from store.plan_calendar import DueDay, DueInstalment

router = APIRouter()
AREA = Area("plans", router, (Link("/plans", N_("Planes de pago"), "money", 30),))
SIZE = 50
STATES = ("scheduled", "processing", "paid", "failed", "waived", "cancelled")
WEEKDAYS = (N_("lu"), N_("ma"), N_("mi"), N_("ju"), N_("vi"), N_("sá"), N_("do"))
WRONG_AMOUNT = N_("Escriba un importe como 120,50; vacío cobra todo lo pendiente de la cuota.")
TOO_SHORT = N_("Explique la orden con al menos diez caracteres.")

labels.add(
    "instalment_status",
    {
        "scheduled": N_("prevista"),
        "processing": N_("en curso"),
        "paid": N_("pagada"),
        "failed": N_("fallida"),
        "waived": N_("condonada"),
        "cancelled": N_("anulada"),
    },
)
labels.add(
    "plan_order",
    {
        "pause": N_("pausar"),
        "resume": N_("reanudar"),
        "skip": N_("saltar"),
        "stop": N_("detener"),
        "charge_now": N_("cobrar ahora"),
    },
)
labels.add("collection", {"automatic": N_("automático"), "on_notice": N_("con aviso")})
labels.add("mandate", {"active": N_("vigente"), "revoked": N_("revocado"), "expired": N_("caducado")})
labels.add(
    "method",
    {
        "card": N_("tarjeta"),
        "sepa_dd": N_("adeudo SEPA"),
        "transfer": N_("transferencia"),
        "bizum": "Bizum",
        "airplus": "AirPlus",
        "cash": N_("efectivo"),
        "other": N_("otro medio"),
    },
)


@dataclass(frozen=True, slots=True)
class Square:
    """One day of the month grid; `inside` the month itself."""

    day: date
    inside: bool
    due: tuple[DueDay, ...]


Row = tuple[str, DueInstalment]
COLUMNS: tuple[Column[Row], ...] = (
    Column("due_on", N_("Vence"), lambda row: row[1].due_on, "day"),
    Column(
        "booking",
        N_("Reserva"),
        lambda row: row[1].booking_id,
        "id",
        link=lambda row: f"/plans/{row[0]}/{row[1].booking_id}",
    ),
    Column("locator", N_("Localizador"), lambda row: row[1].locator, "id"),
    Column("instalment", N_("Cuota"), lambda row: row[1].instalment_id, "id"),
    Column("seq", N_("N.º"), lambda row: row[1].seq, "number"),
    Column("amount", N_("Importe"), lambda row: row[1].amount, "money"),
    Column("status", N_("Estado"), lambda row: row[1].status, "badge", "instalment_status"),
    Column("held", N_("Retenida por"), lambda row: row[1].held and row[1].held.order, "label", "plan_order"),
    Column("held_why", N_("Motivo"), lambda row: row[1].held and row[1].held.why),
    Column("workflow", N_("Proceso"), lambda row: naming.plan_workflow(row[0], row[1].booking_id), "workflow"),
)


@router.get("/plans")
def index(
    request: Request,
    here: Here,
    visitor: Viewer,
    agency: OneAgency,
    month: Word = "",
    day: Word = "",
    status: Word = "",
    after: After = "",
) -> Response:
    first, last = _span(here, agency, month)
    since, until = _span_of_day(day) or (first, last)
    place = place_of(after, date.fromisoformat, str, str)
    found = here.store.plan_calendar.instalments(
        agency, since, until, status=status or None, after=place, limit=SIZE + 1
    )  # fmt: skip
    rows, following = page_of([(agency, one) for one in found], SIZE, lambda row: row[1].place)
    return list_page(
        request,
        "plans/index.html",
        agency=agency,
        first=first,
        previous=(first - timedelta(days=1)).strftime("%Y-%m"),
        coming=(last + timedelta(days=1)).strftime("%Y-%m"),
        today=here.now().astimezone(here.zone(agency)).date(),
        weekdays=WEEKDAYS,
        weeks=_weeks(first, here.store.plan_calendar.days(agency, first, last)),
        held=here.store.plan_calendar.paused(agency),
        chosen_day=since if day else None,
        columns=COLUMNS,
        rows=rows,
        next=following,
        states=STATES,
    )


@router.get("/plans.csv")
def export(
    here: Here, visitor: Viewer, agency: OneAgency, month: Word = "", day: Word = "", status: Word = ""
) -> Response:
    visitor.did("export", "plans", agency=agency)
    since, until = _span_of_day(day) or _span(here, agency, month)

    def fetch(after: tuple[date, str, str] | None, limit: int) -> Sequence[Row]:
        calendar = here.store.plan_calendar
        found = calendar.instalments(agency, since, until, status=status or None, after=after, limit=limit)
        return [(agency, one) for one in found]

    return as_file(f"cuotas-{agency}", COLUMNS, each(fetch, lambda row: row[1].place))


def _span(here: Surroundings, agency: str, month: str) -> tuple[date, date]:
    """First and last day of the month that is asked for, else of this one."""
    try:
        first = date.fromisoformat(f"{month}-01") if month else here.now().astimezone(here.zone(agency)).date()
        first = first.replace(day=1)
        return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    except (ValueError, OverflowError):
        raise ConsoleRefusal(month) from None


def _span_of_day(day: str) -> tuple[date, date] | None:
    try:
        chosen = date.fromisoformat(day) if day else None
    except ValueError:
        raise ConsoleRefusal(day) from None
    return (chosen, chosen) if chosen else None


def _weeks(first: date, due: Sequence[DueDay]) -> list[list[Square]]:
    by_day: dict[date, list[DueDay]] = defaultdict(list)
    for one in due:
        by_day[one.day].append(one)
    return [
        [Square(day, day.month == first.month, tuple(by_day.get(day, ()))) for day in week]
        for week in Calendar().monthdatescalendar(first.year, first.month)
    ]


@router.get("/plans/{agency}/{booking}")
def one(request: Request, here: Here, visitor: Viewer, agency: str, booking: str) -> Response:
    return _plan_page(request, here, visitor, agency, booking)


def _plan_page(
    request: Request,
    here: Surroundings,
    visitor: Visitor,
    agency: str,
    booking: str,
    *,
    status: int = 200,
    wrong: tuple[str, str] = ("", ""),
    typed: dict[str, str] | None = None,
) -> Response:
    """`wrong` is the field that is wrong and why, `typed` what stood in the form."""
    return list_page(
        request,
        "plans/one.html",
        status,
        agency=agency,
        booking=booking,
        plan=_plan(here, visitor, agency, booking),
        may_order=visitor.may(Role.OPERATOR),
        wrong=wrong,
        typed=typed or {},
    )


def _plan(here: Surroundings, visitor: Visitor, agency: str, booking: str) -> PlanShown:
    visitor.must_see(agency)
    try:
        return show_plan(here, visitor.acting, agency, booking)
    except NotFound:
        raise NotHere from None


@router.post("/plans/{agency}/{booking}/orders")
async def give_order(
    request: Request,
    here: Here,
    visitor: Operator,
    agency: str,
    booking: str,
    kind: Annotated[OrderKind, Form(alias="order")],
    why: Annotated[str, Form(max_length=1_000)] = "",
    instalment: Annotated[str, Form(max_length=200)] = "",
    amount: Annotated[str, Form(max_length=30)] = "",
) -> Response:
    """The same order as `bookings plan …`: told to the plan's workflow, refused in its words."""
    plan = await run_in_threadpool(_plan, here, visitor, agency, booking)
    typed = {"order": kind, "why": why, "instalment": instalment, "amount": amount}

    async def refused(field: str, text: str, status: int) -> Response:
        return await run_in_threadpool(
            _plan_page, request, here, visitor, agency, booking, status=status, wrong=(field, text), typed=typed
        )

    if len(why.strip()) < 10:
        return await refused("why", visitor.say(TOO_SHORT), 422)
    try:
        wanted = _amount(amount, plan) if amount.strip() else None
    except ValueError:
        return await refused("amount", visitor.say(WRONG_AMOUNT), 422)
    given = PlanCommand(order=kind, by=visitor.name, why=why.strip(), instalment_id=instalment or None, amount=wanted)
    try:
        done = await order(here, visitor.acting, agency, booking, given)
    except DeskError as refusal:
        return await refused("order", str(refusal), 409)
    return back_to(f"/plans/{agency}/{booking}", ("good", done.answer))


def _amount(text: str, plan: PlanShown) -> Money:
    """In major units, with comma or point. Raises `ValueError`."""
    try:
        value = Decimal(text.strip().replace(",", "."))
        money = Money.of_decimal(value, plan.instalments[0].amount.currency)
    except InvalidOperation:
        raise ValueError(text) from None
    if money.amount <= 0 or money.decimal != value:
        raise ValueError(text)
    return money
