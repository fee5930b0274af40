"""What is posted for each fact, as a table: accounts, sides, sub-accounts (contracts: money-rules 2).

Pure: a fact goes in, an `Entry` comes out; `store.journal` appends it. One entry is one fact under one key, balanced,
never changed: what was wrong is reversed by a new entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.money import Money

Side = Literal["debit", "credit"]
AccountCode = Annotated[str, Field(pattern=r"^[0-9A-Za-z._-]{1,20}$")]


class Chart(BaseModel):
    """Account codes of an agency; the defaults are those of the Plan General Contable.

    `clearing_by_method` names the clearing account of payment methods that do not settle through a card processor.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    customers: AccountCode = "430"
    advances: AccountCode = "438"
    disputed: AccountCode = "4309"
    doubtful: AccountCode = "436"
    suspense: AccountCode = "555"
    bank: AccountCode = "572"
    processor_clearing: AccountCode = "5729"
    clearing_by_method: dict[str, AccountCode] = {"airplus": "5728"}
    bank_charges: AccountCode = "626"
    bad_debts: AccountCode = "650"
    services: AccountCode = "705"
    suppliers: AccountCode = "400"
    purchases: AccountCode = "607"
    indemnities: AccountCode = "778"

    def clearing(self, method: str) -> str:
        return self.clearing_by_method.get(method, self.processor_clearing)


class Posting(BaseModel):
    """One line: `amount` is positive, `sub` divides the account (payer, booking, processor, payment)."""

    model_config = ConfigDict(frozen=True)

    account: str
    side: Side
    amount: Money
    sub: str = ""


class Unbalanced(ValueError):
    """Debit and credit of an entry differ; nothing may be posted from it."""


class Entry(BaseModel):
    """One fact in the books. `key` is its identity for ever (`led:…`), `on` the day of the fact in the agency's zone."""

    model_config = ConfigDict(frozen=True)

    key: Annotated[str, Field(pattern=r"^led:.+")]
    fact: str
    on: date
    booking_id: str
    text: str
    postings: Annotated[tuple[Posting, ...], Field(min_length=2)]

    @model_validator(mode="after")
    def _balanced(self) -> Self:
        sums = {"debit": 0, "credit": 0}
        for posting in self.postings:
            if posting.amount.amount <= 0:
                raise Unbalanced(f"{self.key}: a posting needs a positive amount")
            if posting.amount.currency != self.currency:
                raise Unbalanced(f"{self.key}: one entry, one currency")
            sums[posting.side] += posting.amount.amount
        if sums["debit"] != sums["credit"]:
            raise Unbalanced(f"{self.key}: debit {sums['debit']}, credit {sums['credit']}")
        return self

    @property
    def currency(self) -> str:
        return self.postings[0].amount.currency


class Fact(StrEnum):
    """The facts that are posted."""

    INVOICE = "invoice"
    COLLECTION = "collection"
    SUSPENSE = "suspense"
    MATCH = "match"
    SET_ASIDE = "duplicate_set_aside"
    RECTIFYING = "rectifying"
    PENALTY = "penalty"
    FEE = "fee"
    REFUND = "refund"
    REFUND_BY_BANK = "refund_by_bank"
    REFUND_BEYOND = "refund_beyond_decision"
    REFUND_BEYOND_BY_BANK = "refund_beyond_decision_by_bank"
    EXCESS_CLAIMED = "excess_claimed"
    EXCESS_WRITTEN_OFF = "excess_written_off"
    WITHDRAWN = "chargeback_withdrawn"
    WON = "chargeback_won"
    LOST = "chargeback_lost"
    WRITTEN_OFF = "claim_written_off"
    SETTLEMENT = "settlement"
    RENDERED = "service_rendered"
    RENDERED_LESS = "service_rendered_less"
    SUPPLIER_INVOICE = "supplier_invoice"
    SUPPLIER_CREDIT = "supplier_credit"


Role = Literal[
    "customers",
    "advances",
    "disputed",
    "doubtful",
    "suspense",
    "clearing",
    "bank",
    "bank_charges",
    "services",
    "indemnities",
    "suppliers",
    "purchases",
    "bad_debts",
]
Part = Literal["amount", "fee"]

