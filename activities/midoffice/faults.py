"""From what a mid-office's answer means to our error classes (contracts: midoffice 3.5)."""

from __future__ import annotations

from activities.midoffice.codec import Fault, Meaning
from domain.errors import BackOfficeError, Refused, Transient, Unauthorised, UnknownOutcome


class StaleRevision(Refused):
    """The target holds a newer revision; the door makes a success of it that changes nothing."""


class UnknownBooking(Refused):
    """A change or cancellation of what the target does not hold; the door tries a change once as a new booking."""


CLASSES: dict[Meaning, type[BackOfficeError]] = {
    Meaning.REFUSED: Refused,
    Meaning.CLOSED: Refused,
    Meaning.UNAUTHORISED: Unauthorised,
    Meaning.STALE: StaleRevision,
    Meaning.UNKNOWN_BOOKING: UnknownBooking,
    Meaning.BUSY: Transient,
}


def error_of(fault: Fault, *, system: str, operation: str, write: bool) -> BackOfficeError:
    """The error that a fault is; `INTERNAL` is in doubt for a write and harmless for a read."""
    kind = CLASSES.get(fault.meaning) or (UnknownOutcome if write else Transient)
    if kind is Unauthorised:
        text = f"{fault.code}: login was not accepted"
    elif fault.field:
        text = f"{fault.code}: {fault.field}: {fault.text}"
    else:
        text = f"{fault.code}: {fault.text}" if fault.code else fault.text
    return kind(text, system=system, operation=operation, code=fault.code)
