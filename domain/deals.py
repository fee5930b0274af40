"""What a deal of the CRM asks the customer to pay: what it must say, the keys of its documents, when its links are looked at
(contracts: kommo 5; easycount 2.7, 3, 4)."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from domain.money import MINOR_UNITS, Money, rounded

CURRENCIES = frozenset({"ILS", "EUR", "USD", "GBP"})
"""What EasyCount issues documents in; every other currency is refused before it is asked."""
VAT_KINDS = frozenset({"INC", "PRE", "NON"})
LANGUAGES = frozenset({"he", "en"})
LOST = 143
"""The stage of every pipeline in which a deal is lost (kommo 3.2)."""

RequestState = Literal[
    "none", "creating", "awaiting_payment", "paid", "paid_unsynced", "failed", "cancelled", "refunded", "review"
]
"""Where a request stands, in the words of the deal's field `INV_STATUS`; `none`: nobody asked for money yet."""

OPEN: frozenset[RequestState] = frozenset({"creating", "awaiting_payment"})
SETTLED: frozenset[RequestState] = frozenset({"paid", "paid_unsynced", "refunded", "review"})
"""Money came: what the deal says from now on changes no document by itself."""

Role = Literal["first", "late", "partial", "over", "duplicate", "after_cancel"]
"""What a payment is to its deal. `late`: after the link's expiry; `over`: more than is asked for by now."""
UNWANTED: frozenset[Role] = frozenset({"duplicate", "after_cancel"})
"""Money that nobody asked for: it waits in the suspense account for a person."""

_BOOKING = re.compile(r"[a-z]{2,4}_[0-9A-Za-z]{1,40}")
_E_MAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+")


class SmtpSettings(BaseModel):
    """Whose mail server sends our letters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: SecretStr | None = None
    sender: str
    seconds: Annotated[float, Field(gt=0)] = 30.0


class DealRules(BaseModel):
    """Settings section `deals` of an agency: where a deal says what, and how the customer hears of it.

    `fields` and `contact_fields` name custom fields of deals and contacts by their id there. What they do not name is taken
    from the deal itself (price, name) and its first contact (name, e-mail, telephone). `mail`: EasyCount sends its document
    with the link, our own mail server does, or nobody. `gateway_url` is where customers reach us; without it a payment is
    noticed by asking alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"
    fields: dict[
        Literal[
            "name", "amount", "description", "terms", "email", "phone", "language", "booking", "tax_number", "address"
        ],
        int,
    ] = {}
    contact_fields: dict[Literal["name", "email", "phone", "language", "tax_number", "address"], int] = {}
    language: Literal["he", "en"] = "en"
    largest: Annotated[Decimal, Field(gt=0)] = Decimal(1_000_000)
    """In major units: a price above it is taken for a slip of the keyboard."""
    mail: Literal["easycount", "smtp", "none"] = "easycount"
    smtp: SmtpSettings | None = None
    gateway_url: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> DealRules:
        if self.mail == "smtp" and self.smtp is None:
            raise ValueError("mail = 'smtp' needs a section smtp")
        return self


class DealSaid(BaseModel):
    """What a deal says, as it was read. Personal data: it stays in the store."""

    model_config = ConfigDict(frozen=True)

    name: str = Field("", repr=False)
    amount: Money | None = None
    description: str = ""
    terms: str = ""
    email: str = Field("", repr=False)
    phone: str = Field("", repr=False)
    address: str = Field("", repr=False)
    language: str = "en"
    tax_number: str = Field("", repr=False)
    booking_id: str | None = None

    def printed_alike(self, other: DealSaid) -> bool:
        """Whether both ask the same customer for the same money; only then the document that stands is still right."""
        return all(
            getattr(self, name) == getattr(other, name) for name in ("name", "amount", "tax_number", "booking_id")
        )


def amount_of(price: Decimal, currency: str) -> Money | None:
    """A deal's price in minor units; None when it has more decimals than the currency."""
    units = price.scaleb(MINOR_UNITS.get(currency, 2))
    if not units.is_finite() or units != units.to_integral_value() or abs(units) > 10**15:
        return None
    return Money(amount=rounded(units), currency=currency)


