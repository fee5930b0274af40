"""What stopped for a person, and the person's answer (contracts: money-rules P10; docs/operations.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Form, Query, Request, Response

from domain.steps import Decision, DecisionTaken
from starter.console.areas import Area, Link
from starter.console.languages import N_
from starter.console.listing import Column, as_file
from starter.console.reasons import DECISIONS, KINDS, kind_of
from starter.console.rendering import back_to, page
from starter.console.visiting import ChosenAgencies, Here, Operator, Viewer
from starter.desk import parked

router = APIRouter()
AREA = Area("parked", router, (Link("/parked", N_("Por decidir"), "work", 10),))

AT_A_TIME = 50
MOST = 200
"""Items read at once for a file."""
FINAL: frozenset[str] = frozenset({"skip", "abandon", "write_off"})
"""Answers that nothing takes back; the person says once more that they are meant."""
OWNERS = ("accounting", "operations", "technical", "supervisor")

Word = Annotated[str | None, Query(max_length=100)]


@router.get("/parked")
def items(
    request: Request,
    here: Here,
    visitor: Viewer,
    agencies: ChosenAgencies,
    owner: Word = None,
    kind: Word = None,
    state: Literal["open", "closed", ""] = "open",
    booking: Annotated[str | None, Query(max_length=200)] = None,
    after: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    about = [each for each in here.store.attention.reasons(agencies) if kind_of(each).code == kind] if kind else None
    found = parked.list_items(
        here,
        visitor.acting,
        agency=agencies[0] if request.query_params.get("agency") else None,
        state=state or None,
        owner=owner or None,
        reasons=about,
        booking=(booking or "").strip() or None,
        after=after or None,
        limit=AT_A_TIME,
    )
    return page(request, "parked/list.html", found=found, kinds=KINDS, owners=OWNERS)


COLUMNS: tuple[Column[parked.ItemRow], ...] = (
    Column("item", N_("Código"), lambda row: row.item_id),
    Column("agency", N_("Agencia"), lambda row: row.agency),
    Column("state", N_("Estado"), lambda row: row.state),
    Column("reason", N_("Motivo"), lambda row: row.reason),
    Column("detail", N_("Detalle"), lambda row: row.detail),
    Column("step", N_("Paso"), lambda row: row.verb),
    Column("booking", N_("Reserva"), lambda row: row.booking_id),
    Column("experience", N_("Experiencia"), lambda row: row.experience_id),
    Column("payment", N_("Cobro"), lambda row: row.payment_id),
    Column("event", N_("Evento"), lambda row: row.event_id),
    Column("amount", N_("Importe"), lambda row: row.amount, "money"),
    Column("owner", N_("Responsable"), lambda row: row.owner),
    Column("since", N_("Desde"), lambda row: row.since),
    Column("deadline", N_("Plazo"), lambda row: row.deadline),
    Column("closed_at", N_("Cerrado"), lambda row: row.closed_at),
    Column("workflow", N_("Proceso"), lambda row: row.workflow_id),
)


@router.get("/parked.csv")
def export(
    request: Request,
    here: Here,
    visitor: Viewer,
    agencies: ChosenAgencies,
    owner: Word = None,
    kind: Word = None,
    state: Literal["open", "closed", ""] = "open",
    booking: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """What the filter finds, whole."""
    about = [each for each in here.store.attention.reasons(agencies) if kind_of(each).code == kind] if kind else None
    agency = agencies[0] if request.query_params.get("agency") else None
    visitor.did("export", "parked", agency=agency)

    def rows() -> Iterator[parked.ItemRow]:
        after: str | None = None
        while True:
            found = parked.list_items(
                here,
                visitor.acting,
                agency=agency,
                state=state or None,
                owner=owner or None,
                reasons=about,
                booking=(booking or "").strip() or None,
                after=after,
                limit=MOST,
            )
            yield from found.items
            if not found.next:
                return
            after = found.next

    return as_file("por-decidir", COLUMNS, rows())


@router.get("/parked/{item_id}")
def item(request: Request, here: Here, visitor: Viewer, item_id: str) -> Response:
    found = parked.show_item(here, visitor.acting, item_id)
    offered = [each for each in found.decisions if visitor.person.may(parked.needed_role(found.reason, each))]
    return page(request, "parked/item.html", item=found, offered=offered, answers=DECISIONS, final=FINAL)


@router.post("/parked/{item_id}")
async def decide(
    request: Request,
    here: Here,
    visitor: Operator,
    item_id: str,
    decision: Annotated[str, Form(max_length=20)],
    explanation: Annotated[str, Form(max_length=2_000)] = "",
    outside_id: Annotated[str, Form(max_length=200)] = "",
    meant: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """The same Update as `bookings park decide`; the item's own rules refuse what does not fit."""
    place = f"/parked/{item_id}"
    wrong = _wrong(decision, explanation, outside_id, meant)
    if wrong:
        return back_to(place, ("bad", visitor.say(wrong)))
    taken = DecisionTaken(
        item_id=item_id,
        decision=decision,
        by=visitor.name,
        explanation=explanation.strip(),
        outside_id=outside_id.strip() or None if decision == "adopt" else None,
    )
    await parked.decide(here, visitor.acting, taken)
    title = visitor.say(DECISIONS[decision][0])
    return back_to(place, ("good", visitor.say("Decisión tomada: %(decision)s.", decision=title)))


def _wrong(decision: str, explanation: str, outside_id: str, meant: str) -> str | None:
    """What is missing in the form."""
    if decision not in get_args(Decision):
        return N_("Elija una respuesta.")
    if not explanation.strip():
        return N_("Explique por qué: queda en el registro.")
    if decision == "adopt" and not outside_id.strip():
        return N_("Para adoptar un registro hace falta su identificador.")
    if decision in FINAL and meant != "yes":
        return N_("Esa respuesta no se puede deshacer: confirme que es lo que quiere.")
    return None
