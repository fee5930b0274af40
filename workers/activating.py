"""What the command line needs to prepare an activation: which systems there are, what is wrong with settings, a check now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from activities.giav.activation import problems
from activities.giav.client import SYSTEM as GIAV
from activities.giav.integration import KEY_NAME as GIAV_KEY
from activities.giav.integration import Examination, examine
from store import Store
from store.installation import AgencySettings

SYSTEMS = (GIAV,)
"""The systems that an agency can activate by itself."""
KEY_NAMES = {GIAV: GIAV_KEY}
"""Where the vault keeps a system's key."""
SECRET = "api_key"  # noqa: S105 the name of a setting
"""The setting that is sealed and never set."""


def wrong_settings(settings: Mapping[str, Any]) -> list[str]:
    """What cannot stand in a system's settings, as `path: reason`; what is missing is no mistake yet."""
    return problems(settings)[1]


def missing_settings(settings: Mapping[str, Any]) -> list[str]:
    return problems(settings)[0]


def check(store: Store, agency: str, configured: AgencySettings, *, by: str) -> Examination:
    """Read the catalogues now and write down what they propose. Raises the classes of `domain.errors`."""
    return examine(store, agency, configured.name, by=by)
