"""The HTTP line to an outside system: one POST after the other over connections that stay open.

An adapter makes some thirty calls for a booking, so their price is the orchestrator's price. A general client spends four
times as much on redirects, cookies, authentication and hooks that SOAP never uses. The errors are httpx's own, because they
say whether anything can have been sent; the adapters sort them.
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple, Protocol
from urllib.request import getproxies, proxy_bypass

import httpx

IDLE_SECONDS = 60.0
"""How long an unused connection is trusted; servers close theirs after a minute or two."""


class Headers(Protocol):
    """Names are compared without case."""

    def get(self, name: str, /) -> str | None: ...


class Answer(NamedTuple):
    """Whatever came back, whole."""

    status: int
    headers: Headers
    content: bytes


class Poster(Protocol):
    """Raises the classes of `httpx.TransportError`."""

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer: ...

    def close(self) -> None: ...


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
        self._headers = dict(headers)
        address = httpx.URL(url)
        self._poster: Poster = (
            _General(
                address, httpx.Client(transport=transport, timeout=httpx.Timeout(read_seconds, connect=connect_seconds))
            )
            if transport is not None or _proxied(address)
            else _KeptConnections(address, connect_seconds, read_seconds)
        )

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One request and its answer, whatever the status. Raises the classes of `httpx.TransportError`."""
        return self._poster.post(body, {**self._headers, **headers})

    def close(self) -> None:
        self._poster.close()


def _proxied(url: httpx.URL) -> bool:
    proxies = getproxies()
    return (url.scheme in proxies or "all" in proxies) and not proxy_bypass(url.host)


class _General:
    def __init__(self, url: httpx.URL, client: httpx.Client) -> None:
        self._url = url
        self._client = client

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        answer = self._client.post(self._url, content=body, headers=headers)
        return Answer(answer.status_code, answer.headers, answer.content)

    def close(self) -> None:
        self._client.close()


class _KeptConnections:
    """HTTP/1.1 by the standard library, to one address."""

    def __init__(self, url: httpx.URL, connect_seconds: float, read_seconds: float) -> None:
        if url.scheme not in ("http", "https"):
            raise httpx.UnsupportedProtocol(f"{url.scheme or 'no scheme'} is not HTTP")
        self._url = url
        self._path = url.raw_path.decode("ascii")
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._tls: ssl.SSLContext | None = httpx.create_ssl_context() if url.scheme == "https" else None
        self._idle: deque[tuple[http.client.HTTPConnection, float]] = deque()

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        connection = self._kept() or self._connected()
        try:
            connection.request("POST", self._path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except TimeoutError as error:
            connection.close()
            raise httpx.ReadTimeout(str(error)) from None
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise httpx.RemoteProtocolError(type(error).__name__) from None
        except BaseException:
            connection.close()
            raise
        if answer.will_close:
            connection.close()
        else:
            self._idle.append((connection, time.monotonic()))
        return Answer(answer.status, answer.headers, content)

    def close(self) -> None:
        while self._idle:
            self._idle.pop()[0].close()

    def _kept(self) -> http.client.HTTPConnection | None:
        """The connection used last, if the other side still holds it."""
        while True:
            try:
                connection, since = self._idle.pop()
            except IndexError:
                return None
            if time.monotonic() - since < IDLE_SECONDS and not _has_something_to_read(connection.sock):
                return connection
            connection.close()

    def _connected(self) -> http.client.HTTPConnection:
        url, seconds = self._url, self._connect_seconds
        connection = (
            http.client.HTTPConnection(url.host, url.port, timeout=seconds)
            if self._tls is None
            else http.client.HTTPSConnection(url.host, url.port, timeout=seconds, context=self._tls)
        )
        try:
            connection.connect()
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from None
        except OSError as error:
            raise httpx.ConnectError(str(error)) from None
        connection.sock.settimeout(self._read_seconds)
        return connection


def _has_something_to_read(sock: socket.socket) -> bool:
    """On a connection at rest that means that the other side has closed it."""
    waiting = select.poll()
    waiting.register(sock, select.POLLIN)
    return bool(waiting.poll(0))
