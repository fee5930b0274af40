"""Probes of a process: alive, ready, and metrics in Prometheus' text format, on a port that is not for the public.

`GET /health/live` 200 while the process answers; `GET /health/ready` 200 or 503 with the reasons; `GET /metrics` the process's own
counters, what collectors read from the store at that moment, and the metrics of Temporal's SDK.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import httpx
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

log = logging.getLogger(__name__)

Check = Callable[[], str | None]
"""Why a part is not ready, in one line without secrets; None when it is."""

PATIENCE = 5.0
"""Seconds for the SDK's metrics, and for a guest that does not finish its request."""


class Probes:
    """Serves probes at `address` (`host:port`; port 0: any) in threads of its own. Not at all when `address` is empty."""

    def __init__(
        self,
        address: str,
        checks: Mapping[str, Check],
        *,
        sdk_metrics: str | None = None,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self._wanted, self._checks, self._sdk, self._registry = address, checks, sdk_metrics, registry
        self._server: ThreadingHTTPServer | None = None

    @property
    def address(self) -> str:
        """Where it serves."""
        assert self._server is not None, "probes are not served"
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def __enter__(self) -> Self:
        if self._wanted:
            host, port = split(self._wanted)
            self._server = ThreadingHTTPServer((host, port), _handler(self))
            self._server.daemon_threads = True
            threading.Thread(target=self._server.serve_forever, name="probes", daemon=True).start()
            log.info("probes at %s", self.address)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def answer(self, path: str) -> tuple[HTTPStatus, str, bytes]:
        """Status, content type and body."""
        match path.partition("?")[0]:
            case "/health/live":
                return HTTPStatus.OK, "application/json", b'{"status":"ok"}'
            case "/health/ready":
                missing = {name: why for name, check in self._checks.items() if (why := check()) is not None}
                status = HTTPStatus.SERVICE_UNAVAILABLE if missing else HTTPStatus.OK
                said = {"status": "not ready", "missing": missing} if missing else {"status": "ready"}
                return status, "application/json", json.dumps(said).encode()
            case "/metrics":
                return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self._registry) + self._of_sdk()
        return HTTPStatus.NOT_FOUND, "text/plain", b"there are /health/live, /health/ready and /metrics\n"

    def _of_sdk(self) -> bytes:
        if self._sdk is None:
            return b""
        try:
            return httpx.get(f"http://{self._sdk}/metrics", timeout=PATIENCE).content
        except httpx.HTTPError as error:
            log.warning("the metrics of Temporal's SDK cannot be read: %s", type(error).__name__)
            return b""


def _handler(probes: Probes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = PATIENCE

        def do_GET(self) -> None:
            status, kind, body = probes.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Probes come every few seconds; they are no news."""

    return Handler


def split(address: str) -> tuple[str, int]:
    """Host and port of `host:port`. Raises `ValueError`."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"'{address}' is not host:port")
    return host.strip("[]"), int(port)


def measured_runtime() -> tuple[Runtime, str]:
    """A runtime of the SDK that shows its metrics, and the address on this machine where it does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    shown = PrometheusConfig(
        bind_address=address, counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True
    )
    return Runtime(telemetry=TelemetryConfig(metrics=shown)), address
