"""The platform account of one agency (contracts: platform-events 3, 7; installation: `PlatformSettings`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import httpx

from activities.bounds import Bounded
from activities.pace import turns
from activities.platform.client import SYSTEM, PlatformClient
from store.installation import PlatformSettings

CONNECT_TIMEOUT = 5.0
TIMEOUT = 30.0
"""Seconds for one answer; well below the limit of the activity."""


@dataclass(frozen=True, slots=True)
class PlatformAccount:
    """`client` is missing where the agency only imports events: then nothing can be read back or charged."""

    settings: PlatformSettings
    environment: Literal["live", "test"]
    client: PlatformClient | None

    @classmethod
    def open(
        cls,
        settings: PlatformSettings,
        environment: Literal["live", "test"],
        transport: httpx.BaseTransport | None = None,
    ) -> PlatformAccount:
        """From an agency's settings. Nothing is called yet."""
        if settings.url is None:
            return cls(settings, environment, None)
        token = settings.token.get_secret_value() if settings.token else None
        http = httpx.Client(
            base_url=settings.url.rstrip("/"),
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(TIMEOUT, connect=CONNECT_TIMEOUT),
            transport=Bounded.to(settings.url, transport),
            follow_redirects=False,
        )
        return cls(settings, environment, PlatformClient(http, turns(settings.calls_per_second, SYSTEM)))
