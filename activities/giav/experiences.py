"""Experience → expediente: open, amend, close (contracts: giav 4)."""

from __future__ import annotations

from activities.giav.client import SYSTEM
from activities.giav.mapping.expediente import content, expediente, title
from activities.giav.mapping.values import money_of
from activities.giav.office import AMEND, CREATE, Office
from domain.errors import ContractBroken, Refused
from domain.platform import Experience
from domain.steps import Done, ExperienceStep

PENDING = ("PendienteCobrar", "PendienteFacturar", "PendientePagar")


def open_experience(office: Office, step: ExperienceStep) -> Done:
    """The expediente, held by the stand-in client until a group's payer is known."""
    experience = _told(office, step)
    key = office.key("expediente", experience.id, CREATE)
    holder = office.settings.b2c_holder_client_id
    request = expediente(experience, holder, office.today(), key.reference, office.settings)
    found = office.create(
        key,
        "Expediente_POST",
        request,
        lambda reference: office.lookups.expediente(reference, title(experience)),
    )
    return Done(ids={"expediente": str(found)})


def amend_experience(office: Office, step: ExperienceStep) -> Done:
    """The whole record again, as the event tells it."""
    own = office.expediente(step.experience_id)
    _put(office, _told(office, step), own, step.revision)
    return Done(ids={"expediente": str(own)})


def close_experience(office: Office, step: ExperienceStep) -> Done:
    """Cancelled stage if it is cancelled, and closed once nothing is pending; otherwise left open with the reason."""
    own = office.expediente(step.experience_id)
    experience = _told(office, step)
    if experience.status == "cancelled":
        _put(office, experience, own, step.revision)
    ids = {"expediente": str(own)}
    closing = office.key("expediente", experience.id, "close", step.revision)
    if office.made(closing) is None:
        figures = office.client.call("Expediente_InfoEconomica_GET", id=own) or {}
        pending = [
            f"{name} {money_of(figures[name])}" for name in PENDING if figures.get(name) and money_of(figures[name])
        ]
        if not figures or pending:
            return Done(ids=ids, note=f"left open: {', '.join(pending) or 'no figures'}")
    try:
        office.change(closing, "Expediente_CLOSE", {"id": own}, own)
    except Refused as refused:
        # An office may set closing conditions of its own; the trip is over either way.
        return Done(ids=ids, note=f"left open: {refused.message}")
    return Done(ids=ids)


def hold_by_payer(office: Office, experience: Experience, own: int, payer_client: int, booking_id: str) -> None:
    """A group with one payer has that payer as the holder of its file, from its first booking on."""
    if experience.sales_mode != "group_b2b":
        return
    key = office.key("expediente holder", experience.id, CREATE)
    if office.made(key) is not None:
        return
    reference = office.key("expediente", experience.id, CREATE).reference
    request = {"idExpediente": own, **content(experience, payer_client, reference, office.settings)}
    office.change(key, "Expediente_PUT", request, payer_client, booking_id)


def _put(office: Office, experience: Experience, own: int, revision: int) -> None:
    holder = office.made(office.key("expediente holder", experience.id, CREATE)) or office.settings.b2c_holder_client_id
    reference = office.key("expediente", experience.id, CREATE).reference
    request = {"idExpediente": own, **content(experience, holder, reference, office.settings)}
    office.change(office.key("expediente", experience.id, AMEND, revision), "Expediente_PUT", request, own)


def _told(office: Office, step: ExperienceStep) -> Experience:
    """The experience as the step's event told it. Raises `ContractBroken` when the event carries none."""
    experience = office.store.facts.event_data(step.agency, step.event_id).experience
    if experience is None:
        raise ContractBroken(f"event {step.event_id} carries no experience", system=SYSTEM)
    return experience
