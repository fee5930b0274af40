"""Logs as JSON lines, and traces that join an event's spans across processes without handing anything on."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel
from temporalio import activity
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities import measuring
from activities.measuring import observed
from domain.effects import EffectKey, EffectRecord, EffectState
from domain.errors import Refused
from workers import tracing
from workers.logs import JsonLines
from workers.tracing import Tracing, span_of, trace_of

KEY = EffectKey("one", "giav", "cobro", "pay_1", "post")
RECORD = EffectRecord(KEY, EffectState.INTENDED, acts=1)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    monkeypatch.setattr(measuring, "_tracer", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


class Step(BaseModel):
    agency: str
    event_id: str
    booking_id: str


class Cell(ActivityInboundInterceptor):
    """The end of the chain: a cell with one effect."""

    def __init__(self) -> None:
        pass

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        with observed(KEY, RECORD):
            return "done"


async def run_cell(step: Step) -> Any:
    @activity.defn
    async def cell(given: Step) -> Any:
        chain = Tracing().intercept_activity(Cell())
        return await chain.execute_activity(ExecuteActivityInput(fn=cell, args=[given], executor=None, headers={}))

    return await ActivityEnvironment().run(cell, step)


async def test_webhook_cell_and_write_of_an_event_are_one_trace(spans: InMemorySpanExporter) -> None:
    with span_of("one", "evt_1", "receive", event="evt_1"):
        pass
    await run_cell(Step(agency="one", event_id="evt_1", booking_id="b1"))
    received, write, cell = spans.get_finished_spans()
    expected = trace_of("one", "evt_1").trace_id
    assert {span.context.trace_id for span in (received, write, cell) if span.context} == {expected}
    assert write.parent is not None
    assert cell.context is not None
    assert write.parent.span_id == cell.context.span_id
    assert write.name == "giav post"
    assert write.attributes is not None
    assert write.attributes["bookings.outcome"] == "Done"


def test_two_agencies_never_share_a_trace() -> None:
    assert trace_of("one", "evt_1").trace_id != trace_of("two", "evt_1").trace_id


def test_a_refused_write_says_so_and_never_quotes_the_refusal(spans: InMemorySpanExporter) -> None:
    with pytest.raises(Refused), observed(KEY, RECORD):
        raise Refused("Ana Prueba is unknown", system="giav")
    (span,) = spans.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["bookings.outcome"] == "Refused"
    assert "Ana" not in span.to_json()


def test_a_line_names_what_runs_and_what_it_is_about(spans: InMemorySpanExporter) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines("worker"))
    log = logging.Logger("activities.giav")
    log.addHandler(handler)
    with span_of("one", "evt_1", "cell", booking="b1"):
        log.warning("answered late", extra={"system": "giav"})
        expected = trace.get_current_span().get_span_context().trace_id
    log.error("outside of anything")
    inside, outside = (json.loads(line) for line in stream.getvalue().splitlines())
    assert inside["trace"] == format(expected, "032x")
    assert (inside["agency"], inside["booking"], inside["system"]) == ("one", "b1", "giav")
    assert (inside["level"], inside["service"], inside["message"]) == ("warning", "worker", "answered late")
    assert "trace" not in outside
    assert "agency" not in outside
