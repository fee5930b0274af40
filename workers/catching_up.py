"""Reading again what the platforms know, after a backup was restored (docs/operations.md)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from activities.platform.backfill import catch_up
from domain.errors import BackOfficeError
from store import Store
from store.installation import Installation
from workers.wiring import open_accounts


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What an agency's platform told: `taken` was new, `trouble` says why it was not read to its end."""

    agency: str
    seen: int = 0
    taken: int = 0
    unusable: int = 0
    trouble: str = ""


def catching_up(installation: Installation, store: Store) -> Iterator[CaughtUp]:
    """Every agency in turn; one whose platform is away holds up no other."""
    for agency, account in open_accounts(installation).platform.items():
        if account.client is None:
            yield CaughtUp(agency, trouble="its events are only imported: import again what came since the backup")
            continue
        try:
            progress = catch_up(store, account, agency)
        except BackOfficeError as error:
            yield CaughtUp(agency, trouble=str(error))
        else:
            yield CaughtUp(agency, progress.seen, progress.taken, progress.unusable)
