"""Faults that a person or a test switches on, per system and per operation."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What goes wrong."""

    REFUSE = "refuse"
    """A business refusal in the system's own words; nothing stored."""
    ERROR_BEFORE = "error-before"
    """A technical error, nothing stored."""
    ERROR_AFTER = "error-after"
    """Stored, then a technical error is answered."""
    DROP_BEFORE = "drop-before"
    """The connection is cut, nothing stored."""
    DROP_AFTER = "drop-after"
    """Stored, then the connection is cut without an answer."""
    SLOW = "slow"
    """The right answer, after `seconds`."""
    PAGE_503 = "page-503"
    """An HTML page with status 503, nothing stored."""
    MALFORMED = "malformed"
    """Stored, and the answer is cut in the middle of its markup."""
    LATE = "late"
    """The connection is cut at once; the effect appears `seconds` later."""
    HANG = "hang"
    """Nothing for `seconds`, then the connection is cut; nothing stored."""
    EMPTY = "empty"
    """Stored, and a success without a body is answered."""
    PAGE_200 = "page-200"
    """An HTML page with status 200, as of a proxy or a log-in; nothing stored."""
    CROSSED = "crossed"
    """Stored, and what is answered belongs to another call: the last answer of the same operation, or another number."""
    THROTTLE = "throttle"
    """Too many requests: 429 with Retry-After `seconds`, or what the system has instead."""


WIRE = (Kind.HANG, Kind.EMPTY, Kind.PAGE_200, Kind.CROSSED)
"""Kinds of systems that answer over HTTP; servers of files do not know them."""


@dataclass
class Fault:
    """One switch: the next `times` calls of `operation` (`*` = any) misbehave, after letting `skip` of them pass.

    `times=None` lasts until it is removed. `fired` counts how often it struck.
    """

    operation: str
    kind: Kind
    times: int | None = 1
    seconds: float = 5.0
    skip: int = 0
    fired: int = 0


@dataclass
class FaultBoard:
    """The switches of one system; safe to use from several threads."""

    faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def set(self, wish: dict[str, Any]) -> Fault:
        """Add a switch from its JSON form; raises ValueError on an unknown kind or a wrong number."""
        unknown = set(wish) - {"operation", "kind", "times", "seconds", "skip"}
        if unknown:
            raise ValueError(f"unknown members: {', '.join(sorted(unknown))}")
        times = wish.get("times", 1)
        fault = Fault(
            operation=str(wish.get("operation", "*")),
            kind=Kind(wish["kind"]),
            times=None if times is None else int(times),
            seconds=float(wish.get("seconds", 5.0)),
            skip=int(wish.get("skip", 0)),
        )
        with self._lock:
            self.faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self.faults.clear()

    def take(self, operation: str) -> Fault | None:
        """The fault that strikes this call of `operation`, if one does."""
        with self._lock:
            for fault in self.faults:
                if fault.operation not in ("*", operation) or fault.times == 0:
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                fault.fired += 1
                return fault
        return None

    def listing(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self.faults]