def faults_of(said: DealSaid, rules: DealRules) -> tuple[str, ...]:
    """What is missing or absurd, in words for whoever filled the deal in; they name fields, never values."""
    found = []
    if not said.name.strip():
        found.append("the customer's name is missing")
    if said.amount is None:
        found.append("the amount is no number, or has more decimals than its currency")
    else:
        if said.amount.amount <= 0:
            found.append("the amount must be more than zero")
        if said.amount.decimal > rules.largest:
            found.append(f"the amount is above {rules.largest:,f}: raise 'largest' in the settings if it is meant")
        if said.amount.currency not in CURRENCIES:
            found.append(f"{said.amount.currency} is no currency of EasyCount: {', '.join(sorted(CURRENCIES))}")
    if not said.description.strip():
        found.append("the description of the services is missing")
    if said.email and not _E_MAIL.fullmatch(said.email):
        found.append("the e-mail address is none")
    if not said.email and rules.mail != "none":
        found.append("the e-mail address is missing")
    if said.language not in LANGUAGES:
        found.append(f"the language must be one of {', '.join(sorted(LANGUAGES))}")
    if said.booking_id is not None and not _BOOKING.fullmatch(said.booking_id):
        found.append("the booking is not written as the platform writes it (bkg_…)")
    return tuple(found)


# Keys ---------------------------------------------------------------------------------------------------------------------

DocumentKind = Literal["pf", "in", "rc", "cr", "rr"]
"""Proforma, invoice (305, 320), receipt, credit, receipt of a refund."""


def document_key(kind: DocumentKind, agency: str, deal_id: int, purpose: str, revision: int) -> str:
    """EasyCount's `transaction_id`: the same request has the same key for ever, a correction is a new revision."""
    digest = hashlib.sha256(f"{agency}:deal:{deal_id}|{purpose}|{revision}".encode()).digest()
    return f"{kind}:{base64.b32encode(digest).decode()[:36]}"


def payment_id(agency: str, reference: str) -> str:
    """Our id of a payment on a page, from the clearing's own reference."""
    return f"pay_{_letters('easycount payment', agency, reference)}"


def refund_id(agency: str, payment: str, reference: str) -> str:
    """The same reference of the same payment is the same refund, however often it is told."""
    return f"ref_{_letters('easycount refund', agency, payment, reference)}"


def event_id(fact_id: str, kind: str) -> str:
    """The event by which a fact of a deal enters the inbox: always the same one."""
    return f"evt_{_letters(fact_id, kind)}"


def page_token(agency: str, deal_id: int, number: int, salt: str) -> str:
    """What the customer's browser comes back with; `salt` keeps others from guessing it."""
    return _letters("page", agency, str(deal_id), str(number), salt)


def marker(workflow_id: str, step: str) -> str:
    """What a note or a task of ours is found by (kommo 3.3)."""
    return f"[ref:{workflow_id}:{step}]"


def _letters(*parts: str) -> str:
    return base64.b32encode(hashlib.sha256("\x1f".join(parts).encode()).digest()).decode()[:26]


# Looking at links ---------------------------------------------------------------------------------------------------------

SOON: tuple[timedelta, ...] = (
    timedelta(seconds=15),
    timedelta(seconds=30),
    *(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30)),
)
HOURLY = timedelta(hours=1)
ONCE_MORE = timedelta(hours=24)
"""How long after its expiry a link is looked at for the last time."""


def next_look(made_at: datetime, expires_at: datetime, after: datetime) -> datetime | None:
    """When a link is looked at next, counted from when it was made; None when it was looked at for the last time."""
    for pause in SOON:
        if made_at + pause > after:
            return min(made_at + pause, expires_at)
    last = expires_at + ONCE_MORE
    if after >= last:
        return None
    if after >= expires_at:
        return last
    hours = (after - made_at) // HOURLY + 1
    return min(made_at + hours * HOURLY, expires_at)


# Payments -----------------------------------------------------------------------------------------------------------------


def role_of(paid: Money, wanted: Money, before: int, *, expired: bool, cancelled: bool) -> Role:
    """What a payment is to its deal; `before` is what was paid and counted already, in minor units."""
    if cancelled:
        return "after_cancel"
    if before >= wanted.amount or paid.currency != wanted.currency:
        return "duplicate"
    after = before + paid.amount
    if after < wanted.amount:
        return "partial"
    if after > wanted.amount:
        return "over"
    return "late" if expired else "first"
