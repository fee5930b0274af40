"""What the ERP's own records say of a payment: the verdict, and the evidence it rests on (contracts: payment-sync 5)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.money import Money

NEAR = timedelta(days=3)
"""Authorisation codes of six digits repeat: they count only together with the amount or a day this near."""


class Verdict(StrEnum):
    """What a probe of the ERP says."""

    UNPAID = "unpaid"
    SAME_PAYMENT = "same_payment"
    PAID_OTHERWISE = "paid_otherwise"
    INCONCLUSIVE = "inconclusive"
    PARTIAL = "partial"
    NO_TARGET = "no_target"
    MISMATCH = "mismatch"
    UNVERIFIED = "unverified"


class Receipt(BaseModel):
    """One record of the ERP that something was paid (GIAV: a cobro)."""

    model_config = ConfigDict(frozen=True)

    id: str
    method: str
    by_gateway: bool
    auth_code: str = ""
    reference: str = ""
    amount: Money
    on: date
    user: str = ""
    external_key: str = ""


class Receivable(BaseModel):
    """What was to be paid, as the ERP has it; `open_amount` is what is still due of `total`."""

    model_config = ConfigDict(frozen=True)

    id: str
    state: Literal["open", "paid", "cancelled", "credited"]
    total: Money
    open_amount: Money


class Paid(BaseModel):
    """Our side of the comparison."""

    model_config = ConfigDict(frozen=True)

    external_key: str
    amount: Money
    on: date
    auth_code: str = ""
    reference: str = ""


class Evidence(BaseModel):
    """A verdict, when it was reached, and what was seen. `ours`: the receipt carries our key."""

    model_config = ConfigDict(frozen=True)

    verdict: Verdict
    at: datetime
    words: str
    ours: bool = False
    receipt_id: str | None = None
    open_amount: Money | None = None
    receipts: tuple[Receipt, ...] = ()


def judge(paid: Paid, receivable: Receivable | None, receipts: Sequence[Receipt], at: datetime) -> Evidence:
    """The verdict of a probe, by the rows of the contract from the surest to the least sure."""

    def found(verdict: Verdict, words: str, receipt: Receipt | None = None) -> Evidence:
        return Evidence(
            verdict=verdict,
            at=at,
            words=words,
            ours=receipt is not None and receipt.external_key == paid.external_key,
            receipt_id=receipt.id if receipt else None,
            open_amount=receivable.open_amount if receivable else None,
            receipts=tuple(receipts),
        )

    ours = [receipt for receipt in receipts if receipt.external_key == paid.external_key]
    if ours:
        return found(Verdict.SAME_PAYMENT, f"receipt {ours[0].id} carries our key", ours[0])
    if receivable is None:
        return found(Verdict.NO_TARGET, "the receivable does not exist")
    if receivable.state in ("cancelled", "credited"):
        return found(Verdict.NO_TARGET, f"the receivable is {receivable.state}")
    if receivable.total.currency != paid.amount.currency:
        return found(Verdict.MISMATCH, f"the receivable is in {receivable.total.currency}")
    by_gateway = [receipt for receipt in receipts if receipt.by_gateway]
    same = next((receipt for receipt in by_gateway if _is_same(receipt, paid)), None)
    if same is not None:
        if same.amount != paid.amount:
            return found(Verdict.MISMATCH, f"receipt {same.id} has our code and another amount", same)
        return found(Verdict.SAME_PAYMENT, f"receipt {same.id} has the same code", same)
    if receivable.open_amount >= paid.amount:
        return found(Verdict.UNPAID, f"{receivable.open_amount} are open and no receipt is ours")
    if receivable.open_amount.amount > 0:
        return found(Verdict.PARTIAL, f"only {receivable.open_amount} are open")
    nameless = next((r for r in by_gateway if not _code(r.auth_code) and not _code(r.reference)), None)
    if nameless is not None:
        return found(Verdict.INCONCLUSIVE, f"receipt {nameless.id} of the gateway has no code", nameless)
    settled = receipts[-1] if receipts else None
    how = f"by receipt {settled.id} ({settled.method})" if settled else "and shows no receipt"
    return found(Verdict.PAID_OTHERWISE, f"the receivable is paid {how}", settled)


def _is_same(receipt: Receipt, paid: Paid) -> bool:
    codes = {_code(paid.auth_code), _code(paid.reference)} - {""}
    if not codes & {_code(receipt.auth_code), _code(receipt.reference)}:
        return False
    return receipt.amount == paid.amount or abs(receipt.on - paid.on) <= NEAR


def same_code(one: str, other: str) -> bool:
    """Whether two codes say the same, however they were written."""
    return bool(_code(one)) and _code(one) == _code(other)


def _code(text: str) -> str:
    """A code without what people and systems write differently: case, blanks, separators, leading zeros."""
    return re.sub(r"[\W_]", "", text).upper().lstrip("0")
