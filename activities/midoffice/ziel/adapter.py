"""Z.I.E.L. behind the interface of all mid-offices: messages are dropped as files and acknowledged later
(contracts: midoffice 3.2, 8.1).

Nothing is remembered here: the name of a file follows from the message and the attempt, so that a call that died is
repeated under the same name, and what was said of it is found beside it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, time

import httpx

from activities.midoffice.adapter import Capabilities, MidOfficeState, PushResult
from activities.midoffice.booking import BookingRef, MidOfficeBooking, MidOfficePayment
from activities.midoffice.codec import Announce, AnnouncePayment, Fault, Meaning, Unreadable
from activities.midoffice.faults import error_of
from activities.midoffice.idempotency import idem_of, payment_idem
from activities.midoffice.ziel.codec import STATUS, Acknowledgement, AskStatus, Message, ZielCodec
from activities.midoffice.ziel.post_box import NameTaken, PostBox
from activities.midoffice.ziel.settings import ZielSettings
from domain.errors import BackOfficeError, ContractBroken, NeedsPerson, Refused, Transient

SYSTEM = "ziel"
MOST_ATTEMPTS = 50
"""Files of one message, before a person is asked."""
POLL_SECONDS = 60.0


class ZielAdapter:
    """One agency at Z.I.E.L. `anew` gives the same account for a message that was refused and is to be sent once more."""

    system = SYSTEM

    def __init__(self, settings: ZielSettings, _: httpx.BaseTransport | None = None) -> None:
        self._settings = settings
        self._creditors = settings.supplier_numbers
        self._codec = ZielCodec(settings)
        self._box = PostBox(settings.sftp)
        self._asked: dict[BookingRef, tuple[str, AskStatus]] = {}
        self._lock = threading.Lock()
        self._passes_refusals = False
        self.capabilities = Capabilities(products=frozenset(settings.capabilities), answers_later=True)

    def anew(self) -> ZielAdapter:
        """Pass over what was refused before, and send under the next name."""
        other = ZielAdapter(self._settings)
        other._box = self._box
        other._passes_refusals = True
        return other

    def close(self) -> None:
        self._box.close()

    def ping(self) -> None:
        """A look at the folders."""
        self._box.look()

    def push_booking(self, record: MidOfficeBooking) -> PushResult:
        """Drop the file, or say what became of it. Raises what a negative acknowledgement means."""
        words = {"status": record.status} | {
            f"services.{n}.status": one.status for n, one in enumerate(record.services)
        }
        for place, status in words.items():
            if status not in STATUS:
                raise Refused(f"{place}: {status} has no word here", system=SYSTEM, operation="announce booking")
        message = Announce(record, self._creditors[record.supplier_code], idem_of(SYSTEM, record))
        try:
            return self._push(message, record.modified_at)
        except _NotHeldThere:
            # One try as a new booking (8.1).
            return self.push_booking(record.as_message("CREATE", record.revision))

    def cancel_booking(self, record: MidOfficeBooking) -> PushResult:
        """The same file with action S, and both fees."""
        return self.push_booking(record)

    def push_payment(self, booking: BookingRef, payment: MidOfficePayment) -> PushResult:
        """Drop the payment, or say what became of it."""
        creditor = self._creditors[booking.supplier_code]
        message = AnnouncePayment(booking, creditor, payment, payment_idem(SYSTEM, booking, payment))
        return self._push(message, datetime.combine(payment.value_date, time(), UTC))

    def read_answer(self, place: str) -> PushResult | BackOfficeError | None:
        """What was said of the file that `push` dropped at `place`; None while nothing was. `AGAIN` where the message is to
        be sent once more, else the error that a negative acknowledgement means.
        """
        said = self._said_of(place)
        if said is None:
            return None
        if said.idem and not _belongs(place, said.idem):
            return ContractBroken(f"the acknowledgement of {place} names another message", system=SYSTEM)
        if said.fault is None:
            return _taken(said)
        if said.fault.meaning is Meaning.STALE and said.number:
            return PushResult("STALE", said.number)
        if self._heals(said.fault, place):
            return PushResult("AGAIN", place, warnings=(f"{said.fault.code}: {said.fault.text}",))
        return _error(said.fault)

    def read_status(self, booking: BookingRef) -> list[MidOfficeState]:
        """What they hold, by a status query; raises `Transient` until it is answered."""
        with self._lock:
            asked = self._asked.get(booking)
        if asked is None:
            asked = self._ask(booking)
            with self._lock:
                self._asked[booking] = asked
        name, message = asked
        states = self._answered(name, message)
        with self._lock:
            self._asked.pop(booking, None)
        return states

    # --- one message ---

    def _push(self, message: Message, made: datetime) -> PushResult:
        names = self._names(message, made)
        for attempt, name in enumerate(names, start=1):
            said = self._said_of(name)
            if said is None:
                try:
                    self._box.deliver(name, self._codec.encode(message, made))
                except NameTaken:
                    continue
                return PushResult("QUEUED", name, come_back_seconds=POLL_SECONDS)
            if said.idem and said.idem != message.idem:
                continue
            if said.fault is None:
                return _taken(said)
            if said.fault.meaning is Meaning.STALE and said.number:
                return PushResult("STALE", said.number)
            if said.fault.meaning is Meaning.UNKNOWN_BOOKING and _is_change(message):
                raise _NotHeldThere
            if not (self._passes_refusals or self._heals(said.fault, name) or self._was_made(names[attempt:])):
                raise _error(said.fault)
        raise NeedsPerson(f"{MOST_ATTEMPTS} files were sent and none was taken", system=SYSTEM)

    def _names(self, message: Message, made: datetime) -> list[str]:
        return [self._codec.name(message, made, attempt) for attempt in range(1, MOST_ATTEMPTS + 1)]

    def _was_made(self, later: Sequence[str]) -> bool:
        """Whether the next attempt was made already, by a call that died."""
        return bool(later) and (self._said_of(later[0]) is not None or self._box.lies(later[0]))

    def _said_of(self, name: str) -> Acknowledgement | None:
        """The acknowledgement of a file; None while there is none, or none that is whole."""
        content = self._box.fetch(self._settings.sftp.ack_folder, f"{name}.ack")
        if content is None:
            return None
        try:
            return self._codec.acknowledgement(content)
        except Unreadable:
            # It may still be written; one that stays so is asked for like one that is missing.
            return None

    @staticmethod
    def _heals(fault: Fault, name: str) -> bool:
        """Whether the message is sent again without a person: they were busy; once, if the file came to them torn."""
        if fault.code == "E11":
            return _attempt_of(name) == 1
        return fault.meaning is Meaning.BUSY

    # --- status queries ---

    def _ask(self, booking: BookingRef) -> tuple[str, AskStatus]:
        made = datetime.now(UTC)
        seed = "|".join((SYSTEM, *map(str, (booking.agency_id, booking.supplier_booking_id)), made.isoformat()))
        idem = hashlib.sha256(seed.encode()).hexdigest()[:32]
        message = AskStatus(booking, self._creditors[booking.supplier_code], idem)
        name = self._codec.name(message, made, 1)
        try:
            self._box.deliver(name, self._codec.encode(message, made))
        except NameTaken:
            raise Transient("another query has this name", system=SYSTEM, retry_after=1.0) from None
        return name, message

    def _answered(self, name: str, message: AskStatus) -> list[MidOfficeState]:
        content = self._box.fetch(self._settings.sftp.status_folder, f"{name.removesuffix('.csv')}.sta")
        if content is not None:
            try:
                held = self._codec.status(content, message.booking, message.creditor)
            except Unreadable as error:
                raise Transient(f"status: {error}", system=SYSTEM, retry_after=POLL_SECONDS) from None
            return [MidOfficeState(held.order_id, held)]
        said = self._said_of(name)
        if said is not None and said.fault is not None:
            if said.fault.meaning is Meaning.UNKNOWN_BOOKING:
                return []
            raise _error(said.fault)
        raise Transient("status was asked for and not answered yet", system=SYSTEM, retry_after=POLL_SECONDS)


class _NotHeldThere(Exception):
    """A change of what they do not hold."""


def _taken(said: Acknowledgement) -> PushResult:
    warnings = (said.text,) if said.result == "WARN" else ()
    return PushResult("DUPLICATE" if said.result == "DUP" else "ACCEPTED", said.number, said.number, warnings)


def _error(fault: Fault) -> BackOfficeError:
    return error_of(
        Fault(fault.code, fault.text, Meaning.REFUSED if fault.code == "E11" else fault.meaning, fault.field),
        system=SYSTEM,
        operation="acknowledgement",
        write=True,
    )


def _is_change(message: Message) -> bool:
    return isinstance(message, Announce) and message.record.action == "CHANGE"


def _attempt_of(name: str) -> int:
    return int(name.split("_")[3])


def _belongs(name: str, idem: str) -> bool:
    return name.split("_")[4].startswith(idem[:8])
