"""An agency connects its Kommo by itself: consent, fields and stages found, our fields and webhook made (contracts: kommo 2 to 4)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from pydantic import ValidationError

from activities.failures import implements
from activities.kommo.account import KommoAccount
from activities.kommo.alarms import FIELDS, REAUTH, WEBHOOK, Alarms
from activities.kommo.client import KommoClient
from activities.kommo.fields import CODES, FieldMap, definition_of
from activities.kommo.line import FixedToken, Tokens
from activities.kommo.settings import KommoSettings
from activities.kommo.tokens import OAuth, RotatingTokens
from activities.kommo.wire import SYSTEM, Pipeline
from activities.signatures import KOMMO_CHECK_ACCOUNT, KOMMO_INSTALL, KOMMO_USE_ACCOUNT
from domain.errors import NeedsPerson, Unauthorised
from domain.steps import Done, IntegrationStep
from store import Store
from store.crm_tokens import hook_name, long_lived_name, retiring_hook_name, secret_name
from store.integrations import Integration

KEY_NAME = secret_name(SYSTEM)
PLACEHOLDER = "-"
DISCOVERED: dict[str, Any] = {"account_id": 1, "pipeline": 1, "trigger_stages": [1]}
"""Settings that the first check finds out or asks for; these stand in for them until then."""
PLACE_TO_COME = "https://not.given.yet"
SECRETS = frozenset({"token", "client_secret", "hook_secret", "retiring_hook_secret"})
"""Settings that are sealed and never given as such."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Connection:
    """What a check found: the settings as they would be used, and what a person still has to give, with candidates."""

    settings: dict[str, Any]
    questions: dict[str, tuple[int, ...]]
    wrong: tuple[str, ...]

    @property
    def ready(self) -> bool:
        return not self.questions and not self.wrong


def problems(settings: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """(missing, wrong) settings; wrong ones as `path: reason`, without their values."""
    sealed = sorted(SECRETS & set(settings))
    if sealed:
        return [], [f"{name}: is a secret and no setting" for name in sealed]
    missing = [name for name in ("gateway_url",) if not settings.get(name)]
    wrong = []
    try:
        KommoSettings.model_validate({**settings, "token": PLACEHOLDER})
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False):
            path = ".".join(str(part) for part in fault["loc"])
            if fault["type"] in ("missing", "too_short"):
                missing.append(path)
            else:
                wrong.append(f"{path}: {fault['msg']}")
    return missing, wrong


def account_settings(store: Store, integration: Integration, given: Mapping[str, Any] | None = None) -> KommoSettings:
    """The settings with the sealed secrets. Raises `NeedsPerson` for settings, `Unauthorised` where nobody let us in yet."""
    agency = integration.agency
    section = dict(integration.settings if given is None else given)
    missing, wrong = problems(section)
    if missing or wrong:
        open_ones = [*wrong, *(f"{name} is missing" for name in missing)]
        raise NeedsPerson(
            f"{'; '.join(open_ones)}: give it with 'bookings integration set {agency} --system {SYSTEM} NAME=VALUE'",
            system=SYSTEM,
            operation="check",
        )
    held = set(store.vault.names(agency))
    for name, place in (
        ("client_secret", secret_name(SYSTEM)),
        ("token", long_lived_name(SYSTEM)),
        ("hook_secret", hook_name(SYSTEM)),
        ("retiring_hook_secret", retiring_hook_name(SYSTEM)),
    ):
        if place in held:
            section[name] = store.vault.open(agency, place)
    try:
        return KommoSettings.model_validate(section)
    except ValidationError:
        raise Unauthorised(
            f"nobody let us in yet: seal the integration's secret with 'bookings integration key {agency} --system "
            f"{SYSTEM}' and give client_id and redirect_uri, or seal a long-lived token with 'bookings integration "
            f"consent {agency} --long-lived'",
            system=SYSTEM,
            operation="check",
        ) from None


