"""Traces from the webhook to the write: one trace for each event, whichever process carries it on.

A trace's id follows from what the event is called, so nothing has to be handed from the gateway through Temporal to the
workers, and what is resumed after a crash, by another process or months later, joins the same trace. Each span is sent
when it ends: a booking lives for months, and a killed process loses the spans of its last half second at most.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NonRecordingSpan, SpanContext, StatusCode, TraceFlags
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from store.installation import Installation

SENT_AFTER = 500
"""Milliseconds that an ended span may wait for others to be sent with; a collector that is down delays no work."""

_tracer = trace.get_tracer("bookings.cells")


def start_tracing(installation: Installation, service: str) -> None:
    """Send this process's spans to the collector of the settings, if they name one. Once in a process."""
    collector = installation.telemetry.traces
    if collector is None:
        return
    provider = TracerProvider(resource=Resource.create({"service.name": f"bookings-{service}"}))
    exporter = OTLPSpanExporter(endpoint=f"{collector.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=SENT_AFTER))
    trace.set_tracer_provider(provider)


def stop_tracing() -> None:
    """Send what has not been sent yet."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.shutdown()


def trace_of(agency: str, name: str) -> SpanContext:
    """The root of the trace of an event (its id), or of a payment or another lifecycle without one (its workflow id)."""
    digest = hashlib.sha256(f"{agency}\x1f{name}".encode()).digest()
    return SpanContext(
        trace_id=int.from_bytes(digest[:16], "big"),
        span_id=int.from_bytes(digest[16:24], "big"),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )


@contextmanager
def span_of(agency: str, name: str, what: str, **attributes: str) -> Iterator[None]:
    """A span named `what` in the trace of an event."""
    parent = trace.set_span_in_context(NonRecordingSpan(trace_of(agency, name)))
    marked = {f"bookings.{key}": value for key, value in attributes.items() if value}
    # The words of an exception may quote what an outside system said of a person.
    with _tracer.start_as_current_span(what, parent, record_exception=False, set_status_on_exception=False) as span:
        span.set_attributes({"bookings.agency": agency, "bookings.trace": name, **marked})
        try:
            yield
        except BaseException:
            span.set_status(StatusCode.ERROR)
            raise


class Tracing(Interceptor):
    """A span for every attempt of a cell, in the trace of the event that its step names."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Traced(next)


class _Traced(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        step = input.args[0] if input.args else None
        agency = getattr(step, "agency", "")
        info = activity.info()
        name = getattr(step, "event_id", "") or getattr(step, "lifecycle", "") or info.workflow_id or ""
        with span_of(
            agency,
            name,
            info.activity_type,
            workflow=info.workflow_id or "",
            booking=getattr(step, "booking_id", None) or "",
            attempt=str(info.attempt),
        ):
            return await super().execute_activity(input)
