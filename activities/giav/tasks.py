"""Tasks on an expediente, by which GIAV's own users hear of what waits for a person (contracts: giav 2.11, 4)."""

from __future__ import annotations

from activities.giav.mapping.money import chargeback_task, decline_task
from activities.giav.office import CREATE, Office
from domain.effects import EffectKey
from domain.errors import ContractBroken
from domain.platform import Chargeback
from domain.steps import Done, InstalmentStep


def report_decline(office: Office, step: InstalmentStep) -> Done:
    """An instalment that no attempt follows: one task on the file, however often it is reported."""
    plan = office.store.facts.plan(step.agency, step.booking_id)
    instalment = next((one for one in plan.installments if one.id == step.instalment_id), None) if plan else None
    if plan is None or instalment is None:
        raise ContractBroken(f"no instalment {step.instalment_id} of booking {step.booking_id}", system="store")
    key = office.key("task", f"{plan.id}/{instalment.id}", CREATE)
    booking = office.booking(step.booking_id)
    expediente = office.container(step.booking_id).expediente
    wish = decline_task(instalment, booking, expediente, office.today(), key.reference)
    return Done(ids={"task": str(_hang_up(office, key, wish["summary"], wish, booking.id))})


def report_dispute(office: Office, chargeback: Chargeback) -> int:
    """One task per dispute, whichever of its stages is told first."""
    key = office.key("task", chargeback.id, CREATE)
    booking = office.booking(chargeback.booking_id)
    expediente = office.container(booking.id).expediente
    wish = chargeback_task(chargeback, booking, expediente, office.today(), key.reference)
    return _hang_up(office, key, wish["summary"], wish, booking.id)


def _hang_up(office: Office, key: EffectKey, summary: str, wish: dict[str, object], booking_id: str) -> int:
    return office.create(
        key, "Activity_POST", wish, lambda reference: office.lookups.task(reference, summary), booking_id, proven=True
    )
