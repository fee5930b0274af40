"""The auditor's invariants over a played day: GIAV's own records against the facts that were told (contracts: money-rules 3)."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from domain.books import BookingBooks, Books, ExperienceBooks
from domain.invariants import audit
from starter.collecting.erp import Erp
from starter.collecting.references import references_of
from starter.collecting.truth import InboxTruth, platform_books
from tests.faults.giav_playing import Stage

IN_GIAV = {
    *("M1", "M2", "M3", "M4", "M5", "M6", "M7", "M9"),
    *("C1", "C2", "C4"),
    *("N1", "N2", "N3", "N4"),
    *("G1", "G2", "G3"),
}
"""The invariants that GIAV and the facts decide without journal, mid-office and AirPlus."""
UNDONE = "bkg_504"
"""Taken back on purpose, so that it has no reserva."""


def audited(stage: Stage, agency: str) -> tuple[Books, list[str]]:
    """The books after the day, and what is wrong with them."""
    truth, facts = InboxTruth(stage.store, agency), stage.store.facts
    erp = Erp(stage.url, references_of(agency, facts.bookings(agency), truth, facts))
    zone = ZoneInfo("Europe/Madrid")
    bookings = tuple(
        BookingBooks(
            booking_id=booking.id,
            currency=booking.currency,
            platform=platform_books(truth, stage.store, agency, booking, zone),
            reservas=tuple(erp.reservas(booking.id)),
            receipts=tuple(erp.receipts[booking.id]),
            invoices=tuple(erp.invoices[booking.id]),
            waiting=int(booking.id == UNDONE),
        )
        for booking in facts.bookings(agency)
    )
    experiences = tuple(
        ExperienceBooks(experience_id=each.id, expedientes=erp.expedientes_of(each.id))
        for each in facts.experiences(agency)
    )
    books = Books(agency=agency, experiences=experiences, bookings=bookings, strangers=erp.strangers())
    verdicts = [verdict for verdict in audit(books) if verdict.invariant.id in IN_GIAV]
    assert {verdict.invariant.id for verdict in verdicts} == IN_GIAV, "an invariant that nobody judges"
    return books, [f"{v.invariant.id} {each.where}: {each.found}" for v in verdicts for each in v.violations]
