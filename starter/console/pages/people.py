"""Who may sign in: roles, agencies, locks, sessions (DESIGN 7). For administrators."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from domain.errors import Refused
from domain.people import Role
from starter.console.areas import Area, Link
from starter.console.languages import N_
from starter.console.refusals import NotHere
from starter.console.rendering import back_to, page
from starter.console.visiting import Administrator, Here, Surroundings, Visitor
from store.people import PersonEntry

router = APIRouter()
AREA = Area("people", router, (Link("/people", N_("Personas"), "system", 80, Role.ADMINISTRATOR),))

WAY = "console"
Chosen = Annotated[list[str] | None, Form()]
Why = Annotated[str, Form(max_length=500)]


@router.get("/people")
def listed(request: Request, here: Here, visitor: Administrator) -> Response:
    console = here.installation.console
    sessions = here.store.sessions.list(idle=console.idle, longest=console.longest)
    return page(request, "people/list.html", people=here.store.people.list(), sessions=sessions)


@router.post("/people")
def add(
    request: Request,
    here: Here,
    visitor: Administrator,
    name: Annotated[str, Form(max_length=200)],
    role: Annotated[Role, Form()],
    agencies: Chosen = None,
    every: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """A new person with a first password, which is shown this once."""
    password = secrets.token_urlsafe(12)
    try:
        added = here.store.people.add(
            name.strip(), role, _scope(here, agencies, every), password=password, by=visitor.name, way=WAY
        )
    except Refused as error:
        return back_to("/people", ("bad", error.message))
    return _shown(request, here, added.name, password)


@router.get("/people/{name}")
def one(request: Request, here: Here, visitor: Administrator, name: str) -> Response:
    return _shown(request, here, name)


@router.post("/people/{name}/role")
def change_role(
    here: Here,
    visitor: Administrator,
    name: str,
    role: Annotated[Role, Form()],
    why: Why = "",
    agencies: Chosen = None,
    every: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    found = _known(here, name)
    try:
        here.store.people.set_role(name, role, _scope(here, agencies, every), by=visitor.name, way=WAY, why=why)
    except Refused as error:
        return back_to(f"/people/{name}", ("bad", error.message))
    said = visitor.say("Papel cambiado; las sesiones de %(name)s han terminado.", name=found.person.name)
    return back_to(f"/people/{name}", ("good", said))


@router.post("/people/{name}/lock")
def lock(here: Here, visitor: Administrator, name: str, why: Why) -> Response:
    _known(here, name)
    try:
        here.store.people.lock(name, by=visitor.name, why=why, way=WAY)
    except Refused as error:
        return back_to(f"/people/{name}", ("bad", error.message))
    return back_to(f"/people/{name}", ("good", visitor.say("Bloqueado; sus sesiones han terminado.")))


@router.post("/people/{name}/unlock")
def unlock(here: Here, visitor: Administrator, name: str) -> Response:
    _known(here, name)
    here.store.people.unlock(name, by=visitor.name, way=WAY)
    return back_to(f"/people/{name}", ("good", visitor.say("Puede entrar otra vez.")))


@router.post("/people/{name}/password")
def new_password(request: Request, here: Here, visitor: Administrator, name: str) -> Response:
    """A new first password, shown this once; open sessions end."""
    found = _known(here, name)
    password = secrets.token_urlsafe(12)
    here.store.people.set_password(name, password, by=visitor.name, way=WAY)
    return _shown(request, here, found.person.name, password)


@router.post("/people/{name}/sessions/end")
def end_sessions(here: Here, visitor: Administrator, name: str) -> Response:
    _known(here, name)
    number = here.store.sessions.end_all(name)
    _ended(visitor, name)
    return back_to(f"/people/{name}", ("good", visitor.say("Sesiones terminadas: %(number)s.", number=number)))


def _ended(visitor: Visitor, name: str) -> None:
    visitor.did("user.sessions", name)


def _shown(request: Request, here: Surroundings, name: str, password: str | None = None) -> Response:
    """The page of a person; with a password just made, which no other answer ever shows."""
    found = _known(here, name)
    console = here.installation.console
    return page(
        request,
        "people/one.html",
        found=found,
        password=password,
        sessions=here.store.sessions.list(found.person.name, idle=console.idle, longest=console.longest),
        deeds=here.store.audit_trail.list(object_=found.person.name, limit=20),
    )


def _known(here: Surroundings, name: str) -> PersonEntry:
    found = here.store.people.get(name)
    if found is None:
        raise NotHere
    return found


def _scope(here: Surroundings, agencies: list[str] | None, every: str) -> list[str] | None:
    """The agencies that were ticked and exist; None for all."""
    if every == "yes":
        return None
    return [agency for agency in agencies or () if agency in here.installation.agencies]
