"""From settings to running parts: the one place that knows every adapter (DESIGN section 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError
from temporalio.client import Client

from activities.accounting.activities import JournalActivities
from activities.accounting.deals import DealJournal
from activities.accounting.duplicates import DuplicateEntries
from activities.accounting.erp import JournalErpActivities
from activities.accounting.settings import JournalSettings
from activities.easycount.account import EasyCountAccount
from activities.easycount.documents import EasyCountDocuments
from activities.easycount.integration import EasyCountIntegration
from activities.easycount.payments import EasyCountPayments
from activities.giav.activities import GiavActivities
from activities.giav.checks import GiavChecks
from activities.giav.client import GiavClient
from activities.giav.integration import GiavIntegration
from activities.giav.office import GiavAccount
from activities.giav.settings import GiavSettings
from activities.giving_back import GivingBack
from activities.kommo.account import KommoAccount
from activities.kommo.deals import DealActivities
from activities.kommo.integration import KommoIntegration
from activities.kommo.settings import KommoSettings
from activities.kommo.watching import KommoWatch
from activities.mailing.activities import MailActivities
from activities.mailing.duplicates import DuplicateLetters
from activities.mailing.instalments import InstalmentLetters
from activities.midoffice.accounts import MidOfficeAccount
from activities.midoffice.activities import MidOfficeActivities
from activities.midoffice.integration import MidOfficeIntegration
from activities.midoffice.orders import SupplierOrderActivities
from activities.midoffice.resending import MidOfficeResending
from activities.office.ageing import AgeingActivities
from activities.office.connectors import ConnectorActivities
from activities.office.credits import CreditActivities
from activities.office.desk import DeskActivities
from activities.office.happenings import Happenings
from activities.office.plans import PlanActivities
from activities.office.returns import ReturnActivities
from activities.platform.activities import PlatformActivities
from activities.platform.backfill import PlatformBackfill
from activities.platform.settings import PlatformAccount
from activities.ratehawk.activities import RateHawkActivities
from activities.ratehawk.settings import RateHawkAccount
from activities.tamara.activities import TamaraActivities
from activities.tamara.answering import TamaraAnswerActivities
from activities.tamara.searching import CardSearchActivities
from activities.tamara.settings import TamaraSettings
from domain.collecting import PlanRules
from domain.deals import DealRules
from domain.naming import Queue
from domain.plan_letters import MailSettings
from store import Store
from store.installation import Installation, SettingsError
from workers.crm_accounts import KommoAccounts
from workers.easycount_accounts import EasyCountAccounts
from workers.gateways import gateways
from workers.integrated import IntegratedAccounts, IntegratedMidOffices

T = TypeVar("T")
PLAYED = "sandbox"
"""Below the data folder: what the stand-ins of a demo hold, such as AirPlus' own copy of our files."""


@dataclass(frozen=True)
class Accounts:
    """Every agency's account at every outside system that it uses."""

    giav: Mapping[str, GiavAccount]
    midoffice: Mapping[str, MidOfficeAccount]
    tamara: Mapping[str, TamaraSettings]
    platform: Mapping[str, PlatformAccount]
    journal: Mapping[str, JournalSettings]
    ratehawk: Mapping[str, RateHawkAccount]
    easycount: Mapping[str, EasyCountAccount]
    kommo: Mapping[str, KommoAccount]
    deals: Mapping[str, DealRules]
    plans: Mapping[str, PlanRules]
    mail: Mapping[str, MailSettings]


def open_accounts(installation: Installation, store: Store | None = None) -> Accounts:
    """Check the settings of every outside system and prepare its client; nothing is called yet. Raises `SettingsError`.

    With a store, agencies without a section of their own have the integrations that they activated.
    """

    def each(system: str, opened: Callable[[dict[str, Any]], T], *given: str) -> dict[str, T]:
        found: dict[str, T] = {}
        for name, agency in installation.agencies.items():
            section = agency.section(system)
            if section is not None:
                defaults = {key: getattr(agency, key) for key in given}
                found[name] = _checked(f"agencies.{name}.{system}", opened, {**defaults, **section})
        return found

    giav = each("giav", _giav)
    midoffice = each("midoffice", MidOfficeAccount.open)
    return Accounts(
        giav=giav if store is None else IntegratedAccounts(giav, installation.agencies, store),
        midoffice=midoffice if store is None else IntegratedMidOffices(midoffice, installation.agencies, store),
        tamara=each("tamara", TamaraSettings.model_validate, "name", "timezone"),
        plans=each("plans", PlanRules.model_validate),
        mail=each("mail", MailSettings.model_validate),
        journal=each("journal", JournalSettings.model_validate, "timezone"),
        ratehawk=each("ratehawk", RateHawkAccount.open),
        easycount=EasyCountAccounts(each("easycount", EasyCountAccount.open), installation.agencies, store),
        kommo=KommoAccounts(each("kommo", KommoSettings.model_validate), installation.agencies, store),
        deals={
            name: _checked(
                f"agencies.{name}.deals",
                DealRules.model_validate,
                {"currency": agency.currency, **(agency.deals or {})},
            )
            for name, agency in installation.agencies.items()
        },
        platform={
            name: PlatformAccount.open(agency.platform, agency.environment)
            for name, agency in installation.agencies.items()
        },
    )


