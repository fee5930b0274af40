"""What the effect protocol costs: intend and settle on SQLite, against inserting the same rows once, durably, without it.

The protocol needs two transactions where the floor has one: the intention must be on disk before anything is sent.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from sqlalchemy import MetaData, Table

from benchmarks.results import Result
from domain.effects import EffectKey
from store import Store

LEAST = 0.35


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--effects", type=int, default=500, metavar="N", help="of each side (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="of each side (default: %(default)s)")


def run(chosen: argparse.Namespace) -> Result:
    ours: list[float] = []
    floor: list[float] = []
    with tempfile.TemporaryDirectory(prefix="bookings-bench-") as folder:
        store = Store.open(f"sqlite:///{Path(folder) / 'store.db'}")
        store.database.migrate()
        for turn in range(chosen.rounds):
            ours.append(chosen.effects / _protocol(store, f"ours{turn}", chosen.effects))
            floor.append(chosen.effects / _inserts(store, f"floor{turn}", chosen.effects))
        store.close()
    return Result.of("effects", "effects/s", ours, floor, effects=chosen.effects)


def _key(group: str, number: int) -> EffectKey:
    return EffectKey("demo", "giav", "cobro", f"{group}_{number}", "create")


def _protocol(store: Store, group: str, count: int) -> float:
    began = time.perf_counter()
    for number in range(count):
        key = _key(group, number)
        store.effects.intend(key, booking_id="bkg_500", request={"importe": "300.00"})
        store.effects.done(key, str(number))
    return time.perf_counter() - began


def _inserts(store: Store, group: str, count: int) -> float:
    """One durable transaction a row, with the values that the protocol leaves."""
    effects = Table("effects", MetaData(), autoload_with=store.database.engine)
    with store.database.read() as connection:
        row = dict(connection.execute(effects.select().limit(1)).mappings().one())
    statement = effects.insert()
    began = time.perf_counter()
    for number in range(count):
        key = _key(group, number)
        values = row | {"key": str(key), "business_id": key.business_id, "reference": key.reference}
        with store.database.begin() as connection:
            connection.execute(statement, values)
    return time.perf_counter() - began
