"""The console as an ASGI application: every area of `pages` behind sign-in, forgery checks and guarded answers (DESIGN 7)."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from temporalio.client import Client

from starter.api import app as api
from starter.console import assets
from starter.console.areas import every_area
from starter.console.codec import add_codec
from starter.console.forgery import from_our_pages, visit_of
from starter.console.headers import GuardedAnswers
from starter.console.refusals import ConsoleRefusal, Forged, NotAllowed, NotHere, SignInNeeded
from starter.console.rendering import back_to, page
from starter.console.visiting import Surroundings, cookie_name
from starter.desk import refusals as desk
from starter.desk.acting import BackOffice
from starter.serving import UNSEEN
from store import Store
from store.installation import Installation

log = logging.getLogger(__name__)

SIGN_IN = "/sign-in"


def _utc_now() -> datetime:
    return datetime.now(UTC)


def build_console(
    installation: Installation,
    store: Store,
    *,
    connect: Callable[[], Awaitable[Client]],
    now: Callable[[], datetime] = _utc_now,
) -> FastAPI:
    """The ASGI application. `connect` makes a Temporal client and raises `RuntimeError` when nobody answers."""
    areas, connect = every_area(), _once(connect)
    app = FastAPI(
        title="Booking orchestrator: console", docs_url=None, redoc_url=None, openapi_url=None, telemetry=UNSEEN
    )
    app.state.surroundings = Surroundings(installation, store, connect, now, areas)
    console = installation.console
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=_hosts(installation), www_redirect=False)
    app.add_middleware(GuardedAnswers, over_https=console.over_https)
    for area in areas:
        app.include_router(area.router, dependencies=[Depends(from_our_pages)])

    add_codec(app, installation)

    @app.middleware("http")
    async def mark_visit(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        """Give a new browser the secret that its first form proves itself with."""
        if request.url.path.startswith(("/static/", "/api/")) or visit_of(request):
            return await call_next(request)
        request.state.visit = secrets.token_urlsafe(24)
        answer = await call_next(request)
        answer.set_cookie(
            cookie_name(installation, "visit"),
            request.state.visit,
            httponly=True,
            secure=console.over_https,
            samesite="lax",
            path="/",
        )
        return answer

    @app.get("/static/{name:path}", include_in_schema=False)
    def static(name: str) -> Response:
        return assets.serve(name)

    @app.get("/health/live", include_in_schema=False)
    def live() -> dict[str, str]:
        return {"status": "ok"}

    app.mount(api.PREFIX, api.build_api(BackOffice(installation, store, connect, now)))
    app.add_exception_handler(ConsoleRefusal, _answer_refusal)
    app.add_exception_handler(desk.DeskError, _answer_desk)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(RequestValidationError, _answer_bad_request)
    app.add_exception_handler(SQLAlchemyError, _answer_store_away)
    app.add_exception_handler(Exception, _answer_defect)
    return app


def _hosts(installation: Installation) -> list[str]:
    """Names under which the console answers; another name in `Host` is somebody's trick with DNS."""
    console = installation.console
    if console.public_url is None and console.host in ("0.0.0.0", "::"):  # noqa: S104 compared, not bound
        return ["*"]
    named = urlsplit(console.url).hostname or console.host
    return sorted({named, console.host, "127.0.0.1", "localhost"})


def _once(connect: Callable[[], Awaitable[Client]]) -> Callable[[], Awaitable[Client]]:
    """One client for the process, made when it is first needed; a failure is not remembered."""
    made: list[Client] = []
    making = asyncio.Lock()

    async def connected() -> Client:
        async with making:
            if not made:
                made.append(await connect())
        return made[0]

    return connected


async def _answer_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, ConsoleRefusal)
    match error:
        case SignInNeeded():
            return _to_sign_in(request)
        case NotAllowed():
            return await asyncio.to_thread(page, request, "faults/not_allowed.html", 403)
        case Forged():
            return await asyncio.to_thread(page, request, "faults/forged.html", 403)
        case NotHere():
            return await asyncio.to_thread(page, request, "faults/not_here.html", 404)
    return await asyncio.to_thread(page, request, "faults/wrong.html", error.status)


def _to_sign_in(request: Request) -> Response:
    """To the form, and from there back to what was asked for if that was a page."""
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = f"?next={quote(target)}" if request.method == "GET" and target != "/" else ""
    if "hx-request" in request.headers:  # a part of a page that lies open: the whole page has to go there
        return Response(status_code=204, headers={"HX-Redirect": SIGN_IN})
    return Response(status_code=303, headers={"Location": SIGN_IN + back})


async def _answer_desk(request: Request, error: Exception) -> Response:
    """What the desk does not do: a look gets a page that says so; after an action it stands above the page that asked."""
    match error:
        case desk.NotFound():
            return await _answer_refusal(request, NotHere())
        case desk.NotAllowed():
            return await _answer_refusal(request, NotAllowed())
    if request.method != "GET":
        return back_to(_asking_page(request), ("bad", str(error)))
    status = 503 if isinstance(error, desk.Away) else 400
    return await asyncio.to_thread(page, request, "faults/wrong.html", status)


def _asking_page(request: Request) -> str:
    """The page whose form was sent, as the browser tells; ours was proved before any action."""
    referer = urlsplit(request.headers.get("referer", ""))
    return (referer.path or "/") + (f"?{referer.query}" if referer.query else "")


async def _answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    template = "faults/not_here.html" if error.status_code == 404 else "faults/wrong.html"
    return await asyncio.to_thread(page, request, template, error.status_code)


async def _answer_bad_request(request: Request, _: Exception) -> Response:
    return await asyncio.to_thread(page, request, "faults/wrong.html", 400)


async def _answer_store_away(request: Request, error: Exception) -> Response:
    log.error("%s %s: the store does not answer: %s", request.method, request.url.path, type(error).__name__)
    return Response("The store does not answer; try again in a moment.", 503, {"Retry-After": "10"}, "text/plain")


async def _answer_defect(request: Request, error: Exception) -> Response:
    log.error("%s %s", request.method, request.url.path, exc_info=error)
    return Response("Something went wrong here; it is in the log.", 500, media_type="text/plain")
