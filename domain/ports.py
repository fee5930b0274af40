"""The two ports of a payment's synchronisation: an ERP that holds receipts, a gateway that holds money (contracts: payment-sync 6).

Whoever implements them raises the classes of `domain.errors`, which are those of section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from domain.connector_steps import Described
from domain.money import Money
from domain.payment_sync import Receipt, Receivable


class PostReceipt(BaseModel):
    """A receipt to be made. `external_key` is written where a probe can find it; the rest is what people read."""

    model_config = ConfigDict(frozen=True)

    receivable: str
    payment_id: str
    amount: Money
    on: date
    method: str
    auth_code: str = ""
    gateway_reference: str = ""
    external_key: str = ""
    memo: str = ""


class OpenInstalment(BaseModel):
    """What of a sale is still to be paid, and when."""

    model_config = ConfigDict(frozen=True)

    instalment_id: str
    receivable: str
    due_on: date
    open_amount: Money


class ErpPort(Protocol):
    """Where receipts are kept. The receivable of a payment is its booking, which every ERP of ours knows by our id."""

    def describe(self) -> Described:
        """Contract and capabilities; compared at start and hourly."""

    def find_receivable(self, ref: str) -> Receivable | None:
        """A pure read; None when the ERP does not have it."""

    def list_receipts(self, receivable: str) -> Sequence[Receipt]:
        """A pure read: what was paid on it, by us or by people."""

    def post_receipt(self, cmd: PostReceipt) -> str:
        """Made once, whatever is lost on the way; the receipt's id."""

    def reverse_receipt(self, receipt_id: str, reason: str) -> str:
        """The compensation of a receipt that we made; the reversal's id."""

    def next_instalments(self, customer: str, contract: str) -> Sequence[OpenInstalment]:
        """What is open of a customer's contract, by due date."""


class GatewayPayment(BaseModel):
    """Captured money as the gateway has it."""

    model_config = ConfigDict(frozen=True)

    ref: str
    amount: Money
    refunded: Money
    state: Literal["captured", "refunded", "partly_refunded", "charged_back", "failed"]
    auth_code: str = ""


class RefundCase(BaseModel):
    """A refund that was asked for. `by_hand`: the gateway has no interface for it, and a person confirms with a reference."""

    model_config = ConfigDict(frozen=True)

    case_id: str
    state: Literal["requested", "done", "refused"]
    by_hand: bool = False
    words: str = ""


class GatewayPort(Protocol):
    """Where the money is."""

    def get_payment(self, ref: str) -> GatewayPayment | None: ...

    def request_refund(self, ref: str, amount: Money, reason: str, idempotency_key: str) -> RefundCase:
        """Asked once under one key. Never decided here: whoever calls has a person's word."""

    def get_refund(self, case_id: str) -> RefundCase: ...
