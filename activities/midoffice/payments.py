"""A captured payment in the words of the mid-office (contracts: midoffice 3.1 payment, 4.2)."""

from __future__ import annotations

from activities.midoffice.booking import MidOfficePayment, PaymentMedium
from domain.effects import EffectKey
from domain.errors import ContractBroken
from domain.platform import Payment

METHODS: dict[str, PaymentMedium] = {
    "card": "CARD",
    "sepa_dd": "DIRECT_DEBIT",
    "transfer": "TRANSFER",
    "bizum": "TRANSFER",
    "airplus": "AIRPLUS",
    "cash": "CASH",
    "other": "TRANSFER",
}
"""The platform's payment methods in the canonical record's words."""


def payment_key(agency: str, system: str, payment_id: str) -> EffectKey:
    return EffectKey(agency, system, "payment", payment_id, "announce")


def payment_of(payment: Payment) -> MidOfficePayment:
    """Money in from the customer, under the payment's own id for ever. Raises `ContractBroken` if it was not captured."""
    if payment.captured_at is None:
        raise ContractBroken(f"payment {payment.id} was never captured")
    return MidOfficePayment(
        transaction_id=payment.id,
        method=METHODS[payment.method],
        card_brand=payment.card.brand if payment.card else None,
        amount=payment.amount.decimal,
        currency=payment.amount.currency,
        value_date=payment.value_date or payment.captured_at.date(),
        reference=payment.processor.payment_ref,
    )
