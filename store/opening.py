"""Open the store of an installation: its database, its desks, its master key (docs/settings.md)."""

from __future__ import annotations

import base64
import binascii

from pydantic import SecretStr, ValidationError

from domain.desk import Desk
from store.installation import Installation, SettingsError
from store.store import Store


def open_store(installation: Installation) -> Store:
    """The store with the desk of every agency; nothing is migrated. Raises `SettingsError`."""
    installation.data.mkdir(parents=True, exist_ok=True)
    desks = {name: _desk(name, agency.desk) for name, agency in installation.agencies.items()}
    try:
        return Store.open(
            installation.store_url,
            master_key=master_key(installation),
            retired_keys=[_key(each, "retired_keys") for each in installation.store.retired_keys],
            desks=desks,
        )
    except ValueError as error:
        raise SettingsError(f"store.url: {error}") from None


def master_key(installation: Installation) -> bytes | None:
    """The key that seals secrets, 32 bytes; None when the settings have none. Raises `SettingsError`."""
    given = installation.store.master_key
    return None if given is None else _key(given, "master_key")


def _key(given: SecretStr, name: str) -> bytes:
    try:
        key = base64.b64decode(given.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise SettingsError(f"store.{name} must be 32 bytes in base64; make one with: openssl rand -base64 32")
    return key


def _desk(agency: str, section: dict[str, object]) -> Desk:
    try:
        return Desk.model_validate(section)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        inside = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"agencies.{agency}.desk.{inside}: {first['msg']}") from None
