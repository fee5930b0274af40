"""`bookings deal`, the dispatcher of deals and the page that customers come back to."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from domain.deal_steps import DealCommand, DealRead
from domain.deals import DealSaid
from domain.money import Money
from starter.commands.deals import order_deal
from starter.deals import DealDispatcher
from store import Store
from store.deal_hooks import DealHook
from store.payment_request_records import IssuedDocument, Link
from tests.starter.test_command_line import bookings, one_line, settings, store
from tests.workflows.conftest import dev_server, office
from tests.workflows.crm import Crm, until
from tests.workflows.office import Office, working

__all__ = ["bookings", "dev_server", "office", "settings", "store"]

WHEN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
EUR = Money(amount=30000, currency="EUR")


def asked(store: Store, deal: int = 500, state: str = "awaiting_payment") -> Link:
    said = DealSaid(name="Ana Prueba", amount=EUR, description="Lisboa", email="ana@example.test")
    revision, _ = store.payment_requests.ask("demo", deal, said)
    store.payment_requests.moved("demo", deal, state, revision, 33)  # type: ignore[arg-type]
    store.payment_requests.document_issued(
        "demo", IssuedDocument(deal, revision, f"pf:{deal}", 300, "u-1", "300001", "", EUR, None, None, WHEN)
    )
    return store.payment_pages.made(
        "demo", deal, revision, 1, "https://pay.example/1", "secret-1", EUR, WHEN + timedelta(hours=72)
    )


@pytest.fixture
def with_easycount(settings: Path) -> Path:
    section = """
        [agencies.demo.easycount]
        url = "http://127.0.0.1:1"
        api_key = "5555"
        developer_email = "dev@example.test"
        success_url = "https://agency.example/thanks"
    """
    settings.write_text(settings.read_text("utf-8") + section, "utf-8")
    return settings


def test_deals_are_listed_and_shown_without_their_people(bookings: Any, store: Store) -> None:
    asked(store)
    listed = bookings("deal", "list", "--json")
    (row,) = json.loads(listed.out)
    assert (row["deal"], row["state"], row["asked"], row["documents"]) == (
        500,
        "awaiting_payment",
        "300.00 EUR",
        "300001",
    )
    shown = bookings("deal", "show", "demo", "500")
    assert "300001" in shown.out
    assert "open" in shown.out
    assert "Ana" not in listed.out + shown.out
    assert "secret-1" not in listed.out + shown.out + bookings("deal", "show", "demo", "500", "--json").out


def test_a_deal_that_nobody_asked_for_says_how_to_ask(bookings: Any) -> None:
    told = bookings("deal", "show", "demo", "501")
    one_line(told, "bookings deal request demo 501")


def test_an_agency_without_easycount_is_told_how_to_begin(bookings: Any) -> None:
    told = bookings("deal", "request", "demo", "501", "--by", "Ana")
    one_line(told, "bookings integration request demo --system easycount")


def test_an_amount_that_is_none_is_refused(bookings: Any, with_easycount: Path) -> None:
    wish = ("--by", "Ana", "--why", "as agreed with them", "--reference", "re_1", "--amount", "12.345")
    told = bookings("deal", "refund", "demo", "500", *wish)
    one_line(told, "'12.345' is no amount")


def test_a_customer_who_comes_back_is_thanked_and_proves_nothing(gateway: httpx.Client, store: Store) -> None:
    link = asked(store)
    assert gateway.get(f"/paid/{link.token}").status_code == 200
    assert gateway.get("/paid/" + "A" * 26).status_code == 404
    assert gateway.get("/paid/../x").status_code == 404
    assert store.payment_requests.payments("demo", 500) == []


async def test_hints_of_one_deal_are_handed_over_together_and_stay_while_temporal_is_away(
    dev_server: Client, office: Office, store: Store
) -> None:
    crm = Crm(office)
    hooks = [DealHook("demo", "kommo", crm.deal, "status", f"f{number}") for number in range(3)]
    hooks.append(
        DealHook(
            "demo", "kommo", crm.deal, "salesbot", "f9", return_url="https://x.kommo.com/api/v4/salesbot/1/continue/2"
        )
    )
    store.deal_hooks.take_in(hooks)

    async def away() -> Client:
        raise RuntimeError("no Temporal")

    with pytest.raises(RuntimeError):
        await DealDispatcher(store, away).sweep()
    assert len(store.deal_hooks.waiting(10)) == 4

    async def there() -> Client:
        return dev_server

    async with working(dev_server, office):
        assert await DealDispatcher(store, there).sweep() == 4
        await until(lambda: office.count("crm.answer_bot") == 1)
        await dev_server.get_workflow_handle(f"deal/demo/{crm.deal}").terminate()
    assert store.deal_hooks.waiting(10) == []
    assert office.of("crm.read_deal")[0].wanted
    assert office.of("crm.answer_bot")[0].status == "created"


async def test_an_order_reaches_a_deal_whose_workflow_has_ended(dev_server: Client, office: Office) -> None:
    crm = Crm(office)
    crm.read = DealRead(asks=True, faults=("the customer's name is missing",))
    async with working(dev_server, office):
        for number in range(2):
            command = DealCommand(key=f"k{number}", order="request", by="Ana")
            assert await order_deal(dev_server, "demo", crm.deal, command) == "request: accepted"
            await dev_server.get_workflow_handle(f"deal/demo/{crm.deal}").result()
    assert sum(read.wanted for read in office.of("crm.read_deal")) == 2
