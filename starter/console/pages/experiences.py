"""Experiences with sale, nested costs and margin, and what payers owe by age, as tables and as charts (money-rules 1.2, M7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from domain import naming
from domain.money import Money
from domain.reporting import Ages, Figures, summed
from starter.console import labels
from starter.console.areas import Area, Link
from starter.console.languages import N_
from starter.console.listing import After, Column, OneAgency, Word, as_file, day_of, each, list_page, page_of, place_of
from starter.console.visiting import Here, Surroundings, Viewer
from store.booking_lists import ListedExperience
from store.receivables import Debt, DebtPlace

router = APIRouter()
AREA = Area(
    "experiences",
    router,
    (
        Link("/experiences", N_("Experiencias"), "work", 30),
        Link("/receivables", N_("Pendiente de cobro"), "money", 40),
    ),
)
SIZE = 25
DEBTS = 50
STATES = ("draft", "on_sale", "confirmed", "cancelled", "completed")
AGES = (
    ("not_due", N_("Sin vencer")),
    ("days_0_30", N_("0 a 30 días")),
    ("days_31_60", N_("31 a 60 días")),
    ("days_61_90", N_("61 a 90 días")),
    ("over_90", N_("Más de 90 días")),
    ("owed", N_("A favor de pagadores")),
)

labels.add(
    "experience_status",
    {
        "draft": N_("borrador"),
        "on_sale": N_("a la venta"),
        "confirmed": N_("confirmada"),
        "cancelled": N_("cancelada"),
        "completed": N_("finalizada"),
    },
)


@dataclass(frozen=True, slots=True)
class Row:
    """An experience in one currency; without figures while nothing of it is sold."""

    agency: str
    experience: ListedExperience
    bookings: int
    figures: Figures | None


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which experiences are meant; days are those of the departure, both inclusive."""

    experience: str | None
    status: str | None
    departs_from: date | None
    departs_to: date | None


def chosen(experience: Word = "", status: Word = "", since: Word = "", until: Word = "") -> Chosen:
    return Chosen(experience or None, status or None, day_of(since), day_of(until))


def _bookings(row: Row) -> str:
    return f"/bookings?agency={row.agency}&experience={row.experience.experience_id}"


def _of(name: str) -> Any:
    return lambda row: row.figures and getattr(row.figures, name)


COLUMNS: tuple[Column[Row], ...] = (
    Column("experience", N_("Experiencia"), lambda row: row.experience.experience_id, "id", link=_bookings),
    Column("title", N_("Título"), lambda row: row.experience.title),
    Column("status", N_("Estado"), lambda row: row.experience.status, "badge", "experience_status"),
    Column("departs_on", N_("Salida"), lambda row: row.experience.departs_on, "day"),
    Column("bookings", N_("Reservas"), lambda row: row.bookings, "number"),
    Column("sale", N_("Venta"), _of("sale"), "money"),
    Column("cost_estimated", N_("Coste estimado"), _of("cost_estimated"), "money"),
    Column("cost_confirmed", N_("Coste confirmado"), _of("cost_confirmed"), "money"),
    Column("cost_invoiced", N_("Coste facturado"), _of("cost_invoiced"), "money"),
    Column("margin", N_("Margen"), _of("margin"), "money"),
    Column("margin_percent", N_("Margen %"), _of("margin_percent"), "percent"),
    Column("collected", N_("Cobrado"), _of("collected"), "money"),
    Column("refunded", N_("Devuelto"), _of("refunded"), "money"),
    Column("pending", N_("Pendiente"), _of("pending"), "money"),
    Column(
        "workflow",
        N_("Proceso"),
        lambda row: naming.experience_workflow(row.agency, row.experience.experience_id),
        "workflow",
    ),
)
DEBT_COLUMNS: tuple[Column[tuple[str, Debt]], ...] = (
    Column(
        "booking",
        N_("Reserva"),
        lambda row: row[1].booking_id,
        "id",
        link=lambda row: f"/bookings/{row[0]}/{row[1].booking_id}",
    ),
    Column("locator", N_("Localizador"), lambda row: row[1].locator, "id"),
    Column("status", N_("Estado"), lambda row: row[1].status, "badge", "booking_status"),
    Column("experience", N_("Experiencia"), lambda row: row[1].experience_id, "id"),
    Column("departs_on", N_("Salida"), lambda row: row[1].departs_on, "day"),
    Column("pending", N_("Pendiente"), lambda row: row[1].pending, "money"),
    Column("workflow", N_("Proceso"), lambda row: naming.booking_workflow(row[0], row[1].booking_id), "workflow"),
)


