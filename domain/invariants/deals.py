"""Invariants between EasyCount and the CRM (contracts: money-rules 3, K1)."""

from __future__ import annotations

from collections.abc import Iterator

from domain.books import Books, DealBooks
from domain.invariants.declaring import Rules, Violation, When

RULES = Rules()

ASKING, RECEIPTS, CREDIT = (300, 305), (320, 400), 330
"""EasyCount's types: what asks for money, what says that it came (or went back), what takes an invoice back."""


@RULES.of_the_books(
    "K1", "every document belongs to one deal, whose amount it has, and one asks at a time", When.AT_REST
)
def _k1_documents(books: Books) -> Iterator[Violation]:
    yield from (Violation(number, "belongs to no deal") for number in books.stray_documents)
    for deal in books.deals:
        numbers = [document.number for document in deal.documents]
        if len(numbers) != len(set(numbers)):
            yield Violation(f"deal {deal.deal_id}", "a document is there twice")
        if deal.waiting or deal.gone or deal.asked is None:
            continue
        asking = [document.total for document in deal.documents if document.type in ASKING]
        if asking and deal.asked not in asking:
            yield Violation(f"deal {deal.deal_id}", f"shows {deal.asked}, documents ask for {asking}")


@RULES.of_the_books("K1", "a deal that waits for its customer shows a page of its amount", When.AT_REST)
def _k1_links(books: Books) -> Iterator[Violation]:
    for deal in books.deals:
        if deal.status != "awaiting_payment" or deal.waiting or deal.gone:
            continue
        page = next((page for page in deal.pages if page.url == deal.link), None)
        if page is None:
            yield Violation(f"deal {deal.deal_id}", "its link is no page of EasyCount")
        elif page.amount + _came(deal) != deal.asked:
            yield Violation(f"deal {deal.deal_id}", f"asks for {deal.asked} and links to a page of {page.amount}")


@RULES.of_the_books("K1", "what a deal shows is what its documents say", When.AT_REST)
def _k1_states(books: Books) -> Iterator[Violation]:
    for deal in books.deals:
        if deal.waiting or deal.gone:
            continue
        came, paid = _came(deal), sum(page.amount for page in deal.pages if page.paid)
        settled = {"paid": came > 0, "refunded": came == 0 and paid > 0, "cancelled": came == 0, "failed": came == 0}
        if not settled.get(deal.status, True):
            yield Violation(f"deal {deal.deal_id}", f"shows '{deal.status}' and has receipts of {came}")
        if deal.status == "awaiting_payment" and any(page.paid and page.url == deal.link for page in deal.pages):
            yield Violation(f"deal {deal.deal_id}", "its page is paid, and it still waits for the customer")
        credited = sum(document.total for document in deal.documents if document.type == CREDIT)
        back = -sum(document.total for document in deal.documents if document.type == 400 and document.total < 0)
        if back and credited != back:
            yield Violation(f"deal {deal.deal_id}", f"credits of {credited}, receipts of refunds of {back}")


def _came(deal: DealBooks) -> int:
    """What the receipts say, less what they say went back."""
    return sum(document.total for document in deal.documents if document.type in RECEIPTS)
