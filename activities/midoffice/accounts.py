"""Which adapter serves which agency: one entry in the table per system (contracts: midoffice 3.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from activities.midoffice.adapter import MidOfficeAdapter
from activities.midoffice.midoco.adapter import MidocoAdapter
from activities.midoffice.settings import MidOfficeSettings

ADAPTERS: dict[str, Callable[[MidOfficeSettings, httpx.BaseTransport | None], MidOfficeAdapter]] = {
    "midoco": MidocoAdapter,
}
"""Adapters by the `kind` of the settings."""


@dataclass(frozen=True, slots=True)
class MidOfficeAccount:
    """The mid-office of one agency."""

    settings: MidOfficeSettings
    adapter: MidOfficeAdapter

    @classmethod
    def open(cls, section: Mapping[str, Any], transport: httpx.BaseTransport | None = None) -> MidOfficeAccount:
        """From the raw settings section of an agency; raises pydantic's `ValidationError`. Nothing is called yet."""
        settings = MidOfficeSettings.model_validate(section)
        return cls(settings, ADAPTERS[settings.kind](settings, transport))
