"""What a question about payments costs: each filter of the list, against reading the rows of one page by their keys.

The table lies in a real PostgreSQL with all its indexes. Ours is the slowest of the questions that people ask, each a page of
fifty; the floor is a page whose fifty ids are known beforehand. No question may take longer than `LONGEST`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benchmarks.many_payments import fill
from benchmarks.results import Result
from store import Store
from store.payment_lists import PaymentFilter, Place
from store.payment_sync import payment_syncs, synced_payment

LEAST = 0.05
LONGEST = 0.1
"""Seconds."""
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
AGENCY = "sol"
QUESTIONS: dict[str, dict[str, Any]] = {
    "everything": {},
    "paid and not synchronised": {"states": ["unsynced", "retry_wait", "sync_unknown", "in_review", "captured"]},
    "rare state": {"states": ["refund_failed"]},
    "common state": {"states": ["synced_auto"]},
    "cause": {"causes": ["business"]},
    "absent cause": {"causes": ["auth"]},
    "connector": {"connector": "giav"},
    "absent connector": {"connector": "nowhere"},
    "older than a month": {"captured_before": NOW - timedelta(days=30)},
    "older than everything": {"captured_before": NOW - timedelta(days=9999)},
    "of one hour": {"captured_after": NOW - timedelta(days=3), "captured_before": NOW - timedelta(days=3, hours=-1)},
    "small amounts": {"most": 105},
    "amounts of a band": {"least": 5000, "most": 6000},
    "absent amount": {"least": 10**9},
    "absent currency": {"currency": "USD"},
    "claimed by somebody": {"claimed_by": "ana"},
    "booking": {"booking_id": "bkg_777"},
    "any name": {"text": "pay_4711"},
    "absent name": {"text": "F-2026-999"},
    "all at once": {"states": ["unsynced"], "causes": ["business"], "connector": "giav", "least": 1, "currency": "EUR",
                    "captured_before": NOW},
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--payments", type=int, default=100_000, metavar="N", help="in all (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="of each question (default: %(default)s)")


def run(chosen: argparse.Namespace) -> Result:
    from tests.databases import empty_url

    store = Store.open(empty_url("postgresql", Path()))
    store.database.migrate()
    fill(store, chosen.payments, now=NOW)
    ids = [f"pay_{number * 30}" for number in range(50) if number * 30 % 10 != 9]
    asked: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    asked |= {"page in the middle": [], "newest": [], "what waits": []}
    floor: list[float] = []
    middle = Place("urgent", 1, NOW - timedelta(seconds=97 * chosen.payments // 2), "pay_0", AGENCY)
    for _ in range(chosen.rounds):
        floor.append(_seconds(lambda: _by_key(store, ids)))
        for name, wanted in QUESTIONS.items():
            asked[name].append(_seconds(lambda wanted=wanted: _page(store, wanted)))
        asked["page in the middle"].append(_seconds(lambda: _page(store, {}, after=middle)))
        asked["newest"].append(_seconds(lambda: _page(store, {}, order="newest")))
        asked["what waits"].append(_seconds(lambda: store.payment_lists.waiting([AGENCY])))
    store.close()
    typical = {name: sorted(times)[len(times) // 2] for name, times in asked.items()}
    slowest = max(typical, key=lambda name: typical[name])
    if typical[slowest] > LONGEST:
        raise AssertionError(f"{slowest} takes {typical[slowest] * 1000:.0f} ms")
    return Result.of(
        "payments_list",
        "pages/s",
        [1 / each for each in asked[slowest]],
        [1 / each for each in floor],
        payments=chosen.payments,
        slowest=slowest,
        milliseconds={name: round(each * 1000, 2) for name, each in typical.items()},
    )


def _page(store: Store, wanted: dict[str, Any], **how: Any) -> None:
    store.payment_lists.page([AGENCY], PaymentFilter(**wanted), **how)


def _by_key(store: Store, ids: list[str]) -> None:
    query = select(payment_syncs).where(payment_syncs.c.agency == AGENCY, payment_syncs.c.payment_id.in_(ids))
    with store.database.read() as connection:
        for row in connection.execute(query).all():
            synced_payment(row)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
