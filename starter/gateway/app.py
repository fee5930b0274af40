"""`POST /events`: verify, store, answer; then dispatch (contracts: platform-events 3.1). Health for orchestrators."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from temporalio.client import Client

from starter.deals import DealDispatcher
from starter.dispatch import Dispatcher
from starter.events import BrokenEnvelope, Receipt, agency_of_source, source_of, take_in
from starter.gateway import metrics, problems, signatures
from starter.gateway.deals import DealGateway
from starter.gateway.paid_pages import PaidPages
from starter.gateway.problems import Problem
from starter.gateway.suppliers import SupplierGateway
from starter.serving import UNSEEN
from store import Store
from store.installation import Installation, WebhookSecret
from workers.tracing import span_of

log = logging.getLogger(__name__)

LARGEST_BODY = 65_536
"""Bytes; the size that CloudEvents asks every intermediary to forward."""
CONTENT_TYPE = "application/cloudevents+json"
RETRY_AFTER = "10"
"""Seconds after which a sender shall come again when the database was away."""

_PROBLEM = {"content": {problems.MEDIA_TYPE: {"schema": problems.SCHEMA}}}
RESPONSES: dict[int | str, dict[str, object]] = {
    400: {"description": "Headers, clock or envelope are not acceptable", **_PROBLEM},
    401: {"description": "No secret of the event's account fits", **_PROBLEM},
    408: {"description": "The body did not come in time", **_PROBLEM},
    413: {"description": "Body above 65 536 bytes", **_PROBLEM},
    415: {"description": f"Content type is not {CONTENT_TYPE}", **_PROBLEM},
    503: {"description": "Not durable now; come again after Retry-After", **_PROBLEM},
}
SUPPLIER_RESPONSES: dict[int | str, dict[str, object]] = {
    400: {"description": "A field is missing or wrong", **_PROBLEM},
    401: {"description": "No key of an agency fits the signature, or its time is out of bounds", **_PROBLEM},
    408: {"description": "The body did not come in time", **_PROBLEM},
    413: {"description": "Body above 16 384 bytes", **_PROBLEM},
    500: {"description": "Not durable now; send it again", **_PROBLEM},
}
CRM_RESPONSES: dict[int | str, dict[str, object]] = {
    400: {"description": "A field is missing or wrong", **_PROBLEM},
    401: {"description": "The one-time token is not acceptable", **_PROBLEM},
    404: {"description": "No such address; also for a wrong secret or another account", **_PROBLEM},
    408: {"description": "The body did not come in time", **_PROBLEM},
    413: {"description": "Body above 1 048 576 bytes", **_PROBLEM},
    415: {"description": "A webhook is no form", **_PROBLEM},
    503: {"description": "Not durable now; send it again", **_PROBLEM},
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Gateway:
    """The receiver's steps, with everything they need injected. `nudge` wakes the dispatcher after a commit."""

    def __init__(
        self,
        installation: Installation,
        store: Store,
        *,
        now: Callable[[], datetime] = _utc_now,
        nudge: Callable[[], None] = lambda: None,
    ) -> None:
        self._installation = installation
        self._store = store
        self._now = now
        self._nudge = nudge

    async def receive(self, request: Request) -> Response:
        raw = await read_body(request)
        require_content_type(request)
        delivery = signatures.read_headers(request.headers, self._now())
        try:
            body = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise Problem(400, "envelope_broken", "the body is not UTF-8") from None
        source = source_of(body)
        if not delivery.signed_by_any(self._secrets_of(source), body):
            raise Problem(401, "signature_invalid", "no signature fits the body and the account's secrets")
        receipt = await self._keep(raw, delivery.id)
        if receipt.to_dispatch:
            self._nudge()
        return Response(status_code=202)

    def _secrets_of(self, source: str | None) -> tuple[WebhookSecret, ...]:
        """The secrets that may have signed: of the source's agency; of all when the body names no source at all."""
        if source is None:
            platforms = [agency.platform for agency in self._installation.agencies.values()]
        else:
            found = agency_of_source(self._installation, source)
            platforms = [self._installation.agencies[found].platform] if found else []
        return tuple(secret for platform in platforms for secret in signatures.secrets_in_use(platform))

    async def _keep(self, raw: bytes, event_id: str) -> Receipt:
        started = time.monotonic()
        try:
            receipt = await asyncio.to_thread(
                take_in, self._store, self._installation, raw, received_at=self._now(), event_id=event_id
            )
        except BrokenEnvelope as error:
            raise Problem(400, error.code, str(error)) from None
        except SQLAlchemyError as error:
            log.error("event %s could not be stored: %s", event_id, type(error).__name__)
            raise Problem(
                503, "not_durable", "the event could not be stored; send it again", headers={"Retry-After": RETRY_AFTER}
            ) from None
        metrics.STORED.observe(time.monotonic() - started)
        metrics.EVENTS.labels(receipt.agency, receipt.result).inc()
        with span_of(receipt.agency, receipt.event_id, "receive", event=receipt.event_id, result=receipt.result):
            log.info(
                "event %s of %s: %s",
                receipt.event_id,
                receipt.agency,
                receipt.result,
                extra={"agency": receipt.agency, "event": receipt.event_id},
            )
        return receipt


