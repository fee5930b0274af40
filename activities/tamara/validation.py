"""The rules that a transaction must pass before it goes into a file, as a table (contracts: tamara 3.9).

A refusal names rule, record and field, and what to do; it never repeats a value.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import get_args

from activities.tamara.card import LENGTH, TEST_NUMBERS, CardNumber, passes_luhn
from activities.tamara.characters import loses
from activities.tamara.hidden_cards import cards_in, references_like_cards, texts_of
from activities.tamara.model import DECIMALS, Transaction
from activities.tamara.settings import DbiCode, DbiProfile, TamaraSettings


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a transaction stays out of the file (or, as a note, goes out nevertheless)."""

    rule: str
    field: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.rule} {self.field}: {self.remedy}"


@dataclass(frozen=True, slots=True)
class Context:
    """What the rules compare a transaction with. `today` is the agency's date, amounts are minor units.

    `may_credit` is what is left of the original's debit for a credit; None when the original is not ours. `original` is
    that debit's state and gross; `preceding` the state of the version before this one; `tickets` are transactions of ours
    with the same ticket, as (reference, type, coupons).
    """

    settings: TamaraSettings
    profile: DbiProfile
    today: dt.date
    card: CardNumber | None
    may_credit: int | None = None
    original: tuple[str, int] | None = None
    preceding: str | None = None
    tickets: tuple[tuple[str, str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    refusals: tuple[Refusal, ...]
    notes: tuple[Refusal, ...]


Check = Callable[[Transaction, Context], Iterator[tuple[str, str]]]
"""Gives (record and field, what to do) for everything that breaks the rule."""


def _card_number(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    if c.card is None:
        return
    number = c.card.get_secret_value()
    if len(number) != LENGTH or not number.isdigit():
        yield "300.CARD_NO", "lodge the 15-digit Company Account number; other card products do not belong here"
    elif not number.startswith(c.settings.prefixes):
        yield "300.CARD_NO", "the first four digits are not a configured prefix; check the card or the prefixes"
    elif not passes_luhn(number):
        yield "300.CARD_NO", "the check digit is wrong; lodge the card again"


def _card_expiry(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    expiry = t.txn.card_expiry
    if c.card is None:
        return
    if expiry is None or not re.fullmatch(r"(0[1-9]|1[0-2])\d\d", expiry):
        yield "300.CARD_EXP", "lodge the expiry as MMYY"
    elif (2000 + int(expiry[2:]), int(expiry[:2])) < (t.txn.sale_date.year, t.txn.sale_date.month):
        yield "300.CARD_EXP", "the card had expired at the sale; ask the customer for the new one"


def _card_lodged(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    if c.card is None:
        yield "300.CARD_NO", "the card behind the payment's token is not in the vault; lodge it"


def _invoice(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    if t.txn.invoice is None or not t.txn.invoice.number:
        yield "300.INV_NO", "issue and number the invoice first"
    elif t.txn.invoice.date > c.today:
        yield "300.INV_DATE", "the invoice is dated in the future; it goes out when the day has come"


def _credit_note(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    if t.txn.type == "SA":
        return
    if t.txn.credit_note is None:
        yield "300.CN_NO", "issue the credit note first"
    elif t.txn.invoice is not None and t.txn.credit_note.date < t.txn.invoice.date:
        yield "300.CN_DATE", "the credit note is older than the invoice; check both documents"


def _passenger(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    if not (t.txn.passenger or "").strip(" /"):
        yield "300.PAX", "give the booking a traveller with a name"


def _place(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    if not (t.txn.customer.place or "").strip():
        yield "300.CUST_PLACE", "complete the city in the payer's address"


def _currency(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    if DECIMALS.get(t.txn.amount.currency) != t.txn.amount.decimals:
        yield "300.CUR", "the currency is not in the ISO 4217 table of the contract"


def _amounts(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    amount = t.txn.amount
    if amount.gross <= 0:
        yield "300.GROSS", "nothing to charge or credit; the line is not needed"
    if min(amount.net, amount.vat) < 0 or amount.net + amount.vat != amount.gross:
        yield "300.GROSS", "net and VAT do not add up; check the invoice"


def _breakdown(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    if not t.amounts:
        if t.txn.amount.vat_rate is None and t.txn.amount.vat > 0:
            yield "310.AMT", "VAT of several rates needs a breakdown"
        return
    if sum(part.amount if part.dc == "D" else -part.amount for part in t.amounts) != t.txn.amount.gross:
        yield "310.AMT", "the breakdown does not add up to the gross amount"
    vat = [part for part in t.amounts if part.type == "VAT"]
    if sum(part.amount if part.dc == "D" else -part.amount for part in vat) != t.txn.amount.vat:
        yield "310.AMT", "the VAT groups do not add up to the VAT amount"


_DIRECTION = {"SA": "D", "RF": "C", "CX": "C"}


def _direction(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    if _DIRECTION[t.txn.type] != t.txn.dc:
        yield "300.DC", "sales are debits, refunds and reversals are credits"


def _detail(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    layout = c.settings.used_layout
    present = sorted(root for root in set(layout.details.values()) if getattr(t, root) is not None)
    wanted = layout.details.get(t.txn.service)
    if present != [wanted]:
        yield "300.SERVICE", f"needs exactly the detail {wanted}, has {', '.join(present) or 'none'}"


def _service_dates(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    if t.hotel is not None:
        if t.hotel.checkout < t.hotel.checkin:
            yield "540.CHECKOUT", "the stay ends before it begins; correct the dates"
        elif t.hotel.nights != (t.hotel.checkout - t.hotel.checkin).days:
            yield "540.NIGHTS", "the nights are not the days between the dates"
    if t.event is not None and t.event.to < t.event.from_:
        yield "560.TO_DATE", "the event ends before it begins; correct the dates"
    if t.car is not None and t.car.dropoff_date < t.car.pickup_date:
        yield "530.DO_DATE", "the car comes back before it leaves; correct the dates"


def _dbi(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    for code in get_args(DbiCode):
        value = getattr(t.dbi, code) if t.dbi is not None else None
        rule = c.profile.rule(code)
        table = 30 if code == "IK" else 17
        if not value:
            if rule.use == "mandatory":
                yield (
                    f"400.{code}",
                    f"the customer's profile {c.profile.name} asks for it; complete the traveller's data",
                )
        elif rule.use == "unused":
            yield f"400.{code}", f"the customer's profile {c.profile.name} does not use it; remove it"
        elif not min(rule.shortest, table) <= len(value) <= min(rule.longest, table):
            yield f"400.{code}", f"must have {rule.shortest} to {min(rule.longest, table)} characters"
        elif rule.pattern is not None and not re.fullmatch(rule.pattern, value):
            yield f"400.{code}", f"does not have the form that profile {c.profile.name} asks for"


def _credit_limit(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    if t.txn.dc == "C" and c.may_credit is not None and t.txn.amount.gross > c.may_credit:
        yield "300.GROSS", "credits would exceed the original debit; check the credit notes"


def _age(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    if (c.today - t.txn.value_date).days > c.settings.max_age_days:
        yield "300.VALUE_DATE", f"is older than {c.settings.max_age_days} days; AirPlus may no longer match it"


def _future(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    if t.txn.value_date > c.today:
        yield "300.VALUE_DATE", "lies in the future; it goes out when the day has come"


IDENTIFIERS = frozenset({
    "txn.invoice.number", "txn.credit_note.number", "txn.pnr", "txn.dossier", "txn.auth.code", "flight.lowcost_ref",
    *(f"dbi.{code}" for code in get_args(DbiCode)),
})  # fmt: skip
"""What AirPlus or the customer looks things up by: another character would be another thing."""


def _lost_identifier(t: Transaction, c: Context) -> Iterator[Refusal]:
    for path, text in texts_of(t):
        if path in IDENTIFIERS and loses(text, c.settings.used_layout.charset):
            words = f"has characters that {c.settings.used_layout.charset} lacks, and may not be changed; correct it"
            yield Refusal("V030", path, words)


def _characters(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    for path, text in texts_of(t):
        if path not in IDENTIFIERS and loses(text, c.settings.used_layout.charset):
            yield path, f"has characters that {c.settings.used_layout.charset} lacks; they were replaced"


def _hidden_card(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    for path in cards_in(t, c.settings.prefixes):
        yield path, "holds a card number; take it out"


def _test_card(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    if c.settings.mode == "T" and c.card is not None and c.card.get_secret_value() not in TEST_NUMBERS:
        yield "300.CARD_NO", "test files carry test cards only; lodge one of the list or switch to production"


THIRTEEN = re.compile(r"\d{13}")


def _file_kind(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    if t.txn.class_ != "BSP":
        return
    if t.txn.service not in ("FL", "EM", "LC") and not (t.txn.service == "FE" and t.fee and t.fee.related_document):
        yield "300.SERVICE", "has no place in a BSP file; only flights, EMDs, low-cost and fees of a ticket have"
    if c.settings.iata_no is None:
        yield "300.CLASS", "the agency has no IATA number and sends no BSP file; set tamara.iata_no"


def _ticket(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    if t.flight is not None and t.txn.service in ("FL", "EM"):
        number = f"{t.flight.airline_number or ''}{t.flight.document_number or ''}"
        if not THIRTEEN.fullmatch(number):
            yield "500.DOC_NO", "a ticket or EMD has 13 digits: airline (3) and document (10); correct the number"
        if t.txn.type == "RF" and not THIRTEEN.fullmatch(t.flight.original_document or ""):
            yield "500.ORIG_DOC", "a refund names the refunded ticket by its 13 digits"
    fee = t.fee if t.txn.class_ == "BSP" and t.txn.service == "FE" else None
    if fee is not None and not THIRTEEN.fullmatch(fee.related_document or ""):
        yield "520.REL_DOC", "a fee in a BSP file names its ticket by 13 digits"


def _low_cost(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    if t.txn.service != "LC" or t.flight is None:
        return
    if not t.flight.lowcost_ref:
        yield "500.LC_REF", "give the airline's reference"
    if t.flight.airline_number or t.flight.document_number:
        yield "500.DOC_NO", "a low-cost flight has no ticket number; leave it blank"


def _vat(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    rate, amount = t.txn.amount.vat_rate, t.txn.amount
    if rate is not None and abs(amount.vat - amount.net * rate / 100) > max(1, len(t.amounts)):
        yield "300.VAT", "is not the net amount times the rate; check the invoice"


def _same_invoice(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    related = t.fee.related_invoice if t.fee is not None else None
    if related and t.txn.invoice is not None and related != t.txn.invoice.number:
        yield "520.REL_INV", "the fee's service is on another invoice than its payment; bring both onto one"


def _version(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    if t.txn.version > 0 and c.preceding not in ("REJECTED", "EXPIRED", "CORRECTED"):
        yield "300.TXN_VER", "only what AirPlus rejected is sent in a new version"


def _original(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    if c.original is None or t.txn.dc != "C":
        return
    state, gross = c.original
    if state in ("REJECTED", "CORRECTED", "ABANDONED", "WITHDRAWN"):
        yield "300.ORIG_REF", "AirPlus does not have the original; mend that first, this line is then drawn anew"
    elif t.txn.type == "CX" and t.txn.amount.gross != gross:
        yield "300.GROSS", "a full reversal has the amount of the original"


def _ticket_again(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    coupons = t.flight.refund_coupons if t.flight is not None else None
    for ref, kind, others in c.tickets:
        if ref != t.txn.ref and kind == t.txn.type and (kind == "SA" or (kind == "RF" and others == coupons)):
            yield "500.DOC_NO", "this ticket was told under another reference already; check for a duplicate"
            return


def _check_digit(t: Transaction, c: Context) -> Iterator[tuple[str, str]]:
    flight = t.flight
    if flight is None or flight.check_digit is None or not (flight.document_number or "").isdigit():
        return
    if int(flight.document_number or 0) % 7 != flight.check_digit:
        yield "500.CHECK_DIGIT", "is not the document number modulo 7; compare with the ticket"


CHECKS: tuple[tuple[str, Check], ...] = (
    ("V001", _card_number),
    ("V002", _card_expiry),
    ("V003", _card_lodged),
    ("V004", _invoice),
    ("V005", _credit_note),
    ("V006", _file_kind),
    ("V007", _ticket),
    ("V008", _low_cost),
    ("V009", _passenger),
    ("V010", _place),
    ("V011", _currency),
    ("V012", _amounts),
    ("V013", _breakdown),
    ("V014", _vat),
    ("V015", _direction),
    ("V016", _detail),
    ("V017", _same_invoice),
    ("V018", _service_dates),
    ("V019", _dbi),
    ("V020", _version),
    ("V021", _original),
    ("V022", _credit_limit),
    ("V023", _ticket_again),
    ("V024", _age),
    ("V025", _future),
    ("V030", _characters),
    ("V031", _hidden_card),
    ("V032", _check_digit),
    ("V033", _test_card),
)
"""Rules of single transactions. Which are active, and how severe, says the layout document."""


def judge(transaction: Transaction, context: Context) -> Verdict:
    """Hold a transaction against every active rule of its layout."""
    levels = context.settings.used_layout.rules
    refusals: list[Refusal] = []
    notes: list[Refusal] = []
    for rule, check in CHECKS:
        if rule in levels:
            found = [Refusal(rule, field, remedy) for field, remedy in check(transaction, context)]
            (notes if levels[rule] == "W" else refusals).extend(found)
    if "V030" in levels:
        refusals.extend(_lost_identifier(transaction, context))
    if "V031" in levels:
        notes.extend(
            Refusal("V031", field, "looks like a card number; check that it is a reference")
            for field in references_like_cards(transaction)
        )
    return Verdict(tuple(refusals), tuple(notes))
