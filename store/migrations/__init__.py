"""Schema revisions, run from inside the program: no settings file of Alembic, no second way to connect (DESIGN 6)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

LOCK = 0x626F6F6B
"""Advisory lock of PostgreSQL under which migrations run one at a time."""


def upgrade(connection: Connection) -> None:
    """Run every missing revision inside the transaction of `connection`."""
    from alembic import command  # Alembic costs a third of a second to import and is needed once in a life

    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def is_current(connection: Connection) -> bool:
    """Whether the newest revision has been run."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    present = MigrationContext.configure(connection).get_current_heads()
    return set(present) == set(ScriptDirectory.from_config(_config()).get_heads())


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
