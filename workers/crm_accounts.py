"""Every agency's Kommo: from the settings file, or activated by the agency itself (docs/integrations/kommo.md)."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping

from activities.kommo.account import KommoAccount
from activities.kommo.integration import account_settings, open_account
from activities.kommo.settings import KommoSettings
from activities.kommo.wire import SYSTEM
from domain.errors import NeedsPerson, Transient
from store import Store
from store.integrations import SETTLING
from workers.integrated import WAIT


class KommoAccounts(Mapping[str, KommoAccount]):
    """Agency → account, opened when first needed and once per version of its integration, so that its limits hold for all.

    The settings file counts first. An integration that is being activated makes its steps wait, a suspended one needs a
    person. Without a store (a check of the settings alone) only accounts with a long-lived token can be opened.
    """

    def __init__(self, fixed: Mapping[str, KommoSettings], agencies: Collection[str], store: Store | None) -> None:
        self._fixed = fixed
        self._agencies = agencies
        self._store = store
        self._opened: dict[str, tuple[int, KommoAccount]] = {}
        self._opening = threading.Lock()

    def __getitem__(self, agency: str) -> KommoAccount:
        with self._opening:
            if agency in self._fixed:
                return self._of_file(agency)
            return self._of_integration(agency)

    def __iter__(self) -> Iterator[str]:
        yield from self._fixed
        held = self._store.integrations.list() if self._store is not None else []
        ours = (one.agency for one in held if one.system == SYSTEM and one.state == "active")
        yield from (agency for agency in ours if agency in self._agencies and agency not in self._fixed)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _of_file(self, agency: str) -> KommoAccount:
        known = self._opened.get(agency)
        if known is None:
            settings = self._fixed[agency]
            account = (
                KommoAccount.open(settings) if self._store is None else open_account(self._store, agency, settings)
            )
            known = self._opened[agency] = (0, account)
        return known[1]

    def _of_integration(self, agency: str) -> KommoAccount:
        integration = self._store.integrations.get(agency, SYSTEM) if self._store is not None else None
        if integration is None or self._store is None:
            raise KeyError(agency)
        if integration.state in SETTLING:
            raise Transient(f"Kommo of {agency} is not active yet", system=SYSTEM, retry_after=WAIT)
        if integration.state == "suspended":
            raise NeedsPerson(f"Kommo of {agency} is suspended since {integration.since:%Y-%m-%d}", system=SYSTEM)
        known = self._opened.get(agency)
        if known is None or known[0] != integration.version:
            # The old line is not closed: another thread may be in the middle of a call.
            account = open_account(self._store, agency, account_settings(self._store, integration))
            known = self._opened[agency] = (integration.version, account)
        return known[1]
