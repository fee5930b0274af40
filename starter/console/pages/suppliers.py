"""Suppliers' orders with what became of each (contracts: midoffice 2.7, 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import get_args

from fastapi import APIRouter, Request, Response

from domain import naming
from starter.console import labels
from starter.console.areas import Area, Link
from starter.console.languages import N_
from starter.console.listing import After, Column, OneAgency, Word, as_file, each, list_page, page_of, place_of
from starter.console.visiting import Here, Viewer
from store.supplier_orders import KnownOrder, OrderFate

router = APIRouter()
AREA = Area("suppliers", router, (Link("/suppliers/orders", N_("Pedidos a proveedores"), "work", 50),))
SIZE = 50
STATES: tuple[str, ...] = get_args(OrderFate)
Place = tuple[datetime, int]

labels.add(
    "order_status",
    {
        "completed": N_("confirmado"),
        "cancelled": N_("cancelado"),
        "processing": N_("en curso"),
        "rejected": N_("rechazado"),
        "failed": N_("fallido"),
        "noshow": N_("no se presentó"),
    },
)
labels.add(
    "order_fate",
    {
        "new": N_("nuevo"),
        "booking": N_("de una reserva"),
        "own": N_("se transfiere solo"),
        "transferred": N_("transferido sin reserva"),
        "listed": N_("solo en esta lista"),
    },
)


def _workflow(row: KnownOrder) -> str | None:
    """Of the booking, or of the order where no booking claims it; an order that is only listed has none."""
    if row.booking_id:
        return naming.booking_workflow(row.agency, row.booking_id)
    alone = row.state in ("own", "transferred")
    return naming.supplier_order(row.agency, row.supplier, row.order.order_id) if alone else None


COLUMNS: tuple[Column[KnownOrder], ...] = (
    Column("order", N_("Pedido"), lambda row: row.order.order_id, "id"),
    Column("our_id", N_("Nuestra referencia"), lambda row: row.order.partner_order_id, "id"),
    Column("supplier", N_("Proveedor"), lambda row: row.supplier, "label", "system"),
    Column("status", N_("Estado allí"), lambda row: row.order.status, "label", "order_status"),
    Column("state", N_("Qué fue de él"), lambda row: row.state, "badge", "order_fate"),
    Column(
        "booking",
        N_("Reserva"),
        lambda row: row.booking_id,
        "id",
        link=lambda row: f"/bookings/{row.agency}/{row.booking_id}" if row.booking_id else "",
    ),
    Column("payable", N_("A pagar"), lambda row: row.order.payable, "money"),
    Column("confirmed", N_("Coste confirmado"), lambda row: row.confirmed, "money"),
    Column("check_in", N_("Entrada"), lambda row: row.order.checkin, "day"),
    Column("modified_at", N_("Último cambio"), lambda row: row.order.modified_at, "moment"),
    Column("reason", N_("Motivo"), lambda row: row.reason),
    Column("workflow", N_("Proceso"), _workflow, "workflow"),
)


def _place(row: KnownOrder) -> Place:
    return row.order.modified_at, row.order.order_id


@router.get("/suppliers/orders")
def index(
    request: Request, here: Here, visitor: Viewer, agency: OneAgency, state: Word = "", after: After = ""
) -> Response:
    place = place_of(after, datetime.fromisoformat, int)
    found = here.store.supplier_orders.page(agency, state=state or None, after=place, limit=SIZE + 1)
    rows, following = page_of(found, SIZE, _place)
    return list_page(
        request, "suppliers/orders.html", agency=agency, columns=COLUMNS, rows=rows, next=following, states=STATES
    )


@router.get("/suppliers/orders.csv")
def export(here: Here, visitor: Viewer, agency: OneAgency, state: Word = "") -> Response:
    visitor.did("export", "supplier orders", agency=agency)

    def fetch(after: Place | None, limit: int) -> Sequence[KnownOrder]:
        return here.store.supplier_orders.page(agency, state=state or None, after=after, limit=limit)

    return as_file(f"pedidos-{agency}", COLUMNS, each(fetch, _place))
