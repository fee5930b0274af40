"""A PostgreSQL store whose every connection is cut again and again, as clients see a restart of the server."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from tests.databases import migrated_url

T = TypeVar("T")
BETWEEN = (2.0, 8.0)
"""Seconds between two cuts."""
CUT = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name AND pid <> pg_backend_pid()")


def patiently(read: Callable[[], T]) -> T:
    """What the judge reads, again where its own connection was cut: it is not the judge that is judged."""
    for _ in range(20):
        try:
            return read()
        except DBAPIError:
            time.sleep(0.3)
    return read()


def database() -> str:
    """A new database with our tables on an embedded server of its own."""
    return migrated_url("postgresql", Path())


@dataclass
class Cuts:
    number: int = 0


@asynccontextmanager
async def again_and_again(url: str, dice: random.Random) -> AsyncIterator[Cuts]:
    """Cut while the block runs. The cutter itself stays connected to another database."""
    engine = create_engine(make_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    name, cuts = make_url(url).database, Cuts()

    def cut() -> None:
        with engine.connect() as connection:
            connection.execute(CUT, {"name": name})

    async def cutting() -> None:
        while True:
            await asyncio.sleep(dice.uniform(*BETWEEN))
            await asyncio.to_thread(cut)
            cuts.number += 1

    task = asyncio.create_task(cutting())
    try:
        yield cuts
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        engine.dispose()
