"""Money that goes back: Reembolso, chargebacks, and the invoices they leave too high (contracts: giav 4; money-rules 1.7, M3)."""

from __future__ import annotations

from itertools import takewhile

from activities.giav.bounced import never_booked, take_back
from activities.giav.client import SYSTEM
from activities.giav.corrections import Correction, originals, penalised
from activities.giav.documents import REEMBOLSO, Desk
from activities.giav.mapping.money import disputed, reembolso
from activities.giav.office import CREATE, Container, Office
from activities.giav.one_call import gives_back_in_one_call, learn_reembolso
from activities.giav.payments import lower_sale
from activities.giav.tasks import report_dispute
from domain.errors import ContractBroken, NeedsPerson
from domain.money import total
from domain.payment_sync import State
from domain.platform import Booking, Payment, Refund
from domain.refunding import beyond_decision
from domain.steps import ChargebackStep, Done, RefundStep
from store.documents import Document

GIVEN_BACK = (State.REFUND_REQUESTED, State.REFUND_FAILED, State.REFUNDED)


def record_refund(office: Office, step: RefundStep) -> Done:
    """One Reembolso, taken back once the refund is known to have failed.

    Invoices are credited only if the change or cancellation behind the refund has not done it already.
    """
    failed = office.store.facts.refund_failed(step.agency, step.refund_id)
    if failed and never_booked(office, step.refund_id):
        return Done(outcome="skipped", note="the refund failed before it was booked")
    if _never_came(office, step.payment_id):
        return Done(outcome="skipped", note="the payment was a duplicate and never was in GIAV")
    standing = office.container(step.booking_id)
    refund = office.store.facts.refund(step.agency, step.refund_id)
    if refund is None:
        raise ContractBroken(f"no refund {step.refund_id}", system="store")
    if refund.destination == "voucher":
        return Done(outcome="skipped", note="a voucher moves no money")
    booking = office.booking(step.booking_id)
    payment = _recorded_payment(office, step.payment_id)
    method = _refund_method(office, refund, payment)
    key = office.key(REEMBOLSO, refund.id, CREATE)
    request = reembolso(refund, booking, office.at(standing.client, standing.expediente, key), method)
    invoice = None
    if office.settings.payment_variant == "one_call" and step.rectify and not failed:
        invoice = _invoice_that_gives_back(office, booking, refund, standing)
    if invoice is not None:
        credit = Desk(office, booking, standing).credit_giving_back(refund.id, invoice, method)
        made = learn_reembolso(office, key, credit, refund)
    else:
        made = office.enter_money(key, request, booking.id)
    if failed:
        return take_back(office, refund, payment, booking, standing)
    if not step.rectify:
        return Done(ids={"reembolso": str(made)})
    if _goes_beyond_its_decision(office, refund):
        # Its cancellation has corrected the invoices; whose loss the difference is, a person says (F-R7).
        return Done(ids={"reembolso": str(made)})
    credited = _correct_what_is_left(office, booking, refund, standing)
    ids = {"reembolso": str(made)}
    if credited:
        ids["credit_note"] = ",".join(document.number for document in credited)
    return Done(ids=ids)


def record_chargeback(office: Office, step: ChargebackStep) -> Done:
    """Money moves at `funds_withdrawn` (out) and `won` (back in), a task begins with the first stage; invoices are untouched
    (money-rules 1.7.10)."""
    if step.stage not in ("inquiry", "opened", "funds_withdrawn", "won"):
        return Done(outcome="skipped", note=f"no money moves at {step.stage}")
    standing = office.container(step.booking_id)
    chargeback = office.store.facts.chargeback(step.agency, step.chargeback_id, step.stage)
    if chargeback is None:
        raise ContractBroken(f"no chargeback {step.chargeback_id} at {step.stage}", system="store")
    if step.stage in ("inquiry", "opened"):
        return Done(ids={"task": str(report_dispute(office, chargeback))})
    booking = office.booking(step.booking_id)
    out = step.stage == "funds_withdrawn"
    if _taken_back_before_it_came(office, step.payment_id):
        if out:
            return Done(outcome="skipped", note="the payment was charged back before it came to GIAV")
        words = f"{step.payment_id} was charged back before it came to GIAV, and is won: enter it there by hand"
        raise NeedsPerson(words, system=SYSTEM)
    payment = _recorded_payment(office, step.payment_id)
    configured = office.settings.refund_method if out else office.settings.payment_method
    method = configured(payment.processor.name, payment.method)
    if method is None:
        raise NeedsPerson(f"no method is configured for money of {payment.processor.name}", system=SYSTEM)
    business_id = f"{chargeback.id}:{step.stage}"
    key = office.key(REEMBOLSO if out else "cobro", business_id, CREATE)
    at = office.at(standing.client, standing.expediente, key)
    request = disputed(chargeback, booking, at, method, office.today())
    made = office.enter_money(key, request, booking.id)
    if not out:
        return Done(ids={"cobro": str(made)})
    report_dispute(office, chargeback)
    return Done(ids={"reembolso": str(made)})


