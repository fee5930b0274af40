"""What AirPlus checks in each transaction (contracts: tamara 3.9; a breach is answered with the number of its rule)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sandbox.airplus.reading import Rec, Txn

DECIMALS = {
    "978": 2, "826": 2, "840": 2, "756": 2, "985": 2, "203": 2, "348": 2, "752": 2, "208": 2, "578": 2, "376": 2,
    "156": 2, "392": 0, "410": 0, "048": 3, "414": 3, "788": 3,
}  # fmt: skip
PREFIXES = ("1220", "1920")
TEST_CARDS = frozenset({"192000000000008", "192000000000420", "122000000000003", "122000000000011", "122089000000006"})
DETAIL_OF = {
    "FL": "500", "EM": "500", "LC": "500", "FE": "520", "RL": "511", "HO": "540", "CA": "530", "GT": "550",
    "EV": "560", "OT": "590",
}  # fmt: skip
DOC_KIND = {"FL": "T", "EM": "E", "LC": "L"}
SIDES = {"SA": "D", "RF": "C", "CX": "C"}


@dataclass(frozen=True)
class Breach:
    """A rule that the transaction breaks, the field and a text without card numbers."""

    reason: str
    field: str
    text: str


@dataclass(frozen=True)
class History:
    """What was received before: by TXN_REF the newest version, and the holder of each ticket number."""

    by_ref: Mapping[str, Mapping[str, Any]]
    sold: Mapping[str, Mapping[str, Any]]
    refunded: Mapping[str, Mapping[str, Any]]


Rule = Callable[[Txn, Rec, History], Iterator[Breach]]


def first_breach(txn: Txn, header: Rec, history: History) -> Breach | None:
    """The first rule that `txn` breaks, in the order of their numbers."""
    for rule in RULES:
        for breach in rule(txn, header, history):
            return breach
    return None


def luhn(digits: str) -> bool:
    doubled = [int(sign) * (2 if place % 2 else 1) for place, sign in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _card(txn: Txn, header: Rec, _: History) -> Iterator[Breach]:
    card, expiry = txn.head["CARD_NO"], txn.head["CARD_EXP"]
    if not (re.fullmatch(r"\d{15}", card) and card.startswith(PREFIXES) and luhn(card)):
        yield Breach("V001", "300.CARD_NO", "not an AirPlus company account")
    month, sold = f"20{expiry[2:]}{expiry[:2]}", txn.head["SALE_DATE"][:6]
    if not re.fullmatch(r"(0[1-9]|1[0-2])\d\d", expiry) or month < sold:
        yield Breach("V002", "300.CARD_EXP", "expiry is wrong or before the sale")
    if header["MODE"] == "T" and card not in TEST_CARDS:
        yield Breach("V033", "300.CARD_NO", "only test numbers in mode T")


def _documents(txn: Txn, _: Rec, __: History) -> Iterator[Breach]:
    head = txn.head
    if head["TYPE"] in ("RF", "CX"):
        if not head["CN_NO"] or head["CN_DATE"] < head["INV_DATE"]:
            yield Breach("V005", "300.CN_NO", "credit note missing or before the invoice")
    elif head["CN_NO"] or head["CN_DATE"]:
        yield Breach("V005", "300.CN_NO", "a sale has no credit note")
    if head["TYPE"] != "SA" and not head["REASON"]:
        yield Breach("V005", "300.REASON", "a credit needs a reason")


def _service(txn: Txn, header: Rec, _: History) -> Iterator[Breach]:
    head, detail = txn.head, txn.detail
    if header["KIND"] == "BSP":
        related = detail["REL_DOC"] if detail and detail.code == "520" else ""
        if head["SERVICE"] not in ("FL", "EM", "LC") and not (head["SERVICE"] == "FE" and related):
            yield Breach("V006", "300.SERVICE", "not a service of a BSP file")
        if head["SERVICE"] == "FE" and not re.fullmatch(r"\d{13}", related):
            yield Breach("V007", "520.REL_DOC", "13 digits are required")
    details = txn.records("500", "511", "520", "530", "540", "550", "560", "590")
    if len(details) != 1 or detail is None or detail.code != DETAIL_OF.get(head["SERVICE"]):
        yield Breach("V016", "300.SERVICE", "not exactly the detail record of the service")
    elif detail.code == "500":
        yield from _ticket(head, detail)


def _ticket(head: Rec, detail: Rec) -> Iterator[Breach]:
    if detail["DOC_KIND"] != DOC_KIND[head["SERVICE"]]:
        yield Breach("V016", "500.DOC_KIND", "does not fit the service")
    if head["SERVICE"] == "LC":
        if not detail["LC_REF"] or detail["AIRLINE_NO"] or detail["DOC_NO"]:
            yield Breach("V008", "500.LC_REF", "low-cost reference alone is required")
    elif not re.fullmatch(r"\d{13}", detail["AIRLINE_NO"] + detail["DOC_NO"]):
        yield Breach("V007", "500.DOC_NO", "13 digits are required")
    elif head["TYPE"] == "RF" and not re.fullmatch(r"\d{13}", detail["ORIG_DOC"]):
        yield Breach("V007", "500.ORIG_DOC", "13 digits are required in a refund")


def _people(txn: Txn, _: Rec, __: History) -> Iterator[Breach]:
    if not txn.head["PAX"]:
        yield Breach("V009", "300.PAX", "passenger is missing")
    if not txn.head["CUST_PLACE"]:
        yield Breach("V010", "300.CUST_PLACE", "place of the customer is missing")


def _amounts(txn: Txn, _: Rec, __: History) -> Iterator[Breach]:
    head = txn.head
    if DECIMALS.get(head["CUR"]) != head.number("DEC"):
        yield Breach("V011", "300.CUR", "currency and decimals do not agree")
    gross = head.number("GROSS")
    if gross <= 0 or head.number("NET") + head.number("VAT") != gross:
        yield Breach("V012", "300.GROSS", "net and VAT do not make the gross")
    groups = [group for record in txn.records("310") for group in record.groups]
    if not groups:
        if not head["VAT_RATE"] and head.number("VAT"):
            yield Breach("V013", "300.VAT_RATE", "a breakdown is required")
        return
    signed = sum(int(group["AMT"]) * (1 if group["DC"] == "D" else -1) for group in groups)
    taxes = sum(int(group["AMT"]) for group in groups if group["TYPE"] == "VAT")
    if signed != gross or taxes != head.number("VAT"):
        yield Breach("V013", "310.AMT", "the breakdown does not make gross and VAT")


def _kind(txn: Txn, header: Rec, _: History) -> Iterator[Breach]:
    if SIDES.get(txn.head["TYPE"]) != txn.head["DC"]:
        yield Breach("V015", "300.DC", "type and side do not agree")
    if txn.head["VALUE_DATE"] > header["CREATED_DATE"]:
        yield Breach("V025", "300.VALUE_DATE", "is after the day of the file")


def _stay(txn: Txn, _: Rec, __: History) -> Iterator[Breach]:
    hotel = txn.records("540")
    if hotel:
        begin, end = _day(hotel[0]["CHECKIN"]), _day(hotel[0]["CHECKOUT"])
        if (end - begin).days != hotel[0].number("NIGHTS"):
            yield Breach("V018", "540.NIGHTS", "is not check-out less check-in")


def _seen(txn: Txn, _: Rec, history: History) -> Iterator[Breach]:
    head = txn.head
    held, version = history.by_ref.get(head["TXN_REF"]), head.number("TXN_VER")
    if held is not None and (version <= held["txn_ver"] or held["status"] != "R"):
        yield Breach("V020", "300.TXN_REF", "was received before")
    if held is None and version > 0:
        yield Breach("V020", "300.TXN_VER", "no rejected version precedes it")


def _original(txn: Txn, _: Rec, history: History) -> Iterator[Breach]:
    head = txn.head
    if head["TYPE"] == "SA":
        return
    if head["TYPE"] == "CX" and not head["ORIG_REF"]:
        yield Breach("V021", "300.ORIG_REF", "a reversal names its sale")
    if not head["ORIG_REF"]:
        return
    held, gross = history.by_ref.get(head["ORIG_REF"]), head.number("GROSS")
    if held is None or held["status"] == "R":
        yield Breach("V021", "300.ORIG_REF", "the sale was not received or was rejected")
    elif held["currency"] != head["CUR"]:
        yield Breach("V021", "300.CUR", "is not the currency of the sale")
    elif head["TYPE"] == "CX" and (gross != held["gross"] or held["credited"]):
        yield Breach("V021", "300.GROSS", "a reversal takes back the whole sale, once")
    elif held["credited"] + gross > held["gross"]:
        yield Breach("V022", "300.GROSS", "more is given back than was sold")


def _tickets(txn: Txn, _: Rec, history: History) -> Iterator[Breach]:
    number = ticket_of(txn)
    if number is None:
        return
    sold = history.sold.get(number)
    if txn.head["TYPE"] == "SA" and sold is not None and sold["ref"] != txn.head["TXN_REF"]:
        yield Breach("V023", "500.DOC_NO", "the ticket was sold under another reference")
    if txn.head["TYPE"] == "RF" and refund_of(txn, number) in history.refunded:
        yield Breach("V023", "500.DOC_NO", "the coupons were refunded before")


def ticket_of(txn: Txn) -> str | None:
    """The 13 digits of the ticket or EMD, if the transaction has one."""
    detail = txn.detail
    if detail is None or detail.code != "500" or not detail["DOC_NO"]:
        return None
    return detail["AIRLINE_NO"] + detail["DOC_NO"]


def refund_of(txn: Txn, number: str) -> str:
    detail = txn.detail
    return f"{number}/{detail['CPN_USE'] if detail else ''}"


def _day(raw: str) -> date:
    return date(int(raw[:4]), int(raw[4:6]), int(raw[6:]))


RULES: tuple[Rule, ...] = (
    _card, _documents, _service, _people, _amounts, _kind, _stay, _seen, _original, _tickets,
)  # fmt: skip
