"""What the mid-office was told of a booking so far: per supplier order a chain of messages, numbered by revision
(contracts: midoffice 3.3, 4.6).

The chain is read from the effects themselves. Its last message says what the mid-office holds, or will hold when an
outcome in doubt turns out well; the next one is sent only if its content differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from activities.midoffice.booking import Action, BookingRef, MidOfficeBooking
from domain.effects import EffectKey, EffectRecord, EffectState
from store import Store

ENTITY = "booking"
OPERATION = "announce"
GONE = frozenset({"CANCELLED", "REJECTED"})
TAKEN = frozenset({EffectState.DONE, EffectState.UNDONE})
"""Only there the outside id is theirs; elsewhere it is at most the place where a message was dropped."""


class NextMessage(NamedTuple):
    revision: int
    action: Action


@dataclass(frozen=True, slots=True)
class Chain:
    """All messages about one supplier order, oldest first, and the content of the last one."""

    messages: tuple[EffectRecord, ...]
    content_hash: str
    content: Mapping[str, Any]

    @property
    def last(self) -> EffectRecord:
        return self.messages[-1]

    @property
    def order_id(self) -> str | None:
        """The order over there, once any message was taken."""
        held = (one for one in reversed(self.messages) if one.outside_id and one.state in TAKEN)
        return next((one.outside_id for one in held), None)

    @property
    def ref(self) -> BookingRef:
        """What names it over there; made from the message that was sent last."""
        names = ("agency_id", "booking_key", "supplier_code", "supplier_booking_id")
        return BookingRef(**{name: str(self.content.get(name, "")) for name in names}, external_ref=self.order_id or "")

    @property
    def refused(self) -> bool:
        """Nothing is held there, because the answer was no."""
        return self.order_id is None and self.last.state is EffectState.REFUSED

    @property
    def in_doubt(self) -> bool:
        """The last message may or may not have arrived."""
        if self.last.state is EffectState.QUEUED:
            return True
        return self.last.state in (EffectState.UNKNOWN, EffectState.INTENDED) and self.last.acts > 0

    @property
    def armed(self) -> bool:
        """The last message was refused, and is to be sent once more."""
        return is_armed(self.last)

    @property
    def gone(self) -> bool:
        """A cancellation was the last thing taken there, or nothing ever got there."""
        if self.order_id is None:
            return not self.in_doubt
        return self.content.get("status") in GONE and self.last.state in TAKEN


def chains(store: Store, agency: str, system: str, booking_id: str) -> dict[str, Chain]:
    """The chains of a booking by supplier booking id, oldest first."""
    found: dict[str, list[EffectRecord]] = {}
    for record in store.effects.of_booking(agency, booking_id, system):
        if record.key.entity == ENTITY:
            found.setdefault(record.key.business_id.removeprefix(f"{booking_id}/"), []).append(record)
    result = {}
    for supplier_booking_id, records in found.items():
        messages = tuple(sorted(records, key=lambda one: one.key.sequence))
        request = store.effects.last_request(messages[-1].key) or {}
        result[supplier_booking_id] = Chain(messages, request.get("content_hash", ""), request.get("content", {}))
    return result


def lines_told(chain: Chain) -> frozenset[str]:
    """The platform's lines that an order stood for; of a line with several rooms there are several services."""
    services = chain.content.get("services", ())
    return frozenset(str(service["service_id"]).partition("/")[0] for service in services)


def is_armed(record: EffectRecord) -> bool:
    """Whether a person, or their answer, wants it sent (again); so far nothing was, or what was sent was refused."""
    return record.state is EffectState.INTENDED and record.acts == 0


def message_key(system: str, record: MidOfficeBooking) -> EffectKey:
    business_id = f"{record.booking_key}/{record.supplier_booking_id}"
    return EffectKey(record.agency_id, system, ENTITY, business_id, OPERATION, record.revision)


def request_of(record: MidOfficeBooking) -> dict[str, Any]:
    """What the ledger keeps of a message: enough to compare and to cancel, and nobody's name."""
    return {"content_hash": record.content_hash, "content": record.without_people()}


def next_message(chain: Chain | None, record: MidOfficeBooking) -> NextMessage | None:
    """The message that brings the mid-office to `record`; None when it was told exactly this and took it."""
    cancel = record.status in GONE
    if chain is None:
        return NextMessage(1, "CANCEL" if cancel else "CREATE")
    action: Action = "CANCEL" if cancel else "CHANGE" if chain.order_id else "CREATE"
    if chain.content_hash != record.content_hash:
        return NextMessage(chain.last.key.sequence + 1, action)
    return None if chain.last.state in TAKEN else NextMessage(chain.last.key.sequence, action)
