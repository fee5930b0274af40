"""One stand-in behind HTTP: its routes, its faults, its call log and its control endpoint.

Control endpoint of every stand-in:

    GET    /control/health            {"system": …}
    GET    /control/faults            the switches, with how often each struck
    POST   /control/faults            add one: {"operation": "Cobro_POST", "kind": "drop-after", "times": 1}
    DELETE /control/faults            remove all
    GET    /control/calls             calls so far: [{"operation", "outcome", "at", "seconds"}]
    GET    /control/state             everything that the stand-in holds, as JSON
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from sandbox.faults import Fault, FaultBoard, Kind

PAGE_503 = (
    "<!DOCTYPE html><html><head><title>503 Service Unavailable</title></head>"
    "<body><h1>Service Unavailable</h1><p>Scheduled maintenance.</p></body></html>"
)


PAGE_200 = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form method='post'></form></body></html>"
NUMBER = re.compile(rb"(?<=[>\":\s])\d{1,9}(?=[<\",}\s])")


class Dropped(Response):
    """Not an answer: cuts the TCP connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport = getattr(getattr(receive, "__self__", None), "transport", None)
        if transport is not None:
            transport.abort()
            # The server must see the end of the connection before we return, or it writes a 500 into its log.
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        # Another server than the one we know: promise more bytes than are sent, which every client reports as a break.
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        await send({"type": "http.response.body", "body": b""})


class StandIn(ABC):
    """A stand-in system. Subclasses give `routes()` and `state()` and answer calls through `serve`."""

    name = "system"

    def __init__(self) -> None:
        self.faults = FaultBoard()
        self.calls: deque[dict[str, Any]] = deque(maxlen=100_000)
        self._late: set[asyncio.Task[None]] = set()
        self._last: dict[str, Response] = {}

    @abstractmethod
    def routes(self) -> list[BaseRoute]:
        """Where the system's own protocol is answered."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Everything held, as JSON-ready data."""

    def close(self) -> None:  # noqa: B027 most stand-ins hold nothing open
        """Let go of files and threads; the stand-in answers no more. Nothing to do by default."""

    def refusal(self, operation: str) -> Response:
        """A business refusal in this system's own form."""
        return JSONResponse({"error": f"{operation} refused"}, status_code=422)

    def breakdown(self, operation: str) -> Response:
        """A technical error in this system's own form."""
        return JSONResponse({"error": "internal error"}, status_code=500)

    def throttled(self, operation: str, seconds: float) -> Response:
        return JSONResponse({"error": "too many requests"}, 429, headers={"Retry-After": str(int(seconds))})

    async def serve(self, operation: str, effect: Callable[[], Response]) -> Response:
        """Run `effect` (which stores and answers) under whatever fault is switched on for `operation`."""
        began = time.perf_counter()
        fault = self.faults.take(operation)
        answer = effect() if fault is None else await self._misbehave(fault, operation, effect)
        if fault is None:
            self._last[operation] = answer
        outcome = fault.kind.value if fault else str(answer.status_code)
        took = time.perf_counter() - began
        self.calls.append({"operation": operation, "outcome": outcome, "at": time.time(), "seconds": took})
        return answer

    async def _misbehave(self, fault: Fault, operation: str, effect: Callable[[], Response]) -> Response:
        match fault.kind:
            case Kind.REFUSE:
                return self.refusal(operation)
            case Kind.ERROR_BEFORE:
                return self.breakdown(operation)
            case Kind.ERROR_AFTER:
                effect()
                return self.breakdown(operation)
            case Kind.DROP_BEFORE:
                return Dropped()
            case Kind.DROP_AFTER:
                effect()
                return Dropped()
            case Kind.SLOW:
                await asyncio.sleep(fault.seconds)
                return effect()
            case Kind.PAGE_503:
                return HTMLResponse(PAGE_503, status_code=503)
            case Kind.MALFORMED:
                whole = effect()
                cut = bytes(whole.body)[: max(1, len(bytes(whole.body)) // 2)]
                return Response(cut, status_code=200, media_type=whole.headers.get("content-type"))
            case Kind.LATE:
                task = asyncio.create_task(self._land(fault.seconds, effect))
                self._late.add(task)
                task.add_done_callback(self._late.discard)
                return Dropped()
            case Kind.HANG:
                await asyncio.sleep(fault.seconds)
                return Dropped()
            case Kind.EMPTY:
                effect()
                return Response(b"", status_code=200)
            case Kind.PAGE_200:
                return HTMLResponse(PAGE_200)
            case Kind.CROSSED:
                return self._crossed(operation, effect())
            case Kind.THROTTLE:
                return self.throttled(operation, fault.seconds)

    def _crossed(self, operation: str, answer: Response) -> Response:
        """The answer of the call before; of the first call, its own with another first number."""
        before = self._last.get(operation)
        if before is not None and before.status_code == answer.status_code and bytes(before.body) != bytes(answer.body):
            return before
        other = NUMBER.sub(lambda found: b"%d" % (int(found[0]) + 1), bytes(answer.body), count=1)
        kept = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
        return Response(other, answer.status_code, kept)

    async def _land(self, seconds: float, effect: Callable[[], Response]) -> None:
        await asyncio.sleep(seconds)
        effect()

    def app(self) -> Starlette:
        """The whole stand-in as an ASGI application."""
        control: list[BaseRoute] = [
            Route("/control/health", self._health),
            Route("/control/faults", self._faults, methods=["GET", "POST", "DELETE"]),
            Route("/control/calls", self._calls),
            Route("/control/state", self._state),
        ]
        return Starlette(routes=[*control, *self.routes()])

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"system": self.name})

    async def _faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.faults.clear()
        elif request.method == "POST":
            try:
                self.faults.set(json.loads(await request.body()))
            except (ValueError, KeyError, TypeError) as error:
                return JSONResponse({"error": f"not a fault: {error}"}, status_code=422)
        return JSONResponse(self.faults.listing())

    async def _calls(self, _: Request) -> Response:
        return JSONResponse(list(self.calls))

    async def _state(self, _: Request) -> Response:
        return JSONResponse(self.state())


Handler = Callable[[Request], Awaitable[Response]]
