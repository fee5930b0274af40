"""The AirPlus column of the verbs × systems table (contracts: tamara 3.5, 3.12, 4; DESIGN 3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from temporalio import activity

from activities.effects import beat
from activities.failures import implements
from activities.signatures import (
    TAMARA_CANCEL_BOOKING,
    TAMARA_DELIVER_FILE,
    TAMARA_RECORD_PAYMENT,
    TAMARA_RECORD_REFUND,
    TAMARA_RETIRE_FILES,
    TAMARA_SEAL_FILE,
)
from activities.tamara.carrier import Carrier, refuse_if_stopped
from activities.tamara.mapping import reason_of_cancellation, reason_of_refund
from activities.tamara.retention import retire
from activities.tamara.sealing import Sealer
from activities.tamara.settings import TamaraSettings
from activities.tamara.staging import Staging
from activities.tamara.standing import Standing
from domain.errors import ContractBroken, NeedsPerson, Transient
from domain.platform import Payment
from domain.steps import (
    CancellationStep,
    Done,
    PaymentStep,
    RefundStep,
    SealedFile,
    TamaraFileStep,
    TamaraRetention,
    TamaraStep,
)
from store import Store
from store.clock import Clock, utc_now
from store.tamara_tables import FileKey, Line

NO_TAMARA = Done(outcome="skipped", note="the agency sends no TAMARA files")
NO_ROUTE = Done(note="the layout's routing table sends this service in no file")
NOT_AIRPLUS = Done(outcome="skipped", note="not paid with an AirPlus account")
PATIENCE = 100
"""Attempts that wait for a credit note, ever slower (about four hours), before a person is asked."""
SLOWEST = 300.0


class TamaraActivities:
    """`accounts` holds the settings of every agency that has an agreement with AirPlus."""

    def __init__(self, store: Store, accounts: Mapping[str, TamaraSettings], clock: Clock = utc_now) -> None:
        self._store = store
        self._accounts = {name: each for name, each in accounts.items() if each.producer == "orchestrator"}
        self._clock = clock

    @implements(TAMARA_RECORD_PAYMENT)
    def record_payment(self, step: PaymentStep) -> Done:
        """Stage the debit line of a payment under its invoice number; a line that breaks a rule stays listed."""
        settings = self._accounts.get(step.agency)
        if settings is None:
            return NO_TAMARA
        if step.method != "airplus":
            return NOT_AIRPLUS
        payment = self._payment(step.agency, step.payment_id)
        staging = self._staging(step.agency, settings)
        standing = staging.standings(step.booking_id).get(payment.id)
        if standing is None:
            raise Transient("the invoice has no number yet", system="tamara", operation="record_payment", retry_after=2)
        line = staging.sell(payment, standing)
        return NO_ROUTE if line is None else _told([line])

    @implements(TAMARA_CANCEL_BOOKING)
    def cancel_booking(self, step: CancellationStep) -> Done:
        """One net credit for every AirPlus payment: rectifying invoices less penalties (money-rules T2)."""
        settings = self._accounts.get(step.agency)
        if settings is None:
            return NO_TAMARA
        payments = self._on_account(step.agency, step.booking_id)
        if not payments:
            return NOT_AIRPLUS
        cancellation = self._store.facts.cancellation(step.agency, step.cancellation_id)
        if cancellation is None:
            raise Transient("the cancellation is not in the store yet", system="tamara", retry_after=2)
        staging = self._staging(step.agency, settings)
        standings = staging.standings(step.booking_id)
        return _told(_corrected(staging, payments, standings, reason_of_cancellation(cancellation)))

    @implements(TAMARA_RECORD_REFUND)
    def record_refund(self, step: RefundStep) -> Done:
        """Credit what the rectifying documents give back; a refund whose cancellation was credited already adds nothing."""
        settings = self._accounts.get(step.agency)
        if settings is None:
            return NO_TAMARA
        if self._payment(step.agency, step.payment_id).method != "airplus":
            return NOT_AIRPLUS
        refund = self._store.facts.refund(step.agency, step.refund_id)
        if refund is None and self._store.facts.refund_failed(step.agency, step.refund_id):
            return Done(outcome="skipped", note="the refund failed before it was announced")
        if refund is None:
            raise Transient("the refund is not in the store yet", system="tamara", retry_after=2)
        staging = self._staging(step.agency, settings)
        standings = staging.standings(step.booking_id)
        payments = self._on_account(step.agency, step.booking_id)
        if self._returned(step, payments) > _freed(payments, standings):
            self._wait_for_credit_note("record_refund")
        return _told(_corrected(staging, payments, standings, reason_of_refund(refund)))

    @implements(TAMARA_SEAL_FILE)
    def seal_file(self, step: TamaraStep) -> SealedFile:
        """Freeze number and content of one day's file, render it and prove it; asked twice, the same file."""
        settings = self._accounts.get(step.agency)
        if settings is None:
            return SealedFile(partner_id="", kind=step.kind, seq=0, name="", lines=0)
        refuse_if_stopped(self._store, settings)
        staging = self._staging(step.agency, settings)
        sealer = Sealer(self._store, step.agency, settings, beat)
        file = sealer.seal(step.kind, step.day, self._now(settings), staging.rejudge)
        if file is None:
            return SealedFile(partner_id=settings.partner_id, kind=step.kind, seq=0, name="", lines=0)
        return SealedFile(partner_id=file.partner_id, kind=file.kind, seq=file.seq, name=file.name, lines=file.lines)

    @implements(TAMARA_DELIVER_FILE)
    def deliver_file(self, step: TamaraFileStep) -> Done:
        """Bring a sealed file to the partner, once, in the order of the numbers."""
        settings = self._accounts.get(step.agency)
        if settings is None or step.seq == 0:
            return NO_TAMARA
        key = FileKey(partner_id=step.partner_id, kind=step.kind, mode=settings.mode, seq=step.seq)
        file = self._store.tamara.file(key)
        if file is None or file.agency != step.agency:
            raise ContractBroken(f"there is no file {key.kind} {key.seq} of this partner", system="tamara")
        if file.delivered_at is None:
            file = Carrier(self._store, step.agency, settings, self._now(settings)).carry(file)
        return Done(ids={"file": file.name})

    @implements(TAMARA_RETIRE_FILES)
    def retire_files(self, step: TamaraRetention) -> Done:
        """Destroy what may not be kept any longer: the forms of files that hold card numbers."""
        if step.agency not in self._accounts:
            return NO_TAMARA
        gone = retire(self._store, step.agency, self._clock())
        return Done(note=f"{len(gone)} files destroyed" if gone else "nothing was due")

    def _payment(self, agency: str, payment_id: str) -> Payment:
        payment = self._store.facts.payment(agency, payment_id)
        if payment is None:
            raise Transient("the payment is not in the store yet", system="tamara", retry_after=2)
        return payment

    def _staging(self, agency: str, settings: TamaraSettings) -> Staging:
        return Staging(self._store, agency, settings, self._now(settings).date())

    def _now(self, settings: TamaraSettings) -> dt.datetime:
        """The agency's local time, to the second."""
        return self._clock().astimezone(settings.zone).replace(microsecond=0)

    def _on_account(self, agency: str, booking_id: str) -> list[Payment]:
        return [each for each in self._store.facts.payments_of(agency, booking_id) if each.method == "airplus"]

    def _returned(self, step: RefundStep, payments: list[Payment]) -> int:
        """Minor units that went back to these payments so far."""
        ids = {payment.id for payment in payments}
        refunds = self._store.facts.refunds_of(step.agency, step.booking_id)
        return sum(each.amount.amount for each in refunds if each.payment_id in ids)

    def _wait_for_credit_note(self, operation: str) -> None:
        attempt = activity.info().attempt if activity.in_activity() else 1
        words = "more was refunded than credit notes give back"
        if attempt >= PATIENCE:
            raise NeedsPerson(f"{words}; issue the credit note, or skip", system="tamara", operation=operation)
        raise Transient(words, system="tamara", operation=operation, retry_after=min(2.0 * attempt, SLOWEST))


def _freed(payments: list[Payment], standings: Mapping[str, Standing]) -> int:
    """Minor units that documents give back to these payments."""
    return sum(standings[each.id].family.freed.amount for each in payments if each.id in standings)


def _corrected(staging: Staging, payments: list[Payment], standings: Mapping[str, Standing], reason: str) -> list[Line]:
    """Bring every payment of a booking in step. Without an invoice there is no line yet; whoever stages it takes the
    documents of that moment."""
    known = [(payment, standings[payment.id]) for payment in payments if payment.id in standings]
    return [line for payment, standing in known for line in staging.correct(payment, standing, reason)]


def _told(lines: list[Line]) -> Done:
    """How a cell ended: the references of its lines, and what keeps a line out of the file."""
    if not lines:
        return Done(note="AirPlus is in step with the documents")
    ids = {"line": lines[0].txn_ref} if len(lines) == 1 else {f"line {n}": line.txn_ref for n, line in enumerate(lines)}
    refused = [line for line in lines if line.state == "REFUSED"]
    if refused:
        return Done(outcome="partial", ids=ids, note="; ".join(line.refused_text or "" for line in refused))
    return Done(ids=ids)
