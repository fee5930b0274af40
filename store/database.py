"""One database for everything that must survive: SQLite in a file or PostgreSQL, behind the same two ways in (DESIGN 6)."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from store import migrations

BUSY_SECONDS = 30
"""How long a writer waits for another process that holds the SQLite file."""


class Database:
    """An engine whose transactions are short: `begin()` writes, `read()` only looks.

    Safe for threads; several processes may share one SQLite file. Errors of the driver come out as SQLAlchemy's.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.dialect = engine.dialect.name
        # Threads of one process queue here, fairly; SQLite's own busy handler would let them sleep and starve.
        self._writing = threading.Lock() if self.dialect == "sqlite" else None

    @classmethod
    def open(cls, url: str) -> Self:
        """Open `sqlite:///path` or `postgresql+psycopg://…`; raises ValueError for anything else."""
        parsed = make_url(url)
        match parsed.get_backend_name():
            case "sqlite" if parsed.database and parsed.database != ":memory:":
                return cls(_sqlite(url))
            case "sqlite":
                raise ValueError("an SQLite store needs a file: threads and processes share it")
            case "postgresql":
                with_driver = parsed.set(drivername="postgresql+psycopg")
                return cls(_engine(with_driver, pool_pre_ping=True))
            case other:
                raise ValueError(f"the store speaks SQLite and PostgreSQL, not {other}")

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One writing transaction: committed at the end of the block, rolled back on any error."""
        if self._writing is None:
            with self.engine.begin() as connection:
                yield connection
            return
        with self._writing, self.engine.begin() as connection:
            # A transaction that reads first and writes later could fail half-way; a writer therefore takes the lock at once.
            _sqlite_begin(connection, "BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One reading transaction: a consistent snapshot, never blocked by a writer."""
        with self.engine.connect() as connection:
            if self._writing is not None:
                _sqlite_begin(connection, "BEGIN")
            yield connection

    def migrate(self) -> None:
        """Bring the schema to the newest revision; safe when several processes start at once."""
        with self.begin() as connection:
            migrations.upgrade(connection)

    def schema_is_current(self) -> bool:
        """Whether the schema is the one this code was written for."""
        with self.read() as connection:
            return migrations.is_current(connection)

    def trouble(self) -> str | None:
        """Why nothing can be stored now, in one line without addresses; None when it can."""
        try:
            return None if self.schema_is_current() else "the tables are missing or old; run: bookings store migrate"
        except SQLAlchemyError as error:
            return f"the store does not answer: {type(error).__name__}"

    def close(self) -> None:
        self.engine.dispose()


def _engine(url: str | URL, **options: Any) -> Engine:
    """`preserve_rowcount`: whether ON CONFLICT inserted or not is read from the row count of an INSERT."""
    return create_engine(
        url,
        poolclass=QueuePool,
        pool_size=16,
        max_overflow=48,
        execution_options={"preserve_rowcount": True},
        **options,
    )


def _sqlite(url: str) -> Engine:
    engine = _engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # No transactions of the driver's own; ours begin below.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_SECONDS * 1000}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _sqlite_begin(connection: Connection, statement: str) -> None:
    """Begin at the driver itself: its own transaction handling begins too late, and SQLAlchemy's event costs as much as a
    statement. Ended by SQLAlchemy's commit or rollback like any other transaction."""
    driver = connection.connection.driver_connection
    assert driver is not None
    try:
        driver.execute(statement)
    except sqlite3.OperationalError as error:
        raise OperationalError(statement, None, error) from error
