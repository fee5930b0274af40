"""The way to MIDOCO and back: one SOAP call over HTTP, its failures sorted into our classes (contracts: midoffice 3.5, 4.5)."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Self

import httpx

from activities.line import Answer, Line
from activities.midoffice.codec import Announce, AnnouncePayment, Codec, Fault, Question, Reply, Unreadable
from activities.midoffice.midoco.codec import OPERATIONS
from activities.midoffice.settings import MidOfficeSettings
from domain.errors import BackOfficeError, ContractBroken, Refused, Transient, Unauthorised, UnknownOutcome

SYSTEM = "midoco"
LOGIN_WORDS = re.compile(
    r"log[- ]?in\b|session|password|credential|organi[sz]ation ?unit.*\b(?:not|unknown|invalid)\b", re.IGNORECASE
)
"""A fault whose text speaks of these is about the caller, not about the booking."""
NEVER_ARRIVED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class MidocoClient:
    """Thread-safe. `transport` is for tests; without it real sockets are used."""

    def __init__(self, settings: MidOfficeSettings, codec: Codec, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        if settings.bearer_token is not None:
            headers["Authorization"] = f"Bearer {settings.bearer_token.get_secret_value()}"
        self._codec = codec
        self._line = Line(
            f"{settings.url.rstrip('/')}/ws/services/BookingService",
            headers=headers,
            connect_seconds=settings.connect_timeout,
            read_seconds=settings.timeout,
            transport=transport,
        )

    def close(self) -> None:
        self._line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, question: Question) -> Reply:
        """One call. Raises Transient (nothing happened there), UnknownOutcome (only writes), Refused (MIDOCO's words),
        Unauthorised, or ContractBroken (an answer to a read that cannot be understood).
        """
        operation = OPERATIONS[type(question)]
        write = isinstance(question, Announce | AnnouncePayment)
        try:
            answer = self._line.post(self._codec.encode(question), {"SOAPAction": f'"{operation}"'})
        except NEVER_ARRIVED as error:
            raise _failure(Transient, operation, f"not reachable ({type(error).__name__})") from None
        except httpx.HTTPError as error:
            kind = UnknownOutcome if write else Transient
            raise _failure(kind, operation, f"no answer ({type(error).__name__})") from None
        return self._read(operation, answer, write=write)

    def _read(self, operation: str, answer: Answer, *, write: bool) -> Reply:
        if answer.status in (401, 403):
            raise _failure(Unauthorised, operation, f"HTTP {answer.status}: login or address was not accepted")
        if answer.status == 429:
            raise _failure(Transient, operation, "too many requests", retry_after=_seconds(answer))
        if answer.status in (502, 503, 504):
            raise _failure(UnknownOutcome if write else Transient, operation, f"HTTP {answer.status}")
        try:
            reply = self._codec.decode(answer.content)
        except Unreadable as error:
            raise _failure(
                _of_unreadable(answer.status, write=write), operation, f"{error} ({answer.status})"
            ) from None
        if not isinstance(reply, Fault):
            return reply
        if not reply.code:
            # A fault without MIDOCO's own detail is its server speaking, not its business.
            raise _failure(UnknownOutcome if write else Transient, operation, "a SOAP fault without detail")
        if LOGIN_WORDS.search(reply.text):
            raise _failure(Unauthorised, operation, f"{reply.code}: login was not accepted", code=reply.code)
        raise _failure(Refused, operation, f"{reply.code}: {reply.text}", code=reply.code)


def _of_unreadable(status: int, *, write: bool) -> type[BackOfficeError]:
    if 400 <= status < 500:
        return ContractBroken
    if write:
        return UnknownOutcome
    return Transient if status >= 500 else ContractBroken


def _failure(
    kind: type[BackOfficeError], operation: str, text: str, *, code: str = "", retry_after: float | None = None
) -> BackOfficeError:
    return kind(text, system=SYSTEM, operation=operation, code=code, retry_after=retry_after)


def _seconds(answer: Answer) -> float | None:
    value = answer.headers.get("Retry-After") or ""
    return float(value) if value.isdigit() else None
