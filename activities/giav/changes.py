"""Amend and cancel a booking: books first corrected, then the reserva, then what stays sold (contracts: giav 4; money-rules 1.3, 1.4)."""

from __future__ import annotations

from collections.abc import Sequence

from activities.giav.amendments import Amendment
from activities.giav.client import SYSTEM
from activities.giav.corrections import Correction
from activities.giav.documents import Desk
from activities.giav.lateness import declined_as_late
from activities.giav.mapping.money import Sale, penalty_words
from activities.giav.mapping.values import local_day
from activities.giav.office import CREATE, Container, Office
from activities.giav.recipients import correct_recipients, under_way
from domain.errors import ContractBroken, NeedsPerson
from domain.money import Money, total
from domain.platform import Booking, Cancellation, EventData
from domain.steps import BookingStep, CancellationStep, Done
from store.documents import Document

SEPARATE = ("indemnity_not_subject", "taxable_fee")
"""Treatments under which a penalty is a document of its own."""


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
    penalty = _separate_penalty(office, cancellation)
    more = _beyond_documented(office, desk, booking, cancellation, penalty, step.revision)
    plan: list[Correction] = []
    if cancellation.penalty.treatment != "no_show_consideration":
        plan = desk.plan(cancellation.id, desk.keep(penalty))
    done = _carry_out(office, desk, booking, step, standing, cancellation.id, plan)
    if penalty.amount <= 0:
        return done
    if more.amount > 0:
        again = f"{cancellation.id}@{step.revision}"
        document = _issue_penalty(office, desk, booking, cancellation, again, more, standing, plan)
    else:
        document = _issue_penalty(office, desk, booking, cancellation, cancellation.id, penalty, standing, plan)
    return done.model_copy(update={"ids": done.ids | {"penalty": document.number}})


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
    if booking.status != "cancelled":
        anew = correct_recipients(office, desk, booking, client)
        credited, issued = credited + anew[0], issued + anew[1]
    ids = {"container": str(standing.id)}
    if credited:
        ids["credit_note"] = ",".join(document.number for document in credited)
    if issued:
        ids["invoice"] = ",".join(document.number for document in issued)
    kept = client != standing.client and not issued
    former = "the payer changed; invoices so far stay with the former payer" if kept else ""
    note = "; ".join(part for part in (amendment.note, former) if part)
    return Done(ids=ids, note=note)


def _separate_penalty(office: Office, cancellation: Cancellation) -> Money:
    """The penalty if it is to be a document of its own, else zero."""
    amount = cancellation.penalty.amount
    separate = cancellation.penalty.treatment in SEPARATE and office.settings.penalty == "rectify_everything"
    return amount if separate else Money.zero(amount.currency)


def _beyond_documented(
    office: Office, desk: Desk, booking: Booking, cancellation: Cancellation, penalty: Money, revision: int
) -> Money:
    """How much a penalty that is told once more, and is another by now, goes beyond its document (F-X6).

    Raises `NeedsPerson` until a person agrees to a second document for the difference, and when less was owed: GIAV's API
    credits whole documents only, and this one stands for money that was kept.
    """
    nothing = Money.zero(penalty.currency)
    own = f"pen:{cancellation.id}"
    told = [each for each in desk.documents() if each.key == own or each.key.startswith(f"{own}@")]
    before = [each for each in told if each.key != f"{own}@{revision}"]
    if not before:
        return nothing
    differs = penalty - total((each.amount for each in before), penalty.currency)
    if not differs:
        return nothing
    words = f"the penalty of {cancellation.id} is {penalty} by now and {penalty - differs} was documented"
    if differs.amount < 0:
        raise NeedsPerson(f"{words}: correct its document in GIAV by hand, then skip", system=SYSTEM)
    about = office.key("penalty", f"{cancellation.id}@{revision}", CREATE)
    agreed = office.ask(about, "credit_differs", f"{words}; issue one for the difference?", ("approve", "decline"))
    return differs if agreed == "approve" else nothing


def _issue_penalty(
    office: Office,
    desk: Desk,
    booking: Booking,
    cancellation: Cancellation,
    business_id: str,
    penalty: Money,
    standing: Container,
    plan: list[Correction],
) -> Document:
    taxable = cancellation.penalty.treatment == "taxable_fee"
    series = office.settings.series["general"] if taxable else office.settings.penalty_series
    key = office.key("penalty", business_id, CREATE)
    day = local_day(cancellation.effective_at)
    words = penalty_words(desk.experience, booking, cancellation.id, day, key.reference)
    refers_to = f"rect:{cancellation.id}:{plan[0].document.payment_id}" if plan else None
    draft = desk.draft("penalty", f"pen:{business_id}", penalty, day, series, None, refers_to)
    document = desk.invoice(key, Sale(standing.id, penalty, words), standing.client, series, draft)
    left = penalty
    for correction in plan:
        cobro = desk.cobro_of(correction.document.payment_id or "")
        part = min(left, correction.freed)
        if cobro is not None and part.amount > 0:
            desk.link(f"{business_id}/{correction.document.payment_id}/penalty", document, cobro, part)
            left = left - part
    return document


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
