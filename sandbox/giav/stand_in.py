"""GIAV behind its SOAP wire, with state that survives a restart and faults on request (contracts: giav 1, 2, 5).

Stricter than the real system in one point: elements in another order than the schema's are refused, where GIAV tolerates
some. What is configured (ids, key) is in `seeds`. Besides the usual control endpoint:

    GET     /webservices/api_2_05.asmx?WSDL   the service description
    GET/PUT /control/manners   how the installation behaves: {"economics_lag": 5, "leaky_cobros": true, "empty_lists": "rotate"}
    POST    /control/people    what people do by hand: {"act": "hand-over", "cobro": 12}
    GET     /                  the books as a page
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.giav import (
    catalogues,
    clients,
    cobros,
    due_dates,
    files,
    invoices,
    notes,
    passengers,
    people,
    reservations,
    seeds,
    soap,
)
from sandbox.giav.books import INDEXED, Books, EmptyLists, Manners, madrid_now
from sandbox.giav.books import Operation as Handler
from sandbox.giav.cobro_reads import cobro_view
from sandbox.giav.describing import service_description
from sandbox.giav.due_dates import due_date_view
from sandbox.giav.economics import economics
from sandbox.giav.invoice_reads import invoice_view
from sandbox.giav.page import page
from sandbox.giav.records import Record, Records
from sandbox.giav.refusals import BadMessage, Refusal
from sandbox.giav.reservation_reads import reservation_view
from sandbox.giav.schema import Operation
from sandbox.serving import StandIn

PATH = "/webservices/api_2_05.asmx"
CONTENT_TYPE = "text/xml; charset=utf-8"

HANDLERS: dict[str, Handler] = {
    **catalogues.OPERATIONS,
    **clients.OPERATIONS,
    **files.OPERATIONS,
    **reservations.OPERATIONS,
    **passengers.OPERATIONS,
    **cobros.OPERATIONS,
    **invoices.OPERATIONS,
    **due_dates.OPERATIONS,
    **notes.OPERATIONS,
}

_VIEWS: dict[str, Callable[[Books, Record], Record]] = {
    "Expediente": lambda books, file: {**file, "InfoEconomica": economics(books, file["Id"])},
    "Reserva": reservation_view,
    "Cobro": cobro_view,
    "Factura": invoice_view,
    "DueDate": due_date_view,
}
_VARIANTS: tuple[EmptyLists, ...] = ("absent", "wrapper", "empty-item")


class GiavStandIn(StandIn):
    """One GIAV installation. `path` is its SQLite file (None: memory only), `api_key` the only key that it knows."""

    name = "giav"

    def __init__(
        self,
        path: Path | None = None,
        *,
        api_key: str = seeds.API_KEY,
        manners: Manners | None = None,
        clock: Callable[[], datetime] = madrid_now,
    ) -> None:
        super().__init__()
        self.api_key = api_key
        self.books = Books(Records(INDEXED, path), manners or Manners(), clock)
        self._lock = threading.RLock()
        self._turn = 0
        seeds.sow(self.books.records)

    def routes(self) -> list[BaseRoute]:
        return [
            Route(PATH, self._call, methods=["POST"]),
            Route(PATH, self._describe, methods=["GET"]),
            Route("/", self._page),
            Route("/control/manners", self._manners, methods=["GET", "PUT"]),
            Route("/control/people", self._people, methods=["POST"]),
        ]

    def state(self) -> dict[str, Any]:
        """Every entity's records with their computed figures."""
        with self._lock:
            return {entity: [self._seen(entity, each) for each in self.books.records.all(entity)] for entity in INDEXED}

    def _seen(self, entity: str, record: Record) -> Record:
        view = _VIEWS.get(entity)
        return record if view is None else view(self.books, record)

    def close(self) -> None:
        """Release the file; the stand-in answers no more."""
        self.books.records.close()

    # The wire --------------------------------------------------------------------------------------------------------

    async def _call(self, request: Request) -> Response:
        kind, _, parameters = request.headers.get("content-type", "").partition(";")
        charset = parameters.strip().lower().replace('"', "")
        if kind.strip().lower() != "text/xml" or charset not in ("", "charset=utf-8"):
            return Response("Unsupported Media Type", status_code=415, media_type="text/plain")
        body = await request.body()
        try:
            operation = soap.operation_of(request.headers.get("soapaction"))
        except BadMessage as error:
            return _xml(soap.fault("Client", str(error)), 500)
        return await self.serve(operation.name, lambda: self._perform(operation, body))

    async def _describe(self, request: Request) -> Response:
        if request.url.query.upper() != "WSDL":
            return Response("Method Not Allowed", status_code=405, media_type="text/plain")
        return await self.serve("WSDL", lambda: _xml(service_description(self.books.manners.new_field), 200))

    def _perform(self, operation: Operation, body: bytes) -> Response:
        """Read, check the key, run and answer one call as one unit of work."""
        with self._lock:
            try:
                call = soap.read_call(operation, body)
                if call.get("apikey") != self.api_key:
                    raise Refusal("No se tiene acceso: la apikey no es válida")
                value = HANDLERS[operation.name](self.books, call)
                self.books.records.commit()
            except BadMessage as error:
                return _xml(soap.fault("Client", str(error)), 500)
            except Refusal as error:
                self.books.records.rollback()
                return _xml(soap.fault("Server", str(error)), 500)
            except BaseException:
                self.books.records.rollback()
                raise
            return _xml(soap.answer(operation, self._emptied(operation, value)), 200)

    def _emptied(self, operation: Operation, value: Any) -> Any:
        """An empty list in the shape that is its turn; everything else as it is."""
        if value != [] or operation.result is None or operation.result.shape is None:
            return value
        variant = self.books.manners.empty_lists
        if variant == "rotate":
            variant = _VARIANTS[self._turn % len(_VARIANTS)]
            self._turn += 1
        item = operation.result.shape.repeated
        has_id = item is not None and item.shape is not None and "Id" in item.shape.lookup()
        match variant:
            case "absent":
                return None
            case "empty-item" if has_id:
                return [{}]
            case _:
                return []

    def refusal(self, operation: str) -> Response:
        return _xml(soap.fault("Server", "No existe el registro, datos obligatorios"), 500)

    def breakdown(self, operation: str) -> Response:
        return _xml(soap.fault("Server", "Server was unable to process request"), 500)

    def throttled(self, operation: str, seconds: float) -> Response:
        return Response("Service Unavailable", 503, headers={"Retry-After": str(int(seconds))}, media_type="text/plain")

    # For people ------------------------------------------------------------------------------------------------------

    async def _page(self, _: Request) -> Response:
        with self._lock:
            return HTMLResponse(page(self.books))

    async def _manners(self, request: Request) -> Response:
        if request.method == "PUT":
            try:
                self.books.manners.change(json.loads(await request.body()))
            except (ValueError, TypeError) as error:
                return JSONResponse({"error": f"not manners: {error}"}, status_code=422)
        return JSONResponse(asdict(self.books.manners))

    async def _people(self, request: Request) -> Response:
        body = await request.body()
        with self._lock:
            try:
                wish = json.loads(body)
                people.ACTS[wish["act"]](self.books, wish)
                self.books.records.commit()
            except (ValueError, KeyError, TypeError, Refusal) as error:
                self.books.records.rollback()
                return JSONResponse({"error": f"not an act: {error}"}, status_code=422)
        return JSONResponse({"done": wish["act"]})


def _xml(body: bytes, status: int) -> Response:
    return Response(body, status_code=status, headers={"content-type": CONTENT_TYPE})
