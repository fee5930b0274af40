"""Every hour: are we still let in, do our fields still stand, does Kommo still tell us (contracts: kommo 1, 2, 4.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from activities.failures import implements
from activities.kommo.account import KommoAccount
from activities.kommo.alarms import FIELDS, REAUTH, TOKEN_ENDS, WEBHOOK, Alarms
from activities.kommo.integration import hook_address
from activities.kommo.wire import SYSTEM
from activities.signatures import KOMMO_WATCH_ACCOUNT
from domain.errors import NeedsPerson, Transient, Unauthorised
from domain.steps import Done, Step
from store import Store

NOTICE = timedelta(days=30)
"""How long before its end people are told that a long-lived token ends."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class KommoWatch:
    """Everything found is an item on the list; what is mended closes its item."""

    def __init__(
        self, store: Store, accounts: Mapping[str, KommoAccount], now: Callable[[], datetime] = _utc_now
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._now = now

    @implements(KOMMO_WATCH_ACCOUNT)
    def watch_account(self, step: Step) -> Done:
        """The note names what is wrong; an agency without Kommo has nothing to watch."""
        try:
            account = self._accounts[step.agency]
        except (KeyError, Transient, NeedsPerson):
            # Not activated yet, or suspended: nobody is expected to look after it.
            return Done(note="no Kommo in use")
        alarms = Alarms(self._store, step.agency)
        wrong = [self._tell(alarms, TOKEN_ENDS, self._token_ends(account))]
        try:
            # Reading keeps the tokens fresh as well: an account that nobody uses stays ours.
            wrong.append(self._tell(alarms, FIELDS, self._fields(account)))
            wrong.append(self._tell(alarms, WEBHOOK, self._webhook(step.agency, account)))
        except Unauthorised as refusal:
            if refusal.code != "needs_reauth":
                alarms(REAUTH, f"{refusal.message}; see 'bookings doctor'")
            return Done(note=str(refusal))
        alarms.over(REAUTH)
        return Done(note="; ".join(filter(None, wrong)))

    @staticmethod
    def _tell(alarms: Alarms, reason: str, words: str) -> str:
        if words:
            alarms(reason, words)
        else:
            alarms.over(reason)
        return words

    def _token_ends(self, account: KommoAccount) -> str:
        ends = account.settings.token_expires
        if account.settings.token is None or ends is None or ends - self._now().date() > NOTICE:
            return ""
        return f"the long-lived token ends on {ends}; an administrator of Kommo makes another one in time"

    @staticmethod
    def _fields(account: KommoAccount) -> str:
        missing = account.writer.refresh().missing
        if not missing:
            return ""
        return f"deals have no field for {', '.join(missing)}; make them again with 'bookings integration activate'"

    @staticmethod
    def _webhook(agency: str, account: KommoAccount) -> str:
        if account.settings.hook_secret is None or account.settings.gateway_url is None:
            return ""
        place = hook_address(agency, account.settings)
        shown = place.rpartition("/")[0]
        found = next((hook for hook in account.client.webhooks(place) if hook.destination == place), None)
        if found is None:
            return f"the webhook {shown}/… is not registered: bookings integration activate {agency} --system {SYSTEM}"
        if found.disabled:
            return (
                f"Kommo disabled the webhook {shown}/… after too many refusals; enable and save it in Kommo under "
                "Settings, Integrations, Web hooks"
            )
        return ""
