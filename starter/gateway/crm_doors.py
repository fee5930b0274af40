"""How an agency's CRM may come in: from the settings file, or from the integration that was activated (docs/integrations/kommo.md)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from store import Store
from store.crm_tokens import hook_name, retiring_hook_name, secret_name
from store.installation import Installation
from store.integrations import Integration

SYSTEM = "kommo"


@dataclass(frozen=True, slots=True)
class Door:
    """`secrets` open the webhook's address; `client_secret` proves the tokens of button and bot, None where there are none."""

    account_id: int
    scheme: str
    host: str
    secrets: tuple[str, ...] = field(repr=False)
    client_secret: str | None = field(repr=False)
    audience: str | None


class Doors:
    """Safe for threads. The settings file counts first; an integration is read again when its version changed."""

    def __init__(self, installation: Installation, store: Store) -> None:
        self._fixed = {
            name: _door(agency.kommo, agency.kommo) for name, agency in installation.agencies.items() if agency.kommo
        }
        self._agencies = frozenset(installation.agencies)
        self._store = store
        self._opened: dict[str, tuple[int, Door]] = {}
        self._opening = threading.Lock()

    def of(self, agency: str) -> Door | None:
        """None for an agency without Kommo, and for one that has not activated it or suspended it."""
        if agency in self._fixed:
            return self._fixed[agency]
        integration = self._store.integrations.get(agency, SYSTEM) if agency in self._agencies else None
        if integration is None or integration.state != "active":
            return None
        with self._opening:
            known = self._opened.get(agency)
            if known is None or known[0] != integration.version:
                known = self._opened[agency] = (integration.version, self._door_of(integration))
            return known[1]

    def _door_of(self, integration: Integration) -> Door:
        vault, agency = self._store.vault, integration.agency
        held = set(vault.names(agency))
        wanted = {
            "hook_secret": hook_name(SYSTEM),
            "retiring_hook_secret": retiring_hook_name(SYSTEM),
            "client_secret": secret_name(SYSTEM),
        }
        return _door(
            integration.settings, {key: vault.open(agency, name) for key, name in wanted.items() if name in held}
        )


def _door(section: Mapping[str, Any], secrets: Mapping[str, Any]) -> Door:
    place = urlsplit(str(section.get("url")))
    redirect = urlsplit(str(section.get("redirect_uri") or ""))
    hooks = (_plain(secrets.get("hook_secret")), _plain(secrets.get("retiring_hook_secret")))
    return Door(
        account_id=int(section.get("account_id") or 0),
        scheme=place.scheme,
        host=place.netloc,
        secrets=tuple(secret for secret in hooks if secret),
        client_secret=_plain(secrets.get("client_secret")),
        audience=f"{redirect.scheme}://{redirect.netloc}" if redirect.netloc else None,
    )


def _plain(value: Any) -> str | None:
    if value is None:
        return None
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
