"""Deliveries that a real sender gets wrong: again, in disguise, altered, or missing (contracts: platform-events 8)."""

from __future__ import annotations

import json

from sandbox.platform.amounts import Doc, Unknown, Wrong
from sandbox.platform.change import Change
from sandbox.platform.events import encoded


def redeliver(change: Change, wish: Doc) -> Doc:
    """Owe the same event once more: {"event_id"}. Same id, same bytes, a new timestamp."""
    partition, body = _event(change, wish["event_id"])
    change.storage.owe(wish["event_id"], partition, body)
    return {"id": wish["event_id"]}


def retell(change: Change, wish: Doc) -> Doc:
    """The same fact in another event with its own id: {"event_id"}."""
    partition, body = _event(change, wish["event_id"])
    event = json.loads(body)
    kind = event["type"].removeprefix(f"{change.account.prefix}.").removesuffix(".v1")
    return {"id": change.send(kind, partition, event["data"], {})}


def forge(change: Change, wish: Doc) -> Doc:
    """The same id with another body, rightly signed: {"event_id", "data"?: members to set}."""
    partition, body = _event(change, wish["event_id"])
    event = json.loads(body)
    event["data"] |= wish.get("data") or {"reason": {"code": "forged"}}
    change.storage.owe(wish["event_id"], partition, encoded(event), other_body=True)
    return {"id": wish["event_id"]}


def emit(change: Change, wish: Doc) -> Doc:
    """Send any event: {"kind", "partition", "data", "options"?}; `data` needs its `aggregate`."""
    if "aggregate" not in wish["data"]:
        raise Wrong("data needs its aggregate")
    return {"id": change.send(wish["kind"], wish["partition"], wish["data"], wish.get("options", {}))}


def skip_sequence(change: Change, wish: Doc) -> Doc:
    """Leave a hole in the numbering: {"by"?: 1}."""
    for _ in range(int(wish.get("by", 1))):
        number = change.storage.next_number("sequence")
    return {"id": f"{number:020d}"}


def release(change: Change, wish: Doc) -> Doc:
    """Let held deliveries go: those of {"event_id"}, or all."""
    return {"id": "held", "released": change.storage.release(event_id=wish.get("event_id"))}


def mark(change: Change, wish: Doc) -> Doc:
    """Keep a note under a name: {"name", "value"}. A season keeps its progress so."""
    return change.put("mark", {"id": wish["name"], "value": wish["value"]})


def _event(change: Change, event_id: str) -> tuple[str, bytes]:
    found = change.storage.event(event_id)
    if found is None:
        raise Unknown(f"no event {event_id}")
    return found
