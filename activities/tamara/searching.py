"""The weekly search for account numbers where none may stand (contracts: tamara 5.3)."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from activities.effects import beat
from activities.failures import implements
from activities.signatures import TAMARA_SEARCH_CARDS
from activities.tamara.settings import TamaraSettings
from domain.desk import item_id
from domain.steps import Done, TamaraRetention
from store import Store
from store.card_search import Sighting, in_files, in_tables
from store.clock import Clock, utc_now
from store.parked import StoreParking

log = logging.getLogger(__name__)

REASON = "card_number_found"
NAMED = 10
"""Places that an item names; `bookings card scan` names them all."""


class CardSearchActivities:
    """`folder` is the data folder, without what lies in `without` (the folders of partners that a demo plays)."""

    def __init__(
        self,
        store: Store,
        accounts: Mapping[str, TamaraSettings],
        folder: Path,
        without: tuple[Path, ...] = (),
        clock: Clock = utc_now,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._folder = folder
        self._without = without
        self._clock = clock

    @implements(TAMARA_SEARCH_CARDS)
    def search_cards(self, step: TamaraRetention) -> Done:
        """Search files and tables; what is found is one item a week, with places and masked numbers only."""
        settings = self._accounts.get(step.agency)
        if settings is None:
            return Done(outcome="skipped", note="the agency has no AirPlus accounts")
        found = list(_heard(self._sightings(settings), beat))
        if not found:
            return Done(note="no account number stands where it may not")
        year, week, _ = self._clock().astimezone(dt.UTC).isocalendar()
        places = "; ".join(f"{each.masked} in {each.place}" for each in found[:NAMED])
        self._store.parked.open_from_store(
            StoreParking(
                item_id=item_id(REASON, step.agency, f"{year}-{week}"),
                agency=step.agency,
                reason=REASON,
                detail=f"{len(found)} places hold account numbers: {places}. 'bookings card scan' names them all; remove each",
                verb="tamara.search_cards",
                decisions=("skip",),
            )
        )
        return Done(outcome="partial", note=f"account numbers stand in {len(found)} places")

    def _sightings(self, settings: TamaraSettings) -> Iterator[Sighting]:
        yield from in_files(self._folder, settings.prefixes, self._without)
        yield from in_tables(self._store, settings.prefixes)


def _heard(sightings: Iterator[Sighting], told: Callable[[str], None]) -> Iterator[Sighting]:
    """Let the worker's pulse hear of each; never the number itself."""
    for each in sightings:
        told(f"found {each.place}")
        log.error("an account number stands in %s", each.place)
        yield each
