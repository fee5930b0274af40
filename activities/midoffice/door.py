"""The one door before every mid-office: what is unfit stops here, before the network (contracts: midoffice 1.3, 3.4, 3.5).

It also settles what all systems have in common: an older revision is a success that changes nothing, and a change of a
booking that they do not hold is tried once as a new one.
"""

from __future__ import annotations

from collections.abc import Callable

from pydantic import ValidationError

from activities.midoffice.adapter import AnswersLater, MidOfficeAdapter, MidOfficeState, PushResult
from activities.midoffice.booking import BookingRef, MidOfficeBooking, MidOfficePayment, complaint
from activities.midoffice.faults import StaleRevision, UnknownBooking
from activities.midoffice.settings import MidOfficeSettings
from domain.errors import BackOfficeError, ContractBroken, Refused, UnsupportedProduct


class Door:
    """An adapter behind the checks that are the same for every system."""

    def __init__(self, adapter: MidOfficeAdapter, settings: MidOfficeSettings) -> None:
        self._adapter = adapter
        self._settings = settings
        self.system = adapter.system
        self.capabilities = adapter.capabilities

    def close(self) -> None:
        self._adapter.close()

    def ping(self) -> None:
        self._adapter.ping()

    def anew(self) -> Door:
        """The same door for a message that was refused and is to be sent once more."""
        return Door(self._adapter.anew(), self._settings) if isinstance(self._adapter, AnswersLater) else self

    def read_answer(self, place: str) -> PushResult | BackOfficeError | None:
        """What became of a message that was queued; None while they are silent, the error that a negative answer means."""
        if not isinstance(self._adapter, AnswersLater):
            raise ContractBroken(f"{self.system} answers at once and has queued nothing", system=self.system)
        return self._adapter.read_answer(place)

    def push_booking(self, record: MidOfficeBooking) -> PushResult:
        """Create or change; raises `Refused` with the path of the field, `UnsupportedProduct`, or the adapter's error."""
        self._inspect(record)
        try:
            return self._unless_newer(self._adapter.push_booking, record)
        except UnknownBooking as error:
            if record.action != "CHANGE":
                raise _refusal(error) from None
        return self._unless_newer(self._adapter.push_booking, record.as_message("CREATE", record.revision))

    def cancel_booking(self, record: MidOfficeBooking) -> PushResult:
        self._inspect(record)
        try:
            return self._unless_newer(self._adapter.cancel_booking, record)
        except UnknownBooking as error:
            raise _refusal(error) from None

    def push_payment(self, booking: BookingRef, payment: MidOfficePayment) -> PushResult:
        if not self.capabilities.payment:
            raise Refused("payments are not announced here", system=self.system, operation="announce payment")
        self._creditor_known(booking.supplier_code)
        try:
            MidOfficePayment.model_validate(payment.model_dump())
        except ValidationError as error:
            raise self._refused(f"payment.{complaint(error)}") from None
        try:
            return self._adapter.push_payment(booking, payment)
        except UnknownBooking as error:
            raise _refusal(error) from None

    def read_status(self, booking: BookingRef) -> list[MidOfficeState]:
        self._creditor_known(booking.supplier_code)
        return self._adapter.read_status(booking)

    def _unless_newer(self, push: Callable[[MidOfficeBooking], PushResult], record: MidOfficeBooking) -> PushResult:
        try:
            return push(record)
        except StaleRevision as error:
            held = self._adapter.read_status(record.ref)
            if not held:
                raise _refusal(error) from None
            return PushResult("STALE", held[0].external_ref)

    def _inspect(self, record: MidOfficeBooking) -> None:
        for position, service in enumerate(record.services):
            if service.kind not in self.capabilities.products:
                takes = ", ".join(sorted(self.capabilities.products)) or "nothing"
                raise UnsupportedProduct(
                    f"services.{position}.kind: {service.kind} has no place here ({self.system} takes {takes})",
                    system=self.system,
                    operation="announce booking",
                )
        try:
            # A record may have been made by copying, which checks nothing.
            MidOfficeBooking.model_validate(record.model_dump(warnings=False))
        except ValidationError as error:
            raise self._refused(complaint(error)) from None
        if record.status == "FAILED":
            raise self._refused("status: a booking that failed is never transferred")
        if len(record.travellers) > self._settings.most_travellers:
            raise self._refused(
                f"travellers: {len(record.travellers)} are more than the {self._settings.most_travellers} that may go"
                " in one message (most_travellers)"
            )
        self._creditor_known(record.supplier_code)

    def _creditor_known(self, supplier: str) -> None:
        if supplier not in self._settings.supplier_numbers:
            raise self._refused(f"supplier_code: {supplier} has no creditor number here (supplier_numbers)")

    def _refused(self, text: str) -> Refused:
        return Refused(text, system=self.system, operation="announce booking")


def _refusal(error: Refused) -> Refused:
    """A plain refusal: what only the door tells apart is nobody else's business."""
    return Refused(error.message, system=error.system, operation=error.operation, code=error.code)
