"""Each rule of the contract refuses what it is for, and nothing else (contracts: tamara 3.9)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from activities.tamara.card import CardNumber
from activities.tamara.model import AmountPart, Dbi, Numbered, Transaction
from activities.tamara.proof import prove_block
from activities.tamara.settings import NO_PROFILE, DbiProfile, DbiRule
from activities.tamara.validation import Context, judge
from domain.errors import NeedsPerson
from tests.activities.tamara.examples import REFUND, SALE
from tests.activities.tamara.night import settings_of

TODAY = dt.date(2026, 1, 15)
CARD = CardNumber("192000000000008")


def context(**changes: Any) -> Context:
    return Context(**{"settings": settings_of(), "profile": NO_PROFILE, "today": TODAY, "card": CARD, **changes})


def with_txn(transaction: Transaction = SALE, **changes: Any) -> Transaction:
    return transaction.model_copy(update={"txn": transaction.txn.model_copy(update=changes)})


def amount(**changes: Any) -> Any:
    return SALE.txn.amount.model_copy(update=changes)


@pytest.mark.parametrize("transaction", [SALE, REFUND])
def test_the_worked_example_passes_every_rule(transaction: Transaction) -> None:
    verdict = judge(transaction, context())
    assert (verdict.refusals, verdict.notes) == ((), ())


@pytest.mark.parametrize("number", ["19200000000000", "1920000000000080", "192000000000009", "152000000000005"])
def test_v001_refuses_what_is_no_company_account(number: str) -> None:
    found = judge(SALE, context(card=CardNumber(number)))
    assert "V001" in {refusal.rule for refusal in found.refusals}


BREAKS: list[tuple[str, str, Transaction]] = [
    ("V002", "300.CARD_EXP", with_txn(card_expiry="1225")),
    ("V002", "300.CARD_EXP", with_txn(card_expiry="1328")),
    ("V004", "300.INV_NO", with_txn(invoice=None)),
    ("V004", "300.INV_DATE", with_txn(invoice=Numbered(number="F", date=dt.date(2026, 1, 16)))),
    ("V005", "300.CN_NO", with_txn(REFUND, credit_note=None)),
    ("V005", "300.CN_DATE", with_txn(REFUND, credit_note=Numbered(number="A", date=dt.date(2026, 1, 7)))),
    ("V009", "300.PAX", with_txn(passenger=" / ")),
    ("V010", "300.CUST_PLACE", with_txn(customer=SALE.txn.customer.model_copy(update={"place": None}))),
    ("V011", "300.CUR", with_txn(amount=amount(currency="999"))),
    ("V011", "300.CUR", with_txn(amount=amount(currency="392"))),
    ("V012", "300.GROSS", with_txn(amount=amount(net=0, gross=0))),
    ("V012", "300.GROSS", with_txn(amount=amount(vat=1))),
    ("V013", "310.AMT", with_txn(amount=amount(vat_rate=None, net=41000, vat=250))),
    ("V013", "310.AMT", SALE.model_copy(update={"amounts": (AmountPart(type="BAS", dc="D", amount=41249),)})),
    ("V015", "300.DC", with_txn(dc="C")),
    ("V016", "300.SERVICE", with_txn(service="HO", class_="MA")),
    ("V016", "300.SERVICE", SALE.model_copy(update={"flight": None})),
    ("V025", "300.VALUE_DATE", with_txn(value_date=dt.date(2026, 1, 16))),
    ("V031", "txn.passenger", with_txn(passenger="DOE/JANE 4111 1111 1111 1111")),
    ("V031", "txn.pnr", with_txn(pnr="122000000000003")),
]


@pytest.mark.parametrize(("rule", "field", "transaction"), BREAKS)
def test_a_broken_rule_is_named_with_its_field_and_a_remedy(rule: str, field: str, transaction: Transaction) -> None:
    found = judge(transaction, context())
    assert {(refusal.rule, refusal.field) for refusal in found.refusals} == {(rule, field)}
    assert all(len(refusal.remedy) > 10 for refusal in found.refusals)


def test_v003_asks_for_a_card_that_is_not_lodged() -> None:
    assert [refusal.rule for refusal in judge(SALE, context(card=None)).refusals] == ["V003"]


def test_v022_limits_credits_to_what_was_charged() -> None:
    assert judge(REFUND, context(may_credit=10_000)).refusals == ()
    assert [refusal.rule for refusal in judge(REFUND, context(may_credit=9_999)).refusals] == ["V022"]


def test_v024_is_only_a_note() -> None:
    found = judge(SALE, context(today=dt.date(2026, 3, 16)))
    assert found.refusals == ()
    assert [note.rule for note in found.notes] == ["V024"]


def test_v030_notes_characters_that_are_lost() -> None:
    found = judge(with_txn(passenger="漢/字"), context())
    assert [(note.rule, note.field) for note in found.notes] == [("V030", "txn.passenger")]


def test_v031_only_notes_a_reference_that_passes_for_a_card() -> None:
    found = judge(with_txn(dossier="4111111111111111"), context())
    assert (found.refusals, [note.rule for note in found.notes]) == ((), ["V031"])


def test_v033_keeps_real_cards_out_of_test_files() -> None:
    other = CardNumber("192000000000016")
    assert [refusal.rule for refusal in judge(SALE, context(card=other)).refusals] == ["V033"]
    assert judge(SALE, context(card=other, settings=settings_of(mode="P"))).refusals == ()


@pytest.mark.parametrize(
    ("rule", "dbi", "refused"),
    [
        (DbiRule(use="mandatory"), None, True),
        (DbiRule(use="mandatory"), Dbi(KS="7"), False),
        (DbiRule(use="unused"), Dbi(KS="7"), True),
        (DbiRule(use="unused"), None, False),
        (DbiRule(longest=3), Dbi(KS="1234"), True),
        (DbiRule(shortest=3), Dbi(KS="12"), True),
        (DbiRule(pattern=r"\d+"), Dbi(KS="A1"), True),
        (DbiRule(), Dbi(KS="X" * 18), True),
        (DbiRule(pattern=r"\d+", longest=3), Dbi(KS="123"), False),
    ],
)
def test_v019_follows_the_customers_profile(rule: DbiRule, dbi: Dbi | None, refused: bool) -> None:
    profile = DbiProfile(name="ACME", customers=("cus_1",), codes={"KS": rule})
    found = judge(SALE.model_copy(update={"dbi": dbi}), context(profile=profile))
    assert [(refusal.rule, refusal.field) for refusal in found.refusals] == ([("V019", "400.KS")] if refused else [])


def test_v026_asks_for_the_iata_number_of_a_bsp_file() -> None:
    prove_block(settings_of(iata_no=None), "MA")
    with pytest.raises(NeedsPerson, match="iata_no"):
        prove_block(settings_of(iata_no=None), "BSP")


def test_refusals_repeat_no_value() -> None:
    shown = " ".join(str(refusal) for _, _, broken in BREAKS for refusal in judge(broken, context()).refusals)
    assert all(value not in shown for value in ("4111", "122000000000003", "DOE", "192000000000008"))
