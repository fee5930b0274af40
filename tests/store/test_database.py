from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from multiprocessing import get_context
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError

from domain.effects import EffectKey
from store import Store
from store.effect_tables import effects
from tests.databases import migrated_url

KEY = EffectKey("sol", "giav", "invoice", "pay_1", "create")


def test_an_error_in_the_block_rolls_everything_back(store: Store) -> None:
    def fail_half_way() -> None:
        with store.database.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = 'x'"))
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail_half_way()
    assert store.database.schema_is_current()


def test_sqlite_survives_power_cuts_and_shares_its_file(tmp_path: Path) -> None:
    store = Store.open(migrated_url("sqlite", tmp_path))
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    with store.database.read() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
    store.close()
    assert found == ["wal", 2, 1, 30000]


def test_a_reader_is_not_blocked_by_a_writer(store: Store) -> None:
    with store.database.begin() as writing:
        writing.execute(text("UPDATE alembic_version SET version_num = 'x'"))
        with store.database.read() as reading:
            assert reading.scalar(text("SELECT version_num FROM alembic_version")) != "x"
        writing.rollback()


def test_instants_come_back_as_utc_and_need_a_zone(store: Store) -> None:
    moment = datetime(2026, 11, 20, 11, 15, 0, 120, tzinfo=timezone(timedelta(hours=1)))
    other = Store(store.database, clock=lambda: moment)
    other.effects.intend(KEY, booking_id=None, request=None)
    (row,) = other.effects.unsettled()
    assert row.created_at == moment
    assert row.created_at.tzinfo is UTC
    naive = Store(store.database, clock=lambda: datetime(2026, 1, 1))
    with pytest.raises(StatementError, match="time zone"):
        naive.effects.intend(KEY, booking_id=None, request=None)


def write_many(url: str, start: int) -> int:
    store = Store.open(url)
    fresh = 0
    for number in range(25):
        key = EffectKey("sol", "giav", "invoice", f"pay_{number}", "create")
        fresh += store.effects.intend(key, booking_id=None, request={"by": start})[1]
        store.effects.done(key, str(start))
    store.close()
    return fresh


def test_two_processes_write_to_one_store_and_nothing_is_lost_or_doubled(store_url: str) -> None:
    with get_context("spawn").Pool(2) as pool:
        fresh = pool.starmap(write_many, [(store_url, 1), (store_url, 2)])
    assert sum(fresh) == 25
    store = Store.open(store_url)
    with store.database.read() as connection:
        assert len(connection.execute(select(effects.c.key)).all()) == 25
    store.close()


def test_many_threads_share_one_store(store: Store) -> None:
    def write(number: int) -> None:
        key = EffectKey("sol", "giav", "invoice", f"pay_{number}", "create")
        store.effects.intend(key, booking_id=None, request=None)
        store.effects.done(key, str(number))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(80)))
    assert store.effects.counts() == {("giav", "done"): 80}
