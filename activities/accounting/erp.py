"""The journal as the ERP of an agency that has no other: a receipt is the entry of a collection (contracts: payment-sync 6.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from activities.accounting.activities import JournalActivities
from activities.accounting.posting import SYSTEM
from activities.accounting.settings import JournalSettings
from activities.effects import Effect, Effects
from activities.failures import implements
from activities.open_instalments import open_instalments
from activities.reconciliation import keep_page
from activities.signatures import JOURNAL_DESCRIBE, JOURNAL_PROBE_PAYMENT, JOURNAL_RECONCILE
from domain.connector_steps import Described, DescribeStep, Happening, ReconcilePage, ReconcileStep, TellPayment
from domain.effects import EffectKey
from domain.errors import ContractBroken, NotYet, Refused
from domain.ledger import key_of, reversal
from domain.money import Money, total
from domain.payment_steps import ProbeStep
from domain.payment_sync import UNSYNCHRONISED, Evidence, Kind, Paid, Receipt, Receivable, State, Verdict, judge
from domain.platform import Payment
from domain.ports import OpenInstalment, PostReceipt
from domain.steps import PaymentStep
from store import Store
from store.journal import PostedEntry
from store.payment_sync import SyncedPayment
from store.reconciliations import Pair

COLLECTED = ("cob", "mat")
"""Keys of collections: posted at once, or out of suspense when the booking became known."""
GIVEN_UP = frozenset({State.REFUND_REQUESTED, State.REFUND_FAILED, State.REFUNDED, State.CHARGED_BACK})
"""Where a payment needs no entry of its own."""
WAIT = 5.0
"""Seconds until a booking that is not known yet is looked for again."""


class JournalErp:
    """`domain.ports.ErpPort` for one agency."""

    def __init__(self, store: Store, agency: str, settings: JournalSettings, posting: JournalActivities) -> None:
        self._store, self._agency, self._settings, self._posting = store, agency, settings, posting

    def describe(self) -> Described:
        """Our own tables: nobody changes their contract but a migration."""
        return Described(capabilities=("idempotent_post", "search_by_reference", "instalments"))

    def find_receivable(self, ref: str) -> Receivable | None:
        booking = self._store.facts.booking(self._agency, ref)
        if booking is None:
            return None
        sold = booking.totals.total
        came = total((receipt.amount for receipt in self.list_receipts(ref)), sold.currency)
        left = max(sold - came, Money.zero(sold.currency))
        state = "cancelled" if booking.status == "cancelled" else "open" if left.amount else "paid"
        return Receivable.model_validate({"id": ref, "state": state, "total": sold, "open_amount": left})

    def list_receipts(self, receivable: str) -> Sequence[Receipt]:
        return [
            _receipt(payment, posted)
            for payment in self._store.facts.payments_of(self._agency, receivable)
            if (posted := self._posted(payment.id)) is not None
        ]

    def post_receipt(self, cmd: PostReceipt) -> str:
        step = PaymentStep(
            agency=self._agency,
            booking_id=cmd.receivable,
            experience_id="",
            payment_id=cmd.payment_id,
            amount=cmd.amount,
            method=cmd.method,
        )
        return next(iter(self._posting.record_payment(step).ids.values()))

    def reverse_receipt(self, receipt_id: str, reason: str) -> str:
        """By an entry of its own: nothing is ever taken out of a journal."""
        posted = self._store.journal.find(self._agency, receipt_id)
        if posted is None:
            raise Refused(f"no entry {receipt_id}", system=SYSTEM)
        entry = reversal(posted.entry, on=posted.entry.on, text=reason)

        def look_up(_: str) -> list[str]:
            found = self._store.journal.find(self._agency, entry.key)
            return [str(found.number)] if found else []

        effect = Effect(
            EffectKey(self._agency, SYSTEM, "entry", entry.key, "reverse"),
            act=lambda _: str(self._store.journal.append(self._agency, entry)[0]),
            look_up=look_up,
            booking_id=entry.booking_id,
        )
        return Effects(self._store.effects).perform(effect)

    def next_instalments(self, customer: str, contract: str) -> Sequence[OpenInstalment]:
        return open_instalments(self._store, self._agency, customer, contract)

    def _posted(self, payment_id: str) -> PostedEntry | None:
        """The entry of the collection, unless it was taken back."""
        for prefix in COLLECTED:
            found = self._store.journal.find(self._agency, key_of(prefix, payment_id))
            if found is not None and self._store.journal.find(self._agency, f"{found.entry.key}:reversed") is None:
                return found
        return None

    def _was_posted(self, payment_id: str) -> bool:
        return any(self._store.journal.find(self._agency, key_of(prefix, payment_id)) for prefix in COLLECTED)

    def pair(self, known: SyncedPayment) -> Pair:
        """A payment beside its entry."""
        sync, posted = known.sync, self._posted(known.sync.payment_id)
        pair = Pair(
            verdict="agrees",
            day=(sync.captured_at or sync.since).date(),
            payment_id=sync.payment_id,
            booking_id=known.booking_id,
            receipt_id=str(posted.number) if posted else "",
            paid=sync.amount,
            received=sync.amount if posted else None,
            state=sync.state.value,
        )
        if posted is not None or sync.state in GIVEN_UP:
            return pair
        if sync.state in UNSYNCHRONISED:
            return pair.model_copy(update={"verdict": "waits", "words": sync.reason})
        if sync.receipt_id is not None:
            words = f"entry {sync.receipt_id} of {sync.payment_id} was reversed in the journal"
            return pair.model_copy(update={"verdict": "reversed", "words": words})
        if sync.state is State.SYNCED_MANUAL:
            return pair.model_copy(update={"words": f"marked by hand: {sync.explanation}"})
        words = f"{sync.payment_id} is {sync.state.value} and has no entry"
        return pair.model_copy(update={"verdict": "no_receipt", "words": words})

    def probe(self, payment: Payment, now: datetime) -> Evidence:
        """The verdict on one payment. Raises `NotYet` while the booking is not known."""
        receivable = self.find_receivable(payment.booking_id)
        if receivable is None:
            raise NotYet(f"waiting for booking {payment.booking_id}", system=SYSTEM, retry_after=WAIT)
        # Money beyond the price is booked all the same (money-rules F-X1), also after a cancellation.
        left = max(receivable.open_amount, payment.amount)
        receivable = receivable.model_copy(update={"open_amount": left, "state": "open"})
        paid = Paid(
            external_key=_key(payment.id),
            amount=payment.amount,
            on=(payment.captured_at or now).astimezone(self._settings.zone).date(),
            auth_code=payment.processor.authorization_code or "",
            reference=payment.processor.payment_ref,
        )
        if self._posted(payment.id) is None and self._was_posted(payment.id):
            # An entry's key is its own for ever: what was reversed by hand is posted anew by hand.
            words = "its entry was reversed in the journal; whoever did that posts it anew"
            return Evidence(verdict=Verdict.NO_TARGET, at=now, words=words)
        own = [each for each in self.list_receipts(payment.booking_id) if each.external_key == paid.external_key]
        return judge(paid, receivable, own, now)


class JournalErpActivities:
    """The ERP's cells, where the journal is the ERP."""

    def __init__(
        self,
        store: Store,
        settings: Mapping[str, JournalSettings],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store, self._settings, self._now = store, settings, now
        self._posting = JournalActivities(store, settings)

    @implements(JOURNAL_PROBE_PAYMENT)
    def probe_payment(self, step: ProbeStep) -> Evidence:
        payment = self._store.facts.payment(step.agency, step.payment_id)
        if payment is None:
            raise ContractBroken(f"no payment {step.payment_id}", system="store")
        return self.port(step.agency).probe(payment, self._now())

    @implements(JOURNAL_DESCRIBE)
    def describe(self, step: DescribeStep) -> Described:
        return self.port(step.agency).describe()

    @implements(JOURNAL_RECONCILE)
    def reconcile(self, step: ReconcileStep) -> ReconcilePage:
        """Every payment of the window beside its entry; the other way round the journal's own constraints hold."""
        port, pairs, told = self.port(step.agency), [], []
        for known in self._store.connectors.captured(step.agency, SYSTEM, step.first, step.last):
            pair = port.pair(known)
            pairs.append(pair)
            if pair.verdict == "reversed":
                gone = Happening(kind=Kind.REVERSED, text=pair.words)
                told.append(TellPayment(agency=step.agency, payment_id=known.sync.payment_id, happening=gone))
        differing = sum(each.verdict not in ("agrees", "waits") for each in pairs)
        page = ReconcilePage(compared=len(pairs), differing=differing, told=tuple(told))
        keep_page(self._store, step, page, pairs, [])
        return page

    def port(self, agency: str) -> JournalErp:
        return JournalErp(self._store, agency, self._settings.get(agency) or JournalSettings(), self._posting)


def _key(payment_id: str) -> str:
    return f"PS-{payment_id}"


def _receipt(payment: Payment, posted: PostedEntry) -> Receipt:
    return Receipt(
        id=str(posted.number),
        method=payment.method,
        by_gateway=True,
        auth_code=payment.processor.authorization_code or "",
        reference=payment.processor.payment_ref,
        amount=payment.amount,
        on=posted.entry.on,
        external_key=_key(payment.id),
    )
