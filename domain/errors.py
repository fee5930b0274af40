"""What can go wrong with an outside system, sorted by what may be done next (contracts: giav 1.4, midoffice 3.5, payment-sync 3).

BackOfficeError
├── Transient        nothing happened there; the same call may be made again
│   ├── NotYet           … because something of ours must come first; nobody failed
│   └── PutOff           … because our own limits say later; nobody failed
├── UnknownOutcome   the write may or may not have happened; look before anything else
│   └── Breakdown    … because the other side said so itself; a write that sets a state is not repeated for ever
├── Refused          the system understood and said no, for a business reason
│   └── UnsupportedProduct   we refuse for it: this kind of service has no place there
├── ContractBroken   question or answer does not fit the wire contract
├── Unauthorised     key, password, host key or certificate was not accepted
└── NeedsPerson      every automatic way is used up; a person decides
"""

from __future__ import annotations

from typing import ClassVar


class BackOfficeError(Exception):
    """Root of all errors that an adapter may raise; carries no secret, no personal datum and no whole answer.

    `retry_after` is in seconds and only set where the other side (or our schedule) named a time; `effect` is the key of
    the write that failed, if it was one.
    """

    automatic_retry: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        system: str = "",
        operation: str = "",
        code: str = "",
        retry_after: float | None = None,
        effect: str = "",
    ) -> None:
        super().__init__(message[:500])
        self.message = message[:500]
        self.system = system
        self.operation = operation
        self.code = code
        self.retry_after = retry_after
        self.effect = effect

    def __str__(self) -> str:
        where = " ".join(part for part in (self.system, self.operation) if part)
        return f"{where}: {self.message}" if where else self.message


class Transient(BackOfficeError):
    """Nothing was written: connection refused, 429, 503 before the effect, something we wait for is not there yet."""

    automatic_retry = True


class NotYet(Transient):
    """Something of ours must come first: the booking in the ERP, the activation of a system. Nobody failed."""


class PutOff(Transient):
    """Not asked now, by a limit of our own: an account's calls a second, an agency's share of threads. Nobody failed."""


class UnknownOutcome(BackOfficeError):
    """The request left the house and no trustworthy answer came back (timeout, reset, 5xx, unreadable answer on a write)."""

    automatic_retry = True


class Breakdown(UnknownOutcome):
    """The other side answered a write with an error that names no business reason: what it did nobody knows (giav 1.4 c)."""


class Refused(BackOfficeError):
    """A business refusal in the system's own words; repeating it unchanged is pointless."""


class UnsupportedProduct(Refused):
    """The product kind has no place in that system (midoffice 1.3); nothing was sent."""


class ContractBroken(BackOfficeError):
    """Our request was malformed, or an answer could not be understood although nothing is in doubt (a read)."""


class Unauthorised(BackOfficeError):
    """Credentials, host key or certificate were not accepted; retrying locks accounts."""


class NeedsPerson(BackOfficeError):
    """Automatic ways are exhausted or forbidden; the text says what to look at."""


FAULT_CLASSES: dict[str, type[BackOfficeError]] = {
    cls.__name__: cls
    for cls in (
        Transient,
        NotYet,
        PutOff,
        UnknownOutcome,
        Breakdown,
        Refused,
        UnsupportedProduct,
        ContractBroken,
        Unauthorised,
        NeedsPerson,
    )
}
"""The classes by name, as they travel in an `ApplicationError.type`."""
NOBODY_FAILED = frozenset({NotYet.__name__, PutOff.__name__})
"""Of them those that are waited for without end, and that no breaker counts."""
