"""What a page of the console costs: every one of them, on 20,000 bookings and 100,000 payments in PostgreSQL.

Ours is the slowest page, the floor one that shows nothing but a form. No page may take longer than `LONGEST`, by the clock or by
the processors that worked for it: on a machine that is busy otherwise the clock counts the others' work too. Files of whole lists
are no pages: they are as long as the list.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from sqlalchemy import text
from starlette.testclient import TestClient
from temporalio.client import Client

from benchmarks.many_bookings import FIRST, fill_bookings
from benchmarks.many_payments import fill
from benchmarks.results import Result
from starter.console.app import build_console
from store import Store
from store.installation import Installation

LEAST = 0.005
LONGEST = 0.15
"""Seconds, of the median."""
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
FLOOR = "/me"
LARGE = (
    f"/bookings/demo/bkg_{FIRST + 7}",
    "/bookings?agency=demo&status=cancelled",
    "/bookings?agency=demo&since=2026-12-01&until=2027-01-31",
    f"/bookings?agency=demo&reference=L{FIRST + 5}",
    "/experiences?agency=demo",
    f"/experiences?agency=demo&experience=exp_{FIRST + 3}",
    "/receivables?agency=demo",
    "/receivables?agency=demo&owed=1",
    "/plans?agency=demo",
    f"/plans/demo/bkg_{FIRST + 7}",
    "/midoffice?agency=demo&state=not_transferred",
    "/tamara/lines?agency=demo&state=REFUSED",
    "/journal/entries?agency=demo",
    "/journal/statement?agency=demo&account=430",
    "/journal/balance?agency=demo",
    "/suppliers/orders?agency=demo",
)
"""Pages with filters, and of things with much behind them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bookings", type=int, default=20_000, metavar="N", help="in all (default: %(default)s)")
    parser.add_argument("--payments", type=int, default=100_000, metavar="N", help="on the list (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="of each page (default: %(default)s)")


def run(chosen: argparse.Namespace) -> Result:
    from tests.console.areas import address, routes, seed
    from tests.console.conftest import people
    from tests.databases import MASTER_KEY, empty_url
    from tests.starter.agency import installation

    store = Store.open(empty_url("postgresql", Path()), master_key=MASTER_KEY, clock=lambda: NOW)
    store.database.migrate()
    people(store)
    seed(store, 3)
    fill(store, chosen.payments, now=NOW)
    fill_bookings(store, chosen.bookings, now=NOW)
    raw = installation(Path()).model_dump(exclude_unset=True)
    raw["agencies"] |= {
        name: raw["agencies"]["demo"] | {"platform": {"source": f"urn:{name}"}} for name in ("sol", "luna")
    }
    client = _signed_in(Installation.model_validate(raw), store)
    pages = sorted({*(address(route) for route in routes() if not route.endswith(".csv")), *LARGE})
    taken: dict[str, list[float]] = {path: [] for path in [FLOOR, *pages]}
    busy_for: dict[str, list[float]] = {path: [] for path in taken}
    for _ in range(chosen.rounds):
        for path in taken:
            busy, began = _processor(store), time.perf_counter()
            answer = client.get(path)
            taken[path].append(time.perf_counter() - began)
            busy_for[path].append(_processor(store) - busy)
            if answer.status_code != 200:
                raise AssertionError(f"{path} answers {answer.status_code}")
    store.close()
    typical = {path: median(times) for path, times in taken.items()}
    worked = {path: median(times) for path, times in busy_for.items()}
    slowest = max(pages, key=lambda path: typical[path])
    for path in sorted(typical, key=lambda path: -typical[path]):
        print(f"{typical[path] * 1000:8.1f} ms, {worked[path] * 1000:6.1f} of processors  {path}", flush=True)
    for path in pages:
        if min(typical[path], worked[path]) > LONGEST:
            raise AssertionError(f"{path} takes {typical[path] * 1000:.0f} ms, {worked[path] * 1000:.0f} of processors")
    return Result.of(
        "console",
        "pages/s",
        [1 / each for each in taken[slowest]],
        [1 / each for each in taken[FLOOR]],
        bookings=chosen.bookings,
        payments=chosen.payments,
        slowest=slowest,
        milliseconds={path: round(each * 1000, 1) for path, each in typical.items()},
        processor_milliseconds={path: round(each * 1000, 1) for path, each in worked.items()},
    )


def _processor(store: Store) -> float:
    """Seconds that this process and the database's for us have worked so far; it suffers less from others than the clock."""
    with store.database.read() as connection:
        workers = list(connection.scalars(_WORKERS))
    ticks = 0
    for worker in workers:
        words = Path(f"/proc/{worker}/stat").read_text("utf-8").rpartition(")")[2].split()
        ticks += int(words[11]) + int(words[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


_WORKERS = text(
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
)


async def _nobody() -> Client:
    raise RuntimeError("nobody answers")


def _signed_in(installation: Installation, store: Store) -> TestClient:
    from tests.console.conftest import PASSWORD

    client = TestClient(
        build_console(installation, store, connect=_nobody, now=lambda: NOW),
        base_url="http://127.0.0.1:8081",
        follow_redirects=False,
    )
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get("/sign-in").text)
    assert found
    given = {"name": "ada", "password": PASSWORD, "csrf": found.group(1)}
    assert client.post("/sign-in", data=given).status_code == 303
    return client
