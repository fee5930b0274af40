"""The visitor's own account: password, sessions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from domain.errors import Refused
from starter.console.areas import Area
from starter.console.pages.signing import let_in
from starter.console.rendering import back_to, page
from starter.console.visiting import Here, Viewer

router = APIRouter()
AREA = Area("own", router)


@router.get("/me")
def account(request: Request, here: Here, visitor: Viewer) -> Response:
    console = here.installation.console
    sessions = here.store.sessions.list(visitor.name, idle=console.idle, longest=console.longest)
    return page(request, "own/account.html", sessions=sessions)


@router.post("/me/password")
def change_password(
    request: Request,
    here: Here,
    visitor: Viewer,
    password: Annotated[str, Form(max_length=1_000)],
    new: Annotated[str, Form(max_length=1_000)],
    again: Annotated[str, Form(max_length=1_000)],
) -> Response:
    """Other sessions end; this browser goes on with a new one."""
    if new != again:
        return back_to("/me", ("bad", visitor.say("Las dos contraseñas nuevas no coinciden.")))
    if here.store.people.sign_in(visitor.name, password).person is None:
        return back_to("/me", ("bad", visitor.say("La contraseña actual no es correcta.")))
    try:
        here.store.people.set_password(visitor.name, new, by=visitor.name, way="console")
    except Refused as error:
        return back_to("/me", ("bad", error.message))
    return let_in(request, here, visitor.name, "/me")


@router.post("/me/sessions/end")
def end_others(request: Request, here: Here, visitor: Viewer) -> Response:
    """Every session ends; this browser goes on with a new one."""
    here.store.sessions.end_all(visitor.name)
    visitor.did("user.sessions", visitor.name)
    return let_in(request, here, visitor.name, "/me")
