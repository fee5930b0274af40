"""Bookings as people look for them, and everything that happened to one in every system (DESIGN 7)."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from domain import naming
from domain.money import Money
from starter.desk.acting import Acting, BackOffice
from starter.desk.payments import Shown, masked
from starter.desk.places import place_of, place_text
from starter.desk.refusals import NotFound
from store.booking_lists import BookingFilter


class BookingRow(Shown):
    """One booking of a list, without the people in it."""

    booking: str
    locator: str
    status: str
    experience: str
    title: str = Field(description="Of the experience; empty while only the booking was told.")
    departs_on: date | None
    updated_at: datetime


class BookingsPage(Shown):
    items: tuple[BookingRow, ...]
    next: str | None = Field(description="Give it as `after` to get the next page; null on the last.")


class HappeningShown(Shown):
    """One thing that happened; `system` is where, `what` the trade's name of it, `subject` what it was about."""

    at: datetime
    system: str
    what: str
    subject: str
    state: str
    reference: str = Field(description="How it is called there.")
    amount: Money | None
    detail: str
    by: str = Field(description="A person's name; empty when nobody decided.")
    workflow_page: str | None


class BookingDetail(Shown):
    """A booking with its line of time across all systems."""

    agency: str
    booking: str
    locator: str
    status: str
    experience: str
    payer: str = Field(description="Masked for viewers.")
    total: Money
    captured: Money
    refunded: Money
    due: Money
    revision: int
    workflow_page: str
    timeline: tuple[HappeningShown, ...]


def list_bookings(
    office: BackOffice,
    acting: Acting,
    agency: str,
    wanted: BookingFilter,
    *,
    after: str | None = None,
    limit: int = 50,
) -> BookingsPage:
    """Those that changed last come first. Raises `NotFound` for an agency, `Unclear` for a broken `after`."""
    acting.agencies(office, agency)
    place = None if after is None else place_of(after)
    found = office.store.booking_lists.bookings(agency, wanted, after=place, limit=limit + 1)
    shown = found[:limit]
    rows = tuple(
        BookingRow(
            booking=each.booking_id,
            locator=each.locator,
            status=each.status,
            experience=each.experience_id,
            title=each.title,
            departs_on=each.departs_on,
            updated_at=each.updated_at,
        )
        for each in shown
    )
    return BookingsPage(items=rows, next=place_text(*shown[-1].place) if len(found) > limit else None)


def show_booking(office: BackOffice, acting: Acting, agency: str, booking: str) -> BookingDetail:
    """Raises `NotFound`."""
    known = office.store.facts.booking(agency, booking) if acting.person.sees(agency) else None
    if known is None:
        raise NotFound(f"{agency} has no booking {booking}")
    happened = office.store.timelines.of_booking(agency, booking)
    return BookingDetail(
        agency=agency,
        booking=known.id,
        locator=known.locator,
        status=known.status,
        experience=known.experience_id,
        payer=masked(known.payer.name, acting),
        total=known.totals.total,
        captured=known.totals.captured,
        refunded=known.totals.refunded,
        due=known.totals.due,
        revision=office.store.facts.booking_revision(agency, booking),
        workflow_page=office.workflow_page(naming.booking_workflow(agency, booking)),
        timeline=tuple(
            HappeningShown(
                at=each.at,
                system=each.system,
                what=each.what,
                subject=each.subject,
                state=each.state,
                reference=each.reference,
                amount=each.amount,
                detail=each.detail,
                by=each.by,
                workflow_page=office.workflow_page(each.workflow_id) if each.workflow_id else None,
            )
            for each in happened
        ),
    )
