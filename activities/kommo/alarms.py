"""What people are told of an agency's Kommo: one open item for each trouble, closed by itself when it is over (DESIGN 7)."""

from __future__ import annotations

from activities.kommo.wire import SYSTEM
from domain.desk import item_id
from domain.steps import DecisionTaken
from store import Store
from store.parked import BY_ITSELF, StoreParking

FIELDS, BLOCKED, REAUTH = "kommo_fields", "kommo_blocked", "kommo_needs_reauth"
TOKEN_ENDS, WEBHOOK = "kommo_token_ends", "kommo_webhook"
VERB = "kommo.watch_account"


class Alarms:
    """Of one agency; calling it opens an item."""

    def __init__(self, store: Store, agency: str) -> None:
        self._store = store
        self._agency = agency

    def __call__(self, reason: str, words: str) -> None:
        """The same trouble while its item is open changes nothing."""
        if self._open(reason):
            return
        # A trouble that comes back is another item than the one that was answered.
        earlier = len(self._store.parked.list(self._agency, state=None, reason=reason))
        self._store.parked.open_from_store(
            StoreParking(
                item_id=item_id(reason, self._agency, SYSTEM, str(earlier)),
                agency=self._agency,
                reason=reason,
                detail=words,
                verb=VERB,
                decisions=("skip",),
            )
        )

    def over(self, reason: str) -> None:
        """The cause is gone."""
        for item in self._open(reason):
            taken = DecisionTaken(item_id=item, decision="skip", by=BY_ITSELF, explanation="the cause is gone")
            self._store.parked.close(item, taken)

    def _open(self, reason: str) -> list[str]:
        return [item.item_id for item in self._store.parked.list(self._agency, reason=reason)]
