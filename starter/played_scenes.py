"""The scenes after the demo's season: an outage leaves payments unsynchronised, and a person settles them one by one."""

from __future__ import annotations

import asyncio

import httpx
from temporalio.client import Client

from domain.payment_sync import TERMINAL, State
from starter import demo as stage
from starter.answers import as_table
from starter.demo import AGENCY, DemoState, Sandbox
from starter.desk.acting import BackOffice
from starter.played_desk import PlayedDesk, Say
from starter.settling import at_rest
from store import Store
from store.installation import Installation

STOPPED_SECONDS = 300.0
DESK_SECONDS = 600.0
REST_SECONDS = 300.0
CARD_PAYMENTS = 3
SETTLED = TERMINAL | {State.REFUND_REQUESTED}


async def play_scenes(
    installation: Installation, store: Store, client: Client, sandbox: Sandbox, state: DemoState, pace: float, say: Say
) -> bool:
    """Every scene with the person's work between them; False when one of them did not end as it should."""

    async def connected() -> Client:
        return client

    async def scene(name: str) -> bool:
        return await stage.run_to_end(stage.season_command(sandbox, state, pace, name)) == 0

    desk = PlayedDesk(BackOffice(installation, store, connected), AGENCY, say)
    well = await scene("sold")
    # What is still on its way when GIAV goes would hold back what is paid next.
    well &= await at_rest(store, client, within=REST_SECONDS, say=say)
    well &= await scene("unsynchronised")
    stopped = await desk.waiting(CARD_PAYMENTS, STOPPED_SECONDS)
    bookings = sorted({each.booking_id for each in stopped})
    well &= await scene("repaired") and len(stopped) == CARD_PAYMENTS

    async def settled() -> bool:
        return await asyncio.to_thread(_all_stand, store, bookings)

    well &= await desk.clear_the_list(settled, DESK_SECONDS)
    for _ in desk.refunding:
        well &= await scene("given-back")
    for booking in bookings:
        if await asyncio.to_thread(store.facts.plan, AGENCY, booking) is not None:
            say(f"{booking}: {await desk.charge_next(booking) or 'nothing is open any more'}")
    well &= await at_rest(store, client, within=REST_SECONDS, say=say)
    await asyncio.to_thread(_show, store, sandbox, bookings)
    return well and await scene("closing")


def _all_stand(store: Store, bookings: list[str]) -> bool:
    """Whether every payment of these bookings has come to its end, or waits for the processor only."""
    paid = [each for booking in bookings for each in store.facts.payments_of(AGENCY, booking)]
    known = [store.payment_sync.get(AGENCY, each.id) for each in paid]
    return all(found is not None and found.sync.state in SETTLED for found in known)


def _show(store: Store, sandbox: Sandbox, bookings: list[str]) -> None:
    rows = []
    for booking in bookings:
        for paid in store.facts.payments_of(AGENCY, booking):
            found = store.payment_sync.get(AGENCY, paid.id)
            way = " → ".join(line.after.value for line in store.payment_sync.transitions(AGENCY, paid.id))
            rows.append((booking, paid.id, paid.method, str(paid.amount), found.sync.state.value if found else "", way))
    as_table("Payments that people settled", ("booking", "payment", "method", "amount", "state", "way"), rows)
    letters = httpx.get(f"{sandbox.url('postbox')}/letters", timeout=10.0).json()
    as_table(
        "Letters to customers",
        ("to", "subject"),
        ((", ".join(map(_masked, each["to"])), each["subject"]) for each in letters),
    )


def _masked(address: str) -> str:
    """What a screen shows of a customer's address."""
    return f"{address[:1]}…@{address.rpartition('@')[2]}"
