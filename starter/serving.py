"""Serving HTTP to strangers: who dawdles is hung up on, so that nobody holds our connections (docs/security.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import uvicorn
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEAD_SECONDS = 10.0
"""How long the head of a request may take, from the connection or from the last answer on."""
BODY_SECONDS = 20.0
"""How long its body may take."""
SECONDS_TO_END = 3
"""For requests that are being answered when the process is asked to stop; less than a supervisor waits."""
UNSEEN: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""FastAPI's own spans carry the address of a request, and some of our addresses carry a secret; ours name what they are about."""
CONNECTIONS = 512
"""At once; further requests are told 503 by the server itself."""


class PatientProtocol(AutoHTTPProtocol):  # type: ignore[misc,valid-type]
    """One connection. Closed when a request's head is not there in time, however slowly its bytes keep coming."""

    head_seconds = HEAD_SECONDS
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._hurry()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._calm()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle is None or self.cycle.response_complete:
            self._hurry()

    def connection_lost(self, exc: Exception | None) -> None:
        self._calm()
        super().connection_lost(exc)

    def _hurry(self) -> None:
        self._calm()
        self._late = asyncio.get_running_loop().call_later(self.head_seconds, self.transport.close)

    def _calm(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class BodyInTime:
    """ASGI middleware: a body that is not there in time is answered 408."""

    def __init__(self, app: ASGIApp, seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        deadline = asyncio.get_running_loop().time() + self._seconds
        whole = False

        async def in_time() -> Message:
            nonlocal whole
            if whole:  # what follows is the end of the connection, which may be long in coming
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "the body did not come in time", headers={"Connection": "close"}) from None
            whole = not message.get("more_body", False)
            return message

        await self._app(scope, in_time, send)


def serve(app: ASGIApp, *, host: str, port: int, trusted_proxies: Sequence[str] = ()) -> None:
    """Serve until SIGTERM or Ctrl-C.

    `X-Forwarded-Proto` and `X-Forwarded-For` are believed from `trusted_proxies` (addresses or networks) only.
    """
    uvicorn.run(
        BodyInTime(app),
        host=host,
        port=port,
        http=PatientProtocol,
        limit_concurrency=CONNECTIONS,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=SECONDS_TO_END,
        server_header=False,
    )
