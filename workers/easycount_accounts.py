"""Every agency's EasyCount: from the settings file, or activated by the agency itself (docs/integrations/easycount.md)."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping

from activities.easycount.account import EasyCountAccount
from activities.easycount.integration import SYSTEM, account_settings
from domain.errors import NeedsPerson, Transient
from store import Store
from store.integrations import SETTLING
from workers.integrated import WAIT


class EasyCountAccounts(Mapping[str, EasyCountAccount]):
    """Agency → account; the settings file counts first. One line per version of an integration, so that its limits hold for all.

    An integration that is being activated makes its steps wait, a suspended one needs a person.
    """

    def __init__(self, fixed: Mapping[str, EasyCountAccount], agencies: Collection[str], store: Store | None) -> None:
        self._fixed = fixed
        self._agencies = agencies
        self._store = store
        self._opened: dict[str, tuple[int, EasyCountAccount]] = {}
        self._opening = threading.Lock()

    def __getitem__(self, agency: str) -> EasyCountAccount:
        if agency in self._fixed:
            return self._fixed[agency]
        integration = self._store.integrations.get(agency, SYSTEM) if self._store is not None else None
        if integration is None or self._store is None:
            raise KeyError(agency)
        if integration.state in SETTLING:
            raise Transient(f"EasyCount of {agency} is not active yet", system=SYSTEM, retry_after=WAIT)
        if integration.state == "suspended":
            raise NeedsPerson(f"EasyCount of {agency} is suspended since {integration.since:%Y-%m-%d}", system=SYSTEM)
        with self._opening:
            known = self._opened.get(agency)
            if known is None or known[0] != integration.version:
                # The old line is not closed: another thread may be in the middle of a call.
                account = EasyCountAccount.open(account_settings(self._store, integration))
                known = self._opened[agency] = (integration.version, account)
            return known[1]

    def __iter__(self) -> Iterator[str]:
        yield from self._fixed
        held = self._store.integrations.list() if self._store is not None else []
        ours = (one.agency for one in held if one.system == SYSTEM and one.state == "active")
        yield from (agency for agency in ours if agency in self._agencies and agency not in self._fixed)

    def __len__(self) -> int:
        return sum(1 for _ in self)
