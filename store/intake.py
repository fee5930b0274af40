"""What the inbox makes of an event whose envelope is sound (contracts: platform-events 3.1 step 6)."""

from __future__ import annotations

from datetime import datetime

from pydantic import ValidationError

from domain.notices import notice_of
from domain.platform import REQUIRED, CloudEvent, EventData
from store.inbox import AcceptedEvent
from store.installation import PlatformSettings


def examine(
    platform: PlatformSettings, environment: str, agency: str, envelope: CloudEvent, raw: bytes, received_at: datetime
) -> AcceptedEvent:
    """The event as the inbox takes it: with its data and notice, or with the problem that parks it.

    A sequence of zero stands for an event that has no place in its source's log.
    """
    kind = envelope.kind(platform.event_prefix)
    handled = kind is not None and kind in REQUIRED
    data, problem = (
        _read_data(environment, kind, envelope) if kind and handled else (None, "the type is not one of ours")
    )
    notice = notice_of(agency, envelope.id, kind, envelope.time, data) if kind and data else None
    return AcceptedEvent(
        agency=agency,
        source=envelope.source,
        event_id=envelope.id,
        kind=kind if kind and handled else envelope.type,
        body=raw,
        data=data,
        notice=notice,
        occurred_at=envelope.time,
        received_at=received_at,
        problem=problem,
        sequence=int(envelope.sequence) or None,
    )


def _read_data(environment: str, kind: str, envelope: CloudEvent) -> tuple[EventData | None, str | None]:
    """The data, or why it cannot be used; paths and reasons only."""
    try:
        data = EventData.model_validate(envelope.data)
    except ValidationError as error:
        return None, f"data: {first_fault(error)}"
    missing = [name for name in REQUIRED[kind] if getattr(data, name) is None]
    if missing:
        return None, f"data lacks {', '.join(missing)}"
    if envelope.subject != f"{data.aggregate.type}/{data.aggregate.id}":
        return None, "subject and data.aggregate name different things"
    if data.environment != environment:
        return data, f"an event of environment {data.environment} at an agency of environment {environment}"
    return data, None


def first_fault(error: ValidationError) -> str:
    """The first thing wrong, as `path: reason`, without the value (it may name a person)."""
    fault = error.errors(include_input=False, include_url=False, include_context=False)[0]
    path = ".".join(str(part) for part in fault["loc"])
    return f"{path}: {fault['msg']}"[:400]
