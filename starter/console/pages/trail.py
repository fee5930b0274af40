"""The audit trail: who did what, when, on what, with which outcome and why. For administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from domain.people import Role
from starter.console import labels
from starter.console.areas import Area, Link
from starter.console.languages import N_
from starter.console.rendering import page
from starter.console.visiting import Administrator, ChosenAgencies, Here

router = APIRouter()
AREA = Area("trail", router, (Link("/trail", N_("Registro"), "system", 90, Role.ADMINISTRATOR),))

AT_A_TIME = 100
labels.add(
    "action",
    {
        "sign-in": N_("entrar"),
        "sign-out": N_("salir"),
        "user.add": N_("dar de alta a una persona"),
        "user.role": N_("cambiar el papel"),
        "user.lock": N_("bloquear"),
        "user.unlock": N_("desbloquear"),
        "user.password": N_("cambiar la contraseña"),
        "user.sessions": N_("terminar sesiones"),
        "event.read": N_("leer un evento sin tapar"),
        "event.replay": N_("entregar un evento otra vez"),
        "integration.check": N_("comprobar las integraciones"),
        "park.retry": N_("decidir: reintentar"),
        "park.skip": N_("decidir: seguir sin el paso"),
        "park.adopt": N_("decidir: adoptar"),
        "park.abandon": N_("decidir: abandonar"),
        "park.approve": N_("decidir: sí"),
        "park.decline": N_("decidir: no"),
        "park.take_ours": N_("decidir: lo nuestro"),
        "park.keep_theirs": N_("decidir: lo suyo"),
        "park.claim": N_("decidir: reclamar"),
        "park.write_off": N_("decidir: dar por perdido"),
    },
)

Word = Annotated[str | None, Query(max_length=300)]


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