def _taken_back_before_it_came(office: Office, payment_id: str) -> bool:
    """Whether the bank took it back while it waited for GIAV: then there is nothing to set off (payment-sync 30)."""
    if office.made(office.key("cobro", payment_id, CREATE)) is not None:
        return False
    known = office.store.payment_sync.get(office.agency, payment_id)
    return known is not None and known.sync.state is State.CHARGED_BACK


def _recorded_payment(office: Office, payment_id: str) -> Payment:
    """The payment, once its cobro is in GIAV: money cannot leave before it came."""
    payment = office.store.facts.payment(office.agency, payment_id)
    if payment is None:
        raise ContractBroken(f"no payment {payment_id}", system="store")
    if office.made(office.key("cobro", payment_id, CREATE)) is None:
        raise office.wait_for("the payment")
    return payment


def _refund_method(office: Office, refund: Refund, payment: Payment) -> int:
    by_transfer = refund.destination == "transfer"
    names = ("transfer", "transfer") if by_transfer else (refund.processor.name, payment.method)
    method = office.settings.refund_method(*names)
    if method is None:
        raise NeedsPerson(f"no refund method is configured for {names[0]}", system=SYSTEM)
    return method


def _goes_beyond_its_decision(office: Office, refund: Refund) -> bool:
    facts = office.store.facts
    cancellation = facts.cancellation(office.agency, refund.cancellation_id) if refund.cancellation_id else None
    earlier = takewhile(lambda each: each.id != refund.id, facts.refunds_of(office.agency, refund.booking_id))
    payments = facts.payments_of(office.agency, refund.booking_id)
    return bool(beyond_decision(refund, cancellation, earlier, payments))


def _invoice_that_gives_back(office: Office, booking: Booking, refund: Refund, standing: Container) -> Document | None:
    """In the one-call variant the credit note of a whole invoice gives its money back by itself (giav 4)."""
    begun = office.store.effects.last_request(office.key(REEMBOLSO, refund.id, CREATE))
    if _goes_beyond_its_decision(office, refund) or (begun is not None and "idsFactura" not in begun):
        return None
    plan = _what_is_left(office, Desk(office, booking, standing), booking, refund)
    return plan[0].document if gives_back_in_one_call(plan, refund) else None


def _correct_what_is_left(office: Office, booking: Booking, refund: Refund, standing: Container) -> list[Document]:
    """Credit what is still invoiced although its money went back: overpayments, payments after a cancellation, goodwill."""
    desk = Desk(office, booking, standing)
    plan = _what_is_left(office, desk, booking, refund)
    if not plan:
        return []
    credited = desk.credit(refund.id, plan)
    desk.reissue(refund.id, plan, standing.client)
    lower_sale(office, desk, booking, refund.id, standing)
    return credited


def _what_is_left(office: Office, desk: Desk, booking: Booking, refund: Refund) -> list[Correction]:
    """The invoices that a refund corrects, decided once."""
    documents = desk.documents()
    currency = refund.amount.currency
    given_back = [
        each
        for each in office.store.facts.refunds_of(office.agency, booking.id)
        if each.id == refund.id or office.made(office.key(REEMBOLSO, each.id, CREATE)) is not None
    ]
    kept = originals(documents, currency) - total((each.amount for each in given_back), currency)
    return desk.plan(refund.id, kept - penalised(documents, currency), first=refund.payment_id)


def _never_came(office: Office, payment_id: str) -> bool:
    """Whether a duplicate goes back that was kept out of GIAV (money-rules F-C18)."""
    if office.made(office.key("cobro", payment_id, CREATE)) is not None:
        return False
    known = office.store.payment_sync.get(office.agency, payment_id)
    return known is not None and known.sync.state in GIVEN_BACK
