"""HTTP POSTs from a few threads with kept connections: a fifth of the cost of a general client, and this is all we need."""

from __future__ import annotations

import http.client
import socket
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit


@dataclass(frozen=True)
class Answer:
    """`status` or the `error` that took its place; `retry_after` in seconds, 0 if nothing was said."""

    status: int | None
    error: str | None = None
    retry_after: float = 0.0

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Poster:
    """Posts bodies; `timeout` in seconds for connecting and for each wait, `at_once` requests in parallel."""

    def __init__(self, timeout: float, at_once: int) -> None:
        self._timeout = timeout
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="sandbox-platform-post")
        self._mine = threading.local()
        self._open: set[http.client.HTTPConnection] = set()
        self._closed = False

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> Future[Answer]:
        """Never fails: what went wrong is in the answer."""
        return self._pool.submit(self._post, urlsplit(url), body, headers)

    def close(self) -> None:
        """Give up what is under way."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        for connection in list(self._open):
            if connection.sock is not None:
                with suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)

    def _post(self, url: SplitResult, body: bytes, headers: dict[str, str]) -> Answer:
        connection, kept = self._connection(url)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException) as error:
            self._forget(connection)
            # A kept connection may have been closed by the other side since: that says nothing about this request.
            if kept and not self._closed and isinstance(error, ConnectionError):
                return self._post(url, body, headers)
            return Answer(None, type(error).__name__)
        asked = response.headers.get("Retry-After", "")
        return Answer(response.status, None, float(asked) if asked.isdigit() else 0.0)

    def _connection(self, url: SplitResult) -> tuple[http.client.HTTPConnection, bool]:
        """This thread's connection to the host, and whether it was used before."""
        address = (url.scheme, url.netloc)
        if getattr(self._mine, "address", None) == address:
            return self._mine.connection, True
        if (old := getattr(self._mine, "connection", None)) is not None:
            self._forget(old)
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.hostname or "", url.port, timeout=self._timeout)
        self._mine.address, self._mine.connection = address, connection
        self._open.add(connection)
        return connection, False

    def _forget(self, connection: http.client.HTTPConnection) -> None:
        connection.close()
        self._open.discard(connection)
        self._mine.address = self._mine.connection = None
