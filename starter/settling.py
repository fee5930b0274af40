"""When an installation has come to rest: no event and no supplier's order waits to be handed on, and what still runs waits for
a person."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sqlalchemy.exc import OperationalError
from temporalio.client import Client
from temporalio.service import RPCError

from domain.payment_sync import State
from store import Store

WORKING = (
    "ActivateIntegration",
    "ResendBooking",
    "CreateBooking",
    "ModifyBooking",
    "CancelBooking",
    "RefundBooking",
    "RecordPayment",
    "FollowDispute",
    "FollowSupplier",
    "TransferOrder",
    "ExportTamara",
)
"""Workflow types that end when their work is done; mailboxes live on."""

QUERY = (
    "ExecutionStatus = 'Running' AND WorkflowType IN ("
    + ", ".join(f"'{name}'" for name in WORKING)
    + ") AND (SyncState IS NULL OR SyncState != 'synced_manual')"
)
"""A payment that a person marked has come to rest: it stays to be undone for a month (payment-sync 29)."""


async def at_rest(store: Store, client: Client, *, within: float, say: Callable[[str], None] = lambda _: None) -> bool:
    """Wait until everything is done or parked, twice in a row; False when that took longer than `within` seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    quiet, last = 0, ""
    while quiet < 3:
        if loop.time() > end:
            return False
        try:
            waiting, working, parked = await _look(store, client)
        except OperationalError:  # the database is being started again; whoever waits for rest can wait for that
            quiet, last = 0, "the store does not answer"
            await asyncio.sleep(1.0)
            continue
        quiet = quiet + 1 if waiting == 0 and working <= parked else 0
        line = f"{waiting} events to hand on, {working} lifecycles at work, {parked} waiting for a person"
        if line != last and not quiet:
            say(line)
        last = line
        await asyncio.sleep(1.0)
    return True


def _waiting_for_a_person(store: Store) -> set[str]:
    """Workflows with an item of their own, and payments behind the one item of their connector."""
    waiting: set[str] = set()
    for item in store.parked.list(limit=10_000):
        _, _, connector = item.verb.partition("connector.")
        if connector:
            behind = store.connectors.waiting(item.agency, connector, (State.UNSYNCED,), 10_000)
            waiting |= {each.workflow_id for each in behind}
        elif item.workflow_id:
            waiting.add(item.workflow_id)
    return waiting


async def _look(store: Store, client: Client) -> tuple[int, int, int]:
    counts = await asyncio.to_thread(store.inbox.counts)
    supplied = await asyncio.to_thread(
        lambda: store.supplier_orders.to_hand_over() + store.supplier_feeds.open_nudges()
    )
    parked = len(await asyncio.to_thread(_waiting_for_a_person, store))
    try:
        working = (await client.count_workflows(QUERY)).count
    except RPCError:  # visibility is rate-limited; ask again in a second
        working = parked + 1
    return counts["waiting"] + supplied, working, parked
