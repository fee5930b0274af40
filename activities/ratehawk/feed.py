"""Reads RateHawk's changes page by page, and hands over what changed (contracts: midoffice 2.7, 2.9, 3.4).

Nothing is judged here: an order is compared by its content, kept, and given to its one writer, which is the mailbox of
its booking, or a workflow of its own where no booking claims it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from temporalio.client import Client

from activities.ratehawk.client import PAGE
from activities.ratehawk.orders import UnusableOrder, read_order
from activities.ratehawk.settings import RateHawkAccount
from domain import naming
from domain.desk import item_id
from domain.mailbox import BookingState
from domain.notices import EventNotice
from domain.supplier import RATEHAWK, SupplierOrder
from domain.supplier_steps import FeedPage, FeedStep, HandedOver, OrderState, SupplierOrderStep
from store import Store
from store.parked import StoreParking
from store.supplier_orders import Pending

VERB = "ratehawk.read_page"
BATCH = 100
"""Orders handed over in one go."""
SETTLED = timedelta(seconds=90)
"""How much of the newest past is read again by every sweep besides the overlap, since `from_date` counts in minutes."""


class Feed:
    """One agency's orders at RateHawk on their way into the house."""

    def __init__(self, store: Store, agency: str, account: RateHawkAccount, now: Callable[[], datetime]) -> None:
        self._store = store
        self._agency = agency
        self._client = account.client
        self._settings = account.settings
        self._now = now

    def read_page(self, step: FeedStep) -> FeedPage:
        """One page of what changed since the last sweep; an unchanged page costs one call and no write of orders."""
        since = step.since or self._begin()
        page = self._client.changed_orders(since, step.page)
        orders, refused = self.understood(page.orders)
        changed = self._store.supplier_orders.record(self._agency, RATEHAWK, orders)
        newest = step.newest
        if step.page == 1:
            # What changes while pages are turned belongs to the next sweep.
            newest = max((order.modified_at for order in orders), default=None)
        last = step.page >= page.pages or not page.orders
        self._store.supplier_feeds.page_read(
            self._agency, RATEHAWK, orders=len(page.orders), changed=changed, swept_to=newest, last=last
        )
        return FeedPage(
            next_page=None if last else step.page + 1,
            since=since,
            newest=newest,
            seen=len(page.orders),
            changed=changed,
            refused=refused,
        )

    def read_nudged(self) -> FeedPage:
        """The orders that webhooks named, each read once however often it was named.

        `changed` counts whatever is still to be handed over, because an attempt that died has closed its nudges.
        """
        began = self._now()
        feeds = self._store.supplier_feeds
        wanted = feeds.due_nudges(self._agency, RATEHAWK, PAGE)
        if not wanted:
            return FeedPage(changed=self._unhandled(), again=feeds.next_nudge_at(self._agency, RATEHAWK))
        page = self._client.orders(wanted)
        orders, refused = self.understood(page.orders)
        self._store.supplier_orders.record(self._agency, RATEHAWK, orders)
        found = {str((raw.get("partner_data") or {}).get("order_id")) for raw in page.orders} & set(wanted)
        feeds.nudged(self._agency, RATEHAWK, found, set(wanted) - found, before=began)
        again = feeds.next_nudge_at(self._agency, RATEHAWK)
        more = again is not None and again <= self._now()
        return FeedPage(
            next_page=1 if more else None,
            seen=len(page.orders),
            changed=self._unhandled(),
            refused=refused,
            again=again,
        )

    def _unhandled(self) -> int:
        return self._store.supplier_orders.unhandled(self._agency, RATEHAWK)

    def understood(self, raws: Sequence[Mapping[str, Any]]) -> tuple[list[SupplierOrder], int]:
        """The orders of a page that can be used; every other one is on the list with the field that is wrong."""
        orders: dict[int, SupplierOrder] = {}
        refused = 0
        for raw in raws:
            try:
                order = read_order(raw)
            except UnusableOrder as unusable:
                refused += 1
                self._list(unusable, str(raw.get("modified_at")))
                continue
            if self._settings.agreements and order.agreement not in self._settings.agreements:
                continue
            orders[order.order_id] = order
        return list(orders.values()), refused

    def _list(self, unusable: UnusableOrder, version: str) -> None:
        self._store.parked.open_from_store(
            StoreParking(
                item_id=item_id("unusable_order", self._agency, str(unusable.order_id), unusable.path, version),
                agency=self._agency,
                reason="unusable_order",
                detail=f"RateHawk's order {unusable.order_id or '(without a number)'} was not taken in: {unusable}",
                verb=VERB,
                decisions=("skip",),
            )
        )

    def _begin(self) -> datetime:
        known = self._store.supplier_feeds.get(self._agency, RATEHAWK)
        if known is None or known.watermark is None:
            return self._now() - timedelta(days=self._settings.first_days)
        return known.watermark - timedelta(minutes=self._settings.overlap_minutes) - SETTLED

    async def hand_over(self, client: Client) -> HandedOver:
        """Give every changed order to its writer. Repeating it repeats signals, which count once."""
        to_bookings = alone = left = after = 0
        while True:
            batch = await asyncio.to_thread(self._store.supplier_orders.pending, self._agency, RATEHAWK, BATCH, after)
            for pending in batch:
                if pending.booking_id is not None:
                    to_bookings += await self._tell_booking(client, pending, pending.booking_id)
                elif self._may_still_be_claimed(pending):
                    left += 1
                else:
                    alone += await self._on_its_own(client, pending)
            if len(batch) < BATCH:
                return HandedOver(to_bookings=to_bookings, on_their_own=alone, left=left)
            after = batch[-1].order.order_id

    def _may_still_be_claimed(self, pending: Pending) -> bool:
        """The platform's event may be on its way; an order that was treated as nobody's before stays so."""
        patience = timedelta(minutes=self._settings.claim_minutes)
        return pending.state == "new" and self._now() < pending.first_seen_at + patience

    async def _tell_booking(self, client: Client, pending: Pending, booking_id: str) -> int:
        notice = await asyncio.to_thread(self._notice, pending, booking_id)
        if notice is None:
            # The snapshot that names the order is older than the read model of bookings: it comes back by itself.
            return 0
        await client.start_workflow(
            "Booking",
            BookingState(agency=self._agency, booking_id=booking_id),
            id=notice.workflow_id,
            task_queue=naming.Queue.WORKFLOWS,
            start_signal="deliver",
            start_signal_args=[notice],
            static_summary=f"Booking {booking_id} of {self._agency}",
        )
        await self._handled(pending, "booking", booking_id)
        return 1

    def _notice(self, pending: Pending, booking_id: str) -> EventNotice | None:
        booking = self._store.facts.booking(self._agency, booking_id)
        if booking is None:
            return None
        order = pending.order
        fact = f"{RATEHAWK}:{order.order_id}@{pending.revision}"
        return EventNotice(
            agency=self._agency,
            event_id=fact,
            kind="supplier.order_changed",
            aggregate_id=str(order.order_id),
            revision=pending.revision,
            fact_id=fact,
            occurred_at=order.modified_at,
            booking_id=booking_id,
            experience_id=booking.experience_id,
            amount=order.payable,
        )

    async def _on_its_own(self, client: Client, pending: Pending) -> int:
        order = pending.order
        why = self._why_not(order)
        if why is not None:
            await self._handled(pending, "listed", reason=why)
            return 0
        await client.start_workflow(
            "TransferOrder",
            OrderState(step=self._own_order(order), partner_order_id=order.partner_order_id),
            id=naming.supplier_order(self._agency, RATEHAWK, order.order_id),
            task_queue=naming.Queue.WORKFLOWS,
            start_signal="changed",
            start_signal_args=[pending.revision],
            static_summary=f"Order {order.order_id} of {self._agency}, made without the platform",
        )
        await self._handled(pending, "own", reason="no booking of the platform claims it")
        return 1

    def _own_order(self, order: SupplierOrder) -> SupplierOrderStep:
        return SupplierOrderStep(
            agency=self._agency,
            supplier=RATEHAWK,
            order_id=order.order_id,
            supplier_code=min(self._settings.suppliers),
            selling_model=self._settings.own_selling_model,
            tax_scheme=self._settings.own_tax_scheme,
        )

    def _why_not(self, order: SupplierOrder) -> str | None:
        if order.kind == "upsell":
            return "an upsell belongs to its hotel order"
        if self._settings.own_orders == "list":
            return "no booking of the platform claims it, and the settings say that such orders are only listed"
        return None

    async def _handled(self, pending: Pending, state: Any, booking_id: str | None = None, reason: str = "") -> None:
        await asyncio.to_thread(
            self._store.supplier_orders.handled,
            self._agency,
            RATEHAWK,
            pending.order.order_id,
            pending.revision,
            state,
            booking_id=booking_id,
            reason=reason,
        )


def found_among(orders: Iterable[SupplierOrder], partner_order_id: str) -> SupplierOrder | None:
    """The newest order with this id of ours."""
    fitting = [order for order in orders if order.partner_order_id == partner_order_id]
    return max(fitting, key=lambda order: order.order_id, default=None)
