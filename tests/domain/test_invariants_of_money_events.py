"""Books stay sound when a refund fails, a voucher replaces money or a claim is written off (contracts: money-rules 3, F-R3,
F-R10, F-P11)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.books import BookingBooks, Books, MoneyBack, Receipt
from tests.domain.sound_books import LATER, SOUND, Office, broken, dispute, full

PENALTY = full(3000)


def one(name: str, *args: Any, platform: dict[str, Any] | None = None, **changes: Any) -> BookingBooks:
    """One booking written by the same office, with what the platform tells of it changed."""
    office = Office()
    office.write(name, *args, **changes)
    (written,) = office.bookings
    return written.model_copy(update={"platform": written.platform.model_copy(update=platform or {})})


def alone(written: BookingBooks) -> Books:
    """A snapshot of this booking only, so that numbers and clearing accounts of the others do not matter."""
    processors = sum(p.amount for p in written.platform.payments) - written.refunded
    processors -= sum(c.amount + c.fee for c in written.platform.chargebacks)
    return SOUND.model_copy(
        update={"bookings": (written,), "processor_balances": {"stripe": processors}, "airplus_balance": 0, "files": ()}
    )


def given(amount: int, name: str, **more: Any) -> MoneyBack:
    return MoneyBack(id=f"ref_{name}0", payment_id=f"pay_{name}0", amount=amount, at=LATER, **more)


def bounced(*receipts: Receipt) -> BookingBooks:
    """Cancelled with a penalty; the refund was credited, given back, and came back."""
    written = one(
        "bounced",
        3000,
        [30000],
        cancelled=[PENALTY],
        keep=0,
        penalty=3000,
        platform={"failed_refunds": (given(27000, "bounced"),)},
    )
    return written.model_copy(update={"receipts": (*written.receipts, *receipts)})


BACK = Receipt(id="8", fact_id="ref_bounced0", kind="Reembolso", amount=27000)
COUNTER = Receipt(id="9", fact_id="ref_bounced0", kind="Cobro", amount=27000)


@pytest.mark.covers("F-R3", "M1", "M2", "M3", "M4", "M7")
@pytest.mark.parametrize("receipts", [(), (BACK, COUNTER)], ids=["deleted", "set off"])
def test_a_refund_that_failed_leaves_sound_books_whichever_way_it_was_taken_back(receipts: tuple[Receipt, ...]) -> None:
    assert broken(alone(bounced(*receipts))) == set()


@pytest.mark.covers("F-R3", "M1")
@pytest.mark.parametrize(
    ("receipts", "seen"),
    [
        ((BACK,), {"M1", "M7", "L2"}),
        ((COUNTER,), {"M1", "M7", "L2"}),
        ((BACK, COUNTER, COUNTER), {"M1", "M2", "M7", "L2"}),
    ],
    ids=["not taken back", "taken back and deleted", "taken back twice"],
)
def test_a_refund_that_failed_and_was_not_taken_back_once_is_seen(
    receipts: tuple[Receipt, ...], seen: set[str]
) -> None:
    assert broken(alone(bounced(*receipts))) == seen


@pytest.mark.covers("F-R3", "M3")
def test_the_credit_note_of_a_goodwill_refund_that_failed_stands_until_the_refund_is_made_again() -> None:
    failed = given(5000, "kind")
    written = one("kind", 30000, [30000], keep=25000, platform={"failed_refunds": (failed,)})
    assert (written.reopened, broken(alone(written))) == (5000, set())
    told_nothing = written.platform.model_copy(update={"failed_refunds": ()})
    assert broken(alone(written.model_copy(update={"platform": told_nothing}))) == {"M3"}


@pytest.mark.covers("F-R10", "M1", "M7")
def test_a_voucher_is_no_money_and_breaks_no_books() -> None:
    written = one(
        "voucher",
        3000,
        [30000],
        cancelled=[PENALTY],
        keep=0,
        penalty=3000,
        platform={"refunds": (given(27000, "voucher", voucher=True),), "due": 0},
    )
    assert broken(alone(written)) == set()
    assert (written.refunded, written.vouchers) == (0, 27000)


@pytest.mark.covers("F-P11", "1.3 bad debt")
@pytest.mark.parametrize("account", ["436", "650"])
def test_a_lost_dispute_is_a_debt_whether_it_is_claimed_or_written_off(account: str) -> None:
    accounts = {"430": 0, "4309": 0, account: 30000, "438": -30000}
    written = one("gone", 30000, [30000], chargebacks=[dispute("pay_gone0", 30000)], accounts=accounts)
    assert broken(alone(written)) == set()
