"""What every answer tells the browser: run only our files, be framed by nobody, keep nothing (DESIGN 7)."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_FORM = 5 * 1024 * 1024
"""Bytes of a request's body."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
UNLESS_SAID = {"Cache-Control": "no-store"}
ONE_YEAR = "max-age=31536000"


class GuardedAnswers:
    """ASGI middleware. `over_https` adds the promise that this host is never visited without it."""

    def __init__(self, app: ASGIApp, over_https: bool) -> None:
        self._app = app
        self._always = ALWAYS | ({"Strict-Transport-Security": ONE_YEAR} if over_https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._always)
                for name, value in UNLESS_SAID.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = _refused(Headers(scope=scope))
        await (refused or self._app)(scope, receive, guarded)


def _refused(headers: Headers) -> PlainTextResponse | None:
    """Bodies without a length, and bodies that are too long, are not read."""
    if "transfer-encoding" in headers:
        return PlainTextResponse("a body needs a length", 411)
    declared = headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared[:12]) > LARGEST_FORM:
        return PlainTextResponse("too large", 413)
    return None
