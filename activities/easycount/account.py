"""An agency's line to EasyCount with its settings (contracts: easycount)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from activities.easycount.client import EasyCountClient
from activities.easycount.settings import EasyCountSettings


@dataclass(frozen=True, slots=True)
class EasyCountAccount:
    client: EasyCountClient
    settings: EasyCountSettings

    @classmethod
    def open(
        cls, section: Mapping[str, Any] | EasyCountSettings, *, transport: httpx.BaseTransport | None = None
    ) -> EasyCountAccount:
        """From the settings section of an agency; raises pydantic's `ValidationError`. Nothing is called yet."""
        settings = section if isinstance(section, EasyCountSettings) else EasyCountSettings.model_validate(section)
        return cls(EasyCountClient(settings, transport=transport), settings)
