"""How much of an answer is read: outside systems may break down, or be somebody else, and memory is ours (docs/security.md)."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Iterator
from urllib.request import getproxies, proxy_bypass

import httpx

LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes of one answer over HTTP; the largest honest ones are PDF packages of a few megabytes."""


def proxy_for(url: httpx.URL) -> str | None:
    """The proxy that the environment names for this address."""
    proxies = getproxies()
    return None if proxy_bypass(url.host) else proxies.get(url.scheme) or proxies.get("all")


@functools.cache
def authorities() -> ssl.SSLContext:
    """Whom we believe, for all lines of this process: reading the authorities takes longer than many a call."""
    return httpx.create_ssl_context()


class Bounded(httpx.BaseTransport):
    """Breaks an answer off that grows beyond `largest`, as if the line had broken.

    Asks for answers as they are and takes no compressed ones: a few kilobytes could unfold into gigabytes.
    """

    def __init__(self, transport: httpx.BaseTransport, *, largest: int = LARGEST_ANSWER) -> None:
        self._transport = transport
        self._largest = largest

    @classmethod
    def to(cls, url: str, transport: httpx.BaseTransport | None = None) -> Bounded:
        """The transport to one address, through the proxy that the environment names for it; `transport` is for tests."""
        return cls(transport or httpx.HTTPTransport(verify=authorities(), proxy=proxy_for(httpx.URL(url))))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["Accept-Encoding"] = "identity"
        answer = self._transport.handle_request(request)
        if answer.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
            answer.close()
            raise httpx.RemoteProtocolError("a compressed answer, which was not asked for")
        declared = answer.headers.get("Content-Length", "0")
        if declared.isdecimal() and int(declared[:18]) > self._largest:
            answer.close()
            raise httpx.RemoteProtocolError(f"an answer of more than {self._largest} bytes")
        assert isinstance(answer.stream, httpx.SyncByteStream)
        answer.stream = _Counted(answer.stream, self._largest)
        return answer

    def close(self) -> None:
        self._transport.close()


class _Counted(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, largest: int) -> None:
        self._stream = stream
        self._largest = largest

    def __iter__(self) -> Iterator[bytes]:
        came = 0
        for chunk in self._stream:
            came += len(chunk)
            if came > self._largest:
                raise httpx.ReadError(f"an answer of more than {self._largest} bytes")
            yield chunk

    def close(self) -> None:
        self._stream.close()
