"""Looking at a deal's pages: nobody tells us that one was paid (contracts: easycount 3)."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import EASYCOUNT_CHECK_LINKS
    from domain.deal_steps import LinksStep
    from domain.deals import next_look

if TYPE_CHECKING:
    from workflows.request_payment import RequestPayment


class DealPages:
    """Soon after a page was made, then hourly to its end and once a day later; and whenever somebody wants it."""

    def __init__(self, deal: RequestPayment) -> None:
        self._deal = deal
        self.wanted = False
        self._looking = False
        self._looked_at = workflow.now()

    @property
    def is_busy(self) -> bool:
        return self._looking or self.wanted

    def next_look(self) -> datetime | None:
        """When the next page is due; None when no page is looked at any more."""
        standing = self._deal.standing
        links = standing.links if standing is not None else ()
        due = [next_look(x.made_at, x.expires_at, self._looked_at) for x in links if not x.paid]
        return min((moment for moment in due if moment is not None), default=None)

    async def watch(self) -> None:
        while True:
            due = self.next_look()
            left = None if due is None else max(timedelta(0), due - workflow.now())
            with contextlib.suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda due=due: self.wanted or self.next_look() != due,  # type: ignore[misc]
                    timeout=left,
                    timeout_summary="until the pages are looked at",
                )
            due = self.next_look()
            if self.wanted or (due is not None and due <= workflow.now()):
                await self._look_at_pages()

    async def _look_at_pages(self) -> None:
        # What a customer tells us while we ask may be newer than the answer.
        self.wanted, self._looking = False, True
        deal = self._deal
        moment = workflow.now()
        step = LinksStep(**deal.own_step().model_dump(), cancelled=deal.state == "cancelled")
        seen = await deal.step(EASYCOUNT_CHECK_LINKS, step, about="was it paid", decisions=("retry",))
        assert seen is not None
        self._looked_at = moment
        deal.saw(seen)
        self._looking = False
        newest = seen.links[-1] if seen.links else None
        if deal.state == "awaiting_payment" and newest and not newest.paid and moment >= newest.expires_at:
            words = "The payment page has expired unpaid. Whoever pays all the same is noticed; to ask again, use the button."
            assert deal.standing is not None
            deal.become("failed", f"expired:{deal.standing.revision}:{len(seen.links)}", words, task=True)
