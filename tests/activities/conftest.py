"""What adapters remember is tested on SQLite and PostgreSQL alike; each system's folder has a smaller store of its own."""

from tests.databases import dialect, store, store_url

__all__ = ["dialect", "store", "store_url"]
