"""An event comes in, whichever the way: read, check, keep (contracts: platform-events 3, 3.1 steps 6 to 8)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NoReturn

from pydantic import ValidationError

from domain.platform import CloudEvent
from store import Store
from store.installation import Installation
from store.intake import examine, first_fault


class BrokenEnvelope(ValueError):
    """The event cannot be kept at all: not JSON, or the envelope is wrong. `code` is for machines."""

    def __init__(self, message: str, code: str = "envelope_broken") -> None:
        super().__init__(message)
        self.code = code


def _no_constant(name: str) -> NoReturn:
    raise BrokenEnvelope(f"{name} is not JSON")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise BrokenEnvelope("a JSON object has the same key twice", code="duplicate_key")
    return result


def source_of(body: str) -> str | None:
    """The `source` that a body claims, before anything about it is believed; None when none can be read."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    source = parsed.get("source") if isinstance(parsed, dict) else None
    return source if isinstance(source, str) else None


def agency_of_source(installation: Installation, source: str) -> str | None:
    """The agency whose platform account is `source`."""
    return next((name for name, agency in installation.agencies.items() if agency.platform.source == source), None)


def read_envelope(raw: bytes) -> CloudEvent:
    """The envelope with `data` still unread. Raises `BrokenEnvelope`; its text names paths, never values."""
    try:
        body = raw.decode("utf-8")
        parsed = json.loads(body, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
        json.dumps(parsed, ensure_ascii=False).encode("utf-8")
    except BrokenEnvelope:
        raise
    except RecursionError:
        raise BrokenEnvelope("the body is nested too deeply") from None
    except ValueError:  # not UTF-8, a lone surrogate, a byte order mark, not JSON, a number without end
        raise BrokenEnvelope("the body is not JSON in UTF-8") from None
    if not isinstance(parsed, dict):
        raise BrokenEnvelope("the body must be one JSON object")
    if _holds_nul(parsed):
        raise BrokenEnvelope("a text contains the character U+0000")
    try:
        envelope = CloudEvent.model_validate(parsed)
    except ValidationError as error:
        raise BrokenEnvelope(f"envelope: {first_fault(error)}") from None
    if envelope.time.tzinfo is None:
        raise BrokenEnvelope("envelope: time: must carry a time zone")
    return envelope


def _holds_nul(value: Any) -> bool:
    """U+0000 cannot be stored as text by PostgreSQL."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(key) or _holds_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_holds_nul, value))


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an event that was taken in; it is durable now. `to_dispatch`: the outbox may hold something new."""

    agency: str
    event_id: str
    result: Literal["new", "duplicate", "conflict", "parked"]

    @property
    def to_dispatch(self) -> bool:
        return self.result == "new"


class UnknownSource(ValueError):
    """No agency of the installation has this event source."""


def take_in(
    store: Store,
    installation: Installation,
    raw: bytes,
    *,
    received_at: datetime,
    event_id: str | None = None,
    agency: str | None = None,
) -> Receipt:
    """Read, check and keep one event; the way of the gateway and of imports.

    `event_id` is what the transport said it is; `agency` overrules the source (an import's source is its file).
    Raises `BrokenEnvelope`, `UnknownSource` and whatever the database raises when it is away.
    """
    envelope = read_envelope(raw)
    if event_id is not None and envelope.id != event_id:
        raise BrokenEnvelope("webhook-id differs from the id in the body", code="id_mismatch")
    agency = agency or agency_of_source(installation, envelope.source)
    if agency is None:
        raise UnknownSource(f"no agency has the event source {envelope.source}")
    settings = installation.agencies[agency]
    accepted = examine(settings.platform, settings.environment, agency, envelope, raw, received_at)
    result = store.inbox.accept(accepted)
    if result == "new" and accepted.problem is not None:
        return Receipt(agency, envelope.id, "parked")
    return Receipt(agency, envelope.id, result)
