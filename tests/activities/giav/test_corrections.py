"""Which invoices are credited, and how much of them is issued again (contracts: money-rules 1.3, M3, C4)."""

from __future__ import annotations

from datetime import date
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.giav.corrections import corrections, invoiced, keep_after_change, originals, standing_invoices
from domain.money import Money
from store.documents import Document


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


def document(
    kind: Literal["invoice", "credit_note", "penalty"],
    key: str,
    amount: int,
    payment: str | None = None,
    refers_to: str | None = None,
) -> Document:
    return Document(
        agency="sol",
        system="giav",
        kind=kind,
        key=key,
        number=key,
        outside_id="1",
        booking_id="bkg_500",
        payment_id=payment,
        refers_to=refers_to,
        amount=eur(amount),
        issued_on=date(2026, 11, 22),
        operation_date=date(2026, 11, 22),
    )


def invoices(*amounts: int) -> list[Document]:
    return [document("invoice", f"inv:pay_{n}", amount, f"pay_{n}") for n, amount in enumerate(amounts, start=1)]


@pytest.mark.parametrize(
    ("amounts", "keep", "plan"),
    [
        ((300, 382), 700, []),
        ((300, 382), 682, []),
        ((300, 382), 681, [("inv:pay_2", 381)]),
        ((300, 382), 300, [("inv:pay_2", 0)]),
        ((300, 382), 100, [("inv:pay_2", 0), ("inv:pay_1", 100)]),
        ((300, 382), 0, [("inv:pay_2", 0), ("inv:pay_1", 0)]),
        ((300, 382), -30, [("inv:pay_2", 0), ("inv:pay_1", 0)]),
        ((), 0, []),
    ],
)
def test_the_latest_invoices_go_first(amounts: tuple[int, ...], keep: int, plan: list[tuple[str, int]]) -> None:
    drawn = corrections(invoices(*amounts), eur(keep))
    assert [(each.document.key, each.remaining.amount) for each in drawn] == plan


def test_the_refunded_payment_goes_before_all_others() -> None:
    drawn = corrections(invoices(300, 382, 273), eur(900), first="pay_1")
    assert [(each.document.key, each.remaining.amount) for each in drawn] == [("inv:pay_1", 245)]


@pytest.mark.covers("C4")
def test_a_credited_invoice_is_not_credited_again() -> None:
    family = [
        *invoices(300),
        document("credit_note", "rect:chg_4:pay_1", -300, "pay_1", "inv:pay_1"),
        document("invoice", "inv:pay_1:chg_4", 200, "pay_1", "rect:chg_4:pay_1"),
        document("penalty", "pen:cxl_1", 30),
    ]
    assert [each.key for each in standing_invoices(family)] == ["inv:pay_1:chg_4"]
    assert (invoiced(family, "EUR"), originals(family, "EUR")) == (eur(200), eur(300))
    assert [each.document.key for each in corrections(family, eur(0))] == ["inv:pay_1:chg_4"]


@pytest.mark.covers("M4")
@given(st.lists(st.integers(1, 10**7), max_size=6), st.integers(-(10**6), 10**8))
def test_what_is_left_is_what_was_to_be_kept(amounts: list[int], keep: int) -> None:
    held = invoices(*amounts)
    drawn = corrections(held, eur(keep))
    left = sum(amounts) - sum(each.freed.amount for each in drawn)
    assert left == min(sum(amounts), max(0, keep))
    assert sum(each.remaining.amount > 0 for each in drawn) <= 1
    assert all(0 <= each.remaining.amount < each.document.amount.amount for each in drawn)


@pytest.mark.parametrize(
    ("sale", "captured", "refunded", "penalties", "keep"),
    [
        (80000, 100500, 0, 0, 80000),
        (80000, 30000, 0, 0, 30000),
        (3000, 30000, 0, 3000, 0),
        (3000, 30000, 0, 0, 3000),
        (53000, 30000, 0, 3000, 27000),
        (80000, 100500, 20500, 0, 80000),
        (3000, 1000, 0, 3000, -2000),
    ],
)
def test_what_may_stay_invoiced_is_sold_and_paid_and_not_a_penalty(
    sale: int, captured: int, refunded: int, penalties: int, keep: int
) -> None:
    assert keep_after_change(eur(sale), eur(captured), eur(refunded), eur(penalties)) == eur(keep)
