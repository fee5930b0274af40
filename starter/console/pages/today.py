"""What needs a person today, by deadline (docs/console.md)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from starter.console.areas import Area, Link
from starter.console.languages import N_
from starter.console.rendering import page
from starter.console.visiting import ChosenAgencies, Here, Viewer

router = APIRouter()
AREA = Area("today", router, (Link("/", N_("Hoy"), "work", 0),))


@router.get("/")
def today(request: Request, here: Here, visitor: Viewer, agencies: ChosenAgencies) -> Response:
    items = [item for agency in agencies for item in here.store.parked.list(agency)]
    return page(request, "today/index.html", items=sorted(items, key=lambda item: item.deadline))