def _rows(
    here: Surroundings, agency: str, wanted: Chosen, after: tuple[date, str] | None, limit: int
) -> list[list[Row]]:
    """Of each experience a row per currency."""
    found = here.store.booking_lists.experiences(
        agency,
        experience=wanted.experience,
        status=wanted.status,
        departs_from=wanted.departs_from,
        departs_to=wanted.departs_to,
        after=after,
        limit=limit,
    )
    sums = here.store.added_figures.of_experiences(agency, [one.experience_id for one in found], invoiced=False)
    return [
        [Row(agency, one, each.bookings, each.figures) for each in sums.get(one.experience_id, ())]
        or [Row(agency, one, 0, None)]
        for one in found
    ]


def _place(rows: list[Row]) -> tuple[date, str]:
    return rows[0].experience.place


@router.get("/experiences")
def index(
    request: Request,
    here: Here,
    visitor: Viewer,
    agency: OneAgency,
    wanted: Chosen = Depends(chosen),  # noqa: B008 FastAPI's way
    after: After = "",
) -> Response:
    found = _rows(here, agency, wanted, place_of(after, date.fromisoformat, str), SIZE + 1)
    shown, following = page_of(found, SIZE, _place)
    rows = [row for rows in shown for row in rows]
    sold = [(row.figures.sale.currency, row.figures) for row in rows if row.figures]
    return list_page(
        request,
        "experiences/index.html",
        agency=agency,
        columns=COLUMNS,
        rows=rows,
        next=following,
        states=STATES,
        totals=summed(sold),
        margins=_margins(rows),
    )


def _margins(rows: list[Row]) -> dict[str, list[tuple[str, Money]]]:
    """Currency → name and margin of each experience shown."""
    found: dict[str, list[tuple[str, Money]]] = {}
    for row in rows:
        if row.figures is not None:
            margin = row.figures.margin
            found.setdefault(margin.currency, []).append((row.experience.title or row.experience.experience_id, margin))
    return found


@router.get("/experiences.csv")
def export(
    here: Here,
    visitor: Viewer,
    agency: OneAgency,
    wanted: Chosen = Depends(chosen),  # noqa: B008 FastAPI's way
) -> Response:
    visitor.did("export", "experiences", agency=agency)
    found = each(lambda after, limit: _rows(here, agency, wanted, after, limit), _place)
    return as_file(f"experiencias-{agency}", COLUMNS, (row for rows in found for row in rows))


@router.get("/receivables")
def receivables(
    request: Request, here: Here, visitor: Viewer, agency: OneAgency, owed: Word = "", after: After = ""
) -> Response:
    place = place_of(after, int, str, str)
    zone = here.zone(agency)
    debts = here.store.receivables.debts(agency, owed=bool(owed), after=place, limit=DEBTS + 1)
    rows, following = page_of([(agency, debt) for debt in debts], DEBTS, _debt_place)
    ages = here.store.receivables.ages(agency, zone, here.now().astimezone(zone).date())
    return list_page(
        request,
        "experiences/receivables.html",
        agency=agency,
        columns=DEBT_COLUMNS,
        rows=rows,
        next=following,
        owed=bool(owed),
        ages={currency: _by_age(each) for currency, each in ages.items()},
    )


def _by_age(ages: Ages) -> list[tuple[str, Money]]:
    return [(title, getattr(ages, name)) for name, title in AGES]


def _debt_place(row: tuple[str, Debt]) -> DebtPlace:
    return row[1].place


@router.get("/receivables.csv")
def export_receivables(here: Here, visitor: Viewer, agency: OneAgency, owed: Word = "") -> Response:
    visitor.did("export", "receivables", agency=agency)

    def fetch(after: DebtPlace | None, limit: int) -> list[tuple[str, Debt]]:
        found = here.store.receivables.debts(agency, owed=bool(owed), after=after, limit=limit)
        return [(agency, debt) for debt in found]

    return as_file(f"pendiente-{agency}", DEBT_COLUMNS, each(fetch, _debt_place))