async def read_body(request: Request) -> bytes:
    """The raw bytes, never more than the cap in memory. Raises `Problem` 413."""
    too_large = Problem(413, "body_too_large", f"the body may have at most {LARGEST_BODY} bytes")
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:12]) > LARGEST_BODY:
        raise too_large
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LARGEST_BODY:
            raise too_large
    return bytes(raw)


def require_content_type(request: Request) -> None:
    """Structured CloudEvents in plain UTF-8 only. Raises `Problem` 415."""
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if media.strip().lower() != CONTENT_TYPE or charset not in ("", "utf-8"):
        raise Problem(415, "content_type", f"the content type must be {CONTENT_TYPE}; charset=utf-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, "content_encoding", "the body must not be compressed")


def build_app(
    installation: Installation,
    store: Store,
    *,
    connect: Callable[[], Awaitable[Client]] | None = None,
    now: Callable[[], datetime] = _utc_now,
) -> FastAPI:
    """The ASGI application. With `connect` it also runs the dispatchers for as long as it serves."""
    pace = installation.gateway.catching_up_per_second
    dispatcher = Dispatcher(store, connect, catching_up_per_second=pace) if connect else None
    deal_dispatcher = DealDispatcher(store, connect) if connect else None

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(each.run()) for each in (dispatcher, deal_dispatcher) if each is not None]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    app = FastAPI(
        title="Booking orchestrator: gateway", lifespan=lifespan, docs_url=None, redoc_url=None, telemetry=UNSEEN
    )
    app.add_exception_handler(Problem, problems.answer_problem)
    app.add_exception_handler(HTTPException, problems.answer_http_error)
    app.add_exception_handler(Exception, problems.answer_defect)
    gateway = Gateway(installation, store, now=now, nudge=dispatcher.nudge if dispatcher else lambda: None)

    @app.post("/events", status_code=202, responses=RESPONSES, summary="Take in one platform event")
    async def events(request: Request) -> Response:
        return await gateway.receive(request)

    suppliers = SupplierGateway(installation, store, now, connect)

    @app.post("/suppliers/ratehawk", responses=SUPPLIER_RESPONSES, summary="RateHawk names an order that changed")
    async def ratehawk(request: Request) -> Response:
        return await suppliers.receive(request)

    deals = DealGateway(installation, store, now, deal_dispatcher.nudge if deal_dispatcher else lambda: None)
    paid_pages = PaidPages(installation, store, connect)

    @app.get("/paid/{token}", summary="A customer comes back from a payment page", include_in_schema=False)
    async def paid(token: str) -> Response:
        return await paid_pages.returned(token)

    @app.post("/hooks/kommo/{agency}/{secret}", responses=CRM_RESPONSES, summary="Kommo tells of deals that changed")
    async def kommo(agency: str, secret: str, request: Request) -> Response:
        return await deals.webhook(agency, secret, request)

    @app.post("/hooks/kommo/{agency}/{secret}/pipeline", responses=CRM_RESPONSES, summary="A stage of Kommo tells")
    async def kommo_pipeline(agency: str, secret: str, request: Request) -> Response:
        return await deals.pipeline(agency, secret, request)

    @app.post("/crm/kommo/{agency}/button", status_code=202, responses=CRM_RESPONSES, summary="Kommo's widget asks")
    async def kommo_button(agency: str, request: Request) -> Response:
        return await deals.button(agency, request)

    @app.options(
        "/crm/kommo/{agency}/button", status_code=204, responses=CRM_RESPONSES, summary="May the widget's page ask"
    )
    async def kommo_preflight(agency: str) -> Response:
        return await deals.preflight(agency)

    @app.post("/crm/kommo/{agency}/salesbot", responses=CRM_RESPONSES, summary="Kommo's bot asks")
    async def kommo_salesbot(agency: str, request: Request) -> Response:
        return await deals.salesbot(agency, request)

    @app.get("/health/live", summary="The process answers")
    async def live() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @app.get("/health/ready", summary="Events can be stored")
    async def ready() -> JSONResponse:
        return await _readiness(store)

    return app


async def _readiness(store: Store) -> JSONResponse:
    """Ready means that an event can be made durable; Temporal's absence only delays and is not asked."""
    try:
        current = await asyncio.to_thread(store.database.schema_is_current)
    except SQLAlchemyError:
        raise Problem(503, "store_away", "the store does not answer", headers={"Retry-After": RETRY_AFTER}) from None
    if not current:
        raise Problem(503, "store_not_migrated", "run: bookings store migrate", headers={"Retry-After": RETRY_AFTER})
    return JSONResponse({"status": "ready"})
