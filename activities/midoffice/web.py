"""One question over HTTP and its answer, failures sorted into our classes: the same for every mid-office behind HTTP
(contracts: midoffice 3.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import httpx

from activities.line import Answer, Line
from activities.midoffice.codec import Accepted, Fault, Reply, Unreadable
from activities.midoffice.faults import error_of
from activities.midoffice.settings import WebSettings
from activities.pace import turns
from domain.errors import BackOfficeError, ContractBroken, Transient, Unauthorised, UnknownOutcome

NEVER_ARRIVED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
TOO_MANY = frozenset({429})


@dataclass(frozen=True, slots=True)
class Route:
    """Where a question goes: `operation` is its name for people, `path` is put behind the system's address."""

    operation: str
    write: bool
    method: str = "POST"
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class Web:
    """Thread-safe. `not_done` are the statuses by which the system says that nothing happened: may be sent again.

    `transport` is for tests; without it real sockets are used.
    """

    def __init__(
        self,
        system: str,
        settings: WebSettings,
        *,
        path: str = "",
        headers: Mapping[str, str],
        not_done: frozenset[int] = TOO_MANY,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._system = system
        self._not_done = not_done
        self._take_turn = turns(settings.calls_per_second, system)
        self._line = Line(
            f"{settings.url.rstrip('/')}{path}",
            headers=headers,
            connect_seconds=settings.connect_timeout,
            read_seconds=settings.timeout,
            transport=transport,
        )

    def close(self) -> None:
        self._line.close()

    def ask(self, route: Route, body: bytes, decode: Callable[[bytes], Reply]) -> Reply:
        """One call. Raises Transient (nothing happened there), UnknownOutcome (only writes), Refused (their words),
        Unauthorised, or ContractBroken (an answer to a read that cannot be understood).
        """
        self._take_turn(route.operation)
        try:
            answer = self._line.ask(route.method, route.path, body, route.headers)
        except NEVER_ARRIVED as error:
            raise self._failure(Transient, route, f"not reachable ({type(error).__name__})") from None
        except httpx.HTTPError as error:
            raise self._failure(_in_doubt(route), route, f"no answer ({type(error).__name__})") from None
        reply = self._read(route, answer, decode)
        if isinstance(reply, Fault):
            raise error_of(reply, system=self._system, operation=route.operation, write=route.write)
        if isinstance(reply, Accepted) and answer.headers.get("Idempotent-Replay") == "true":
            return replace(reply, duplicate=True)
        return reply

    def _read(self, route: Route, answer: Answer, decode: Callable[[bytes], Reply]) -> Reply:
        if answer.status in (401, 403):
            raise self._failure(Unauthorised, route, f"HTTP {answer.status}: login or address was not accepted")
        if answer.status in self._not_done:
            raise self._failure(Transient, route, f"HTTP {answer.status}: come back later", _seconds(answer))
        if answer.status in (502, 503, 504):
            raise self._failure(_in_doubt(route), route, f"HTTP {answer.status}")
        try:
            return decode(answer.content)
        except Unreadable as error:
            kind = _of_unreadable(route, answer.status)
            raise self._failure(kind, route, f"{error} ({answer.status})") from None

    def _failure(
        self, kind: type[BackOfficeError], route: Route, text: str, retry_after: float | None = None
    ) -> BackOfficeError:
        return kind(text, system=self._system, operation=route.operation, retry_after=retry_after)


def _in_doubt(route: Route) -> type[BackOfficeError]:
    return UnknownOutcome if route.write else Transient


def _of_unreadable(route: Route, status: int) -> type[BackOfficeError]:
    if 400 <= status < 500:
        return ContractBroken
    if route.write:
        return UnknownOutcome
    return Transient if status >= 500 else ContractBroken


def _seconds(answer: Answer) -> float | None:
    value = answer.headers.get("Retry-After") or ""
    return float(value) if value.isdigit() else None
