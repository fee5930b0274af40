"""What a deal said → the documents that EasyCount issues for it (contracts: easycount 2, 4)."""

from __future__ import annotations

from datetime import date

from activities.easycount.settings import EasyCountSettings
from activities.easycount.wire import DocumentRequest, Item, Kind, PaidBy
from domain.deals import CURRENCIES, DealSaid
from domain.errors import Refused
from domain.money import Money
from store.payment_request_records import LinkPayment

SYSTEM = "easycount"
LONGEST_TEXT = 250


def examine(amount: Money, settings: EasyCountSettings) -> None:
    """Refuse before the call what EasyCount cannot issue. Raises `Refused`."""
    if amount.currency not in CURRENCIES:
        words = f"{amount.currency} is no currency of EasyCount: {', '.join(sorted(CURRENCIES))}"
        raise Refused(words, system=SYSTEM, operation="createDoc", code="currency")
    if settings.vat_kind == "PRE":
        raise Refused(
            "vat_kind PRE puts tax on top of what the customer is asked for: a deal's amount is INC or NON",
            system=SYSTEM,
            operation="createDoc",
            code="vat_kind",
        )


def request_for_payment(
    key: str, kind: Kind, said: DealSaid, settings: EasyCountSettings, *, page: str, sent: bool
) -> DocumentRequest:
    """The proforma, or the invoice before payment; it names the page on which the customer pays."""
    amount = said.amount
    assert amount is not None
    examine(amount, settings)
    invitation = f"{PAY[said.language]}: {page}" if page else ""
    return DocumentRequest(
        kind=kind,
        transaction_id=key,
        items=_items(said, amount, settings),
        comment="\n".join(filter(None, (said.terms, invitation))),
        send_email=sent,
        email_text=invitation,
        **_customer(said, amount, settings),
    )


def receipt(
    key: str, kind: Kind, said: DealSaid, paid: LinkPayment, on: date, parent: str, settings: EasyCountSettings
) -> DocumentRequest:
    """What is issued when a page was paid: invoice and receipt in one, or the receipt of an invoice."""
    examine(paid.amount, settings)
    return DocumentRequest(
        kind=kind,
        transaction_id=key,
        items=_items(said, paid.amount, settings),
        paid=(PaidBy(amount=paid.amount, on=on, last4=paid.last4, authorisation=paid.authorisation),),
        parents=(parent,) if parent else (),
        pages=(paid.page_id,) if paid.page_id else (),
        send_email=settings.e_mails,
        on=on,
        **_customer(said, paid.amount, settings),
    )


def credit(
    key: str, said: DealSaid, amount: Money, parent: str, settings: EasyCountSettings, *, reason: str
) -> DocumentRequest:
    """The credit invoice of (a part of) an invoice; its amount is positive (easycount 4)."""
    return DocumentRequest(
        kind=Kind.CREDIT,
        transaction_id=key,
        items=_items(said, amount, settings),
        parents=(parent,),
        comment=reason,
        send_email=settings.e_mails,
        **_customer(said, amount, settings),
    )


def receipt_of_refund(
    key: str, said: DealSaid, amount: Money, on: date, parent: str, paid: LinkPayment, settings: EasyCountSettings
) -> DocumentRequest:
    """The receipt with negative amounts that goes with a credit of money that was paid."""
    return DocumentRequest(
        kind=Kind.RECEIPT,
        transaction_id=key,
        items=_items(said, -amount, settings),
        paid=(PaidBy(amount=-amount, on=on, last4=paid.last4, authorisation=paid.authorisation),),
        parents=(parent,),
        send_email=settings.e_mails,
        on=on,
        **_customer(said, amount, settings),
    )


PAY = {"en": "Pay here", "he": "לתשלום"}


def _items(said: DealSaid, amount: Money, settings: EasyCountSettings) -> tuple[Item, ...]:
    return (Item(details=said.description[:LONGEST_TEXT], price=amount, vat_kind=settings.vat_kind),)


def _customer(said: DealSaid, amount: Money, settings: EasyCountSettings) -> dict[str, object]:
    return {
        "customer_name": said.name,
        "customer_email": said.email,
        "customer_phone": said.phone,
        "customer_crn": said.tax_number,
        "language": said.language,
        "currency": amount.currency,
        "description": said.description[:LONGEST_TEXT],
        "vat": settings.vat,
    }
