"""What the mid-office has, what it does not have and why, and messages that are not settled (contracts: midoffice 1.3, 3.4)."""

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
from starter.transferred import mid_offices
from store.transfers import Transfer, TransferPlace, TransferState

router = APIRouter()
AREA = Area("midoffice", router, (Link("/midoffice", N_("Mid-office"), "work", 40),))
SIZE = 50
MESSAGES = 100
STATES: tuple[str, ...] = get_args(TransferState)

labels.add(
    "transfer_state",
    {
        "transferred": N_("transferido"),
        "queued": N_("en su cola"),
        "not_transferred": N_("no transferido"),
        "cancelled": N_("cancelado"),
    },
)
labels.add(
    "effect_state",
    {
        "intended": N_("en curso"),
        "unknown": N_("dudoso"),
        "queued": N_("en su cola"),
        "refused": N_("rechazado"),
        "done": N_("hecho"),
        "undone": N_("deshecho"),
    },
)

COLUMNS: tuple[Column[Transfer], ...] = (
    Column(
        "booking",
        N_("Reserva"),
        lambda row: row.booking_id,
        "id",
        link=lambda row: f"/bookings/{row.agency}/{row.booking_id}",
    ),
    Column("line", N_("Línea"), lambda row: row.line_id, "id"),
    Column("system", N_("Sistema"), lambda row: row.system, "label", "system"),
    Column("state", N_("Estado"), lambda row: row.state, "badge", "transfer_state"),
    Column("order", N_("Pedido"), lambda row: row.outside_id, "id"),
    Column("reason", N_("Motivo"), lambda row: row.reason, "told"),
    Column("updated_at", N_("Último cambio"), lambda row: row.updated_at, "moment"),
    Column("workflow", N_("Proceso"), lambda row: naming.booking_workflow(row.agency, row.booking_id), "workflow"),
)


@router.get("/midoffice")
def index(
    request: Request,
    here: Here,
    visitor: Viewer,
    agency: OneAgency,
    state: Word = "",
    booking: Word = "",
    after: After = "",
) -> Response:
    place = place_of(after, datetime.fromisoformat, str, str, str)
    found = here.store.transfers.page(
        agency, state=state or None, booking_id=booking or None, after=place, limit=SIZE + 1
    )  # fmt: skip
    rows, following = page_of(found, SIZE, lambda row: row.place)
    systems = mid_offices(here.installation, here.store, agency)
    return list_page(
        request,
        "midoffice/index.html",
        agency=agency,
        columns=COLUMNS,
        rows=rows,
        next=following,
        states=STATES,
        systems=sorted(systems),
        messages_open=here.store.effects.open_messages(agency, systems, MESSAGES),
    )


@router.get("/midoffice.csv")
def export(here: Here, visitor: Viewer, agency: OneAgency, state: Word = "", booking: Word = "") -> Response:
    visitor.did("export", "midoffice", agency=agency)

    def fetch(after: TransferPlace | None, limit: int) -> Sequence[Transfer]:
        return here.store.transfers.page(
            agency, state=state or None, booking_id=booking or None, after=after, limit=limit
        )

    return as_file(f"midoffice-{agency}", COLUMNS, each(fetch, lambda row: row.place))
