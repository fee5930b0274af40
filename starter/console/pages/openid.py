"""The way to an OpenID Connect provider and back (docs/console.md)."""

from __future__ import annotations

import logging
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from domain.errors import Refused
from starter.console.areas import Area
from starter.console.languages import speaker
from starter.console.openid import BACK, Journey, NotLetIn, OpenIdProvider
from starter.console.pages.signing import let_in
from starter.console.refusals import NotHere
from starter.console.rendering import back_to, local
from starter.console.visiting import Here, Surroundings, cookie_name, language_of
from store.audit_trail import Deed

log = logging.getLogger(__name__)

router = APIRouter()
AREA = Area("openid", router)

JOURNEY_SECONDS = 600
Word = Annotated[str | None, Query(max_length=4_000)]


@router.get("/sign-in/openid")
def leave(request: Request, here: Here) -> Response:
    """To the provider, with a journey in this browser's cookie."""
    provider = _provider(request, here)
    journey = Journey.begin(local(request.query_params.get("next")))
    try:
        answer = RedirectResponse(provider.door(journey), 303)
    except NotLetIn as trouble:
        return _refused(request, here, str(trouble))
    console = here.installation.console
    answer.set_cookie(
        cookie_name(here.installation, "journey"),
        journey.kept(),
        max_age=JOURNEY_SECONDS,
        httponly=True,
        secure=console.over_https,
        samesite="lax",
        path="/",
    )
    return answer


@router.get(BACK)
def come_back(request: Request, here: Here, code: Word = None, state: Word = None, error: Word = None) -> Response:
    provider = _provider(request, here)
    kept = request.cookies.get(cookie_name(here.installation, "journey"))
    try:
        journey = Journey.read(kept, state)
        if not code:
            raise NotLetIn(f"the provider says {(error or 'nothing')[:60]}")
        arrival = provider.arrival(journey, code)
        person = here.store.people.arrived(arrival.subject, arrival.name, arrival.role, arrival.agencies)
    except (NotLetIn, Refused) as trouble:
        return _refused(request, here, str(trouble))
    answer = let_in(request, here, person.name, journey.next)
    answer.delete_cookie(cookie_name(here.installation, "journey"), path="/")
    return answer


def _provider(request: Request, here: Surroundings) -> OpenIdProvider:
    """The one of this process. Raises `NotHere` where none is configured."""
    console = here.installation.console
    if console.openid is None:
        raise NotHere
    state = request.app.state
    if not hasattr(state, "openid"):
        state.openid = OpenIdProvider(console.openid, console.url)
    found: OpenIdProvider = state.openid
    return found


def _refused(request: Request, here: Surroundings, why: str) -> Response:
    log.warning("sign-in with OpenID Connect: %s", why)
    here.store.audit_trail.write(Deed("openid", "sign-in", "openid", "refused", why))
    say = speaker(language_of(request))
    return back_to("/sign-in", ("bad", say("No se ha podido entrar así. Pregunte a su administrador.")))
