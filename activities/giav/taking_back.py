"""The way back of an opened experience: deleted while it is empty, marked as cancelled otherwise (contracts: giav 4)."""

from __future__ import annotations

from activities.giav.expedientes import put_expediente
from activities.giav.experiences import open_experience
from activities.giav.lookups import EXPEDIENTES
from activities.giav.office import CREATE, Office
from domain.effects import EffectState
from domain.errors import Refused, UnknownOutcome
from domain.steps import Done, ExperienceStep


def undo_open_experience(office: Office, step: ExperienceStep) -> Done:
    """Take back the expediente of an experience that a person gave up."""
    created = office.key("expediente", step.experience_id, CREATE)
    record = office.store.effects.get(created)
    if record is not None and record.state in (EffectState.INTENDED, EffectState.UNKNOWN) and record.acts:
        # An answer is still missing: what landed is found, or made, before it is taken back.
        open_experience(office, step)
    own = office.made(created)
    if own is None:
        return Done(outcome="skipped", note="there is no expediente to take back")
    experience = office.store.facts.event_data(step.agency, step.event_id).experience
    if not _is_empty(office, own) and experience is not None:
        cancelled = experience.model_copy(update={"status": "cancelled"})
        put_expediente(office, cancelled, own, step.revision)
        return Done(ids={"expediente": str(own)}, note="not empty: marked as cancelled instead of deleted")
    undo = office.key("expediente", step.experience_id, "delete")
    office.take_back(created, undo, lambda: _delete(office, own), own, None)
    return Done(note="taken back")


def _is_empty(office: Office, own: int) -> bool:
    """No reserva, no cobro, no invoice: then GIAV deletes it."""
    look = office.lookups
    return not (look.reservas(idsExpediente=[own]) or look.cobros_of(own) or look.facturas_of(own))


def _delete(office: Office, own: int) -> None:
    try:
        office.client.call("Expediente_DELETE", id=own)
    except (Refused, UnknownOutcome):
        # A repeated DELETE faults; if the record is gone, that is what was wanted (giav 3.3).
        found = office.client.search("Expediente_SEARCH", **EXPEDIENTES, idsExpediente=[own])
        if any(file["Id"] == own for file in found):
            raise
