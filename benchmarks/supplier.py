"""A supplier's changed orders, from the bytes of a page to the mid-office's message, without any network.

Each is read, checked, compared with what was known, kept in SQLite with `synchronous=FULL`, turned into the canonical
record and encoded for MIDOCO. The floor is not another program but the promise: 50 orders a second on one core.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from activities.midoffice.accounts import MidOfficeAccount
from activities.midoffice.codec import Announce
from activities.midoffice.from_order import record_of
from activities.midoffice.midoco.codec import MidocoCodec
from activities.midoffice.midoco.settings import MidocoSettings
from activities.ratehawk.client import PAGE
from activities.ratehawk.orders import read_order
from benchmarks.results import Result
from domain.supplier import RATEHAWK
from sandbox.ratehawk.orders import Orders
from sandbox.shelf import Shelf
from store import Store

LEAST = 1.0
PROMISED = 50.0
"""Orders a second."""
SETTINGS = {
    "url": "http://127.0.0.1:9",
    "login": "nobody",
    "password": "none",
    "organisation_unit": "1000",
    "agency_no": "100200",
    "supplier_numbers": {"sup_rh": "RHK01"},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--orders", type=int, default=1000, metavar="N", help="changed orders (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="(default: %(default)s)")


def run(chosen: argparse.Namespace) -> Result:
    """Orders a second against the promise; in `raw` also what an unchanged order costs."""
    with on_one_core():
        rounds = [_round(chosen.orders) for _ in range(chosen.rounds)]
    changed, unchanged = [each[0] for each in rounds], [each[1] for each in rounds]
    floor = [PROMISED] * len(rounds)
    return Result.of("supplier", "orders/s", changed, floor, orders=chosen.orders, unchanged=unchanged)


@contextmanager
def on_one_core() -> Iterator[None]:
    """The promise is for one core, so that others of the machine do not help."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _round(number: int) -> tuple[float, float]:
    """Orders a second that changed, and that did not."""
    before, after = _pages(number)
    account = MidOfficeAccount.open(SETTINGS | {"kind": "midoco"})
    codec = MidocoCodec(MidocoSettings.model_validate(SETTINGS | {"kind": "midoco"}))
    with tempfile.TemporaryDirectory(prefix="bookings-bench-") as folder:
        store = Store.open(f"sqlite:///{Path(folder) / 'store.db'}")
        store.database.migrate()
        _kept(store, before)
        began = time.perf_counter()
        for page in after:
            orders = [read_order(raw) for raw in json.loads(page)]
            changed = store.supplier_orders.record("bench", RATEHAWK, orders)
            assert changed == len(orders)
            for order in orders:
                record = record_of("bench", order, "sup_rh", ("MERCHANT", "MARGIN_SCHEME"), account.settings)
                codec.encode(Announce(record, "RHK01"))
        changing = time.perf_counter() - began
        began = time.perf_counter()
        assert _kept(store, after) == 0
        keeping = time.perf_counter() - began
        store.close()
    return number / changing, number / keeping


def _kept(store: Store, pages: list[bytes]) -> int:
    return sum(
        store.supplier_orders.record("bench", RATEHAWK, [read_order(raw) for raw in json.loads(page)]) for page in pages
    )


def _pages(number: int) -> tuple[list[bytes], list[bytes]]:
    """The same orders as they were and as they are, as the bytes of whole pages."""
    now = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    orders = Orders(Shelf(), lambda: now)
    guests = [{"first_name": "Ana", "last_name": "Soler"}, {"first_name": "Leo", "last_name": "Soler"}]
    for each in range(number):
        dates = {"checkin": "2027-05-10", "checkout": "2027-05-13"}
        orders.place({"partner_order_id": f"bkg_{each}-1", "amount": "312.40", "rooms": [guests, guests], **dates})
    before = _as_pages(orders.all())
    for each in range(number):
        orders.change(f"bkg_{each}-1", {"amount": "320.00"})
    return before, _as_pages(orders.all())


def _as_pages(orders: list[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(orders[at : at + PAGE]).encode() for at in range(0, len(orders), PAGE)]
