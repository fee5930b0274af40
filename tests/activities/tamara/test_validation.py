"""Each rule of the contract refuses what it is for, and nothing else (contracts: tamara 3.9)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from activities.tamara.card import CardNumber
from activities.tamara.details import Event, Fee
from activities.tamara.model import AmountPart, Dbi, Numbered, Transaction
from activities.tamara.proof import prove_block
from activities.tamara.settings import NO_PROFILE, DbiProfile, DbiRule
from activities.tamara.validation import CHECKS, Context, judge
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


def flight(**changes: Any) -> Transaction:
    assert SALE.flight is not None
    return SALE.model_copy(update={"flight": SALE.flight.model_copy(update=changes)})


EVENT = Event(name="CONVENTION", reference="R", city="MADRID", country="ES", from_=TODAY, to=TODAY)
FEE = Fee(code="FEE", text="Service", quantity=1)
LOW_COST = {"doc_kind": "L", "airline_number": None, "document_number": None, "lowcost_ref": "ABC123"}

MORE_BREAKS: list[tuple[str, str, Transaction]] = [
    ("V006", "300.SERVICE", with_txn(service="EV").model_copy(update={"flight": None, "event": EVENT})),
    ("V007", "500.DOC_NO", flight(document_number="123456789")),
    ("V007", "500.DOC_NO", flight(airline_number="22A")),
    ("V007", "500.ORIG_DOC", REFUND.model_copy(update={"flight": flight(original_document="220123").flight})),
    ("V007", "520.REL_DOC", with_txn(service="FE").model_copy(
        update={"flight": None, "fee": FEE.model_copy(update={"related_document": "220123"})})),
    ("V008", "500.LC_REF", with_txn(flight(**{**LOW_COST, "lowcost_ref": None}), service="LC")),
    ("V008", "500.DOC_NO", with_txn(flight(doc_kind="L", lowcost_ref="ABC123"), service="LC")),
    ("V017", "520.REL_INV", with_txn(service="FE", class_="MA").model_copy(
        update={"flight": None, "fee": FEE.model_copy(update={"related_invoice": "F2026-000999"})})),
    ("V020", "300.TXN_VER", with_txn(version=1)),
    ("V030", "txn.invoice.number", with_txn(invoice=Numbered(number="F-漢", date=TODAY))),
    ("V030", "dbi.PR", SALE.model_copy(update={"dbi": Dbi(PR="漢")})),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "field", "transaction"), MORE_BREAKS)
def test_tickets_fees_versions_and_identifiers_are_held_to_their_rules(
    rule: str, field: str, transaction: Transaction
) -> None:
    found = judge(transaction, context())
    assert {(refusal.rule, refusal.field) for refusal in found.refusals} == {(rule, field)}
    assert all(len(refusal.remedy) > 10 for refusal in found.refusals)


def test_a_low_cost_flight_needs_no_ticket_number() -> None:
    assert judge(with_txn(flight(**LOW_COST), service="LC"), context()).refusals == ()


def test_a_bsp_line_of_an_agency_without_iata_number_is_refused_and_not_forgotten() -> None:
    found = judge(SALE, context(settings=settings_of(iata_no=None)))
    assert [(each.rule, each.field) for each in found.refusals] == [("V006", "300.CLASS")]


def test_v014_notes_vat_that_does_not_follow_from_the_rate() -> None:
    found = judge(with_txn(amount=amount(vat_rate=Decimal(21), net=34000, vat=7250)), context())
    assert (found.refusals, [note.rule for note in found.notes]) == ((), ["V014"])


@pytest.mark.parametrize("preceding", ["REJECTED", "EXPIRED", "CORRECTED"])
def test_v020_lets_a_new_version_follow_a_rejected_one(preceding: str) -> None:
    assert judge(with_txn(version=1), context(preceding=preceding)).refusals == ()


@pytest.mark.parametrize(
    ("original", "refused"),
    [(("ACCEPTED", 41250), False), (("REJECTED", 41250), True), (("ABANDONED", 41250), True), (None, False)],
)
def test_v021_refuses_a_credit_of_what_airplus_does_not_have(original: tuple[str, int] | None, refused: bool) -> None:
    found = judge(REFUND, context(original=original))
    assert [each.rule for each in found.refusals] == (["V021"] if refused else [])


def test_v021_wants_a_full_reversal_to_be_full() -> None:
    found = judge(with_txn(REFUND, type="CX"), context(original=("ACCEPTED", 41250)))
    assert [(each.rule, each.field) for each in found.refusals] == [("V021", "300.GROSS")]


@pytest.mark.parametrize(
    ("transaction", "other", "refused"),
    [
        (SALE, ("OTHER", "SA", None), True),
        (SALE, (SALE.txn.ref, "SA", None), False),
        (SALE, ("OTHER", "RF", None), False),
        (REFUND, ("OTHER", "RF", "0001"), True),
        (REFUND, ("OTHER", "RF", "0034"), False),
    ],
)
def test_v023_refuses_a_ticket_that_was_told_already(
    transaction: Transaction, other: tuple[str, str, str | None], refused: bool
) -> None:
    found = judge(transaction, context(tickets=(other,)))
    assert [each.rule for each in found.refusals] == (["V023"] if refused else [])


def test_v032_notes_a_check_digit_that_is_not_modulo_seven() -> None:
    assert [note.rule for note in judge(flight(check_digit=1234567890 % 7), context()).notes] == []
    assert [note.rule for note in judge(flight(check_digit=(1234567890 + 1) % 7), context()).notes] == ["V032"]


def test_every_rule_of_single_transactions_is_active_in_our_layout() -> None:
    assert {rule for rule, _ in CHECKS} <= set(settings_of().used_layout.rules)


BAD_CARDS = {
    "wrong check digit": ("192000000000009", "V001"),
    "a 16-digit Mastercard": ("5555555555554444", "V001"),
    "a 12-digit AirPlus number": ("192000000004", "V001"),
    "another issuer": ("152000000000005", "V001"),
}


@pytest.mark.parametrize(("number", "rule"), BAD_CARDS.values(), ids=BAD_CARDS.keys())
def test_a_bad_card_is_refused_with_the_number_of_the_rule(number: str, rule: str) -> None:
    found = judge(SALE, context(card=CardNumber(number), settings=settings_of(mode="P")))
    assert [each.rule for each in found.refusals] == [rule]


def test_an_account_that_had_expired_is_refused() -> None:
    assert [each.rule for each in judge(with_txn(card_expiry="1225"), context()).refusals] == ["V002"]
