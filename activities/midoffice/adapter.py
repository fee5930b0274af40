"""The one interface of every mid-office adapter (contracts: midoffice 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from activities.midoffice.booking import MidOfficeBooking, MidOfficePayment, ProductKind
from activities.midoffice.codec import HeldBooking


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a system can take. Invoices are written by the mid-office itself, so none are pushed."""

    products: frozenset[ProductKind]
    change: bool = True
    payment: bool = True


@dataclass(frozen=True, slots=True)
class PushResult:
    """`QUEUED`: dropped as a file, the acknowledgement is outstanding. `external_ref` is the id that later calls need."""

    outcome: Literal["ACCEPTED", "DUPLICATE", "QUEUED"]
    external_ref: str
    external_no: str = ""
    warnings: tuple[str, ...] = ()


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

    def push_payment(self, external_ref: str, payment: MidOfficePayment) -> PushResult:
        """Announce money on an order; the same transaction id twice is one payment there."""

    def read_status(self, record: MidOfficeBooking) -> list[MidOfficeState]:
        """What is held under the record's supplier and booking id, oldest first; empty if nothing is."""