def _giav(section: dict[str, Any]) -> GiavAccount:
    settings = GiavSettings.model_validate(section)
    return GiavAccount(GiavClient(settings), settings)


def _checked(where: str, build: Callable[[dict[str, Any]], T], section: dict[str, Any]) -> T:
    try:
        return build(section)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        # What is wrong comes before what is missing: it may be a name that was misspelt.
        first = next((fault for fault in faults if fault["type"] != "missing"), faults[0])
        inside = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{where}.{inside}: {first['msg']}") from None


def cells(
    installation: Installation, store: Store, accounts: Accounts, client: Client
) -> dict[Queue, list[Callable[..., Any]]]:
    """The implementations of every cell of the verbs × systems table, by task queue."""
    zones = {name: agency.timezone for name, agency in installation.agencies.items()}
    names = {name: agency.name for name, agency in installation.agencies.items()}
    erps = {name: agency.erp for name, agency in installation.agencies.items()}
    without_giav = frozenset(name for name, erp in erps.items() if erp != "giav")
    columns: dict[Queue, list[object]] = {
        Queue.GIAV: [
            GiavActivities(store, accounts.giav, elsewhere=without_giav),
            GiavChecks(store, accounts.giav, elsewhere=without_giav),
            GiavIntegration(store, names),
        ],
        Queue.SUPPLIER: [RateHawkActivities(store, accounts.ratehawk, client)],
        Queue.MIDOFFICE: [
            SupplierOrderActivities(store, accounts.midoffice),
            MidOfficeActivities(store, accounts.midoffice),
            MidOfficeResending(store, accounts.midoffice),
            MidOfficeIntegration(store, names),
        ],
        Queue.TAMARA: [
            TamaraActivities(store, accounts.tamara),
            TamaraAnswerActivities(store, accounts.tamara),
            CardSearchActivities(store, accounts.tamara, installation.data, (installation.data / PLAYED,)),
        ],
        Queue.ACCOUNTING: [
            JournalActivities(store, accounts.journal),
            JournalErpActivities(store, accounts.journal),
            DealJournal(store, accounts.journal),
            DuplicateEntries(store, accounts.journal),
            EasyCountDocuments(store, accounts.easycount, installation.agencies, accounts.deals),
            EasyCountPayments(store, accounts.easycount, installation.agencies),
            EasyCountIntegration(store),
        ],
        Queue.CRM: [
            DealActivities(store, accounts.kommo, accounts.deals),
            KommoIntegration(store),
            KommoWatch(store, accounts.kommo),
        ],
        Queue.PLATFORM: [
            GivingBack(store, gateways(store, accounts.platform)),
            PlatformActivities(store, accounts.platform, accounts.plans, zones),
            PlatformBackfill(store, accounts.platform),
        ],
        Queue.OFFICE: [
            DeskActivities(store, installation.console.url),
            ConnectorActivities(store, erps),
            AgeingActivities(store),
            Happenings(store, client),
            PlanActivities(store, client, zones, rules=accounts.plans),
            ReturnActivities(store, accounts.plans),
            InstalmentLetters(store, accounts.mail, names),
            DuplicateLetters(store, accounts.mail, names),
            CreditActivities(store),
            MailActivities(store, accounts.deals, names),
        ],
    }
    return {queue: [cell for column in found for cell in implementations(column)] for queue, found in columns.items()}


def implementations(column: object) -> list[Callable[..., Any]]:
    """The methods of an activity class that implement cells."""
    methods = (getattr(column, name) for name in dir(column) if not name.startswith("_"))
    return [method for method in methods if hasattr(method, "__temporal_activity_definition")]
