"""The agency's mail server: takes every letter by SMTP, delivers none, and shows them.

Beside the ordinary control endpoint:

    GET /            the letters on a page
    GET /letters     the same as JSON: to, subject, text, at

Faults strike the operation `send`: refuse (554), error-before (451), throttle (452), drop-before, drop-after.
"""

from __future__ import annotations

import asyncio
import html
import time
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.postbox.smtp import converse
from sandbox.serving import StandIn
from sandbox.shelf import Shelf


class PostboxStandIn(StandIn):
    """`data` is a folder (None: memory)."""

    name = "postbox"

    def __init__(self, data: Path | None = None) -> None:
        super().__init__()
        self._shelf = Shelf(data / "postbox.sqlite" if data else None)
        self._server: asyncio.Server | None = None

    async def start_smtp(self, port: int = 0, host: str = "127.0.0.1") -> int:
        """Listen for SMTP; gives the port. Raises OSError if it is taken."""

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await converse(reader, writer, self.faults, self.take)

        self._server = await asyncio.start_server(answer, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop_smtp(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def take(self, recipients: list[str], letter: bytes) -> None:
        """Keep a letter."""
        told = message_from_bytes(letter, policy=policy.default)
        body = told.get_body(("plain",))
        kept = {
            "to": recipients,
            "from": str(told["From"]),
            "subject": str(told["Subject"]),
            "message_id": str(told["Message-ID"]),
            "text": body.get_content() if body is not None else "",
            "at": time.time(),
        }
        self._shelf.put("letter", f"{self._shelf.next_number('letter', 1):06}", kept)
        self.calls.append({"operation": "send", "outcome": "ok", "at": kept["at"], "seconds": 0.0})

    def letters(self) -> list[dict[str, Any]]:
        """In the order in which they came."""
        return list(self._shelf.all("letter").values())

    def close(self) -> None:
        self._shelf.close()

    def routes(self) -> list[BaseRoute]:
        return [Route("/", self._page), Route("/letters", self._listed)]

    def state(self) -> dict[str, Any]:
        return {"letter": self.letters()}

    async def _listed(self, _: Request) -> Response:
        return JSONResponse(self.letters())

    async def _page(self, _: Request) -> Response:
        shown = "".join(
            f"<article><h2>{html.escape(each['subject'])}</h2><p>{html.escape(', '.join(each['to']))}</p>"
            f"<pre>{html.escape(each['text'])}</pre></article>"
            for each in reversed(self.letters())
        )
        return HTMLResponse(f"<!DOCTYPE html><html><head><title>Letters</title></head><body>{shown}</body></html>")
