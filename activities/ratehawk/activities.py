"""RateHawk's column of the verbs × systems table (contracts: midoffice 2; money-rules 4.3, 4.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.client import Client

from activities.effects import Effects
from activities.failures import implements, implements_async
from activities.ratehawk.cancelling import Cancelling, left_to_people
from activities.ratehawk.feed import Feed
from activities.ratehawk.judging import Judge
from activities.ratehawk.settings import RateHawkAccount
from activities.ratehawk.wire import SYSTEM
from activities.signatures import (
    RATEHAWK_ACCEPT_COST,
    RATEHAWK_CANCEL_ORDER,
    RATEHAWK_CONFIRM_ORDER,
    RATEHAWK_HAND_OVER,
    RATEHAWK_JUDGE_ORDER,
    RATEHAWK_PLAN_ORDERS,
    RATEHAWK_READ_NUDGED,
    RATEHAWK_READ_PAGE,
    RATEHAWK_WEIGH_CHARGE,
)
from domain.errors import NeedsPerson
from domain.steps import BookingStep, Done
from domain.supplier_steps import (
    ChargeStep,
    FeedPage,
    FeedStep,
    HandedOver,
    OrderCancelled,
    OrderStep,
    OrderVerdict,
    SupplierPlan,
    SupplierStep,
)
from store import Store


def _utc_now() -> datetime:
    return datetime.now(UTC)


class RateHawkActivities:
    """`accounts` holds the line of every agency that has RateHawk; `client` is Temporal's, for the orders' writers."""

    def __init__(
        self,
        store: Store,
        accounts: Mapping[str, RateHawkAccount],
        client: Client | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._client = client
        self._effects = Effects(store.effects)
        self._now = now

    @implements(RATEHAWK_READ_PAGE)
    def read_page(self, step: FeedStep) -> FeedPage:
        """One page of what changed since the last sweep."""
        return self._feed(step.agency).read_page(step)

    @implements(RATEHAWK_READ_NUDGED)
    def read_nudged(self, step: FeedStep) -> FeedPage:
        """The orders that webhooks named; no call where none did."""
        return self._feed(step.agency).read_nudged()

    @implements_async(RATEHAWK_HAND_OVER)
    async def hand_over(self, step: FeedStep) -> HandedOver:
        """Give every changed order to its one writer."""
        assert self._client is not None
        feed = await asyncio.to_thread(self._feed, step.agency)
        return await feed.hand_over(self._client)

    @implements(RATEHAWK_JUDGE_ORDER)
    def judge_order(self, step: SupplierStep) -> OrderVerdict:
        """What a changed order means for its booking."""
        return self._judge(step.agency).judge(step)

    @implements(RATEHAWK_ACCEPT_COST)
    def accept_cost(self, step: SupplierStep) -> Done:
        """A person says that the supplier's amount counts."""
        self._judge(step.agency).accept(step)
        return Done()

    @implements(RATEHAWK_PLAN_ORDERS)
    def plan_orders(self, step: BookingStep) -> SupplierPlan:
        """Which orders a snapshot wants, and which not any more; an agency without RateHawk cancels them itself."""
        if step.agency not in self._accounts:
            return left_to_people(self._store, step)
        return self._cancelling(step.agency).plan(step)

    @implements(RATEHAWK_CONFIRM_ORDER)
    def confirm_order(self, step: OrderStep) -> Done:
        """The new order stands; until then nothing is cancelled."""
        return self._cancelling(step.agency).confirm(step, self._waited())

    @implements(RATEHAWK_CANCEL_ORDER)
    def cancel_order(self, step: OrderStep) -> OrderCancelled:
        """Cancel an order, once."""
        return self._cancelling(step.agency).cancel(step, self._waited())

    @implements(RATEHAWK_WEIGH_CHARGE)
    def weigh_charge(self, step: ChargeStep) -> Done:
        """Hold the supplier's charges against the payer's penalty."""
        return self._cancelling(step.agency).weigh(step)

    def _waited(self) -> timedelta:
        """Since this step was first asked for."""
        return self._now() - activity.info().scheduled_time if activity.in_activity() else timedelta()

    def _account(self, agency: str) -> RateHawkAccount:
        account = self._accounts.get(agency)
        if account is None:
            raise NeedsPerson(f"agency {agency} has no RateHawk in its settings", system=SYSTEM)
        return account

    def _feed(self, agency: str) -> Feed:
        return Feed(self._store, agency, self._account(agency), self._now)

    def _judge(self, agency: str) -> Judge:
        return Judge(self._store, self._account(agency).settings)

    def _cancelling(self, agency: str) -> Cancelling:
        account = self._account(agency)
        return Cancelling(self._store, self._effects, agency, account, self._feed(agency), self._now)
