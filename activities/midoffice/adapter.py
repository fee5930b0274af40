"""The one interface of every mid-office adapter (contracts: midoffice 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from activities.midoffice.booking import BookingRef, MidOfficeBooking, MidOfficePayment, ProductKind
from activities.midoffice.codec import HeldBooking
from domain.errors import BackOfficeError


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a system can do. Invoices are written by the mid-office itself, so none are pushed.

    `payment=False`: payments are not announced there. `answers_later=True`: a message is dropped and acknowledged later
    (`AnswersLater`); sending it again under its idempotency key drops it once more only if nothing is known of it there.
    """

    products: frozenset[ProductKind]
    payment: bool = True
    answers_later: bool = False


@dataclass(frozen=True, slots=True)
class PushResult:
    """`external_ref` is the id over there. `QUEUED`: dropped, the acknowledgement is outstanding, come back after
    `come_back_seconds`. `STALE`: they hold a newer revision, nothing was changed. `AGAIN`: only an answer that comes later
    says so; nothing happened there, and the message is to be sent once more.
    """

    outcome: Literal["ACCEPTED", "DUPLICATE", "QUEUED", "STALE", "AGAIN"]
    external_ref: str
    external_no: str = ""
    warnings: tuple[str, ...] = ()
    come_back_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class MidOfficeState:
    """A transferred booking as the mid-office holds it now."""

    external_ref: str
    held: HeldBooking


class MidOfficeAdapter(Protocol):
    """One mid-office of one agency. All calls raise the classes of `domain.errors` and nothing else."""

    system: str
    capabilities: Capabilities

    def ping(self) -> None:
        """Ask for a booking that exists nowhere: proves address and credentials and changes nothing."""

    def push_booking(self, record: MidOfficeBooking) -> PushResult:
        """Create or change, by the record's action; the same record twice is one booking there."""

    def cancel_booking(self, record: MidOfficeBooking) -> PushResult:
        """Cancel with the fee as price; the record is whole."""

    def push_payment(self, booking: BookingRef, payment: MidOfficePayment) -> PushResult:
        """Announce money on a booking; the same transaction id twice is one payment there."""

    def read_status(self, booking: BookingRef) -> list[MidOfficeState]:
        """What is held under the supplier and booking id, oldest first; empty if nothing is."""

    def close(self) -> None:
        """Let go of connections."""


@runtime_checkable
class AnswersLater(MidOfficeAdapter, Protocol):
    """A mid-office that acknowledges later what it is sent."""

    def read_answer(self, place: str) -> PushResult | BackOfficeError | None:
        """What became of the message that lies at `place` (the `external_ref` of a `QUEUED` result); None while they are
        silent. Gives, and does not raise, the error that a negative answer means: what is raised is about the way there.
        """

    def anew(self) -> AnswersLater:
        """The same account for a message that was refused and is to be sent once more: refusals are passed over."""
