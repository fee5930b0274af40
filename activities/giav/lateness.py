"""Changes of what was sold after the trip began, or in books that are closed, are for a person (contracts: money-rules F-M13)."""

from __future__ import annotations

from activities.giav.corrections import invoiced, penalised
from activities.giav.documents import Desk
from activities.giav.mapping.merging import ours
from activities.giav.mapping.values import euros, local_day, spanish
from activities.giav.office import AMEND, Container, Office
from domain.platform import Booking
from domain.steps import BookingStep

LATE = "late_change"


def declined_as_late(office: Office, desk: Desk, booking: Booking, standing: Container, step: BookingStep) -> bool:
    """Whether a person declined a late change. Raises `NeedsPerson` while one is asked.

    Costs alone are no such change: suppliers' invoices come after the trip, and touch no document (1.2.4, F-M14).
    """
    if not _changes_the_sale(desk, booking, standing):
        return False
    why = _late(office, desk, step)
    if why is None:
        return False
    about = office.key("late change", booking.id, AMEND, step.revision)
    words = f"the sale of {booking.id} changes {why}: the margin of the trip has to be regularised; write the change?"
    return office.ask(about, LATE, words, ("approve", "decline")) == "decline"


def _changes_the_sale(desk: Desk, booking: Booking, standing: Container) -> bool:
    """Whether the price told is neither what we sent nor raised there by money paid beyond it."""
    posted: str = ours(standing.posted)["ventacomis"]
    documents, currency = desk.documents(), booking.currency
    raised = euros(invoiced(documents, currency) + penalised(documents, currency))
    return posted not in (euros(booking.totals.total), raised)


def _late(office: Office, desk: Desk, step: BookingStep) -> str | None:
    """Judged by the day on which it happened, so that imported history is not asked about."""
    event = office.store.inbox.get(step.agency, step.event_id)
    day = office.today() if event is None else local_day(event.occurred_at)
    departure = desk.experience.starts_on
    if day > departure:
        return f"after its departure on {spanish(departure)}"
    closed = office.store.periods.closed_until(step.agency)
    if closed is not None and departure <= closed:
        return f"although the books are closed until {spanish(closed)}"
    return None
