"""The check of an ERP's files outside Temporal, for whoever asks for it now (used by `bookings giav check`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from activities.giav.checks import FileVerdict, GiavChecks
from store import Store
from store.installation import Installation
from workers.wiring import open_accounts

__all__ = ["FileVerdict", "GiavChecks", "file_checks"]


@contextmanager
def file_checks(installation: Installation, store: Store) -> Iterator[GiavChecks]:
    """The checks of every agency that has GIAV; nothing is called yet. Raises `SettingsError`, and `Unauthorised` when the
    vault does not open."""
    accounts = open_accounts(installation, store).giav
    try:
        yield GiavChecks(store, accounts)
    finally:
        for account in accounts.values():
            account.client.close()
