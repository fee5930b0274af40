"""EasyCount's stand-in on a real socket, and a client of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import httpx
import pytest

from activities.easycount.client import EasyCountClient
from activities.easycount.settings import EasyCountSettings
from activities.easycount.wire import DocumentRequest, Item, Kind, PaidBy
from domain.money import Money
from sandbox.easycount.stand_in import API_KEY, EasyCountStandIn
from sandbox.running import running

DAY = date(2026, 11, 20)


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


def settings(url: str, **changes: Any) -> EasyCountSettings:
    known = {
        "url": url,
        "api_key": API_KEY,
        "developer_email": "dev@example.test",
        "success_url": "https://agency.example/thanks",
        "currency": "EUR",
        "calls_per_second": 50,
    }
    return EasyCountSettings.model_validate(known | changes)


def proforma(key: str = "pf:1", **changes: Any) -> DocumentRequest:
    known = {
        "kind": Kind.PROFORMA,
        "transaction_id": key,
        "customer_name": "Ana Prueba",
        "customer_email": "ana@example.test",
        "currency": "EUR",
        "items": (Item(details="Lisboa, 3 nights", price=eur(30000)),),
    }
    return DocumentRequest.model_validate(known | changes)


def receipt_invoice(key: str = "in:1", amount: int = 30000, **changes: Any) -> DocumentRequest:
    known = {
        "kind": Kind.INVOICE_RECEIPT,
        "items": (Item(details="Lisboa", price=eur(amount)),),
        "paid": (PaidBy(amount=eur(amount), on=DAY, last4="4580", authorisation="00007001"),),
    }
    return proforma(key, **(known | changes))


@pytest.fixture(scope="module")
def listening() -> Iterator[tuple[EasyCountStandIn, str]]:
    stand_in = EasyCountStandIn()
    with running(stand_in) as url:
        yield stand_in, url


@pytest.fixture
def stand_in(listening: tuple[EasyCountStandIn, str]) -> EasyCountStandIn:
    """Empty and without faults."""
    stand_in, _ = listening
    stand_in.faults.clear()
    stand_in.calls.clear()
    stand_in.forget()
    return stand_in


@pytest.fixture
def url(listening: tuple[EasyCountStandIn, str]) -> str:
    return listening[1]


@pytest.fixture
def client(stand_in: EasyCountStandIn, url: str) -> Iterator[EasyCountClient]:
    made = EasyCountClient(settings(url))
    yield made
    made.close()


@pytest.fixture
def account(url: str) -> Callable[..., None]:
    """Change what the account can."""

    def change(**wish: Any) -> None:
        httpx.post(f"{url}/control/account", json=wish).raise_for_status()

    return change