RULES: dict[Fact, tuple[tuple[Role, Side, Part], ...]] = {
    Fact.INVOICE: (("customers", "debit", "amount"), ("advances", "credit", "amount")),
    Fact.COLLECTION: (("clearing", "debit", "amount"), ("customers", "credit", "amount")),
    Fact.SUSPENSE: (("clearing", "debit", "amount"), ("suspense", "credit", "amount")),
    Fact.MATCH: (("suspense", "debit", "amount"), ("customers", "credit", "amount")),
    Fact.SET_ASIDE: (("customers", "debit", "amount"), ("suspense", "credit", "amount")),
    Fact.RECTIFYING: (("advances", "debit", "amount"), ("customers", "credit", "amount")),
    Fact.PENALTY: (("customers", "debit", "amount"), ("indemnities", "credit", "amount")),
    Fact.FEE: (("customers", "debit", "amount"), ("services", "credit", "amount")),
    Fact.REFUND: (("customers", "debit", "amount"), ("clearing", "credit", "amount")),
    Fact.REFUND_BY_BANK: (("customers", "debit", "amount"), ("bank", "credit", "amount")),
    Fact.REFUND_BEYOND: (
        ("customers", "debit", "amount"),
        ("suspense", "debit", "fee"),
        ("clearing", "credit", "amount"),
        ("clearing", "credit", "fee"),
    ),
    Fact.REFUND_BEYOND_BY_BANK: (
        ("customers", "debit", "amount"),
        ("suspense", "debit", "fee"),
        ("bank", "credit", "amount"),
        ("bank", "credit", "fee"),
    ),
    Fact.EXCESS_CLAIMED: (("customers", "debit", "amount"), ("suspense", "credit", "amount")),
    Fact.EXCESS_WRITTEN_OFF: (("bad_debts", "debit", "amount"), ("suspense", "credit", "amount")),
    Fact.WITHDRAWN: (
        ("disputed", "debit", "amount"),
        ("bank_charges", "debit", "fee"),
        ("clearing", "credit", "amount"),
        ("clearing", "credit", "fee"),
    ),
    Fact.WON: (("clearing", "debit", "amount"), ("disputed", "credit", "amount")),
    Fact.LOST: (("doubtful", "debit", "amount"), ("disputed", "credit", "amount")),
    Fact.WRITTEN_OFF: (("bad_debts", "debit", "amount"), ("doubtful", "credit", "amount")),
    Fact.SETTLEMENT: (
        ("bank", "debit", "amount"),
        ("bank_charges", "debit", "fee"),
        ("clearing", "credit", "amount"),
        ("clearing", "credit", "fee"),
    ),
    Fact.RENDERED: (("advances", "debit", "amount"), ("services", "credit", "amount")),
    Fact.RENDERED_LESS: (("services", "debit", "amount"), ("advances", "credit", "amount")),
    Fact.SUPPLIER_INVOICE: (("purchases", "debit", "amount"), ("suppliers", "credit", "amount")),
    Fact.SUPPLIER_CREDIT: (("suppliers", "debit", "amount"), ("purchases", "credit", "amount")),
}
"""The table of money-rules 2.

The processor's fee is known when it settles, not when a payment is captured; the amount of a settlement is what reached
the bank. A management fee (1.4.11) is a service, not an indemnity, and a refund by bank transfer (F-R2) does not pass the
processor. Of a refund beyond its decision (F-R7) the `fee` part is the difference, which waits in 555 until a person says
that the payer owes it or that it is lost; a lost dispute waits in 436 for the same answer (F-P11), and a payment for what was
paid already in 555 for the customer's choice (`SET_ASIDE`, then `MATCH`; F-C18). `RENDERED` empties 438 when the trip starts,
`RENDERED_LESS` follows a correction after it. What failed or was won back is a `reversal`.
"""


class Movement(BaseModel):
    """A fact to be posted: the amounts and whom they concern. `amount` and `fee` are positive."""

    model_config = ConfigDict(frozen=True)

    fact: Fact
    key: str
    on: date
    booking_id: str
    text: str
    amount: Money
    fee: Money | None = None
    payer_id: str = ""
    payment_id: str = ""
    processor: str = ""
    method: str = "card"
    supplier_id: str = ""
    line_id: str = ""


def entry_of(movement: Movement, chart: Chart) -> Entry:
    """The entry of a movement by the table; lines of one account and side are added up, empty ones left out."""
    parts = {"amount": movement.amount, "fee": movement.fee or Money.zero(movement.amount.currency)}
    accounts = _accounts(movement, chart)
    sums: dict[tuple[str, str, Side], Money] = {}
    for role, side, part in RULES[movement.fact]:
        account, sub = accounts[role]
        line = (account, sub, side)
        sums[line] = sums[line] + parts[part] if line in sums else parts[part]
    return Entry(
        key=movement.key,
        fact=movement.fact.value,
        on=movement.on,
        booking_id=movement.booking_id,
        text=movement.text,
        postings=tuple(
            Posting(account=account, sub=sub, side=side, amount=amount)
            for (account, sub, side), amount in sums.items()
            if amount
        ),
    )


def _accounts(movement: Movement, chart: Chart) -> Mapping[Role, tuple[str, str]]:
    """Account and sub-account of every role: payers at 430, bookings at 438, processors at 5729, suppliers at 400."""
    return {
        "customers": (chart.customers, movement.payer_id),
        "advances": (chart.advances, movement.booking_id),
        "disputed": (chart.disputed, movement.payer_id),
        "doubtful": (chart.doubtful, movement.payer_id),
        "suspense": (chart.suspense, movement.payment_id),
        "clearing": (chart.clearing(movement.method), movement.processor),
        "bank": (chart.bank, ""),
        "bank_charges": (chart.bank_charges, ""),
        "services": (chart.services, movement.booking_id),
        "indemnities": (chart.indemnities, ""),
        "bad_debts": (chart.bad_debts, movement.payer_id),
        "suppliers": (chart.suppliers, movement.supplier_id),
        "purchases": (chart.purchases, purchases_of(movement.booking_id, movement.line_id)),
    }


def purchases_of(booking_id: str, line_id: str) -> str:
    """The sub-account of 607 that holds what a line cost."""
    return f"{booking_id}:{line_id}"


def key_of(*parts: str) -> str:
    """`led:` and the key of the thing that is posted (`inv:pay_1001`, `dev:cbk_2:won`)."""
    return "led:" + ":".join(parts)


def in_open_period(entry: Entry, closed_until: date | None) -> Entry:
    """The entry as it may be posted: a fact of a closed period is posted on the first open day and says which day it was."""
    if closed_until is None or entry.on > closed_until:
        return entry
    return entry.model_copy(
        update={"on": closed_until + timedelta(days=1), "text": f"{entry.text} (of {entry.on.isoformat()})"}
    )


def reversal(entry: Entry, *, on: date, text: str) -> Entry:
    """The entry that takes another one back, under its own key."""
    flipped: dict[Side, Side] = {"debit": "credit", "credit": "debit"}
    return entry.model_copy(
        update={
            "key": f"{entry.key}:reversed",
            "fact": f"{entry.fact}_reversed",
            "on": on,
            "text": text,
            "postings": tuple(p.model_copy(update={"side": flipped[p.side]}) for p in entry.postings),
        }
    )
