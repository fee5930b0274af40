"""How a deal is asked for: page, document, letter, deal; what it lacks is said, what is over is taken back (contracts: kommo 5)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import (
        EASYCOUNT_ISSUE_DOCUMENT,
        EASYCOUNT_MAKE_LINK,
        EASYCOUNT_WITHDRAW,
        OFFICE_MAIL_REQUEST,
    )
    from domain.deal_steps import DealRead, RequestStep
    from domain.deals import OPEN
    from domain.money import Money
    from workflows.stepping import FORWARD

if TYPE_CHECKING:
    from workflows.request_payment import RequestPayment


class DealAsking:
    """Nothing is issued for a deal that lacks something, and nothing twice for one that says the same."""

    def __init__(self, deal: RequestPayment) -> None:
        self._deal = deal

    async def ask(self, told: DealRead) -> None:
        """Page, document, letter, deal. The page is first: the document names it, and what an account cannot do is known before
        a document is issued."""
        assert self._deal.standing is not None
        if self._deal.state not in OPEN or self._deal.stage is None:
            # Where an open request left the deal counts on: who finds it elsewhere leaves it there.
            self._deal.stage = told.stage
        self._deal.standing = self._deal.standing.model_copy(
            update={"revision": told.revision, "amount": told.amount, "booking_id": told.booking_id}
        )
        self._deal.become("creating", "creating")
        step = RequestStep(**self._deal.own_step().model_dump(), revision=told.revision)
        page = await self._deal.step(
            EASYCOUNT_MAKE_LINK, step, about="make the page", amount=told.amount, decisions=("retry", "skip")
        )
        issued = None
        if page is not None:
            issued = await self._deal.step(
                EASYCOUNT_ISSUE_DOCUMENT, step, about="issue the document", amount=told.amount, decisions=FORWARD
            )
        if page is None or issued is None:
            self._deal.become("failed", f"given-up:{told.revision}", "No payment was asked for: a person left it out.")
            return
        self._note(issued)
        self._deal.standing = self._deal.standing.model_copy(
            update={
                "links": (*(x for x in self._deal.standing.links if x.number != page.number), page),
                "issued": (*self._deal.standing.issued, told.revision),
            }
        )
        self._deal.become(
            "awaiting_payment",
            f"asked:{told.revision}",
            f"Payment of {told.amount} asked for; document {issued.ids.get('document', '')}.",
            move_to="waiting",
        )
        await self._deal.step(OFFICE_MAIL_REQUEST, step, about="write to the customer", decisions=FORWARD)

    async def ask_for_the_rest(self, rest: Money) -> None:
        """A page of its own for what is missing of the present revision."""
        assert self._deal.standing is not None
        ordinal = 1 + sum(link.revision == self._deal.standing.revision for link in self._deal.standing.links)
        step = RequestStep(
            **self._deal.own_step().model_dump(), revision=self._deal.standing.revision, ordinal=ordinal, amount=rest
        )
        page = await self._deal.step(
            EASYCOUNT_MAKE_LINK, step, about="a page for the rest", amount=rest, decisions=FORWARD
        )
        if page is None:
            return
        self._deal.standing = self._deal.standing.model_copy(update={"links": (*self._deal.standing.links, page)})
        self._deal.become("awaiting_payment", f"rest:{page.number}", f"The rest of {rest} is asked for.")
        await self._deal.step(OFFICE_MAIL_REQUEST, step, about="write to the customer", decisions=FORWARD)

    def fail(self, told: DealRead) -> None:
        """Note and task; nothing is issued. What is asked for already stays as it is."""
        self._deal.stage = told.stage
        words = "No payment can be asked for: " + "; ".join(told.faults) + "."
        mark = f"missing:{hashlib.sha256(words.encode()).hexdigest()[:8]}"
        self._deal.become(self._deal.base if self._deal.state in OPEN else "failed", mark, words, task=True)

    async def withdraw(self, stage: int | None, why: str) -> None:
        assert self._deal.standing is not None
        self._deal.stage = stage if stage is not None else self._deal.stage
        step = RequestStep(**self._deal.own_step().model_dump(), revision=self._deal.standing.revision)
        if self._deal.standing.revision in self._deal.standing.issued:
            await self._deal.step(EASYCOUNT_WITHDRAW, step, about="credit what was invoiced", decisions=FORWARD)
        words = f"The request was cancelled: {why}."
        self._deal.become(
            "cancelled", f"cancelled:{self._deal.standing.revision}:{len(self._deal.standing.payments)}", words
        )

    def _note(self, done: object) -> None:
        if getattr(done, "outcome", "done") == "partial":
            self._deal.notes.append(getattr(done, "note", ""))
