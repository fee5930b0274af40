from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, inspect

from store import Database, migrations
from store.schema import metadata
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
