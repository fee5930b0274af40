from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, MetaData, Table, inspect, select

from store import Database, migrations
from store.debts import debts
from store.facts import booking_money, bookings, payments, plan_instalments
from store.schema import metadata
from tests import stories
from tests.databases import empty_url


@pytest.fixture
def empty(dialect: str, tmp_path: Path) -> Database:
    return Database.open(empty_url(dialect, tmp_path))


def test_migrations_make_exactly_the_tables_that_the_code_declares(empty: Database) -> None:
    empty.migrate()
    with empty.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    empty.close()


def test_migrations_make_the_checks_too(empty: Database) -> None:
    empty.migrate()
    declared = {
        (table.name, constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    found = {
        (table, check["name"])
        for table in metadata.tables
        for check in inspect(empty.engine).get_check_constraints(table)
    }
    assert declared
    assert found == declared
    empty.close()


def test_the_schema_is_current_only_after_migration(empty: Database) -> None:
    assert not empty.schema_is_current()
    empty.migrate()
    assert empty.schema_is_current()
    empty.close()


def test_a_store_of_the_first_release_is_brought_up_to_date(empty: Database) -> None:
    config = migrations._config()
    with empty.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    assert not empty.schema_is_current()
    empty.migrate()
    assert empty.schema_is_current()
    empty.close()


def test_migrating_twice_changes_nothing(empty: Database) -> None:
    empty.migrate()
    empty.migrate()
    assert empty.schema_is_current()
    empty.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://nowhere/x"])
def test_a_database_that_cannot_be_shared_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        Database.open(url)


def test_what_was_told_before_lists_had_columns_is_in_them_afterwards(empty: Database) -> None:
    config = migrations._config()
    plan = {**stories.plan(), "installments": stories.plan()["installments"][:2]}
    cancelled = {**stories.cancelled_booking(), "cancelled_at": "2027-03-01T09:00:00Z"}
    for line in cancelled["lines"]:
        line["cost"] |= {"status": "invoiced", "total": stories.eur(1234)}
    rows: dict[str, dict[str, Any]] = {
        "bookings": cancelled
        | {"locator": "KX7Q2P", "amount": 3000, "currency": "EUR", "revision": 3, "experience_id": "exp_31"},
        "payments": stories.payment(installment_id="ins_02") | {"payment_ref": "pi_1", "processor": "stripe"},
        "payment_plans": plan,
    }
    with empty.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0015")
        for name, told in rows.items():
            table = Table(name, MetaData(), autoload_with=connection)
            own = {"agency": "sol", "event_id": "evt_1", "body": json.dumps(told), "updated_at": "2026-11-20T10:05:00Z"}
            amount = {"amount": 30000, "currency": "EUR"} if name == "payments" else {}
            flat = {key: value for key, value in told.items() if isinstance(value, str | int)}
            given = flat | own | amount
            connection.execute(table.insert().values({column.name: given[column.name] for column in table.c}))
    empty.migrate()
    with empty.read() as connection:
        booking = connection.execute(select(bookings)).one()
        assert (booking.cost_estimated, booking.cost_invoiced) == (0, 2468)
        assert booking.cancelled_at == datetime(2027, 3, 1, 9, tzinfo=UTC)
        assert connection.execute(select(payments.c.instalment_id)).scalar_one() == "ins_02"
        found = connection.execute(select(plan_instalments).order_by(plan_instalments.c.seq)).all()
        assert [(row.booking_id, row.id, row.due_on, row.amount) for row in found] == [
            ("bkg_500", "ins_01", date(2027, 1, 22), 30000),
            ("bkg_500", "ins_02", date(2027, 2, 22), 38200),
        ]
        assert [row.settled for row in found] == [False, True]
        money = connection.execute(select(booking_money)).one()
        assert (money.booking_id, money.collected, money.refunded, money.disputed) == ("bkg_500", 30000, 0, 0)
        owed = connection.execute(select(debts)).one()
        assert (owed.booking_id, owed.currency, owed.pending) == ("bkg_500", "EUR", -27000)
    empty.close()
