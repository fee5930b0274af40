"""Bookings: find them, and see what happened to one in every system."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from starter.api.identity import Caller, Office
from starter.api.parameters import After, BookingId, InAgency, Limit, OfAgency, Word
from starter.api.problems import READS
from starter.desk import bookings
from starter.desk.bookings import BookingDetail, BookingsPage
from store.booking_lists import BookingFilter

router = APIRouter(prefix="/bookings", tags=["bookings"])


@router.get("", operation_id="listBookings", summary="Bookings, those that changed last first", responses=READS)
def list_bookings(
    office: Office,
    caller: Caller,
    agency: OfAgency,
    reference: Annotated[
        str | None,
        Query(description="Booking, locator, payment, document's number, or our own `ORQ-…`, whole.", max_length=200),
    ] = None,
    status: Word = None,
    experience: Word = None,
    departs_from: Annotated[date | None, Query(description="Day of departure, inclusive.")] = None,
    departs_to: Annotated[date | None, Query(description="Day of departure, inclusive.")] = None,
    after: After = None,
    limit: Limit = 50,
) -> BookingsPage:
    """Without the people in them."""
    wanted = BookingFilter(reference, status, experience, departs_from, departs_to)
    return bookings.list_bookings(office, caller, agency, wanted, after=after, limit=limit)


@router.get("/{agency}/{booking}", operation_id="showBooking", summary="One booking's line of time", responses=READS)
def show(office: Office, caller: Caller, agency: InAgency, booking: BookingId) -> BookingDetail:
    """Events, effects in every system, moves of its payments, documents, entries, items, decisions and orders."""
    return bookings.show_booking(office, caller, agency, booking)
