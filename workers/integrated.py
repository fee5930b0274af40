"""Accounts of agencies that activated GIAV or a mid-office themselves, beside those of the settings file
(docs/integrations/giav.md, midoffice.md).

The settings file counts first. Everything else is asked of the store at each step, so that an activation, a new key or
other settings need no restart.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping

from activities.giav.client import SYSTEM, GiavClient
from activities.giav.integration import account_settings
from activities.giav.office import GiavAccount
from activities.midoffice.accounts import SYSTEMS as MID_OFFICES
from activities.midoffice.accounts import MidOfficeAccount
from activities.midoffice.integration import account_of
from domain.errors import NeedsPerson, NotYet
from store import Store
from store.integrations import SETTLING, Integration

WAIT = 60.0
"""Seconds until a step asks again whether its agency has been activated."""


class IntegratedAccounts(Mapping[str, GiavAccount]):
    """Agency → account. A system that is being activated makes its steps wait (`Transient`), a suspended one needs a person."""

    def __init__(self, fixed: Mapping[str, GiavAccount], agencies: Collection[str], store: Store) -> None:
        self._fixed = fixed
        self._agencies = agencies
        self._store = store
        self._opened: dict[str, tuple[int, GiavAccount]] = {}
        self._opening = threading.Lock()

    def __getitem__(self, agency: str) -> GiavAccount:
        if agency in self._fixed:
            return self._fixed[agency]
        integration = self._store.integrations.get(agency, SYSTEM)
        if integration is None:
            raise KeyError(agency)
        if integration.state in SETTLING:
            raise NotYet(f"GIAV of {agency} is not active yet", system=SYSTEM, retry_after=WAIT)
        if integration.state == "suspended":
            raise NeedsPerson(f"GIAV of {agency} is suspended since {integration.since:%Y-%m-%d}", system=SYSTEM)
        return self._account(integration)

    def __iter__(self) -> Iterator[str]:
        yield from self._fixed
        ours = (one for one in self._store.integrations.list() if one.system == SYSTEM and one.state == "active")
        yield from (one.agency for one in ours if one.agency in self._agencies and one.agency not in self._fixed)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _account(self, integration: Integration) -> GiavAccount:
        """One line per version of the integration, so that its limits hold for all threads."""
        with self._opening:
            known = self._opened.get(integration.agency)
            if known is not None and known[0] >= integration.version:
                return known[1]
            settings = account_settings(self._store, integration)
            # The old line is not closed: another thread may be in the middle of a call.
            account = GiavAccount(GiavClient(settings), settings)
            self._opened[integration.agency] = (integration.version, account)
            return account


class IntegratedMidOffices(Mapping[str, MidOfficeAccount]):
    """Agency → its mid-office, by the same rules. Where one kind gave way to another, the active one counts."""

    def __init__(self, fixed: Mapping[str, MidOfficeAccount], agencies: Collection[str], store: Store) -> None:
        self._fixed = fixed
        self._agencies = agencies
        self._store = store
        self._opened: dict[tuple[str, str], tuple[int, MidOfficeAccount]] = {}
        self._opening = threading.Lock()

    def __getitem__(self, agency: str) -> MidOfficeAccount:
        if agency in self._fixed:
            return self._fixed[agency]
        ours = [one for one in self._store.integrations.list(agency) if one.system in MID_OFFICES]
        active = next((one for one in ours if one.state == "active"), None)
        if active is not None:
            return self._account(active)
        for one in ours:
            if one.state in SETTLING:
                raise NotYet(f"{one.system} of {agency} is not active yet", system=one.system, retry_after=WAIT)
        for one in ours:
            raise NeedsPerson(f"{one.system} of {agency} is suspended since {one.since:%Y-%m-%d}", system=one.system)
        raise KeyError(agency)

    def __iter__(self) -> Iterator[str]:
        yield from self._fixed
        ours = [one for one in self._store.integrations.list() if one.system in MID_OFFICES and one.state == "active"]
        active = dict.fromkeys(one.agency for one in ours)
        yield from (agency for agency in active if agency in self._agencies and agency not in self._fixed)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _account(self, integration: Integration) -> MidOfficeAccount:
        with self._opening:
            place = (integration.agency, integration.system)
            known = self._opened.get(place)
            if known is None or known[0] < integration.version:
                # The old line is not closed: another thread may be in the middle of a call.
                known = self._opened[place] = (integration.version, account_of(self._store, integration))
            return known[1]
