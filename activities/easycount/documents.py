"""The cells that issue documents and make pages, each once by its key (contracts: easycount 2.7, 3, 4, 5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from activities.easycount import drafting
from activities.easycount.account import EasyCountAccount
from activities.easycount.wire import DocumentRequest, Kind
from activities.effects import Effect, Effects
from activities.failures import implements
from activities.signatures import (
    EASYCOUNT_CREDIT,
    EASYCOUNT_ISSUE_DOCUMENT,
    EASYCOUNT_ISSUE_RECEIPT,
    EASYCOUNT_MAKE_LINK,
    EASYCOUNT_WITHDRAW,
)
from domain.deal_steps import DealMoneyStep, DealRefundStep, LinkAtWork, RefundedSoFar, RequestStep
from domain.deals import DealRules, DealSaid, document_key, refund_id
from domain.effects import EffectKey, EffectState
from domain.errors import Refused, UnknownOutcome
from domain.money import Money
from domain.steps import Done
from store import Store
from store.installation import AgencySettings
from store.payment_request_records import DealRefund, IssuedDocument, Link, LinkPayment

SYSTEM = drafting.SYSTEM
UNSEEN_PAGE = (
    "a page may have been made for this deal, whose secret is lost, so that nobody can be asked whether it was paid; look into "
    "the deal and EasyCount's back office, then retry (make a page) or skip"
)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class EasyCountDocuments:
    """What is issued is never changed and never issued twice: after a doubtful end the same request goes out under the same key."""

    def __init__(
        self,
        store: Store,
        accounts: Mapping[str, EasyCountAccount],
        agencies: Mapping[str, AgencySettings],
        rules: Mapping[str, DealRules],
        *,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._agencies = agencies
        self._rules = rules
        self._now = now
        self._effects = Effects(store.effects)

    # Asking for money -------------------------------------------------------------------------------------------------

    @implements(EASYCOUNT_MAKE_LINK)
    def make_link(self, step: RequestStep) -> LinkAtWork:
        """A page for this revision. What may have been made without an answer is an orphan: on record, sent to nobody."""
        pages, account = self._store.payment_pages, self._account(step.agency)
        amount = step.amount or self._said(step).amount
        assert amount is not None
        drafting.examine(amount, account.settings)
        place = f"{step.deal_id}/{step.revision}/{step.ordinal}"
        key = EffectKey(step.agency, SYSTEM, "page", place, "create")
        known = pages.of_revision(step.agency, step.deal_id, step.revision, step.ordinal)
        before = self._store.effects.get(key)
        if known is None and before is not None and before.acts and before.state is not EffectState.DONE:
            pages.lost(step.agency, step.deal_id, step.revision, step.ordinal, amount)

        def act(_reference: str) -> str:
            there = pages.of_revision(step.agency, step.deal_id, step.revision, step.ordinal)
            return str((there or self._made(step, amount)).number)

        self._effects.perform(Effect(key, act=act, booking_id=self._said(step).booking_id, unseen=UNSEEN_PAGE))
        made = pages.of_revision(step.agency, step.deal_id, step.revision, step.ordinal)
        if made is None:
            raise Refused("there is no page for this revision; ask for a new one", system=SYSTEM, operation="page")
        return at_work(made, paid=False)

    def _made(self, step: RequestStep, amount: Money) -> Link:
        account, pages = self._account(step.agency), self._store.payment_pages
        token = pages.new_token(step.agency, step.deal_id)
        gateway = self._rules_of(step.agency).gateway_url
        page = account.client.create_link(amount, f"{gateway.rstrip('/')}/paid/{token}" if gateway else None)
        if pages.is_known(step.agency, page.url):
            raise UnknownOutcome("the answer is that of another page", system=SYSTEM, operation="page")
        return pages.made(
            step.agency,
            step.deal_id,
            step.revision,
            step.ordinal,
            page.url,
            page.secret,
            amount,
            self._now() + account.settings.link_lasts,
            token,
        )

    @implements(EASYCOUNT_ISSUE_DOCUMENT)
    def issue_document(self, step: RequestStep) -> Done:
        """The proforma of a revision, or its invoice where the agency invoices first. EasyCount sends it with the link."""
        account, said = self._account(step.agency), self._said(step)
        page = self._store.payment_pages.of_revision(step.agency, step.deal_id, step.revision)
        kind, key = self._asking(step.agency, step.deal_id, step.revision)
        sent = account.settings.e_mails and self._rules_of(step.agency).mail == "easycount"
        wanted = drafting.request_for_payment(
            key, kind, said, account.settings, page=page.url if page else "", sent=sent
        )
        issued = self._issue(step.agency, step.deal_id, step.revision, wanted, said)
        return self._told(step.agency, issued, said)

    @implements(EASYCOUNT_WITHDRAW)
    def withdraw(self, step: RequestStep) -> Done:
        """Nobody wants the money any more: an invoice that was not paid is credited, a proforma needs nothing (easycount 4)."""
        kind, key = self._asking(step.agency, step.deal_id, step.revision)
        invoice = self._store.payment_requests.document(step.agency, key)
        if kind is not Kind.INVOICE or invoice is None:
            return Done(outcome="skipped", note="no invoice was issued")
        said = self._said(step)
        wanted = drafting.credit(
            document_key("cr", step.agency, step.deal_id, "withdrawn", step.revision),
            said,
            invoice.amount,
            invoice.uuid,
            self._account(step.agency).settings,
            reason="cancelled",
        )
        issued = self._issue(step.agency, step.deal_id, step.revision, wanted, said)
        return Done(ids={"credit": issued.number})

    # Money that came --------------------------------------------------------------------------------------------------

    @implements(EASYCOUNT_ISSUE_RECEIPT)
    def issue_receipt(self, step: DealMoneyStep) -> Done:
        """Invoice and receipt of a page that was paid; the receipt alone where the invoice was first."""
        paid = self._store.payment_requests.payment(step.agency, step.payment_id)
        said = self._store.payment_requests.asked(step.agency, step.deal_id, paid.revision).said
        kind, key = self._of_payment(step.agency, paid)
        _, asking = self._asking(step.agency, step.deal_id, paid.revision)
        asked = self._store.payment_requests.document(step.agency, asking)
        wanted = drafting.receipt(
            key,
            kind,
            said,
            paid,
            self._day(step.agency, paid.seen_at),
            asked.uuid if asked else "",
            self._account(step.agency).settings,
        )
        issued = self._issue(step.agency, step.deal_id, paid.revision, wanted, said, paid.payment_id)
        return self._told(step.agency, issued, said)

    @implements(EASYCOUNT_CREDIT)
    def credit(self, step: DealRefundStep) -> RefundedSoFar:
        """Money that went back: the credit invoice first, then the receipt with negative amounts (easycount 4)."""
        requests = self._store.payment_requests
        paid = requests.payment(step.agency, step.payment_id)
        said = requests.asked(step.agency, step.deal_id, paid.revision).said
        settings = self._account(step.agency).settings
        refund = refund_id(step.agency, step.payment_id, step.reference)
        given = [r for r in requests.refunds(step.agency, step.deal_id) if r.payment_id == step.payment_id]
        before = sum(r.amount.amount for r in given if r.refund_id != refund)
        if before + step.amount.amount > paid.amount.amount:
            left = Money(amount=paid.amount.amount - before, currency=paid.amount.currency)
            raise Refused(f"only {left} of this payment are left", system=SYSTEM, operation="credit")
        moment = self._now()
        requests.refund(
            step.agency,
            DealRefund(refund, step.deal_id, step.payment_id, step.amount, step.reference[:200], step.by[:200], moment),
        )
        kept = next(r for r in requests.refunds(step.agency, step.deal_id) if r.refund_id == refund)
        on = self._day(step.agency, kept.at)
        parent = self._invoice_of(step.agency, paid)
        numbers = [
            self._issue(step.agency, step.deal_id, paid.revision, wanted, said, paid.payment_id).number
            for wanted in (
                drafting.credit(
                    document_key("cr", step.agency, step.deal_id, refund, paid.revision),
                    said,
                    step.amount,
                    parent,
                    settings,
                    reason=step.reference,
                ),
                drafting.receipt_of_refund(
                    document_key("rr", step.agency, step.deal_id, refund, paid.revision),
                    said,
                    step.amount,
                    on,
                    parent,
                    paid,
                    settings,
                ),
            )
        ]
        left_over = paid.amount.amount - before - step.amount.amount
        return RefundedSoFar(credit=numbers[0], receipt=numbers[1], left=left_over)

    # ------------------------------------------------------------------------------------------------------------------

    def _issue(
        self,
        agency: str,
        deal_id: int,
        revision: int,
        wanted: DocumentRequest,
        said: DealSaid,
        payment_id: str | None = None,
    ) -> IssuedDocument:
        requests = self._store.payment_requests

        def keep(uuid: str, number: str, pdf: str, allocation: str) -> None:
            sign = -1 if wanted.gross.amount < 0 else 1
            requests.document_issued(
                agency,
                IssuedDocument(
                    deal_id=deal_id,
                    revision=revision,
                    key=wanted.transaction_id,
                    type=int(wanted.kind),
                    uuid=uuid,
                    number=number,
                    pdf=pdf,
                    amount=Money(amount=sign * abs(wanted.gross.amount), currency=wanted.currency),
                    payment_id=payment_id,
                    allocation_number=allocation or None,
                    issued_at=self._now(),
                ),
            )

        def act(_reference: str) -> str:
            issued = self._account(agency).client.create_document(wanted)
            keep(issued.uuid, issued.number, issued.pdf_copy, issued.allocation_number)
            return issued.uuid

        key = EffectKey(agency, SYSTEM, "document", wanted.transaction_id, "create")
        uuid = self._effects.perform(Effect(key, act=act, booking_id=said.booking_id))
        held = requests.document(agency, wanted.transaction_id)
        if held is None:
            # A person named it: `uuid/number`, as the back office shows them (easycount 2.7).
            name, _, number = uuid.partition("/")
            keep(name, number or name, "", "")
            held = requests.document(agency, wanted.transaction_id)
            assert held is not None
        return held

    def _told(self, agency: str, issued: IssuedDocument, said: DealSaid) -> Done:
        ids = {"document": issued.number}
        threshold = self._account(agency).settings.allocation_threshold
        taxed = issued.type in (Kind.INVOICE, Kind.INVOICE_RECEIPT) and bool(said.tax_number)
        if threshold is not None and taxed and issued.amount.decimal > threshold and not issued.allocation_number:
            words = f"{issued.number} is above {threshold} and came without an allocation number: fetch one"
            return Done(outcome="partial", ids=ids, note=words)
        return Done(ids=ids)

    def _asking(self, agency: str, deal_id: int, revision: int) -> tuple[Kind, str]:
        """Kind and key of the document that asks for money."""
        if self._account(agency).settings.mode == "invoice_first":
            return Kind.INVOICE, document_key("in", agency, deal_id, "request", revision)
        return Kind.PROFORMA, document_key("pf", agency, deal_id, "request", revision)

    def _of_payment(self, agency: str, paid: LinkPayment) -> tuple[Kind, str]:
        if self._account(agency).settings.mode == "invoice_first":
            return Kind.RECEIPT, document_key("rc", agency, paid.deal_id, paid.payment_id, paid.revision)
        return Kind.INVOICE_RECEIPT, document_key("in", agency, paid.deal_id, paid.payment_id, paid.revision)

    def _invoice_of(self, agency: str, paid: LinkPayment) -> str:
        """The document that a credit of this payment refers to."""
        kind, key = self._of_payment(agency, paid)
        if kind is Kind.RECEIPT:
            _, key = self._asking(agency, paid.deal_id, paid.revision)
        issued = self._store.payment_requests.document(agency, key)
        if issued is None:
            raise Refused(
                "no invoice of this payment was issued; issue it first, then refund it",
                system=SYSTEM,
                operation="credit",
            )
        return issued.uuid

    def _said(self, step: RequestStep) -> DealSaid:
        return self._store.payment_requests.asked(step.agency, step.deal_id, step.revision).said

    def _account(self, agency: str) -> EasyCountAccount:
        try:
            return self._accounts[agency]
        except KeyError:
            words = f"agency {agency} has no EasyCount; add [agencies.{agency}.easycount] to the settings"
            raise Refused(words, system=SYSTEM) from None

    def _rules_of(self, agency: str) -> DealRules:
        return self._rules.get(agency) or DealRules()

    def _day(self, agency: str, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self._agencies[agency].timezone)).date()


def at_work(link: Link, *, paid: bool) -> LinkAtWork:
    return LinkAtWork(
        number=link.number,
        revision=link.revision,
        amount=link.amount,
        made_at=link.made_at,
        expires_at=link.expires_at,
        paid=paid,
    )
