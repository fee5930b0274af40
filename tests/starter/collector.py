"""A collector of traces on a real socket: what any receiver of OTLP over HTTP gets to see."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Received:
    """One span, by the process that sent it."""

    service: str
    trace: str
    span: str
    parent: str
    name: str
    attributes: dict[str, str]


class Collector:
    def __init__(self) -> None:
        self.spans: list[Received] = []
        self.wrong: list[str] = []
        self._came = threading.Condition()
        self.url = ""

    def take(self, path: str, kind: str, body: bytes) -> None:
        with self._came:
            if (path, kind) != ("/v1/traces", "application/x-protobuf"):
                self.wrong.append(f"{path}: {kind}")
            for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                service = {each.key: each.value.string_value for each in group.resource.attributes}["service.name"]
                for spans in group.scope_spans:
                    for span in spans.spans:
                        told = {each.key: each.value.string_value for each in span.attributes}
                        ids = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
                        self.spans.append(Received(service, *ids, span.name, told))
            self._came.notify_all()

    def wait_for(self, trace: str, service: str, name: str) -> Received:
        """A span of that name from that process, however long it takes to come."""

        def found() -> Received | None:
            wanted = trace, service, name
            return next((span for span in self.spans if (span.trace, span.service, span.name) == wanted), None)

        with self._came:
            assert self._came.wait_for(lambda: found() is not None, timeout=120), self.spans
            span = found()
        assert span is not None
        return span


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.take(self.path, self.headers["Content-Type"], body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """The test says what came."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_port}"
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield collector
        finally:
            server.shutdown()
            serving.join()
