"""An agency connects its mid-office by itself: key sealed, access checked, account manager told, in use (DESIGN 4; midoffice 1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from activities.failures import implements
from activities.midoffice.accounts import SYSTEMS, MidOfficeAccount
from activities.midoffice.letters import telling_it_works
from activities.signatures import MIDOFFICE_CHECK_ACCOUNT, MIDOFFICE_CONFIRM_ACCOUNT, MIDOFFICE_USE_ACCOUNT
from domain.errors import NeedsPerson, Unauthorised
from domain.steps import Done, IntegrationStep
from store import Store
from store.integrations import Integration

KEY_SETTINGS: dict[str, tuple[str, ...]] = {"xmid": ("token",), "ziel": ("sftp", "private_key")}
"""Where a system's settings have the secret, when it is no password."""
PLACEHOLDER = "-"


@dataclass(frozen=True)
class Connection:
    """What a check of a mid-office found: the settings as they would be used, and what a person still has to give."""

    settings: dict[str, Any]
    questions: dict[str, tuple[int, ...]]
    wrong: tuple[str, ...]

    @property
    def ready(self) -> bool:
        return not self.questions and not self.wrong


def key_name(system: str) -> str:
    """Where the vault keeps a mid-office's secret."""
    return f"integration/{system}/key"


def key_path(system: str) -> tuple[str, ...]:
    """The setting that is sealed and never set."""
    return KEY_SETTINGS.get(system, ("password",))


def problems(system: str, settings: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """(missing, wrong) settings; wrong ones as `path: reason`, without their values."""
    try:
        checked = SYSTEMS[system].settings.model_validate(_section(system, settings, PLACEHOLDER))
    except ValidationError as error:
        missing, wrong = [], []
        for fault in error.errors(include_input=False, include_url=False):
            path = ".".join(str(part) for part in fault["loc"])
            if fault["type"] in ("missing", "too_short"):
                missing.append(path)
            else:
                wrong.append(f"{path}: {fault['msg']}")
        return missing, wrong
    mute = sorted(checked.capabilities - SYSTEMS[system].speaks_of)
    return [], [f"capabilities: the adapter has no words for {kind}" for kind in mute]


def account_of(store: Store, integration: Integration) -> MidOfficeAccount:
    """The account with its sealed key. Raises `NeedsPerson` for settings, `Unauthorised` without a key."""
    agency, system = integration.agency, integration.system
    missing, wrong = problems(system, integration.settings)
    if missing or wrong:
        open_ones = [*wrong, *(f"{name} is missing" for name in missing)]
        raise NeedsPerson(
            f"{'; '.join(open_ones)}: give it with 'bookings integration set {agency} --system {system} NAME=VALUE'",
            system=system,
            operation="check",
        )
    if key_name(system) not in store.vault.names(agency):
        raise Unauthorised(
            f"there is no key yet: bookings integration key {agency} --system {system}",
            system=system,
            operation="check",
        )
    secret = store.vault.open(agency, key_name(system))
    return MidOfficeAccount.open(_section(system, integration.settings, secret))


def examine(store: Store, agency: str, system: str, *, by: str) -> Connection:
    """Call the mid-office with the sealed key: a look at a booking that exists nowhere. Raises the adapter's errors."""
    integration = store.integrations.known(agency, system)
    missing, wrong = problems(system, integration.settings)
    found = Connection(dict(integration.settings), dict.fromkeys(missing, ()), tuple(wrong))
    if found.ready:
        with closing(account_of(store, integration).adapter) as adapter:
            try:
                adapter.ping()
            except Unauthorised as error:
                raise Unauthorised(
                    f"{error.message}: seal the right key with 'bookings integration key {agency} --system {system}'",
                    system=system,
                    operation=error.operation,
                    code=error.code,
                ) from None
    summary = {**integration.catalogue, "questions": {name: [] for name in missing}}
    words = f"{len(missing)} settings to give" if missing else "access works"
    store.integrations.checked(agency, system, summary, by=by, detail="; ".join([words, *wrong]))
    return found


class MidOfficeIntegration:
    """The cells of connecting a mid-office. `names` holds each agency's own name, for the letters."""

    def __init__(self, store: Store, names: Mapping[str, str]) -> None:
        self._store = store
        self._names = names

    @implements(MIDOFFICE_CHECK_ACCOUNT)
    def check_account(self, step: IntegrationStep) -> Done:
        """Every setting is given and the key is accepted."""
        found = examine(self._store, step.agency, step.system, by=step.by)
        if not found.ready:
            # Says what is missing, and how it is given.
            account_of(self._store, self._store.integrations.known(step.agency, step.system))
        return Done()

    @implements(MIDOFFICE_CONFIRM_ACCOUNT)
    def confirm_account(self, step: IntegrationStep) -> Done:
        """A person has told the account manager at RateHawk; until then the task is theirs, with the text to send."""
        integration = self._store.integrations.known(step.agency, step.system)
        if "confirmed" not in integration.catalogue:
            letter = telling_it_works(self._names[step.agency], step.system.upper())
            raise NeedsPerson(
                f"send this to the RateHawk account manager, then say 'bookings integration confirm {step.agency} "
                f"--system {step.system}': {letter}",
                system=step.system,
                operation="confirm",
            )
        return Done(note=str(integration.catalogue["confirmed"]))

    @implements(MIDOFFICE_USE_ACCOUNT)
    def use_account(self, step: IntegrationStep) -> Done:
        """Transfer there from now on."""
        integration = self._store.integrations.known(step.agency, step.system)
        account_of(self._store, integration).adapter.close()
        self._store.integrations.activate(step.agency, step.system, integration.settings, by=step.by)
        return Done()


def _section(system: str, settings: Mapping[str, Any], secret: str) -> dict[str, Any]:
    """The settings section with the secret at its place."""
    *above, last = key_path(system)
    section: dict[str, Any] = {**settings, "kind": system}
    place = section
    for name in above:
        place[name] = dict(place.get(name, {}))
        place = place[name]
    place[last] = secret
    return section


def names() -> list[str]:
    """The mid-offices that can be connected."""
    return sorted(SYSTEMS)
