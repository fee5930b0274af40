"""The inbox: what came in, what became of it, its raw body, and handing it on again (contracts: platform-events 3)."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from domain.people import Role
from starter.console import labels
from starter.console.areas import Area, Link
from starter.console.languages import N_
from starter.console.listing import Column, as_file, each
from starter.console.masking import covered, laid_out
from starter.console.refusals import NotHere
from starter.console.rendering import back_to, page
from starter.console.visiting import ChosenAgencies, Here, Supervisor, Viewer
from store.event_lists import ListedEvent
from store.events import EventFilter

router = APIRouter()
AREA = Area("events", router, (Link("/events", N_("Eventos"), "system", 10),))

AT_A_TIME = 50
STATES = ("applied", "superseded", "repeated", "parked")
labels.add(
    "event_state",
    {
        "applied": N_("aplicado"),
        "superseded": N_("superado por otro más nuevo"),
        "repeated": N_("repetido"),
        "parked": N_("espera una decisión"),
    },
)

Word = Annotated[str | None, Query(max_length=200)]


@router.get("/events")
def listed(
    request: Request,
    here: Here,
    visitor: Viewer,
    agencies: ChosenAgencies,
    kind: Word = None,
    state: Word = None,
    booking: Word = None,
    waiting: Literal["yes", ""] = "",
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    found = here.store.event_lists.page(
        agencies,
        kind=(kind or "").strip() or None,
        state=state or None,
        booking_id=(booking or "").strip() or None,
        waiting=waiting == "yes",
        before=before,
        limit=AT_A_TIME + 1,
    )
    older = found[AT_A_TIME - 1].position if len(found) > AT_A_TIME else None
    return page(request, "events/list.html", events=found[:AT_A_TIME], older=older, states=STATES)


COLUMNS: tuple[Column[ListedEvent], ...] = (
    Column("received_at", N_("Recibido"), lambda row: row.received_at),
    Column("occurred_at", N_("Ocurrido"), lambda row: row.occurred_at),
    Column("agency", N_("Agencia"), lambda row: row.agency),
    Column("event", N_("Evento"), lambda row: row.event_id),
    Column("kind", N_("Tipo"), lambda row: row.kind),
    Column("about", N_("Sobre"), lambda row: row.aggregate_id),
    Column("revision", N_("Revisión"), lambda row: row.revision),
    Column("booking", N_("Reserva"), lambda row: row.booking_id),
    Column("experience", N_("Experiencia"), lambda row: row.experience_id),
    Column("state", N_("Estado"), lambda row: row.state),
    Column("problem", N_("Problema"), lambda row: row.problem),
    Column("handed_on_at", N_("Entrega"), lambda row: row.handed_on_at),
    Column("workflow", N_("Proceso"), lambda row: row.workflow_id),
)


@router.get("/events.csv")
def export(
    here: Here,
    visitor: Viewer,
    agencies: ChosenAgencies,
    kind: Word = None,
    state: Word = None,
    booking: Word = None,
    waiting: Literal["yes", ""] = "",
) -> Response:
    """What the filter finds, whole, without the bodies."""
    visitor.did("export", "events")

    def fetch(before: int | None, limit: int) -> list[ListedEvent]:
        return here.store.event_lists.page(
            agencies,
            kind=(kind or "").strip() or None,
            state=state or None,
            booking_id=(booking or "").strip() or None,
            waiting=waiting == "yes",
            before=before,
            limit=limit,
        )

    return as_file("eventos", COLUMNS, each(fetch, lambda row: row.position))


@router.get("/events/{agency}/{event_id}")
def one(request: Request, here: Here, visitor: Viewer, agency: str, event_id: str) -> Response:
    """The raw body is for supervisors; others see it with everything personal covered."""
    visitor.must_see(agency)
    event, line = here.store.inbox.get(agency, event_id), here.store.event_lists.get(agency, event_id)
    if event is None or line is None:
        raise NotHere
    raw = visitor.person.may(Role.SUPERVISOR)
    if raw:
        visitor.did("event.read", event_id, agency=agency)
    body = laid_out(event.body) if raw else covered(event.body)
    return page(request, "events/one.html", event=line, body=body, raw=raw, digest=event.digest)


@router.post("/events/{agency}/{event_id}/again")
def again(request: Request, here: Here, visitor: Supervisor, agency: str, event_id: str) -> Response:
    """Put it into the outbox again; the gateway hands it on, and what its workflow has seen changes nothing."""
    visitor.must_see(agency)
    event = here.store.inbox.get(agency, event_id)
    if event is None:
        raise NotHere
    chosen = here.store.inbox.redispatch(EventFilter(agency=agency, event_ids=[event_id]))
    visitor.did("event.replay", event_id, agency=agency, outcome="done" if chosen else "refused")
    place = f"/events/{agency}/{event_id}"
    if not chosen:
        return back_to(
            place, ("bad", visitor.say("Este evento no se puede entregar ahora: espera ya, o está por decidir."))
        )
    return back_to(place, ("good", visitor.say("El evento se entrega otra vez en unos segundos.")))