def open_account(
    store: Store, agency: str, settings: KommoSettings, *, now: Callable[[], datetime] = _utc_now
) -> KommoAccount:
    """The account with its tokens, telling people of its troubles."""
    alarms = Alarms(store, agency)
    tokens: Tokens
    if settings.token is not None:
        tokens = FixedToken(settings.token.get_secret_value())
    else:
        tokens = RotatingTokens(agency, OAuth(settings), store.crm_tokens, alarm=alarms, now=now)
    return KommoAccount.open(settings, tokens, alarm=alarms)


def consent_address(settings: KommoSettings, state: str) -> str:
    """Where an administrator agrees (kommo 2.1): the platform's host, without scope and redirect."""
    asked = {"client_id": settings.client_id or "", "state": state, "mode": "popup"}
    return f"{settings.consent_url}?{urlencode(asked)}"


def exchange(store: Store, agency: str, settings: KommoSettings, code: str) -> None:
    """Exchange the code of a consent, which works once. Raises the adapter's errors."""
    with closing(OAuth(settings)) as oauth:
        access, refresh, lasts = oauth.by_code(code)
        store.crm_tokens.consented(agency, SYSTEM, access=access, refresh=refresh, lasts=lasts)
    Alarms(store, agency).over(REAUTH)


def examine(store: Store, agency: str, *, by: str) -> Connection:
    """Read the account, its pipelines and fields; what it leaves open is a question. Raises the adapter's errors."""
    integration = store.integrations.known(agency, SYSTEM)
    given = integration.settings
    settings = account_settings(store, integration, {"gateway_url": PLACE_TO_COME, **DISCOVERED, **given})
    with closing(open_account(store, agency, settings).client) as client:
        account, pipelines, fields = client.account(), client.pipelines(), client.custom_fields()
    wrong = []
    if given.get("account_id", account.id) != account.id:
        wrong.append(f"account_id: the token belongs to account {account.id}")
    proposed: dict[str, Any] = {"account_id": account.id}
    questions = _unanswered(given, pipelines, proposed)
    found = FieldMap.found(settings.fields, fields)
    wrong += [
        f"fields.{code}: {field.name} is of type {field.type}, not {CODES[code][0]}"
        for code, field in found.by_code.items()
        if field.type != CODES[code][0] and not (CODES[code][0] == "url" and field.type == "text")
    ]
    wrong += [f"fields.{code}: there is no such field" for code in settings.fields if code in found.missing]
    stages = [{"id": each.id, "name": f"{line.name}: {each.name}"} for line in pipelines for each in line.stages]
    catalogue = {
        "account": account.name,
        "currency": account.currency,
        "pipelines": [{"id": each.id, "name": each.name} for each in pipelines],
        "stages": stages,
        "proposed": proposed,
        "questions": {name: list(candidates) for name, candidates in questions.items()},
    }
    words = f"{len(questions)} settings to give" if questions else "access works"
    store.integrations.checked(agency, SYSTEM, catalogue, by=by, detail="; ".join([words, *wrong]))
    return Connection({**proposed, **given}, questions, tuple(wrong))


def _unanswered(
    given: Mapping[str, Any], pipelines: list[Pipeline], proposed: dict[str, Any]
) -> dict[str, tuple[int, ...]]:
    """What only a person knows. The pipeline is no question where there is one."""
    questions: dict[str, tuple[int, ...]] = {}
    if "pipeline" not in given:
        if len(pipelines) == 1:
            proposed["pipeline"] = pipelines[0].id
        else:
            questions["pipeline"] = tuple(each.id for each in pipelines)
    chosen = given.get("pipeline", proposed.get("pipeline"))
    stages = tuple(each.id for line in pipelines if line.id == chosen for each in line.stages)
    if "trigger_stages" not in given or (chosen is not None and not set(given["trigger_stages"]) <= set(stages)):
        questions["trigger_stages"] = stages
    if not given.get("gateway_url"):
        questions["gateway_url"] = ()
    return questions


