"""An agency's line to Kommo with everything that belongs to it (contracts: kommo)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from activities.kommo.client import KommoClient
from activities.kommo.line import Alarm, Tokens, nobody
from activities.kommo.settings import KommoSettings
from activities.kommo.writing import LeadWriter


@dataclass(frozen=True, slots=True)
class KommoAccount:
    """The client, its settings, and the hand that writes into deals."""

    client: KommoClient
    settings: KommoSettings
    writer: LeadWriter

    @classmethod
    def open(
        cls,
        section: Mapping[str, Any] | KommoSettings,
        tokens: Tokens | None = None,
        *,
        alarm: Alarm = nobody,
        transport: httpx.BaseTransport | None = None,
    ) -> KommoAccount:
        """From the settings section of an agency; raises pydantic's `ValidationError`. Nothing is called yet."""
        settings = section if isinstance(section, KommoSettings) else KommoSettings.model_validate(section)
        client = KommoClient(settings, tokens, alarm=alarm, transport=transport)
        return cls(client, settings, LeadWriter(client, settings, alarm=alarm))
