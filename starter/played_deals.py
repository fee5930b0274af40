"""The scene of the demo's CRM: a deal is won, its customer pays on EasyCount's page, and later gets a part back (contracts: kommo 5;
easycount 4; money-rules K1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
from temporalio.client import Client

from domain.deal_steps import DealCommand
from domain.deals import RequestState
from domain.money import Money
from starter.answers import as_table
from starter.commands.deals import order_deal
from starter.demo import AGENCY, Sandbox
from store import Store
from store.payment_request_records import Request

Say = Callable[[str], None]

SECONDS = 300.0
"""For a deal to come from one state to the next; each takes a second or two where nothing else is at work."""
PRICE = 420
CUSTOMER = {"name": "Lola Cano Prat", "email": "lola.cano@correo.example", "phone": "+34 600 11 22 33"}
BACK = Money(amount=120_00, currency="EUR")
REST = Money(amount=300_00, currency="EUR")


async def play_deal(trigger: int, store: Store, client: Client, sandbox: Sandbox, say: Say) -> bool:
    """The scene, once in a demo's life; `trigger` is the stage in which money is asked for. False when it did not end well."""
    if await asyncio.to_thread(store.payment_requests.list, AGENCY):
        say("Deals: played before")
        return True
    async with httpx.AsyncClient(timeout=10.0, trust_env=False) as browser:
        deal = await _won(browser, sandbox.url("kommo"), trigger)
        say(f"Deals: a customer accepts an offer of {PRICE} EUR; deal {deal} is won in the CRM")
        asked = await _until(store, deal, "awaiting_payment")
        if asked is None:
            say(f"Deals: nobody was asked for money within {SECONDS:.0f} s; see: bookings deal show {AGENCY} {deal}")
            return False
        link = [page for page in asked.links if not page.orphan][-1]
        say(f"Deals: document {asked.documents[-1].number} is out, and the deal shows the link {link.url}")
        # The browser comes back to our gateway; where it goes on is the agency's own page, which a demo has not.
        paying = await browser.post(link.url, params={"choice": "pay"})
        await browser.get(paying.headers["location"])
    paid = await _until(store, deal, "paid")
    if paid is None:
        say(f"Deals: the payment was not noticed within {SECONDS:.0f} s")
        return False
    say(f"Deals: the customer paid; {paid.documents[-1].number} is invoice and receipt, the deal says so")
    well = await _given_back(client, store, deal, BACK, "re_demo_1", "one excursion was called off")
    well = well and await _given_back(client, store, deal, REST, "re_demo_2", "and then the whole trip was")
    refunded = await _until(store, deal, "refunded") if well else None
    if refunded is None:
        say("Deals: the refund did not reach the deal")
        return False
    await asyncio.to_thread(_show, store, refunded)
    return True


async def _won(browser: httpx.AsyncClient, kommo: str, trigger: int) -> int:
    """A person makes the deal and drags it to the stage; Kommo tells us by its webhook."""
    wish: dict[str, Any] = {"name": "Lisboa, 3 noches, hotel y excursiones", "price": PRICE, "contact": CUSTOMER}
    made = await browser.post(f"{kommo}/control/leads", json=wish)
    deal = int(made.raise_for_status().json()["id"])
    (await browser.post(f"{kommo}/control/leads/{deal}", json={"status_id": trigger})).raise_for_status()
    return deal


async def _until(store: Store, deal: int, state: RequestState) -> Request | None:
    """The deal's request once it is there and nothing is on its way any more."""
    for _ in range(int(SECONDS * 2)):
        request = await asyncio.to_thread(store.payment_requests.get, AGENCY, deal)
        if request is not None and request.state == state:
            return request
        await asyncio.sleep(0.5)
    return None


async def _given_back(client: Client, store: Store, deal: int, amount: Money, reference: str, why: str) -> bool:
    """What a person does after the refund in EasyCount's back office."""
    command = DealCommand(key=reference, order="refund", by="demo", explanation=why, reference=reference, amount=amount)
    await order_deal(client, AGENCY, deal, command)
    for _ in range(int(SECONDS * 2)):
        request = await asyncio.to_thread(store.payment_requests.get, AGENCY, deal)
        if request is not None and any(each.reference == reference for each in request.refunds):
            return True
        await asyncio.sleep(0.5)
    return False


def _show(store: Store, request: Request) -> None:
    rows = [
        (each.type, each.number, str(each.amount), f"{each.issued_at:%Y-%m-%d %H:%M:%S}") for each in request.documents
    ]
    as_table(
        f"Deal {request.deal_id}: {request.state}", ("type", "number", "amount", "issued"), rows, right=("amount",)
    )
    owed = store.journal.balance(AGENCY, "5729", "easycount")
    as_table("Its clearing account", ("account", "balance"), [("5729 easycount", str(owed))])
