"""What processes log and how: lines for people, or JSON objects that name agency, booking, event, effect and workflow.

Nothing personal and no secret is ever logged (docs/security.md); the names here are keys only.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from opentelemetry import trace
from temporalio import activity

from store.installation import TelemetrySettings

TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"
KEYS = ("agency", "booking", "event", "effect", "workflow", "activity", "attempt", "system", "reason")
"""What a log call may name with `extra`, and what is known without being said."""


def set_up_logging(settings: TelemetrySettings, service: str) -> None:
    """Once in a process, before anything is logged; to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(service) if settings.logs == "json" else logging.Formatter(TEXT))
    logging.basicConfig(level=settings.level, handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.WARNING)


class JsonLines(logging.Formatter):
    """One JSON object a line, with the cell and the trace that run at that moment."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
            **_running(),
        }
        line |= {key: value for key in KEYS if (value := getattr(record, key, None)) is not None}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _running() -> dict[str, Any]:
    """The cell around this line, if one runs, and its trace."""
    known: dict[str, Any] = {}
    if activity.in_activity():
        info = activity.info()
        known = {"workflow": info.workflow_id, "activity": info.activity_type, "attempt": info.attempt}
    span = trace.get_current_span()
    if (context := span.get_span_context()).is_valid:
        known["trace"] = format(context.trace_id, "032x")
    attributes = getattr(span, "attributes", None) or {}
    for key in ("agency", "booking", "effect"):
        if value := attributes.get(f"bookings.{key}"):
            known[key] = value
    return known
