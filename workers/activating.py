"""What the command line needs to prepare an activation: which systems there are, what is wrong with settings, a check now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from activities.easycount.integration import KEY_NAME as EASYCOUNT_KEY
from activities.easycount.integration import SYSTEM as EASYCOUNT
from activities.easycount.integration import examine as examine_easycount
from activities.easycount.integration import problems as easycount_problems
from activities.giav.activation import problems as giav_problems
from activities.giav.client import SYSTEM as GIAV
from activities.giav.integration import KEY_NAME as GIAV_KEY
from activities.giav.integration import examine as examine_giav
from activities.kommo.integration import KEY_NAME as KOMMO_KEY
from activities.kommo.integration import examine as examine_kommo
from activities.kommo.integration import problems as kommo_problems
from activities.kommo.wire import SYSTEM as KOMMO
from activities.midoffice.integration import examine as examine_midoffice
from activities.midoffice.integration import key_name, key_path, names
from activities.midoffice.integration import problems as midoffice_problems
from activities.midoffice.letters import asking_for_access, asking_for_the_key, telling_it_works
from store import Store
from store.installation import AgencySettings
from workers.consenting import standing

MID_OFFICES = tuple(names())
SYSTEMS = (GIAV, KOMMO, EASYCOUNT, *MID_OFFICES)
"""The systems that an agency can activate by itself."""
KEY_NAMES = {
    GIAV: GIAV_KEY,
    KOMMO: KOMMO_KEY,
    EASYCOUNT: EASYCOUNT_KEY,
    **{system: key_name(system) for system in MID_OFFICES},
}
"""Where the vault keeps a system's key."""
SECRETS = {
    GIAV: "api_key",
    KOMMO: "client_secret",
    EASYCOUNT: "api_key",
    **{system: ".".join(key_path(system)) for system in MID_OFFICES},
}
"""The setting that is sealed and never set."""


class Examination(Protocol):
    """What a check found: the settings as they would be used, and what a person still has to give."""

    @property
    def settings(self) -> Mapping[str, Any]: ...

    @property
    def questions(self) -> Mapping[str, tuple[int, ...]]: ...

    @property
    def wrong(self) -> tuple[str, ...]: ...

    @property
    def ready(self) -> bool: ...


def section_of(system: str) -> str:
    """The section of an agency's settings file that stands for the system, and counts first."""
    return "midoffice" if system in MID_OFFICES else system


def wrong_settings(system: str, settings: Mapping[str, Any]) -> list[str]:
    """What cannot stand in a system's settings, as `path: reason`; what is missing is no mistake yet."""
    return _problems(system, settings)[1]


def missing_settings(system: str, settings: Mapping[str, Any]) -> list[str]:
    return _problems(system, settings)[0]


def check(store: Store, agency: str, system: str, configured: AgencySettings, *, by: str) -> Examination:
    """Call the system now and write down what was found. Raises the classes of `domain.errors`."""
    if system == GIAV:
        return examine_giav(store, agency, configured.name, by=by)
    if system == KOMMO:
        return examine_kommo(store, agency, by=by)
    if system == EASYCOUNT:
        return examine_easycount(store, agency, by=by)
    return examine_midoffice(store, agency, system, by=by)


def let_in(store: Store, agency: str) -> str:
    """How we come into the agency's Kommo, in words."""
    return standing(store, agency)


def letters(system: str, agency_name: str) -> dict[str, str]:
    """What a person has to send, by whom it is for and when; empty where nobody has to be told."""
    if system not in MID_OFFICES:
        return {}
    product = system.upper()
    return {
        "to the RateHawk account manager, first": asking_for_the_key(agency_name, product),
        f"to the vendor of {product}, when the key has come": asking_for_access(agency_name, product),
        "to the RateHawk account manager, at the end": telling_it_works(agency_name, product),
    }


def _problems(system: str, settings: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    if system == KOMMO:
        return kommo_problems(settings)
    if system == EASYCOUNT:
        return easycount_problems(settings)
    return giav_problems(settings) if system == GIAV else midoffice_problems(system, settings)
