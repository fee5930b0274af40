"""The HTTP line to an outside system: one request after the other over httpx's transport, connections kept open.

An adapter makes some thirty calls for a booking, so their price is the orchestrator's price. The transport is used without
the client around it, whose redirects, cookies, authentication and hooks SOAP never uses and which would cost half as much
again. Errors are httpx's own, because they say whether anything can have been sent; the adapters sort them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import httpx

from activities.bounds import Bounded, authorities, proxy_for

IDLE_SECONDS = 60.0
"""How long an unused connection is trusted; servers close theirs after a minute or two."""


class Answer(NamedTuple):
    """Whatever came back, whole."""

    status: int
    headers: httpx.Headers
    content: bytes


class Line:
    """Thread-safe; `headers` go with every request. `transport` replaces the sockets in tests.

    Goes straight there, unless the environment names a proxy for this address.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        connect_seconds: float,
        read_seconds: float,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url = httpx.URL(url)
        self._headers = {"Host": self._url.netloc.decode("ascii"), **headers}
        self._timeout = {"timeout": httpx.Timeout(read_seconds, connect=connect_seconds).as_dict()}
        self._transport = Bounded(
            transport
            or httpx.HTTPTransport(
                verify=authorities(), proxy=proxy_for(self._url), limits=httpx.Limits(keepalive_expiry=IDLE_SECONDS)
            )
        )

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One POST to the address itself and its answer, whatever the status; see `ask`."""
        return self.ask("POST", "", body, headers)

    def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One request and its answer, whatever the status; `path` (already quoted) is put behind the address. Raises the
        classes of `httpx.TransportError`.
        """
        together = {**self._headers, **headers}
        url = httpx.URL(f"{self._url}{path}") if path else self._url
        request = httpx.Request(method, url, headers=together, content=body, extensions=self._timeout)
        answer = self._transport.handle_request(request)
        try:
            return Answer(answer.status_code, answer.headers, answer.read())
        finally:
            answer.close()

    def close(self) -> None:
        self._transport.close()
