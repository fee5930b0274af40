"""Activating GIAV for an agency: check the key and the set-up, install our reference fields, begin (DESIGN 4; giav 2.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime

from pydantic import SecretStr

from activities.effects import Effect, Effects
from activities.failures import implements
from activities.giav.activation import Section, merged, own_field, problems, propose, unanswered
from activities.giav.catalogues import FIELD_CLASSES, FIELD_NAME, Catalogues, fields_of, read_catalogues
from activities.giav.client import SYSTEM, GiavClient
from activities.giav.mapping.values import local_day
from activities.giav.office import CREATE, own_id
from activities.giav.settings import GiavSettings
from activities.signatures import INTEGRATION_ACTIVATE, INTEGRATION_CHECK, INTEGRATION_INSTALL_FIELDS
from domain.effects import EffectKey
from domain.errors import NeedsPerson, Refused, Unauthorised
from domain.steps import BackfillProgress, Done, IntegrationActivation, IntegrationStep
from store import Store
from store.integrations import Integration

KEY_NAME = f"integration/{SYSTEM}/api_key"
"""Where the vault keeps the key."""
LINE = ("url", "connect_seconds", "read_seconds", "calls_at_once", "writes_at_once")
"""The settings that a line needs before there are any others."""


@dataclass(frozen=True)
class Examination:
    """What a check found: the settings as they would be used, and what a person still has to give."""

    catalogues: Catalogues
    settings: Section
    questions: dict[str, tuple[int, ...]]
    wrong: tuple[str, ...]

    @property
    def ready(self) -> bool:
        return not self.questions and not self.wrong


def examine(store: Store, agency: str, agency_name: str, *, by: str) -> Examination:
    """Read the agency's GIAV with the sealed key and write down what it proposes.

    Raises `Unauthorised` when there is no key or it is refused, `Refused` when the integration was never requested.
    """
    integration = store.integrations.known(agency, SYSTEM)
    with closing(_line(store, integration)) as client:
        catalogues = _let_in(agency, lambda: read_catalogues(client))
    proposal = propose(catalogues, agency_name)
    settings = merged(proposal.settings, integration.settings)
    missing, wrong = problems(settings)
    questions = {**dict.fromkeys(missing, ()), **unanswered(proposal, integration.settings)}
    summary = {
        **catalogues.model_dump(mode="json"),
        "suppliers": _to_show(catalogues, questions),
        "proposed": proposal.settings,
        "questions": {name: list(ids) for name, ids in questions.items()},
    }
    words = f"{len(questions)} settings to give" if questions else "nothing is missing"
    store.integrations.checked(agency, SYSTEM, summary, by=by, detail="; ".join([words, *wrong]))
    return Examination(catalogues, settings, questions, tuple(wrong))


class GiavIntegration:
    """The cells of an activation. `names` holds each agency's own name, by which its supplier record is known."""

    def __init__(
        self, store: Store, names: Mapping[str, str], now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store = store
        self._names = names
        self._effects = Effects(store.effects)
        self._now = now

    @implements(INTEGRATION_CHECK)
    def check(self, step: IntegrationStep) -> Done:
        """The key is accepted and every setting is known, guessed or given."""
        _must_be_ours(step)
        found = examine(self._store, step.agency, self._names[step.agency], by=step.by)
        if not found.ready:
            open_ones = [f"{name} is missing" for name in sorted(found.questions)]
            raise NeedsPerson(
                f"{'; '.join([*found.wrong, *open_ones])}: see the candidates with 'bookings integration show "
                f"{step.agency}', give them with 'bookings integration set {step.agency} NAME=VALUE'",
                system=SYSTEM,
                operation="check",
            )
        return Done(ids={"office": str(found.settings["office_id"])})

    @implements(INTEGRATION_INSTALL_FIELDS)
    def install_fields(self, step: IntegrationStep) -> Done:
        """A text field for our reference on each class: the one that is set, one that is there, else a new one."""
        _must_be_ours(step)
        integration = self._store.integrations.known(step.agency, SYSTEM)
        given: dict[str, int] = dict(integration.settings.get("custom_fields", {}))
        with closing(_line(self._store, integration)) as client:
            fields = {
                target.lower(): given.get(target.lower()) or self._field(client, step.agency, target)
                for target in FIELD_CLASSES
            }
        numbers = list(fields.values())
        if any(numbers.count(number) > 1 for name, number in fields.items() if name not in given):
            raise NeedsPerson(
                "GIAV shows one field for several classes of records, so that ours cannot be told apart; give their ids: "
                f"bookings integration set {step.agency} custom_fields.cliente=ID …",
                system=SYSTEM,
                operation="CustomData_SEARCH",
            )
        if fields != given:
            settings = {**integration.settings, "custom_fields": fields}
            self._store.integrations.set(
                step.agency, SYSTEM, settings, by=step.by, detail="custom fields for our reference"
            )
        return Done(ids={name: str(number) for name, number in fields.items()})

    @implements(INTEGRATION_ACTIVATE)
    def activate(self, step: IntegrationActivation) -> BackfillProgress:
        """Use GIAV from now on with the settings of the check; the answer is where the backfill stands."""
        _must_be_ours(step)
        integration = self._store.integrations.known(step.agency, SYSTEM)
        settings = merged(integration.catalogue.get("proposed", {}), integration.settings)
        missing, wrong = problems(settings)
        if missing or wrong:
            raise NeedsPerson("; ".join([*wrong, *missing]), system=SYSTEM, operation="activate")
        self._store.vault.open(step.agency, KEY_NAME)
        self._store.integrations.activate(step.agency, SYSTEM, settings, by=step.by)
        return self._where_to_begin(integration, step.ended_since)

    def _where_to_begin(self, integration: Integration, ended_since: date | None) -> BackfillProgress:
        """Where it stopped, unless another day is asked for."""
        stored = BackfillProgress.model_validate(integration.backfill) if integration.backfill else None
        if stored is not None and ended_since in (None, stored.ended_since):
            return stored
        return BackfillProgress(ended_since=ended_since or local_day(self._now()))

    def _field(self, client: GiavClient, agency: str, target: str) -> int:
        found = own_field(fields_of(client, target))
        if found is not None:
            return found
        key = EffectKey(agency, SYSTEM, "custom_field", target.lower(), CREATE)
        request = {"targetClass": target, "name": FIELD_NAME, "type": "TextBox", "hidden": False, "required": False}
        effect = Effect(
            key=key,
            act=lambda _: client.create("CustomData_POST", **request),
            look_up=lambda _: [
                str(entry.id) for entry in fields_of(client, target, FIELD_NAME) if entry.name == FIELD_NAME
            ],
            request=request,
        )
        return own_id(self._effects.perform(effect), key)


def account_settings(store: Store, integration: Integration) -> GiavSettings:
    """The settings of an active integration with its sealed key. Raises `NeedsPerson`, `Unauthorised`."""
    missing, wrong = problems(integration.settings)
    if missing or wrong:
        raise NeedsPerson(f"settings of the integration: {'; '.join([*wrong, *missing])}", system=SYSTEM)
    key = store.vault.open(integration.agency, KEY_NAME)
    return GiavSettings.model_validate({**integration.settings, "api_key": key})


def _line(store: Store, integration: Integration) -> GiavClient:
    """A line with the key and nothing else: the other settings are not known yet."""
    _, wrong = problems(integration.settings)
    if wrong:
        raise NeedsPerson("; ".join(wrong), system=SYSTEM, operation="check")
    if KEY_NAME not in store.vault.names(integration.agency):
        raise Unauthorised(
            f"there is no key yet: bookings integration key {integration.agency}", system=SYSTEM, operation="check"
        )
    key = SecretStr(store.vault.open(integration.agency, KEY_NAME))
    given = {name: integration.settings[name] for name in LINE if name in integration.settings}
    return GiavClient(GiavSettings.model_construct(api_key=key, **given))


def _let_in(agency: str, read: Callable[[], Catalogues]) -> Catalogues:
    try:
        return read()
    except Unauthorised as error:
        raise Unauthorised(
            f"{error.message}: seal the right key with 'bookings integration key {agency}'",
            system=SYSTEM,
            operation=error.operation,
            code=error.code,
        ) from None


def _to_show(catalogues: Catalogues, questions: Mapping[str, object]) -> list[dict[str, object]]:
    """Suppliers fill pages; they are kept for as long as one has to be chosen."""
    asked = any(name.endswith("supplier_id") for name in questions)
    return [entry.model_dump() for entry in catalogues.suppliers] if asked else []


def _must_be_ours(step: IntegrationStep) -> None:
    if step.system != SYSTEM:
        raise Refused(f"{step.system} is not activated this way", system=SYSTEM, operation="integration")
