"""Bookings: finding them, and everything that happened to one in every system on one line of time (DESIGN 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from domain import naming
from domain.reporting import Figures
from starter.console import labels
from starter.console.areas import Area, Link
from starter.console.languages import N_
from starter.console.listing import After, Column, OneAgency, Word, as_file, day_of, each, list_page, page_of, place_of
from starter.console.refusals import NotHere
from starter.console.visiting import Here, Surroundings, Viewer
from store.booking_lists import BookingFilter, BookingPlace, ListedBooking

router = APIRouter()
AREA = Area("bookings", router, (Link("/bookings", N_("Reservas"), "work", 20),))
SIZE = 50
STATES = ("pending", "confirmed", "cancelled", "completed")

labels.add(
    "booking_status",
    {
        "pending": N_("pendiente"),
        "confirmed": N_("confirmada"),
        "cancelled": N_("cancelada"),
        "completed": N_("finalizada"),
    },
)
labels.add(
    "system",
    {
        "platform": N_("plataforma"),
        "office": N_("oficina"),
        "journal": N_("diario contable"),
        "giav": "GIAV",
        "tamara": "TAMARA",
        "kommo": "Kommo",
        "easycount": "EasyCount",
    },
)

labels.add(
    "happening",
    {
        "experience.cancelled": N_("experiencia cancelada"),
        "booking.created": N_("reserva creada"),
        "booking.modified": N_("reserva modificada"),
        "booking.service_changed": N_("servicio cambiado"),
        "booking.discount_applied": N_("descuento aplicado"),
        "booking.cancelled": N_("reserva cancelada"),
        "payment_plan.created": N_("plan de pagos creado"),
        "payment_plan.changed": N_("plan de pagos cambiado"),
        "payment.captured": N_("cobro capturado"),
        "payment.failed": N_("cobro fallido"),
        "payment.refunded": N_("devolución"),
        "payment.refund_failed": N_("devolución fallida"),
        "payment.chargeback": N_("contracargo"),
        "invoice": N_("factura"),
        "credit_note": N_("abono"),
        "penalty": N_("penalización"),
        "receipt": N_("recibo"),
        "line": N_("línea"),
        "answer": N_("respuesta"),
        "order": N_("pedido"),
        "deal": N_("negocio"),
        "create": N_("alta de la reserva"),
        "modify": N_("cambio de la reserva"),
        "cancel": N_("cancelación de la reserva"),
        "payment": N_("cobro"),
        "refund": N_("devolución"),
        "SA": N_("venta"),
        "RF": N_("reembolso"),
        "CX": N_("anulación"),
        "pause": N_("pausar"),
        "resume": N_("reanudar"),
        "skip": N_("saltar"),
        "stop": N_("detener"),
        "charge_now": N_("cobrar ahora"),
        "retry": N_("reintentar"),
        "adopt": N_("adoptar"),
        "abandon": N_("abandonar"),
        "approve": N_("aprobar"),
        "decline": N_("denegar"),
    },
)
labels.add(
    "state",
    {
        "applied": N_("aplicado"),
        "superseded": N_("sustituido"),
        "repeated": N_("repetido"),
        "parked": N_("espera a una persona"),
        "decided": N_("decidido"),
        "ordered": N_("ordenado"),
        "issued": N_("emitido"),
        "posted": N_("contabilizado"),
        "done": N_("hecho"),
        "partial": N_("en parte"),
        "undone": N_("deshecho"),
        "abandoned": N_("abandonado"),
        "intended": N_("en curso"),
        "unknown": N_("dudoso"),
        "queued": N_("en su cola"),
        "refused": N_("rechazado"),
        "transferred": N_("transferido"),
        "not_transferred": N_("no transferido"),
        "cancelled": N_("cancelado"),
    },
)


@dataclass(frozen=True, slots=True)
class Row:
    """A booking of the list with its money; the figures are those of its own currency."""

    agency: str
    booking: ListedBooking
    figures: Figures | None


def wanted(
    reference: Word = "", status: Word = "", experience: Word = "", since: Word = "", until: Word = ""
) -> BookingFilter:
    """The filter of an address; what was left empty does not matter."""
    return BookingFilter(reference or None, status or None, experience or None, day_of(since), day_of(until))


Wanted = Annotated[BookingFilter, Depends(wanted)]


def _path(row: Row) -> str:
    return f"/bookings/{row.agency}/{row.booking.booking_id}"


COLUMNS: tuple[Column[Row], ...] = (
    Column("booking", N_("Reserva"), lambda row: row.booking.booking_id, "id", link=_path),
    Column("locator", N_("Localizador"), lambda row: row.booking.locator, "id"),
    Column("status", N_("Estado"), lambda row: row.booking.status, "badge", "booking_status"),
    Column("departs_on", N_("Salida"), lambda row: row.booking.departs_on, "day"),
    Column(
        "experience",
        N_("Experiencia"),
        lambda row: row.booking.title or row.booking.experience_id,
        link=lambda row: f"/experiences?agency={row.agency}&experience={row.booking.experience_id}",
    ),
    Column("sale", N_("Venta"), lambda row: row.figures and row.figures.sale, "money"),
    Column("collected", N_("Cobrado"), lambda row: row.figures and row.figures.collected, "money"),
    Column("pending", N_("Pendiente"), lambda row: row.figures and row.figures.pending, "money"),
    Column("updated_at", N_("Último cambio"), lambda row: row.booking.updated_at, "moment"),
    Column(
        "workflow",
        N_("Proceso"),
        lambda row: naming.booking_workflow(row.agency, row.booking.booking_id),
        "workflow",
    ),
)


def _rows(here: Surroundings, agency: str, chosen: BookingFilter, after: BookingPlace | None, limit: int) -> list[Row]:
    found = here.store.booking_lists.bookings(agency, chosen, after=after, limit=limit)
    figures = here.store.added_figures.of_bookings(agency, [one.booking_id for one in found], invoiced=False)
    return [Row(agency, one, figures[one.booking_id][0] if one.booking_id in figures else None) for one in found]


@router.get("/bookings")
def index(
    request: Request, here: Here, visitor: Viewer, agency: OneAgency, chosen: Wanted, after: After = ""
) -> Response:
    place = place_of(after, datetime.fromisoformat, str)
    rows = _rows(here, agency, chosen, place, SIZE + 1)
    shown, following = page_of(rows, SIZE, lambda row: row.booking.place)
    return list_page(
        request, "bookings/index.html", agency=agency, columns=COLUMNS, rows=shown, next=following, states=STATES
    )


@router.get("/bookings.csv")
def export(here: Here, visitor: Viewer, agency: OneAgency, chosen: Wanted) -> Response:
    visitor.did("export", "bookings", agency=agency)
    rows = each(lambda after, limit: _rows(here, agency, chosen, after, limit), lambda row: row.booking.place)
    return as_file(f"reservas-{agency}", COLUMNS, rows)


@router.get("/bookings/{agency}/{booking}")
def one(request: Request, here: Here, visitor: Viewer, agency: str, booking: str) -> Response:
    visitor.must_see(agency)
    found = here.store.facts.booking(agency, booking)
    if found is None:
        raise NotHere
    planned = here.store.facts.plan(agency, booking) is not None
    workflows = [
        naming.booking_workflow(agency, booking),
        *([naming.plan_workflow(agency, booking)] if planned else []),
    ]
    return list_page(
        request,
        "bookings/one.html",
        agency=agency,
        booking=found,
        experience=here.store.facts.experience(agency, found.experience_id),
        figures=here.store.added_figures.of_bookings(agency, [booking])[booking],
        happenings=here.store.timelines.of_booking(agency, booking),
        planned=planned,
        workflows=workflows,
    )
