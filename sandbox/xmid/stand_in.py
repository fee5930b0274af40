"""The xMid stand-in: bookings, cancellations and payments as resources (contracts: midoffice 7.1, 7.3)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.serving import StandIn
from sandbox.shelf import Shelf
from sandbox.xmid import schema
from sandbox.xmid.books import Books, XmidError
from sandbox.xmid.schema import Doc, SchemaError

TOKEN = "sandbox-xmid-token"
KEY = re.compile(r"[0-9a-f]{32}")
PLACE = "/api/v1/bookings/{supplier}/{booking}"

Act = Callable[[str, Doc, Mapping[str, str]], Response]


class XmidStandIn(StandIn):
    """xMid behind `/api/v1/bookings/{supplier}/{booking}`.

    `data` is a folder (None keeps everything in memory); `agencies` and `creditors` limit who exists (None: any).

    Beside the ordinary control endpoint:

        GET  /                    what arrived, as a page for the browser
        POST /control/closed      {"until": "2026-12-31"}: bookings that end by then answer 423
        POST /control/invoices    {"agency", "supplier", "booking"}: a clerk writes the invoice; gives it

    Faults strike putBooking, cancelBooking, putPayment, getBooking and getInvoices.
    """

    name = "xmid"

    def __init__(
        self,
        data: Path | None = None,
        *,
        token: str = TOKEN,
        agencies: frozenset[str] | None = None,
        creditors: frozenset[str] | None = None,
    ) -> None:
        super().__init__()
        self._token = token
        self._agencies = agencies
        self._books = Books(Shelf(data / "xmid.sqlite" if data else None), creditors)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self._page),
            Route(PLACE, self._booking, methods=["GET", "PUT"]),
            Route(f"{PLACE}/cancellation", self._cancellation, methods=["POST"]),
            Route(f"{PLACE}/payments/{{transaction}}", self._payment, methods=["PUT"]),
            Route(f"{PLACE}/invoices", self._invoices),
            Route("/control/closed", self._close_period, methods=["POST"]),
            Route("/control/invoices", self._write_invoice, methods=["POST"]),
        ]

    def state(self) -> dict[str, Any]:
        return self._books.everything()

    def close(self) -> None:
        self._books.close()

    def refusal(self, operation: str) -> Response:
        return JSONResponse({"code": "REGEL", "meldung": f"{operation} abgelehnt", "feld": "."}, status_code=422)

    def breakdown(self, operation: str) -> Response:
        return JSONResponse({"code": "INTERN", "meldung": "internal error"}, status_code=500)

    # --- the resources ---

    async def _booking(self, request: Request) -> Response:
        if request.method == "GET":
            return await self._handle(request, "getBooking", None, self._show)
        return await self._handle(request, "putBooking", schema.BOOKING, self._put)

    async def _cancellation(self, request: Request) -> Response:
        return await self._handle(request, "cancelBooking", schema.CANCELLATION, self._cancel)

    async def _payment(self, request: Request) -> Response:
        return await self._handle(request, "putPayment", schema.PAYMENT, self._pay)

    async def _invoices(self, request: Request) -> Response:
        return await self._handle(request, "getInvoices", None, self._list_invoices)

    async def _handle(self, request: Request, operation: str, form: schema.Check | None, act: Act) -> Response:
        body = await request.body()

        def answer() -> Response:
            try:
                agency = self._caller(request)
                document = {} if form is None else self._read(request, body, form)
                given = {**request.path_params, **{name.lower(): value for name, value in request.headers.items()}}
                return act(agency, document, given)
            except SchemaError as problem:
                told = {"code": "FORMAT", "meldung": str(problem), "feld": problem.field}
                return JSONResponse(told, status_code=400)
            except XmidError as problem:
                told = {"code": problem.code, "meldung": problem.words, **problem.more}
                return JSONResponse(told | ({"feld": problem.field} if problem.field else {}), problem.status)

        return await self.serve(operation, answer)

    def _caller(self, request: Request) -> str:
        if request.headers.get("authorization") != f"Bearer {self._token}":
            raise XmidError(401, "TOKEN", "the token is not known")
        agency = request.headers.get("x-agency-id", "")
        if not agency or (self._agencies is not None and agency not in self._agencies):
            raise XmidError(403, "AGENTUR", "this agency is not open to the token")
        return agency

    @staticmethod
    def _read(request: Request, body: bytes, form: schema.Check) -> Doc:
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind != "application/json":
            raise SchemaError("Content-Type", "must be application/json")
        return schema.read(body, form)

    def _put(self, agency: str, body: Doc, given: Mapping[str, str]) -> Response:
        key = self._key(given)
        if (body["leistungstraeger"], body["buchungsnummer"]) != (given["supplier"], given["booking"]):
            raise XmidError(400, "PFAD", "the path names another booking than the body", "buchungsnummer")
        first = self._books.replay(agency, key, body)
        if first is not None:
            return JSONResponse(first, headers={"Idempotent-Replay": "true"})
        expected = given.get("if-revision")
        if expected is not None and not expected.isdecimal():
            raise XmidError(400, "FORMAT", "must be a number", "If-Revision")
        answer, new = self._books.put(agency, body, None if expected is None else int(expected))
        self._books.remember(agency, key, body, answer)
        return JSONResponse(answer, status_code=201 if new else 200)

    def _cancel(self, agency: str, body: Doc, given: Mapping[str, str]) -> Response:
        key = self._key(given)
        first = self._books.replay(agency, key, body)
        if first is not None:
            return JSONResponse(first, headers={"Idempotent-Replay": "true"})
        answer = self._books.cancel(agency, given["supplier"], given["booking"], body)
        return JSONResponse(self._books.remember(agency, key, body, answer))

    def _pay(self, agency: str, body: Doc, given: Mapping[str, str]) -> Response:
        self._key(given)
        answer, new = self._books.pay(agency, given["supplier"], given["booking"], given["transaction"], body)
        headers = {} if new else {"Idempotent-Replay": "true"}
        return JSONResponse(answer, status_code=201 if new else 200, headers=headers)

    def _show(self, agency: str, _: Doc, given: Mapping[str, str]) -> Response:
        return JSONResponse(self._books.show(agency, given["supplier"], given["booking"]))

    def _list_invoices(self, agency: str, _: Doc, given: Mapping[str, str]) -> Response:
        return JSONResponse(self._books.invoices(agency, given["supplier"], given["booking"]))

    @staticmethod
    def _key(given: Mapping[str, str]) -> str:
        key = given.get("idempotency-key", "")
        if not KEY.fullmatch(key):
            raise XmidError(400, "FORMAT", "must be 32 hexadecimal characters", "Idempotency-Key")
        return key

    # --- what people do and see ---

    async def _close_period(self, request: Request) -> Response:
        self._books.shut(str(json.loads(await request.body())["until"]))
        return JSONResponse({})

    async def _write_invoice(self, request: Request) -> Response:
        wish = json.loads(await request.body())
        try:
            return JSONResponse(self._books.invoice(wish["agency"], wish["supplier"], wish["booking"]))
        except XmidError as problem:
            return JSONResponse({"error": problem.code}, problem.status)

    async def _page(self, _: Request) -> Response:
        return HTMLResponse(page(self._books.everything()))


def page(held: Mapping[str, Any]) -> str:
    """What arrived, newest first."""
    columns = ("agency", "buchungsnummer", "vorgangsnummer", "revision", "buchungsstatus", "vkBrutto", "geaendertAm")
    rows = [[str(one[name]) for name in columns] for one in reversed(held["bookings"])]
    payments = [[one["transaktion"], one["betrag"], one["waehrung"], one["datum"]] for one in held["payments"]]
    return (
        '<!DOCTYPE html><html lang="de"><head><meta charset="utf-8"><title>xMid</title></head><body>'
        f"<h1>xMid</h1>{_table('Vorgänge', columns, rows)}"
        f"{_table('Zahlungen', ('transaktion', 'betrag', 'waehrung', 'datum'), payments)}</body></html>"
    )


def _table(title: str, columns: tuple[str, ...], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h2>{escape(title)} ({len(rows)})</h2><table><tr>{head}</tr>{body}</table>"
