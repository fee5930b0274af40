"""Experience → expediente: open, amend, close (contracts: giav 4)."""

from __future__ import annotations

from activities.giav.client import SYSTEM
from activities.giav.expedientes import is_closed, put_expediente, put_holder
from activities.giav.mapping.expediente import expediente, title
from activities.giav.mapping.reservas import CANCELLED
from activities.giav.mapping.values import money_of
from activities.giav.office import CREATE, Office
from domain.effects import EffectState
from domain.errors import ContractBroken, Refused
from domain.platform import Booking, Experience
from domain.steps import Done, ExperienceStep

PENDING = ("PendienteCobrar", "PendienteFacturar", "PendientePagar")
CLOSE = "close"
MOST_NAMED = 5
"""Bookings that a note names one by one."""


def open_experience(office: Office, step: ExperienceStep) -> Done:
    """The expediente, held by the stand-in client until a group's payer is known. One that was closed is opened again."""
    experience = _told(office, step)
    key = office.key("expediente", experience.id, CREATE)
    if step.revision > 1 and office.made(key) is not None:
        return amend_experience(office, step)
    holder = office.settings.b2c_holder_client_id
    request = expediente(experience, holder, office.today(), key.reference, office.settings)
    found = office.create(
        key,
        "Expediente_POST",
        request,
        lambda reference: office.lookups.expediente(reference, title(experience)),
        proven=True,
    )
    return Done(ids={"expediente": str(found)})


def amend_experience(office: Office, step: ExperienceStep) -> Done:
    """The whole record again, as the event tells it."""
    own = office.expediente(step.experience_id)
    _reopen(office, step, own)
    kept = put_expediente(office, _told(office, step), own, step.revision)
    return Done(ids={"expediente": str(own)}, note="" if kept else "left as it was changed in GIAV")


def close_experience(office: Office, step: ExperienceStep) -> Done:
    """Cancelled stage if it is cancelled, and closed once nothing is pending; otherwise left open with the reason.

    The file of a cancelled experience closes last: after every booking is cancelled here as well, and none waits for a
    person (money-rules F-X11). Answers `closed` when it is.
    """
    own = office.expediente(step.experience_id)
    experience = _told(office, step)
    ids = {"expediente": str(own)}
    if experience.status == "cancelled":
        put_expediente(office, experience, own, step.revision)
        waiting = [each.id for each in _bookings(office, experience) if not _is_cancelled_here(office, each)]
        if waiting:
            more = f" and {len(waiting) - MOST_NAMED} more" if len(waiting) > MOST_NAMED else ""
            return Done(ids=ids, note=f"left open: waits for {', '.join(waiting[:MOST_NAMED])}{more}")
    closing = office.key("expediente", experience.id, CLOSE, step.revision)
    if office.made(closing) is None:
        figures = office.client.call("Expediente_InfoEconomica_GET", id=own) or {}
        pending = [
            f"{name} {money_of(figures[name])}" for name in PENDING if figures.get(name) and money_of(figures[name])
        ]
        if not figures or pending:
            return Done(ids=ids, note=f"left open: {', '.join(pending) or 'no figures'}")
        # Refused at an earlier look; what stood against it may be gone.
        office.store.effects.rearm(str(closing))
    try:
        office.change(closing, "Expediente_CLOSE", {"id": own}, own, reached=lambda: is_closed(office, own))
    except Refused as refused:
        # An office may set closing conditions of its own; the trip is over either way.
        return Done(ids=ids, note=f"left open: {refused.message}")
    return Done(ids=ids | {"closed": str(own)})


def _bookings(office: Office, experience: Experience) -> list[Booking]:
    return office.store.facts.bookings(office.agency, experience.id)


def _is_cancelled_here(office: Office, booking: Booking) -> bool:
    """Whether GIAV has the cancellation of a booking, with nothing on its way and nobody asked about it."""
    records = office.records(booking.id)
    container = office.key("reserva", booking.id, CREATE)
    states = {record.key: record.state for record in records}
    if (
        booking.status != "cancelled"
        or container not in states
        or office.store.parked.list(office.agency, booking_id=booking.id)
    ):
        return False
    if states[container] is EffectState.UNDONE:
        return True
    on_its_way = any(state in (EffectState.INTENDED, EffectState.UNKNOWN) for state in states.values())
    return not on_its_way and str(office.container(booking.id).posted["descripcion"]).startswith(CANCELLED)


def hold_by_payer(office: Office, experience: Experience, own: int, payer_client: int, booking_id: str) -> None:
    """A group with one payer has that payer as the holder of its file, from its first booking on."""
    if experience.sales_mode != "group_b2b":
        return
    put_holder(office, experience, own, payer_client, booking_id)


def _reopen(office: Office, step: ExperienceStep, own: int) -> None:
    """A closed file takes no change, and its experience may be on sale again."""
    for earlier in range(1, step.revision):
        office.take_back(
            office.key("expediente", step.experience_id, CLOSE, earlier),
            office.key("expediente", step.experience_id, "reopen", earlier),
            lambda: office.client.call("Expediente_OPEN", id=own),
            own,
            None,
        )


def _told(office: Office, step: ExperienceStep) -> Experience:
    """The experience as the step's event told it. Raises `ContractBroken` when the event carries none."""
    experience = office.store.facts.event_data(step.agency, step.event_id).experience
    if experience is None:
        raise ContractBroken(f"event {step.event_id} carries no experience", system=SYSTEM)
    return experience