class KommoIntegration:
    """The cells of connecting a Kommo account. What they make there has a key of its own (a field its code, a webhook its
    address), so that whoever comes twice finds it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @implements(KOMMO_CHECK_ACCOUNT)
    def check_account(self, step: IntegrationStep) -> Done:
        """We are let in, and every setting is given."""
        found = examine(self._store, step.agency, by=step.by)
        open_ones = [*found.wrong, *(f"{name} is missing" for name in found.questions)]
        if open_ones:
            raise NeedsPerson(
                f"{'; '.join(open_ones)}: see 'bookings integration show {step.agency} --system {SYSTEM}', give it with "
                f"'bookings integration set {step.agency} --system {SYSTEM} NAME=VALUE'",
                system=SYSTEM,
                operation="check",
            )
        return Done()

    @implements(KOMMO_INSTALL)
    def install(self, step: IntegrationStep) -> Done:
        """Our fields and our webhook are there."""
        store, agency = self._store, step.agency
        integration = store.integrations.known(agency, SYSTEM)
        store.vault.seal_once(agency, hook_name(SYSTEM), secrets.token_urlsafe(32))
        settings = account_settings(store, integration, _with_proposals(integration))
        with closing(open_account(store, agency, settings).client) as client:
            missing = installed(client, agency, settings)
        for reason in (FIELDS, WEBHOOK):
            Alarms(store, agency).over(reason)
        return Done(note=f"made {', '.join(missing)}" if missing else "")

    @implements(KOMMO_USE_ACCOUNT)
    def use_account(self, step: IntegrationStep) -> Done:
        """Listen to its webhooks and write into its deals from now on."""
        integration = self._store.integrations.known(step.agency, SYSTEM)
        wanted = _with_proposals(integration)
        account_settings(self._store, integration, wanted)
        self._store.integrations.activate(step.agency, SYSTEM, wanted, by=step.by)
        return Done()


def installed(client: KommoClient, agency: str, settings: KommoSettings) -> tuple[str, ...]:
    """Make what is missing of our fields, and register our webhook; the fields that were made. May be repeated."""
    missing = FieldMap.found(settings.fields, client.custom_fields()).missing
    if missing:
        currency = client.account().currency or "EUR"
        client.create_fields([definition_of(code, currency) for code in missing])
    if settings.hook_secret is not None and settings.gateway_url is not None:
        place = hook_address(agency, settings)
        client.register_webhook(place)
        for old in client.webhooks():
            if old.destination != place and old.destination.startswith(_hook_prefix(agency, settings)):
                client.remove_webhook(old.destination)
    return missing


def hook_address(agency: str, settings: KommoSettings) -> str:
    """Where Kommo tells us of deals: the secret in it stands for a signature."""
    if settings.hook_secret is None or settings.gateway_url is None:
        raise NeedsPerson("hook_secret and gateway_url are needed for a webhook", system=SYSTEM, operation="webhook")
    return f"{_hook_prefix(agency, settings)}{settings.hook_secret.get_secret_value()}"


def _hook_prefix(agency: str, settings: KommoSettings) -> str:
    return f"{(settings.gateway_url or '').rstrip('/')}/hooks/kommo/{agency}/"


def rotate_hook(store: Store, agency: str) -> None:
    """A new secret in the webhook's address: the new one is registered, then the old one removed; both are listened to."""
    integration = store.integrations.known(agency, SYSTEM)
    before = account_settings(store, integration)
    if before.hook_secret is not None:
        store.vault.seal(agency, retiring_hook_name(SYSTEM), before.hook_secret.get_secret_value())
    store.vault.seal(agency, hook_name(SYSTEM), secrets.token_urlsafe(32))
    # The gateway opens the door anew for another version.
    integration = store.integrations.set(agency, SYSTEM, integration.settings, by="system", detail="webhook's secret")
    after = account_settings(store, integration)
    with closing(open_account(store, agency, after).client) as client:
        client.register_webhook(hook_address(agency, after))
        if before.hook_secret is not None:
            client.remove_webhook(hook_address(agency, before))


def _with_proposals(integration: Integration) -> dict[str, Any]:
    return {**integration.catalogue.get("proposed", {}), **integration.settings}


def ping(account: KommoAccount) -> None:
    """One harmless call. Raises the adapter's errors, and `NeedsPerson` for another account than the settings name."""
    found = account.client.account()
    if found.id != account.settings.account_id:
        raise NeedsPerson(f"the token belongs to account {found.id}", system=SYSTEM, operation="account")
