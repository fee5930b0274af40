"""Staging: lines that bring AirPlus in step with the documents, each stored once (contracts: tamara 3.5, 3.12)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress

from activities.tamara.correcting import corrected
from activities.tamara.lodged import LodgedCards
from activities.tamara.mapping import Sale, credit_of, penalty_of, reference_of, route_of, sale_of
from activities.tamara.model import Transaction
from activities.tamara.rendering import FieldError
from activities.tamara.sealing import fits
from activities.tamara.settings import NO_PROFILE, DbiProfile, TamaraSettings
from activities.tamara.standing import Standing, standings
from activities.tamara.validation import Context, Refusal, judge
from domain.errors import NeedsPerson, Refused, Transient
from domain.money import Money
from domain.platform import Booking, Experience, Payment
from store import Store
from store.documents import Document
from store.tamara import LinesMoved
from store.tamara_tables import CARRIED, OPEN, Line, LineContent, NewLine

SALE = "sale"
REJECTED = ("REJECTED", "EXPIRED")
"""What AirPlus has, and will not charge as it is."""


class Staging:
    """Lines of one agency. `today` is the agency's date."""

    def __init__(self, store: Store, agency: str, settings: TamaraSettings, today: dt.date) -> None:
        self._store = store
        self._agency = agency
        self._settings = settings
        self._today = today
        self._cards = LodgedCards(store.vault, agency)

    def standings(self, booking_id: str) -> dict[str, Standing]:
        """What the documents say of each payment of a booking; a payment whose invoice has no number is missing."""
        refunded: dict[str, int] = {}
        for refund in self._store.facts.refunds_of(self._agency, booking_id):
            refunded[refund.payment_id] = refunded.get(refund.payment_id, 0) + refund.amount.amount
        return standings(self._store.documents.of_booking(self._agency, booking_id), refunded)

    def sell(self, payment: Payment, standing: Standing) -> Line | None:
        """Stage the debit of a payment once and bring it in step; a refused line is tried again with today's facts.

        None: the routing table sends this service in no file (contracts: tamara 3.3).
        """
        line = self._store.tamara.line(self._agency, payment.booking_id, payment.id, SALE)
        if line is None:
            whole = standing.family.invoice
            if self._route(payment, whole) == "none":
                return None
            draft = self._sale(payment, whole, whole.amount, Money.zero(whole.amount.currency))
            line = self._stage(payment, SALE, draft)
        elif line.state == "REFUSED" and standing.due:
            line = self._replace(line, self._redrawn(payment, standing))
        self.correct(payment, standing, "OT")
        return self._store.tamara.line(self._agency, payment.booking_id, payment.id, SALE) or line

    def correct(self, payment: Payment, standing: Standing, reason: str) -> list[Line]:
        """Bring the lines of a payment in step with its documents; nothing to do gives nothing.

        What has not left the house is replaced or withdrawn, what has is answered by a credit. Without a debit line
        there is nothing to correct: whoever stages it takes the documents of that moment.
        """
        lines = self._lines(payment)
        sale = next((line for line in lines if line.purpose == SALE), None)
        missing = standing.due.amount - sum(line.signed for line in lines)
        if sale is None and not standing.due:
            self._forget_rejected(payment)
        if sale is None or missing == 0:
            return []
        if sale.state in OPEN:
            return [self._redraw(payment, sale, standing)]
        if missing < 0:
            return [self._credit(payment, sale, lines, standing, -missing, reason)]
        return [self._debit(payment, sale, lines, standing, missing)]

    def _forget_rejected(self, payment: Payment) -> None:
        """What AirPlus rejected was never charged; once nothing is owed, it need not be (contracts: tamara 3.5, limits)."""
        for line in self._store.tamara.lines_of(self._agency, payment.booking_id):
            if line.payment_id == payment.id and line.state in REJECTED:
                with suppress(LinesMoved):
                    self._store.tamara_answers.abandon(line.id)

    def resubmit(self, line: Line, card: str | None = None) -> Line:
        """The next version of a rejected line, drawn from today's documents and what people set; an open line is drawn anew.

        `card` is another token. Raises `Refused` for a line that is neither open nor rejected, `Transient` if it moved.
        """
        if line.state in OPEN:
            return self.rejudge(line.model_copy(update={"card_ref": card or line.card_ref}), anew=True)
        if line.state not in REJECTED:
            raise Refused(
                f"line {line.id} is {line.state}: only lines that wait, or that AirPlus rejected, can be mended",
                system="tamara",
                operation="fix",
            )
        if line.version + 1 >= self._settings.max_versions:
            raise Refused(
                f"AirPlus has had line {line.id} {line.version + 1} times (tamara.max_versions); agree another form of payment "
                "and run: bookings tamara abandon",
                system="tamara",
                operation="fix",
            )
        draft = self._drawn(line)
        if draft is None:
            self._store.tamara_answers.abandon(line.id)
            return line.model_copy(update={"state": "ABANDONED"})
        version, token = line.version + 1, card or line.card_ref
        content = self._content(
            draft, self._profile(line.booking_id), token, line.currency, self._may_credit(line), line, version
        )
        key = line.model_dump(include={"agency", "booking_id", "payment_id", "purpose", "txn_ref", "mode"})
        try:
            return self._store.tamara_answers.correct(line, NewLine(**content.model_dump(), **key, version=version))
        except LinesMoved:
            raise _sealed_meanwhile() from None

    def _drawn(self, line: Line) -> Transaction | None:
        """A line's transaction as today's documents give it; None when nothing is owed any more."""
        transaction = Transaction.model_validate(line.content)
        if line.purpose != SALE:
            return transaction
        payment = self._store.facts.payment(self._agency, line.payment_id)
        standing = self.standings(line.booking_id).get(line.payment_id)
        if payment is None or standing is None:
            return transaction
        return self._redrawn(payment, standing) if standing.due else None

    def rejudge(self, line: Line, *, anew: bool = False) -> Line:
        """Hold an open line against the rules again: cards, profiles and days change, and so do refused facts."""
        transaction = Transaction.model_validate(line.content)
        if line.state == "REFUSED" or anew:
            transaction = self._drawn(line) or transaction
        content = self._content(
            transaction,
            self._profile(line.booking_id),
            line.card_ref,
            line.currency,
            self._may_credit(line),
            line,
            line.version,
        )
        unchanged = (content.state, content.content, content.refused_rule) == (
            line.state,
            line.content,
            line.refused_rule,
        )
        return line if unchanged and not anew else self._changed(line, content)

    def _lines(self, payment: Payment) -> list[Line]:
        every = self._store.tamara.lines_of(self._agency, payment.booking_id)
        return [line for line in every if line.payment_id == payment.id and line.state in CARRIED]

    def _redrawn(self, payment: Payment, standing: Standing) -> Transaction:
        return self._sale(payment, standing.bearing, standing.kept, standing.penalty)

    def _route(self, payment: Payment, invoice: Document) -> str:
        booking = self._booking(payment)
        experience = self._experience(payment)
        zero = Money.zero(invoice.amount.currency)
        return route_of(Sale(self._settings, payment, booking, experience, invoice, invoice.amount, zero))

    def _sale(self, payment: Payment, invoice: Document, kept: Money, penalty: Money) -> Transaction:
        booking, experience = self._booking(payment), self._experience(payment)
        moment = payment.captured_at or booking.created_at
        ref = reference_of(moment, self._agency, payment.booking_id, payment.id, SALE)
        return sale_of(Sale(self._settings, payment, booking, experience, invoice, kept, penalty), ref)

    def _experience(self, payment: Payment) -> Experience:
        experience = self._store.facts.experience(self._agency, payment.experience_id)
        if experience is None:
            raise Transient("the experience is not in the store yet", system="tamara", retry_after=2)
        return experience

    def _booking(self, payment: Payment) -> Booking:
        booking = self._store.facts.booking(self._agency, payment.booking_id)
        if booking is None:
            raise Transient("the booking is not in the store yet", system="tamara", retry_after=2)
        return booking

    def _redraw(self, payment: Payment, sale: Line, standing: Standing) -> Line:
        if not standing.due:
            try:
                return self._store.tamara.withdraw(sale.id, "credited in full before it was sent")
            except LinesMoved:
                raise _sealed_meanwhile() from None
        return self._replace(sale, self._redrawn(payment, standing))

    def _credit(
        self, payment: Payment, sale: Line, lines: Sequence[Line], standing: Standing, amount: int, reason: str
    ) -> Line:
        notes = standing.family.notes
        if not notes:
            raise self._at_odds(-amount, sale.currency)
        told = [line.credit_note_number for line in lines]
        # The newest that was not told yet; what credits a penalty only when no sale's credit note waits to be told.
        waiting = [each for each in (*standing.penalty_notes, *notes) if each.number not in told]
        note = waiting[-1] if waiting else notes[-1]
        # A share of the penalty that moved to another payment gives back more on a note that was told already.
        again = told.count(note.number)
        purpose = f"credit:{note.key}" + (f"+{again}" if again else "")
        draft = credit_of(
            Transaction.model_validate(sale.content),
            self._ref(payment, purpose, note),
            note,
            Money(amount=amount, currency=sale.currency),
            penalty=max(0, standing.penalty.amount - sum(map(_penalty_told, lines))),
            full=amount == sale.gross and not any(line.dc == "C" for line in lines),
            reason=reason,
        )
        left = sale.gross - sum(line.gross for line in lines if line.dc == "C")
        return self._stage(payment, purpose, draft, left)

    def _debit(self, payment: Payment, sale: Line, lines: Sequence[Line], standing: Standing, amount: int) -> Line:
        document = standing.penalty_document
        if document is None or any(line.purpose == f"penalty:{document.key}" for line in lines):
            raise self._at_odds(amount, sale.currency)
        money = Money(amount=amount, currency=sale.currency)
        purpose = f"penalty:{document.key}"
        ref = self._ref(payment, purpose, document)
        return self._stage(payment, purpose, penalty_of(Transaction.model_validate(sale.content), ref, document, money))

    @staticmethod
    def _at_odds(missing: int, currency: str) -> NeedsPerson:
        return NeedsPerson(
            f"AirPlus and the documents differ by {missing} minor units of {currency} and no document explains it; "
            "compare the documents of the booking with its TAMARA lines",
            system="tamara",
            operation="correct",
        )

    def _ref(self, payment: Payment, purpose: str, document: Document) -> str:
        day = dt.datetime.combine(document.issued_on, dt.time(), self._settings.zone)
        return reference_of(day, self._agency, payment.booking_id, payment.id, purpose)

    def _stage(self, payment: Payment, purpose: str, draft: Transaction, may_credit: int | None = None) -> Line:
        token = payment.card.airplus_account_token if payment.card is not None else None
        content = self._content(draft, self._profile(payment.booking_id), token, payment.amount.currency, may_credit)
        return self._store.tamara.stage(
            NewLine(
                **content.model_dump(),
                agency=self._agency,
                booking_id=payment.booking_id,
                payment_id=payment.id,
                purpose=purpose,
                txn_ref=draft.txn.ref,
                mode=self._settings.mode,
            )
        )

    def _replace(self, line: Line, draft: Transaction) -> Line:
        profile, left = self._profile(line.booking_id), self._may_credit(line)
        content = self._content(draft, profile, line.card_ref, line.currency, left, line, line.version)
        return self._changed(line, content)

    def _changed(self, line: Line, content: LineContent) -> Line:
        try:
            return self._store.tamara.replace(line.id, content)
        except LinesMoved:
            raise _sealed_meanwhile() from None

    def _may_credit(self, line: Line) -> int | None:
        """What is left of the original's debit for this credit, minor units; None for a debit."""
        if line.original_ref is None:
            return None
        family = [
            each
            for each in self._store.tamara.lines_of(self._agency, line.booking_id)
            if each.state in CARRIED and each.id != line.id
        ]
        debit = sum(each.gross for each in family if each.txn_ref == line.original_ref)
        return debit - sum(each.gross for each in family if each.original_ref == line.original_ref)

    def _profile(self, booking_id: str) -> DbiProfile:
        """What the payer agreed with AirPlus; without any profile configured nothing is read."""
        booking = self._store.facts.booking(self._agency, booking_id) if self._settings.profiles else None
        return NO_PROFILE if booking is None else self._settings.profile_of(booking.payer.id)

    def _content(
        self,
        draft: Transaction,
        profile: DbiProfile,
        token: str | None,
        currency: str,
        may_credit: int | None,
        line: Line | None = None,
        version: int = 0,
    ) -> LineContent:
        """The row of a transaction with what people set in it: judged with its card, stored without."""
        draft = corrected(draft, self._store.tamara_answers.corrected(draft.txn.ref))
        draft = draft.model_copy(update={"txn": draft.txn.model_copy(update={"version": version})})
        carded = self._cards.put_on(draft, token)
        context = Context(
            self._settings,
            profile,
            self._today,
            carded.txn.card,
            may_credit,
            original=self._original(draft),
            preceding=self._preceding(line, version),
            tickets=self._tickets(draft),
        )
        verdict = judge(carded, context)
        refusals = verdict.refusals or self._misfit(carded)
        txn = draft.txn
        return LineContent(
            state="REFUSED" if refusals else "STAGED",
            kind=txn.class_,
            service=txn.service,
            type=txn.type,
            dc=txn.dc,
            currency=currency,
            net=txn.amount.net,
            vat=txn.amount.vat,
            gross=txn.amount.gross,
            invoice_number=txn.invoice.number if txn.invoice else None,
            invoice_date=txn.invoice.date if txn.invoice else None,
            credit_note_number=txn.credit_note.number if txn.credit_note else None,
            credit_note_date=txn.credit_note.date if txn.credit_note else None,
            value_date=txn.value_date,
            original_ref=txn.original.ref if txn.original else None,
            card_ref=token,
            content=draft.model_dump(mode="json", by_alias=False, exclude_none=True),
            notes=tuple(str(note) for note in verdict.notes),
            refused_rule=refusals[0].rule if refusals else None,
            refused_field=refusals[0].field if refusals else None,
            refused_text="; ".join(map(str, refusals))[:500] if refusals else None,
        )

    def _original(self, draft: Transaction) -> tuple[str, int] | None:
        """State and gross of the newest version of what a credit gives back."""
        if draft.txn.original is None:
            return None
        versions = self._store.tamara_answers.versions(draft.txn.original.ref)
        return (versions[-1].state, versions[-1].gross) if versions else None

    def _preceding(self, line: Line | None, version: int) -> str | None:
        if line is None or version == 0:
            return None
        before = [each for each in self._store.tamara_answers.versions(line.txn_ref) if each.version == version - 1]
        return before[-1].state if before else None

    def _tickets(self, draft: Transaction) -> tuple[tuple[str, str, str | None], ...]:
        number = draft.flight.document_number if draft.flight is not None else None
        if number is None:
            return ()
        return tuple(self._store.tamara_answers.with_ticket(self._agency, self._settings.mode, number))

    def _misfit(self, carded: Transaction) -> tuple[Refusal, ...]:
        """A value that has no room in its field would stop the whole file; so the line is tried alone first."""
        try:
            fits(self._settings, carded)
        except FieldError as error:
            return (Refusal("V028", f"{error.record}.{error.field}", error.reason),)
        return ()


def _penalty_told(line: Line) -> int:
    """Minor units of penalty that a line shows already."""
    return sum(part["amount"] for part in line.content.get("amounts", ()) if part["type"] == "CAN")


def _sealed_meanwhile() -> Transient:
    return Transient("the line was sealed meanwhile", system="tamara", retry_after=1)
