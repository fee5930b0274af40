"""What Alembic runs: the connection comes from `store.migrations`, the target from the tables of the repositories."""

from __future__ import annotations

from alembic import context

import store.schema  # declares every table
from store.tables import metadata

_ = store.schema
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, compare_type=True)
context.run_migrations()
