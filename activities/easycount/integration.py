"""An agency connects its EasyCount by itself: the key is judged, and in the demonstration environment a document is tried
(contracts: easycount 1, 2.7)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from activities.easycount.account import EasyCountAccount
from activities.easycount.settings import EasyCountSettings
from activities.easycount.wire import DocumentRequest, Item, Kind
from activities.effects import Effect, Effects
from activities.failures import implements
from activities.signatures import EASYCOUNT_CHECK_ACCOUNT, EASYCOUNT_TRY_ACCOUNT, EASYCOUNT_USE_ACCOUNT
from domain.effects import EffectKey
from domain.errors import NeedsPerson, Unauthorised
from domain.money import Money
from domain.steps import Done, IntegrationStep
from store import Store
from store.integrations import Integration

SYSTEM = "easycount"
KEY_NAME = f"integration/{SYSTEM}/key"
PLACEHOLDER = "-"
SECRETS = ("api_key", "distributor_key")
NOBODYS_PAGE = "00000000-0000-0000-0000-000000000000"
TRIED_WITH = 100
"""Minor units of the document that is tried in the demonstration environment."""


@dataclass(frozen=True)
class Connection:
    """What a check found: the settings as they would be used, and what is wrong with them."""

    settings: dict[str, Any]
    wrong: tuple[str, ...] = ()

    @property
    def questions(self) -> Mapping[str, tuple[int, ...]]:
        """Nothing of EasyCount is guessed, so nothing is left to be chosen from candidates."""
        return {}

    @property
    def ready(self) -> bool:
        return not self.wrong


def problems(settings: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """(missing, wrong) settings; wrong ones as `path: reason`, without their values."""
    sealed = [name for name in SECRETS if name in settings]
    if sealed:
        return [], [f"{name}: is a secret and no setting; a distributor uses the settings file" for name in sealed]
    missing, wrong = [], []
    try:
        EasyCountSettings.model_validate({**settings, "api_key": PLACEHOLDER})
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False):
            path = ".".join(str(part) for part in fault["loc"]) or "settings"
            if fault["type"] == "missing":
                missing.append(path)
            else:
                wrong.append(f"{path}: {fault['msg']}")
    return missing, wrong


def account_settings(store: Store, integration: Integration) -> EasyCountSettings:
    """The settings with the sealed key. Raises `NeedsPerson` for settings, `Unauthorised` without a key."""
    agency = integration.agency
    missing, wrong = problems(integration.settings)
    if missing or wrong:
        raise NeedsPerson(
            f"{'; '.join([*wrong, *(f'{name} is missing' for name in missing)])}: give it with "
            f"'bookings integration set {agency} --system {SYSTEM} NAME=VALUE'",
            system=SYSTEM,
            operation="check",
        )
    if KEY_NAME not in store.vault.names(agency):
        raise Unauthorised(
            f"there is no key yet: bookings integration key {agency} --system {SYSTEM}",
            system=SYSTEM,
            operation="check",
        )
    return EasyCountSettings.model_validate({**integration.settings, "api_key": store.vault.open(agency, KEY_NAME)})


def examine(store: Store, agency: str, *, by: str) -> Connection:
    """Ask about a page that is nobody's, by which only the key is judged. Raises the adapter's errors."""
    integration = store.integrations.known(agency, SYSTEM)
    settings = account_settings(store, integration)
    with closing(EasyCountAccount.open(settings).client) as client:
        client.validate(NOBODYS_PAGE)
    catalogue = {**integration.catalogue, "environment": settings.kind_of_environment, "questions": {}}
    words = f"access to the {settings.kind_of_environment} environment works"
    store.integrations.checked(agency, SYSTEM, catalogue, by=by, detail=words)
    return Connection(dict(integration.settings))


class EasyCountIntegration:
    """The cells of connecting EasyCount. In the real environment nothing is ever issued to try it: every number is a legal one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._effects = Effects(store.effects)

    @implements(EASYCOUNT_CHECK_ACCOUNT)
    def check_account(self, step: IntegrationStep) -> Done:
        """We are let in, and every setting is given."""
        examine(self._store, step.agency, by=step.by)
        return Done()

    @implements(EASYCOUNT_TRY_ACCOUNT)
    def try_account(self, step: IntegrationStep) -> Done:
        """In the demonstration environment: a page and a document, once per account. What it cannot do is known before a deal."""
        settings = account_settings(self._store, self._store.integrations.known(step.agency, SYSTEM))
        if settings.kind_of_environment != "demo":
            return Done(outcome="skipped", note="in the real environment nothing is issued to try it")
        amount = Money(amount=TRIED_WITH, currency=settings.currency)
        account = hashlib.sha256(settings.api_key.get_secret_value().encode()).digest()
        key = f"te:{base64.b32encode(hashlib.sha256(step.agency.encode() + account).digest()).decode()[:36]}"
        wanted = DocumentRequest(
            kind=Kind.PROFORMA,
            transaction_id=key,
            customer_name="Booking orchestrator",
            currency=settings.currency,
            items=(Item(details="Test of the connection", price=amount, vat_kind=settings.vat_kind),),
            vat=settings.vat,
            send_email=False,
        )
        with closing(EasyCountAccount.open(settings).client) as client:

            def page(_reference: str) -> str:
                return client.create_link(amount).url

            def document(_reference: str) -> str:
                return client.create_document(wanted).number

            self._effects.perform(Effect(EffectKey(step.agency, SYSTEM, "page", key, "try"), act=page))
            number = self._effects.perform(Effect(EffectKey(step.agency, SYSTEM, "document", key, "try"), act=document))
        return Done(ids={"document": number}, note=f"document {number} of the demonstration environment")

    @implements(EASYCOUNT_USE_ACCOUNT)
    def use_account(self, step: IntegrationStep) -> Done:
        """Ask deals' customers for money through it from now on."""
        integration = self._store.integrations.known(step.agency, SYSTEM)
        account_settings(self._store, integration)
        self._store.integrations.activate(step.agency, SYSTEM, integration.settings, by=step.by)
        return Done()
