"""EasyCount's documents as it knows them, and its loose answers as we do (contracts: easycount 2 to 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import IntEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.money import Money, total

LONGEST_KEY = 45
EXISTS = re.compile(r"already exists|כבר קיים", re.IGNORECASE)


class Kind(IntEnum):
    """The types that we issue."""

    PROFORMA = 300
    INVOICE = 305
    INVOICE_RECEIPT = 320
    CREDIT = 330
    RECEIPT = 400


class Item(BaseModel):
    """One line; `price` is for one, negative for a discount."""

    model_config = ConfigDict(frozen=True)

    details: str = Field(min_length=1)
    quantity: int = 1
    price: Money
    vat_kind: Literal["INC", "PRE", "NON"] = "INC"


class PaidBy(BaseModel):
    """How it was paid: by card on EasyCount's own page, or outside it. A refund's `amount` is negative."""

    model_config = ConfigDict(frozen=True)

    amount: Money
    on: date
    means: Literal["card", "transfer", "other"] = "card"
    last4: str = ""
    authorisation: str = ""

    def as_json(self) -> dict[str, Any]:
        known: dict[str, Any] = {"payment_sum": as_number(self.amount), "date": f"{self.on:%d/%m/%Y}"}
        match self.means:
            case "card":
                known |= {
                    "payment_type": 3,
                    "cc_number": self.last4,
                    "cc_deal_type": 1,
                    "cc_payment_num": self.authorisation,
                }
            case "transfer":
                known |= {"payment_type": 4}
            case "other":
                known |= {"payment_type": 9, "other_payment_type_name": "other"}
        return known


class DocumentRequest(BaseModel):
    """One document to be issued, once under `transaction_id`."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    transaction_id: str = Field(min_length=1, max_length=LONGEST_KEY)
    customer_name: str = Field(min_length=1)
    customer_email: str = ""
    customer_phone: str = ""
    customer_crn: str = ""
    language: Literal["he", "en"] = "en"
    currency: str
    description: str = ""
    comment: str = ""
    items: tuple[Item, ...]
    paid: tuple[PaidBy, ...] = ()
    parents: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    vat: Decimal | None = None
    send_email: bool = True
    email_text: str = ""
    on: date | None = None

    @property
    def gross(self) -> Money:
        return total((item.price * item.quantity for item in self.items), self.currency)

    def as_json(self) -> dict[str, Any]:
        """The body of createDoc, without the account. Real booleans: there, the string "false" is true."""
        body: dict[str, Any] = {
            "type": int(self.kind),
            "transaction_id": self.transaction_id,
            "customer_name": self.customer_name,
            "customer_email": self.customer_email,
            "customer_phone": self.customer_phone,
            "customer_crn": self.customer_crn,
            "lang": self.language,
            "main_currency_iso": self.currency,
            "description": self.description,
            "comment": self.comment,
            "email_text": self.email_text if self.send_email else "",
            "item": [
                {"details": i.details, "amount": i.quantity, "price": as_number(i.price), "vat_type": i.vat_kind}
                for i in self.items
            ],
            "dont_send_email": not (self.send_email and self.customer_email),
        }
        if self.on is not None:
            body["date"] = f"{self.on:%d/%m/%Y}"
        if self.vat is not None:
            body["vat"] = float(self.vat)
        if self.parents:
            body["parent"] = ",".join(self.parents)
        if self.paid:
            body |= {"payment": [paid.as_json() for paid in self.paid], "auto_balance": True}
            body["price_total"] = as_number(total((paid.amount for paid in self.paid), self.currency))
        if self.pages:
            body["cgp_ids"] = list(self.pages)
        if self.kind is Kind.RECEIPT:
            body["forceItemsIntoNonItemsDocument"] = True
        return {name: value for name, value in body.items() if value != ""}


class Document(BaseModel):
    """What was issued. `again`: it had been issued before under the same key."""

    model_config = ConfigDict(frozen=True)

    uuid: str
    number: str
    pdf: str
    pdf_copy: str
    total: str = ""
    key: str = ""
    """The `transaction_id` under which it was issued, where the answer tells it."""
    sent_to: tuple[str, ...] = ()
    allocation_number: str = ""
    warning: str = ""

    @property
    def again(self) -> bool:
        return bool(EXISTS.search(self.warning))


class PaymentLink(BaseModel):
    """A page on which the customer pays; the secret is how we ask about it, and nobody else's business."""

    model_config = ConfigDict(frozen=True)

    url: str
    secret: str = Field(repr=False)


class Paid(BaseModel):
    """A page that was paid."""

    model_config = ConfigDict(frozen=True)

    page_id: str
    amount: Decimal
    reference: str
    authorisation: str = ""
    last4: str = ""
    brand: str = ""
    paid_on: str = ""


class StoredCard(BaseModel):
    """A customer's card as EasyCount keeps it: the eight values that its page gave back."""

    model_config = ConfigDict(frozen=True)

    cc_token: str = Field(repr=False)
    cc_type_id: str
    cc_type_name: str
    cc_4_digits: str
    cc_payer_name: str = Field(repr=False)
    cc_payer_id: str = Field(repr=False)
    cc_expire_month: str
    cc_expire_year: str


def as_number(amount: Money) -> float:
    """Decimal number in the document's currency; two decimals, which a double holds exactly enough to be printed back."""
    return float(amount.decimal)


def succeeded(answer: Mapping[str, Any]) -> bool:
    """`true`, and the string of it that chargeToken answers; nothing else."""
    return str(answer.get("success")).strip().lower() in ("true", "1")


def document_of(answer: Mapping[str, Any]) -> Document | None:
    """The document of an answer; None when it names none."""
    if not answer.get("doc_uuid") or not answer.get("doc_number"):
        return None
    figures = answer.get("calculatedData")
    return Document(
        uuid=str(answer["doc_uuid"]),
        number=str(answer["doc_number"]),
        pdf=str(answer.get("pdf_link") or ""),
        pdf_copy=str(answer.get("pdf_link_copy") or answer.get("pdf_link") or ""),
        total=str(figures.get("price_total", "")) if isinstance(figures, Mapping) else "",
        key=str(figures.get("transaction_id") or "") if isinstance(figures, Mapping) else "",
        sent_to=tuple(map(str, _list(answer.get("sent_mails")))),
        allocation_number=str(answer.get("allocation_number") or ""),
        warning=str(answer.get("warning") or ""),
    )


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
