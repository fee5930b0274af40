"""Signing in with a name and a password, signing out, choosing a language."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from starter.console.areas import Area
from starter.console.forgery import visit_of
from starter.console.languages import LANGUAGES, N_, speaker
from starter.console.rendering import back_to, local, page
from starter.console.visiting import (
    Here,
    Surroundings,
    Viewer,
    cookie_name,
    language_of,
    token_of,
    visitor_or_none,
)
from store.audit_trail import Deed

router = APIRouter()
AREA = Area("signing", router)

NextPage = Annotated[str | None, Form(alias="next", max_length=2_000)]
WRONG = N_("El nombre o la contraseña no son correctos.")
PAUSED = N_("Demasiados intentos fallidos. Vuelva a intentarlo dentro de %(minutes)s min.")


@router.get("/sign-in")
def form(request: Request, here: Here) -> Response:
    if visitor_or_none(request):
        return back_to(local(request.query_params.get("next")))
    return _form(request, here)


@router.post("/sign-in")
def sign_in(
    request: Request,
    here: Here,
    name: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=1_000)],
    to: NextPage = None,
) -> Response:
    answer = here.store.people.sign_in(name, password)
    if answer.person is None:
        say = speaker(language_of(request))
        minutes = max(1, round(answer.wait.total_seconds() / 60))
        return _form(request, here, say(PAUSED, minutes=minutes) if answer.wait else say(WRONG), name, to)
    return let_in(request, here, answer.person.name, to)


def let_in(request: Request, here: Surroundings, name: str, to: str | None) -> Response:
    """A new session under a new token; whatever token the browser had opens nothing any more."""
    console = here.installation.console
    browser = request.headers.get("user-agent", "")
    token = here.store.sessions.begin(name, browser, instead_of=token_of(request))
    here.store.audit_trail.write(Deed(name, "sign-in", name))
    answer = back_to(local(to))
    answer.set_cookie(
        cookie_name(here.installation),
        token,
        max_age=int(console.longest.total_seconds()),
        httponly=True,
        secure=console.over_https,
        samesite="lax",
        path="/",
    )
    return answer


@router.post("/sign-out")
def sign_out(request: Request, here: Here, visitor: Viewer) -> Response:
    token = token_of(request)
    assert token is not None
    here.store.sessions.end(token)
    visitor.did("sign-out", visitor.name)
    answer = back_to("/sign-in")
    answer.delete_cookie(cookie_name(here.installation), path="/")
    return answer


@router.post("/language")
def choose_language(
    request: Request, here: Here, language: Annotated[str, Form(max_length=5)], to: NextPage = None
) -> Response:
    answer = back_to(local(to))
    if language in LANGUAGES:
        visitor = visitor_or_none(request)
        if visitor:
            here.store.people.set_language(visitor.name, language)
        answer.set_cookie("language", language, max_age=365 * 86_400, samesite="lax", path="/", httponly=True)
    return answer


def _form(request: Request, here: Surroundings, wrong: str = "", name: str = "", to: str | None = None) -> Response:
    return page(
        request,
        "signing/form.html",
        401 if wrong else 200,
        wrong=wrong,
        name=name,
        to=local(to or request.query_params.get("next")),
        openid=here.installation.console.openid,
        first_visit=visit_of(request) is None,
    )
