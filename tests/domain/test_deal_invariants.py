"""K1: each way in which a deal and its documents can disagree is found, and agreement is not."""

from __future__ import annotations

from typing import Any

import pytest

from domain.books import Books, DealBooks, DealDocument, DealPage
from domain.invariants.deals import RULES

PROFORMA = DealDocument(number="300/1", type=300, total=30000)
RECEIPT = DealDocument(number="320/1", type=320, total=30000)
CREDIT = DealDocument(number="330/1", type=330, total=30000)
BACK = DealDocument(number="400/1", type=400, total=-30000)
OPEN, PAID = DealPage(url="u", amount=30000, paid=False), DealPage(url="u", amount=30000, paid=True)


def deal(status: str, documents: tuple[DealDocument, ...], page: DealPage = PAID, **more: Any) -> DealBooks:
    known = {"deal_id": 1, "status": status, "asked": 30000, "link": "u", "number": "1"}
    return DealBooks.model_validate({**known, "documents": documents, "pages": (page,), **more})


def found(*deals: DealBooks, strays: tuple[str, ...] = ()) -> list[str]:
    books = Books(agency="demo", deals=deals, stray_documents=strays)
    return [violation.found for rule in RULES for violation in rule.check(books)]


@pytest.mark.covers("K1")
def test_deals_whose_documents_agree_are_in_order() -> None:
    assert (
        found(
            deal("awaiting_payment", (PROFORMA,), OPEN),
            deal("paid", (PROFORMA, RECEIPT)),
            deal("refunded", (PROFORMA, RECEIPT, CREDIT, BACK)),
            deal("cancelled", (PROFORMA,), OPEN),
        )
        == []
    )


@pytest.mark.covers("K1")
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (deal("awaiting_payment", (PROFORMA,), OPEN, link="other"), "no page"),
        (deal("awaiting_payment", (PROFORMA,), OPEN.model_copy(update={"amount": 1})), "links to a page of 1"),
        (deal("awaiting_payment", (PROFORMA, RECEIPT)), "still waits"),
        (deal("paid", (PROFORMA,)), "shows 'paid' and has receipts of 0"),
        (deal("cancelled", (PROFORMA, RECEIPT)), "shows 'cancelled'"),
        (deal("refunded", (PROFORMA, RECEIPT)), "shows 'refunded'"),
        (deal("paid", (PROFORMA, RECEIPT), asked=40000), "documents ask for [30000]"),
        (deal("paid", (PROFORMA, PROFORMA, RECEIPT)), "there twice"),
        (deal("refunded", (PROFORMA, RECEIPT, BACK)), "credits of 0"),
    ],
)
def test_each_disagreement_is_found(wrong: DealBooks, words: str) -> None:
    assert any(words in each for each in found(wrong)), found(wrong)


@pytest.mark.covers("K1")
def test_a_document_of_no_deal_is_found_and_a_deal_that_waits_is_left_alone() -> None:
    assert found(strays=("300/9",)) == ["belongs to no deal"]
    assert found(deal("paid", (PROFORMA,), waiting=1)) == []
