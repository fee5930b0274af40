"""One harmless call to every outside system, to see whether it is there and lets us in (used by `bookings doctor`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from functools import partial

from activities.easycount.account import EasyCountAccount
from activities.easycount.integration import NOBODYS_PAGE
from activities.easycount.integration import SYSTEM as EASYCOUNT
from activities.giav.client import SYSTEM as GIAV
from activities.giav.client import GiavClient
from activities.giav.integration import account_settings
from activities.giav.office import GiavAccount
from activities.kommo.account import KommoAccount
from activities.kommo.integration import ping
from activities.kommo.wire import SYSTEM as KOMMO
from activities.midoffice.integration import account_of
from activities.platform.client import PlatformClient
from activities.ratehawk.settings import RateHawkAccount
from activities.tamara.drop_box import drop_box_of
from activities.tamara.settings import TamaraSettings
from domain.errors import NeedsPerson, Refused
from store import Store
from store.installation import Installation
from store.integrations import Integration
from workers.wiring import open_accounts

Check = tuple[str, Callable[[], None]]


def checks(installation: Installation, store: Store | None = None) -> list[Check]:
    """A name and a call for every system of every agency; the call raises the adapter's error. Raises `SettingsError`.

    With a store, what agencies activated themselves is looked at too.
    """
    return list(_checks(installation, store))


def _checks(installation: Installation, store: Store | None) -> Iterator[Check]:
    accounts = open_accounts(installation)
    for agency, giav in accounts.giav.items():
        yield f"{agency}: GIAV", partial(_giav, giav)
    if store is not None:
        for integration in store.integrations.list():
            if integration.agency not in installation.agencies:
                continue
            if integration.system == GIAV and integration.agency not in accounts.giav:
                yield f"{integration.agency}: GIAV", partial(_integrated, store, integration)
            elif integration.system in (KOMMO, EASYCOUNT):
                continue
            elif integration.system != GIAV and integration.agency not in accounts.midoffice:
                name = f"{integration.agency}: mid-office ({integration.system})"
                yield name, partial(_connected, store, integration)
    for agency, midoffice in accounts.midoffice.items():
        yield f"{agency}: mid-office ({midoffice.settings.kind})", midoffice.adapter.ping
    for agency, ratehawk in accounts.ratehawk.items():
        yield f"{agency}: RateHawk", partial(_ratehawk, ratehawk)
    opened = accounts if store is None else open_accounts(installation, store)
    crm, invoicing = opened.kommo, opened.easycount
    for agency in invoicing:
        yield f"{agency}: EasyCount", partial(_easycount, invoicing, agency)
    for agency in crm:
        yield f"{agency}: Kommo", partial(_kommo, crm, agency)
    for agency, tamara in accounts.tamara.items():
        if tamara.producer == "orchestrator":
            yield f"{agency}: AirPlus drop box", partial(_tamara, tamara)
    for agency, platform in accounts.platform.items():
        if platform.client is not None:
            yield f"{agency}: platform", partial(_platform, platform.client)


def _giav(account: GiavAccount) -> None:
    # A refusal ("no existe") comes from behind the door that the key opens.
    with suppress(Refused):
        account.client.call("Expediente_InfoEconomica_GET", id=1)


def _kommo(accounts: Mapping[str, KommoAccount], agency: str) -> None:
    ping(accounts[agency])


def _easycount(accounts: Mapping[str, EasyCountAccount], agency: str) -> None:
    # Only the account's key is judged, and nothing is issued.
    accounts[agency].client.validate(NOBODYS_PAGE)


def _integrated(store: Store, integration: Integration) -> None:
    _must_be_active(integration)
    settings = account_settings(store, integration)
    with closing(GiavClient(settings)) as client:
        _giav(GiavAccount(client, settings))


def _connected(store: Store, integration: Integration) -> None:
    _must_be_active(integration)
    with closing(account_of(store, integration).adapter) as adapter:
        adapter.ping()


def _must_be_active(integration: Integration) -> None:
    if integration.state != "active":
        raise NeedsPerson(
            f"{integration.state} since {integration.since:%Y-%m-%d}: "
            f"'bookings integration show {integration.agency} --system {integration.system}'"
        )


def _ratehawk(account: RateHawkAccount) -> None:
    account.client.overview()


def _tamara(settings: TamaraSettings) -> None:
    with drop_box_of(settings).session() as folder:
        folder.names()


def _platform(client: PlatformClient) -> None:
    client.booking("bkg_00")
