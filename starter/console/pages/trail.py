"""The audit trail: who did what, when, on what, with which outcome and why. For administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from domain.people import Role
from starter.console.areas import Area, Link
from starter.console.languages import N_
from starter.console.listing import Column, as_file, each
from starter.console.rendering import page
from starter.console.visiting import Administrator, ChosenAgencies, Here
from store.audit_trail import AuditLine

router = APIRouter()
AREA = Area("trail", router, (Link("/trail", N_("Registro"), "system", 90, Role.ADMINISTRATOR),))

AT_A_TIME = 100
Word = Annotated[str | None, Query(max_length=300)]


COLUMNS: tuple[Column[AuditLine], ...] = (
    Column("at", N_("Fecha"), lambda row: row.at),
    Column("who", N_("Quién"), lambda row: row.deed.actor),
    Column("way", N_("Vía"), lambda row: row.deed.way),
    Column("agency", N_("Agencia"), lambda row: row.deed.agency),
    Column("action", N_("Acción"), lambda row: row.deed.action),
    Column("about", N_("Sobre"), lambda row: row.deed.object),
    Column("outcome", N_("Resultado"), lambda row: row.deed.outcome),
    Column("why", N_("Por qué"), lambda row: row.deed.why),
)


@router.get("/trail.csv")
def export(
    here: Here,
    visitor: Administrator,
    agencies: ChosenAgencies,
    actor: Word = None,
    object_: Annotated[str | None, Query(alias="object", max_length=300)] = None,
) -> Response:
    """What the filter finds, whole."""
    visitor.did("export", "trail")

    def fetch(before: int | None, limit: int) -> list[AuditLine]:
        return here.store.audit_trail.list(
            agencies,
            actor=(actor or "").strip() or None,
            object_=(object_ or "").strip() or None,
            before=before,
            limit=limit,
        )

    return as_file("registro", COLUMNS, each(fetch, lambda row: row.id))


@router.get("/trail")
def listed(
    request: Request,
    here: Here,
    visitor: Administrator,
    agencies: ChosenAgencies,
    actor: Word = None,
    object_: Annotated[str | None, Query(alias="object", max_length=300)] = None,
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    lines = here.store.audit_trail.list(
        agencies,
        actor=(actor or "").strip() or None,
        object_=(object_ or "").strip() or None,
        before=before,
        limit=AT_A_TIME + 1,
    )
    older = lines[AT_A_TIME - 1].id if len(lines) > AT_A_TIME else None
    return page(request, "trail/list.html", lines=lines[:AT_A_TIME], older=older)
