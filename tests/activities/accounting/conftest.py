"""The journal is posted on SQLite and PostgreSQL alike."""

from tests.databases import dialect, store, store_url

__all__ = ["dialect", "store", "store_url"]
