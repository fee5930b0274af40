"""The one metadata of the store and the column kinds that mean the same on SQLite and PostgreSQL (DESIGN 6).

Every repository module declares its tables here; instants are UTC, money is integer minor units beside its currency.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, DateTime, Dialect, Integer, MetaData, String, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeDecorator, TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """A moment in UTC with microseconds. SQLite keeps ISO text of fixed width, so that order of text is order of time."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind: TypeEngine[Any] = String(27) if dialect.name == "sqlite" else DateTime(timezone=True)
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        moment = value.astimezone(UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = datetime.fromisoformat(value) if dialect.name == "sqlite" else value
        return moment.astimezone(UTC)


LongId = BigInteger().with_variant(Integer(), "sqlite")
"""A growing number given by the database (SQLite counts only plain INTEGER keys)."""


def agency_column(*, primary_key: bool = False) -> Column[str]:
    return Column("agency", String(100), nullable=False, primary_key=primary_key)


def id_column(name: str, *, nullable: bool = False, primary_key: bool = False) -> Column[str]:
    """An identifier: the platform's, ours, or one that was given to us outside."""
    return Column(name, String(200), nullable=nullable, primary_key=primary_key)


def money_columns(*, nullable: bool = False) -> tuple[Column[int], Column[str]]:
    """`amount` in minor units and `currency` (ISO 4217)."""
    return (
        Column("amount", BigInteger, nullable=nullable),
        Column("currency", String(3), nullable=nullable),
    )


def upsert(connection: Connection, table: Table) -> Any:
    """An INSERT that can say ON CONFLICT in the dialect of this connection."""
    return insert_for(connection.dialect.name, table)


@cache
def insert_once(dialect: str, table: Table) -> Any:
    """An INSERT that leaves what is there; the row is given when it is executed, because building costs more than running."""
    return insert_for(dialect, table).on_conflict_do_nothing()


@cache
def insert_newest(dialect: str, table: Table, columns: tuple[str, ...]) -> Any:
    """An INSERT of `columns` that replaces a row of the same agency and id whose revision is lower."""
    statement = insert_for(dialect, table)
    return statement.on_conflict_do_update(
        index_elements=["agency", "id"],
        set_={name: statement.excluded[name] for name in columns if name not in ("agency", "id")},
        where=table.c.revision < statement.excluded.revision,
    )


def insert_for(dialect: str, table: Table) -> Any:
    """The same, for statements built once and used often; both dialects offer the same methods."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
