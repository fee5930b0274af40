"""The SQL side: tables, migrations, repositories. The only place that knows SQLAlchemy."""

from store.database import Database
from store.store import Store

__all__ = ["Database", "Store"]
