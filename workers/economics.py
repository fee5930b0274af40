"""What the ERPs say of their files themselves, for whoever compares it with our figures (used by `bookings report --verify`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from activities.giav.economics import GiavEconomics as Economics
from store import Store
from store.installation import Installation
from workers.wiring import open_accounts

__all__ = ["Economics", "economics"]


@contextmanager
def economics(installation: Installation, store: Store) -> Iterator[Mapping[str, Economics]]:
    """A reader for every agency that has GIAV, in the settings or activated; nothing is called yet.

    Raises `SettingsError`, and `Unauthorised` when the vault does not open.
    """
    accounts = open_accounts(installation, store).giav
    readers = {agency: Economics(agency, account, store) for agency, account in accounts.items()}
    try:
        yield readers
    finally:
        for reader in readers.values():
            reader.close()
