"""Amend and cancel a booking: books first corrected, then the reserva, then what stays sold (contracts: giav 4; money-rules 1.3, 1.4)."""

from __future__ import annotations

from collections.abc import Sequence

from activities.giav.amendments import Amendment
from activities.giav.client import SYSTEM
from activities.giav.corrections import Correction
from activities.giav.documents import Desk
from activities.giav.lateness import declined_as_late
from activities.giav.office import Container, Office
from activities.giav.penalties import Penalty
from activities.giav.recipients import correct_recipients, stay_with_former_payer, under_way
from domain.errors import ContractBroken, NeedsPerson
from domain.money import Money
from domain.platform import Booking, Cancellation, EventData
from domain.steps import BookingStep, CancellationStep, Done


def amend_booking(office: Office, step: BookingStep) -> Done:
    """The newest snapshot wins; an older one than GIAV has is skipped. Answers `credit_note` and `invoice` if books changed."""
    data = office.store.facts.event_data(step.agency, step.event_id)
    booking = _told(office, data, step)
    standing = office.container(booking.id)
    if step.revision < standing.revision:
        return Done(outcome="skipped", note=f"GIAV has revision {standing.revision} already")
    desk = Desk(office, booking, standing)
    if declined_as_late(office, desk, booking, standing, step):
        return Done(outcome="partial", note="a change of the sale after departure was declined")
    cause = _cause(data, step.revision)
    keep = desk.keep(Money.zero(booking.currency))
    plan = desk.plan(cause, keep)
    # Never both: between a credit note and what follows it, books look as if something were to be sold again.
    again = [] if plan or under_way(office, booking, desk) else desk.plan_again(cause, keep)
    return _carry_out(office, desk, booking, step, standing, cause, plan, again)


def cancel_booking(office: Office, step: CancellationStep) -> Done:
    """Credit what is no longer sold, bring the reserva to the penalty, issue the penalty's document. Refunds come later.

    Raises `NeedsPerson` while the treatment of the penalty is undecided.
    """
    data = office.store.facts.event_data(step.agency, step.event_id)
    booking = _told(office, data, step)
    cancellation = data.cancellation
    if not isinstance(cancellation, Cancellation):
        raise ContractBroken(f"event {step.event_id} carries no cancellation of a booking", system="store")
    if cancellation.penalty.treatment == "undecided":
        raise NeedsPerson("the treatment of the penalty is undecided", system=SYSTEM, code="penalty_undecided")
    standing = office.container(booking.id)
    if step.revision < standing.revision:
        return Done(outcome="skipped", note=f"GIAV has revision {standing.revision} already")
    desk = Desk(office, booking, standing)
    penalty = Penalty(office, desk, booking, cancellation, step.revision)
    agreed = not penalty.declined()
    if penalty.is_less and not agreed:
        # A sale below its documents is none, so everything stays as it was documented.
        return Done(outcome="partial", note="a lower penalty was declined")
    plan: list[Correction] = []
    if cancellation.penalty.treatment != "no_show_consideration":
        plan = desk.plan(cancellation.id, desk.keep(penalty.undocumented))
    taken_back = penalty.credit() if agreed else []
    done = _carry_out(office, desk, booking, step, standing, cancellation.id, plan)
    document = penalty.issue(standing, plan) if agreed else None
    ids = dict(done.ids)
    if taken_back:
        ids["penalty_credit"] = ",".join(each.number for each in taken_back)
    if document is not None:
        ids["penalty"] = document.number
    return done.model_copy(update={"ids": ids})


def _carry_out(
    office: Office,
    desk: Desk,
    booking: Booking,
    step: BookingStep,
    standing: Container,
    cause: str,
    plan: list[Correction],
    again: Sequence[Correction] = (),
) -> Done:
    """Credit notes first, because GIAV keeps no sale below what is invoiced; invoices for the rest last."""
    credited = desk.credit(cause, plan)
    # Once something was invoiced the lines of removed services stay as a trace, at no cost.
    keep_lines = booking.status == "cancelled" and bool(desk.documents())
    amendment = Amendment(office, booking, step.revision, standing)
    client = amendment.apply(keep_lines=keep_lines)
    issued = desk.reissue(cause, [*plan, *again], client)
    former = ""
    if booking.status != "cancelled":
        anew = correct_recipients(office, desk, booking, client)
        credited, issued = credited + anew[0], issued + anew[1]
        if stay_with_former_payer(office, desk, booking, client):
            former = "the payer changed; invoices so far stay with the former payer"
    ids = {"container": str(standing.id)}
    if credited:
        ids["credit_note"] = ",".join(document.number for document in credited)
    if issued:
        ids["invoice"] = ",".join(document.number for document in issued)
    note = "; ".join(part for part in (amendment.note, former) if part)
    return Done(ids=ids, note=note)


def _cause(data: EventData, revision: int) -> str:
    """What corrects an invoice: the change, the discount, or the revision itself."""
    if data.service_change is not None:
        return data.service_change.id
    if data.discount is not None:
        return data.discount.id if data.action != "revoked" else f"{data.discount.id}@{revision}"
    return f"rev{revision}"


def _told(office: Office, data: EventData, step: BookingStep) -> Booking:
    """The snapshot, with what suppliers have confirmed in place of the platform's estimates."""
    if data.booking is None:
        raise ContractBroken(f"event {step.event_id} carries no booking", system="store")
    return office.store.supplier_orders.confirmed_in(step.agency, data.booking)
