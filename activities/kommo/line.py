"""One account's wire to Kommo: a request with its token out, its body or one of our error classes in (contracts: kommo 1, 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import httpx

from activities.bounds import Bounded
from activities.kommo import wire
from activities.kommo.limits import Limits
from activities.kommo.settings import KommoSettings
from activities.kommo.wire import SYSTEM
from domain.errors import BackOfficeError, ContractBroken, Refused, Transient, Unauthorised, UnknownOutcome

API = "/api/v4"
PAGE = 250
MOST_PAGES = 200
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)

Alarm = Callable[[str, str], None]
"""Tells people: a reason of the desk's table, and the words."""


class Tokens(Protocol):
    """Where the bearer token comes from."""

    def current(self) -> str:
        """The token to call with. Raises `Unauthorised` when there is none."""

    def after_refusal(self, refused: str) -> str | None:
        """Another token than the refused one, if there is one by now."""


class FixedToken:
    """A long-lived token: nothing comes after its refusal."""

    def __init__(self, token: str) -> None:
        self._token = token

    def current(self) -> str:
        return self._token

    def after_refusal(self, refused: str) -> str | None:
        return None


def nobody(reason: str, words: str) -> None:
    """No alarm is connected."""


class KommoLine:
    """Thread-safe. Follows no redirect and repeats no write."""

    def __init__(
        self,
        settings: KommoSettings,
        tokens: Tokens | None = None,
        *,
        alarm: Alarm = nobody,
        limits: Limits | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if tokens is None:
            if settings.token is None:
                raise ValueError("an account with OAuth needs its tokens")
            tokens = FixedToken(settings.token.get_secret_value())
        self._tokens = tokens
        self._alarm = alarm
        self._limits = limits or Limits(settings.calls_per_second)
        self.host = settings.host
        self._http = httpx.Client(
            base_url=settings.url,
            headers={"Accept": "application/hal+json, application/problem+json"},
            timeout=httpx.Timeout(settings.read_seconds, connect=settings.connect_seconds),
            follow_redirects=False,
            transport=Bounded.to(settings.url, transport),
        )

    def close(self) -> None:
        self._http.close()

    def pages(
        self, operation: str, path: str, entity: str, question: Mapping[str, str | int]
    ) -> Iterator[Mapping[str, Any]]:
        """All entities of a list; the next page is asked for by number, never by an address of theirs."""
        for page in range(1, MOST_PAGES + 1):
            body = self.read(operation, path, {"limit": PAGE, **question, "page": page})
            yield from wire.embedded(body, entity)
            if not wire.has_next(body):
                return
        raise ContractBroken(f"{path} does not end after {MOST_PAGES} pages", system=SYSTEM, operation=operation)

    def read(
        self, operation: str, path: str, question: Mapping[str, str | int] | None = None, *, gone: bool = False
    ) -> Mapping[str, Any] | None:
        """A body, None for 204; with `gone` also for what does not exist."""
        try:
            return self._call(operation, "GET", path, question=question, writes=False)
        except Refused as refusal:
            if gone and refusal.code in ("404", "410"):
                return None
            raise

    def write(self, operation: str, method: str, path: str, body: Any) -> Mapping[str, Any] | None:
        return self._call(operation, method, path, body=body, writes=True)

    def _call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        question: Mapping[str, str | int] | None = None,
        body: Any = None,
        writes: bool,
    ) -> Mapping[str, Any] | None:
        token = self._tokens.current()
        answer = self._exchange(operation, method, path, question, body, token, writes=writes)
        if answer.status_code == 401:
            # Another worker may have refreshed the token while this call was on its way; nothing was done.
            other = self._tokens.after_refusal(token)
            if other is not None:
                answer = self._exchange(operation, method, path, question, body, other, writes=writes)
        return self._sorted(operation, answer, writes=writes)

    def _exchange(
        self,
        operation: str,
        method: str,
        path: str,
        question: Mapping[str, str | int] | None,
        body: Any,
        token: str,
        *,
        writes: bool,
    ) -> httpx.Response:
        self._limits.take(operation)
        sent: dict[str, Any] = {} if body is None else {"json": body}
        if question:
            sent["params"] = dict(question)
        try:
            return self._http.request(method, API + path, headers={"Authorization": f"Bearer {token}"}, **sent)
        except _NOTHING_SENT as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise Unauthorised("the certificate was not accepted", system=SYSTEM, operation=operation) from None
            raise Transient(f"not connected: {type(error).__name__}", system=SYSTEM, operation=operation) from None
        except httpx.HTTPError as error:
            kind = UnknownOutcome if writes else Transient
            raise kind(f"no answer: {type(error).__name__}", system=SYSTEM, operation=operation) from None

    def _sorted(self, operation: str, answer: httpx.Response, *, writes: bool) -> Mapping[str, Any] | None:
        status = answer.status_code
        body = _object(answer)
        if status == 429:
            pause = self._limits.throttled(_seconds(body))
            raise Transient("too many calls", system=SYSTEM, operation=operation, code="429", retry_after=pause)
        if status == 403 and (shut := self._limits.forbidden()) is not None:
            words = f"Kommo shut the account out for too many calls; nothing is sent for {shut / 60:.0f} minutes"
            self._alarm("kommo_blocked", words)
            raise Transient(words, system=SYSTEM, operation=operation, code="403", retry_after=shut)
        if 200 <= status <= 299:
            self._limits.served()
            if status == 204 or (not answer.content and writes):
                return None
            if body is None:
                doubtful: type[BackOfficeError] = UnknownOutcome if writes else Transient
                raise doubtful("the answer is no JSON object", system=SYSTEM, operation=operation)
            return body
        request_id = answer.headers.get("x-request-id", "")[:80]
        raise wire.problem(operation, status, body or {}, request_id, writes=writes)


def _object(answer: httpx.Response) -> Mapping[str, Any] | None:
    try:
        body = answer.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _seconds(body: Mapping[str, Any] | None) -> float | None:
    told = None if body is None else body.get("retry_after")
    return float(told) if isinstance(told, int | float) and not isinstance(told, bool) and 0 <= told < 86400 else None
