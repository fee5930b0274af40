"""The key under which a target knows a message again (contracts: midoffice 3.3)."""

from __future__ import annotations

import hashlib

from activities.midoffice.booking import BookingRef, MidOfficeBooking, MidOfficePayment


def idem_of(system: str, record: MidOfficeBooking) -> str:
    """32 hex digits for a booking message: the same action at the same revision is the same message."""
    return _hashed(*_whose(system, record.ref), record.action, str(record.revision))


def payment_idem(system: str, booking: BookingRef, payment: MidOfficePayment) -> str:
    """32 hex digits for a payment: its transaction id is all that counts."""
    return _hashed(*_whose(system, booking), "PAY", payment.transaction_id)


def _whose(system: str, booking: BookingRef) -> tuple[str, ...]:
    return system, booking.agency_id, booking.supplier_code, booking.supplier_booking_id


def _hashed(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]
