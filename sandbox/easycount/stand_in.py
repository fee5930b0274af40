"""The EasyCount stand-in: business errors with HTTP 200, documents, payment pages (contracts: easycount 1 to 3, 6)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.easycount.clearing import Clearing
from sandbox.easycount.documents import KINDS, Documents
from sandbox.easycount.loosely import EasyCountError
from sandbox.serving import StandIn
from sandbox.shelf import Record, Shelf

API_KEY = "5" * 64
EMAIL = "developer@example.test"


ACCOUNT: dict[str, Any] = {
    "clearing": True,
    "signature": True,
    "quota": None,
    "duplicates": "original",
    "pdf_after": 0.0,
    "success_as_text": False,
}
"""What an account can and how it answers, unless somebody switches it."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class EasyCountStandIn(StandIn):
    """One account of the demo environment. `data` is a folder; None keeps everything in memory.

    Beside the ordinary control endpoint:

        GET  /                    documents and pages, for the browser
        POST /control/pay         {"url" or "secret"}: the customer pays and never comes back to us
        POST /control/account     {"clearing": false, "signature": false, "quota": 50, "duplicates": "error",
                                  "pdf_after": 0.5, "success_as_text": true}: what the account can and how it answers

    Faults strike createDoc, prepareSafeUrl, validate, chargeToken and document (the PDF).
    """

    name = "easycount"

    def __init__(
        self, data: Path | None = None, *, api_key: str = API_KEY, clock: Callable[[], datetime] = _utc_now
    ) -> None:
        super().__init__()
        self._api_key = api_key
        self._clock = clock
        shelf = Shelf(data / "easycount.sqlite" if data else None)
        self._shelf = shelf
        self._documents = Documents(shelf, clock)
        self._clearing = Clearing(shelf, clock)
        self._account: dict[str, Any] = dict(ACCOUNT)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self._page),
            Route("/api/createDoc", self._create, methods=["POST"]),
            Route("/api/payment/prepareSafeUrl/{form}", self._prepare, methods=["POST"]),
            Route("/api/payment/validate/{secret}", self._validate, methods=["POST"]),
            Route("/api/payment/chargeToken", self._charge, methods=["POST"]),
            Route("/front/documents/get/{token}", self._pdf),
            Route("/pay/{token}", self._customer, methods=["GET", "POST"]),
            Route("/control/pay", self._pay, methods=["POST"]),
            Route("/control/account", self._change_account, methods=["POST"]),
        ]

    def state(self) -> dict[str, Any]:
        return {
            "documents": self._documents.all(),
            "pages": self._clearing.all(),
            "charges": self._clearing.charges(),
            "account": self._account,
        }

    def close(self) -> None:
        self._shelf.close()

    def forget(self) -> None:
        """Begin anew: no documents, no pages, an ordinary account."""
        self._shelf.clear()
        self._account = dict(ACCOUNT)

    def refusal(self, operation: str) -> Response:
        return JSONResponse({"success": False, "errNum": 199, "errMsg": f"הפעולה {operation} נדחתה"})

    def breakdown(self, operation: str) -> Response:
        return HTMLResponse("<html><body>Server Error</body></html>", status_code=500)

    # --- the calls ---

    async def _create(self, request: Request) -> Response:
        base = str(request.base_url).rstrip("/")
        return await self._call(request, "createDoc", lambda body: self._issue(body, base))

    async def _prepare(self, request: Request) -> Response:
        form = request.path_params["form"]
        base = str(request.base_url).rstrip("/")
        return await self._call(request, "prepareSafeUrl", lambda body: self._made_page(form, body, base))

    async def _validate(self, request: Request) -> Response:
        secret = request.path_params["secret"]
        return await self._call(request, "validate", lambda _: self._clearing.validate(secret))

    async def _charge(self, request: Request) -> Response:
        return await self._call(request, "chargeToken", self._charged)

    async def _call(
        self, request: Request, operation: str, act: Callable[[Mapping[str, Any]], dict[str, Any]]
    ) -> Response:
        raw = await request.body()

        def answer() -> Response:
            try:
                body = json.loads(raw)
                if not isinstance(body, dict):
                    raise EasyCountError(100, "בקשה לא תקינה", "the body is no object")
                self._check_caller(body)
                return JSONResponse(self._loosely(act(body)))
            except ValueError:
                return JSONResponse({"success": False, "errNum": 100, "errMsg": "JSON לא תקין"})
            except EasyCountError as problem:
                number = int(problem.number) if problem.number == int(problem.number) else problem.number
                return JSONResponse(
                    {"success": False, "errNum": number, "errMsg": f"{problem.words} ({problem.meaning})"}
                )

        return await self.serve(operation, answer)

    def _loosely(self, answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "success": "true"} if self._account["success_as_text"] and answer.get("success") else answer

    def _check_caller(self, body: Mapping[str, Any]) -> None:
        if body.get("api_key") != self._api_key:
            raise EasyCountError(1, "מפתח API שגוי", "api_key is not known")

    def _issue(self, body: Mapping[str, Any], base: str) -> dict[str, Any]:
        known = self._documents.by_key(str(body.get("transaction_id") or ""))
        if known is not None:
            if self._account["duplicates"] == "error":
                raise EasyCountError(150, "מזהה העסקה כבר קיים", "transaction id already exists")
            return self._told(known, base) | {"warning": "transaction id already exists"}
        if not self._account["signature"]:
            raise EasyCountError(160, "לא הוגדרה חתימה דיגיטלית", "no digital signature is configured")
        quota = self._account["quota"]
        if quota is not None and len(self._documents.all()) >= quota:
            raise EasyCountError(161, "חריגה ממכסת המסמכים", "the month's documents are used up")
        return self._told(self._documents.create(body, self._clearing.paid), base)

    @staticmethod
    def _told(record: Record, base: str) -> dict[str, Any]:
        place = f"{base}/front/documents/get/{record['token']}"
        answer = {
            "pdf_link": place,
            "pdf_link_copy": f"{place}?copy=1",
            "doc_number": record["doc_number"],
            "doc_uuid": record["doc_uuid"],
            "sent_mails": record["sent_mails"],
            "success": True,
            "ua_uuid": "00000000-0000-4000-8000-000000000001",
            "calculatedData": {
                "transaction_id": record["transaction_id"],
                "date": record["date"],
                "currency": record["currency"],
                "rate": 1,
                "vat": record["vat"],
                "vat_price": record["vat_price"],
                "price_discount": "0.00",
                "price_discount_in_currency": "0.00",
                "price_total": record["price_total"],
                "price_total_in_currency": record["price_total"],
            },
        }
        return answer | ({"warning": record["warning"]} if record["warning"] else {})

    def _made_page(self, form: str, body: Mapping[str, Any], base: str) -> dict[str, Any]:
        self._may_clear()
        return self._clearing.prepare(form, body, base)

    def _charged(self, body: Mapping[str, Any]) -> dict[str, Any]:
        self._may_clear()
        return self._clearing.charge(body)

    def _may_clear(self) -> None:
        if not self._account["clearing"]:
            raise EasyCountError(200, "אין הרשאה API_CLEARING", "the account lacks API_CLEARING")

    # --- what customers and people do and see ---

    async def _pdf(self, request: Request) -> Response:
        token = request.path_params["token"]
        held = next((one for one in self._documents.all() if one["token"] == token), None)

        def answer() -> Response:
            ready = held is not None and self._clock() - datetime.fromtimestamp(held["created_at"], UTC) >= timedelta(
                seconds=self._account["pdf_after"]
            )
            if held is None or not ready:
                return Response("not yet", status_code=404)
            content = f"%PDF-1.4\n% {held['doc_number']}\n%%EOF\n".encode()
            return Response(content, media_type="application/pdf")

        return await self.serve("document", answer)

    async def _customer(self, request: Request) -> Response:
        page = self._clearing.of_token(request.path_params["token"])
        if page is None:
            return HTMLResponse("<h1>404</h1>", status_code=404)
        if request.method == "GET":
            return HTMLResponse(_payment_page(page))
        choice = request.query_params.get("choice", "")
        if choice == "pay":
            self._clearing.pay(page)
            return RedirectResponse(page["successUrl"], status_code=303)
        self._clearing.decline(page)
        return HTMLResponse("<h1>declined</h1>" if choice == "decline" else "<h1>bye</h1>")

    async def _pay(self, request: Request) -> Response:
        wish = json.loads(await request.body())
        token = str(wish.get("url", "")).rpartition("/")[2]
        page = self._clearing.of_token(token) or self._shelf.get("page", str(wish.get("secret", "")))
        if page is None:
            return JSONResponse({"error": "no such page"}, status_code=404)
        return JSONResponse(self._clearing.pay(page)["paid"])

    async def _change_account(self, request: Request) -> Response:
        wish = json.loads(await request.body())
        if unknown := set(wish) - set(self._account):
            return JSONResponse({"error": f"unknown members: {', '.join(sorted(unknown))}"}, status_code=422)
        self._account |= wish
        return JSONResponse(self._account)

    async def _page(self, _: Request) -> Response:
        documents = [
            [
                one["doc_number"],
                KINDS[one["type"]],
                one["customer_name"],
                one["price_total"],
                one["currency"],
                one["date"],
            ]
            for one in reversed(self._documents.all())
        ]
        pages = [
            [one["form"], one["sum"] or "", one["currency"], "paid" if one["paid"] else "open", f"/pay/{one['token']}"]
            for one in reversed(self._clearing.all())
        ]
        return HTMLResponse(
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>EasyCount</title></head><body>'
            f"<h1>EasyCount</h1>{_table('Documents', ('number', 'type', 'customer', 'total', 'currency', 'date'), documents)}"
            f"{_table('Payment pages', ('form', 'sum', 'currency', 'state', 'page'), pages)}</body></html>"
        )


def _payment_page(page: Record) -> str:
    state = "paid" if page["paid"] else f"{page['sum']} {page['currency']}"
    buttons = "".join(
        f'<form method="post" action="?choice={choice}"><button>{choice}</button></form>'
        for choice in ("pay", "decline", "leave")
    )
    return f"<!DOCTYPE html><html><body><h1>{escape(state)}</h1>{'' if page['paid'] else buttons}</body></html>"


def _table(title: str, columns: tuple[str, ...], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h2>{escape(title)} ({len(rows)})</h2><table><tr>{head}</tr>{body}</table>"
