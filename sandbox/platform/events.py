"""Envelopes: one CloudEvent per fact, in one contiguous log (contracts: platform-events 3, 5.2)."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime

from sandbox.platform.amounts import Doc

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Account:
    """The planner's account on the platform: what every event of it says about its origin."""

    planner_id: str = "pl_7Q2"
    host: str = "https://platform.example"
    prefix: str = "example.planner"
    environment: str = "test"

    @property
    def source(self) -> str:
        return f"{self.host}/planners/{self.planner_id}"


def event_id(now: datetime) -> str:
    """A new event id: milliseconds and eighty random bits, so that ids sort by time (ULID)."""
    value = (int(now.timestamp() * 1000) << 80) | secrets.randbits(80)
    return "evt_" + "".join(CROCKFORD[(value >> (5 * place)) & 31] for place in range(25, -1, -1))


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def envelope(
    account: Account, *, new_id: str, kind: str, now: datetime, sequence: int, partition: str, data: Doc
) -> Doc:
    """The whole event; `kind` is the type without prefix and version."""
    aggregate = data["aggregate"]
    return {
        "specversion": "1.0",
        "id": new_id,
        "source": account.source,
        "type": f"{account.prefix}.{kind}.v1",
        "subject": f"{aggregate['type']}/{aggregate['id']}",
        "time": instant(now),
        "datacontenttype": "application/json",
        "partitionkey": partition,
        "sequence": f"{sequence:020d}",
        "correlationid": partition,
        "data": data,
    }


def encoded(event: Doc) -> bytes:
    """The bytes that are signed and sent."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
