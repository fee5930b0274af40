"""What the command line needs to let Kommo's administrators agree: the address, the exchange, how the tokens stand (contracts: kommo 2)."""

from __future__ import annotations

from contextlib import closing

from pydantic import ValidationError

from activities.kommo.integration import (
    DISCOVERED,
    PLACE_TO_COME,
    account_settings,
    consent_address,
    exchange,
    installed,
    open_account,
    rotate_hook,
)
from activities.kommo.settings import KommoSettings
from activities.kommo.wire import SYSTEM
from domain.errors import NeedsPerson, Refused
from store import Store
from store.crm_tokens import long_lived_name
from store.installation import AgencySettings

__all__ = ["consent_address", "exchange", "install", "rotate_hook", "seal_long_lived", "settings_of", "standing"]


def settings_of(store: Store, agency: str, configured: AgencySettings) -> KommoSettings:
    """An agency's account, whether in the settings file or being activated. Raises `NeedsPerson`, `Unauthorised`, `Refused`."""
    if configured.kommo is None:
        integration = store.integrations.get(agency, SYSTEM)
        if integration is None:
            raise Refused(
                f"kommo of {agency} was never requested; begin with: bookings integration request {agency} --system "
                f"{SYSTEM}",
                system=SYSTEM,
            )
        known = {"gateway_url": PLACE_TO_COME, **DISCOVERED, **integration.settings}
        return account_settings(store, integration, known)
    try:
        return KommoSettings.model_validate(configured.kommo)
    except ValidationError as error:
        path = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise NeedsPerson(f"agencies.{agency}.kommo.{path} is not right", system=SYSTEM) from None


def install(store: Store, agency: str, configured: AgencySettings) -> tuple[str, ...]:
    """Make our fields and register the webhook of an account that stands in the settings file; the fields that were made."""
    settings = settings_of(store, agency, configured)
    with closing(open_account(store, agency, settings).client) as client:
        return installed(client, agency, settings)


def seal_long_lived(store: Store, agency: str, token: str, *, by: str) -> None:
    """A token that an administrator made; from its next step on the integration uses it."""
    store.vault.seal(agency, long_lived_name(SYSTEM), token)
    store.integrations.key_stored(agency, SYSTEM, by=by)


def standing(store: Store, agency: str) -> str:
    """How we come in, in words."""
    if long_lived_name(SYSTEM) in store.vault.names(agency):
        return "by a long-lived token"
    found = store.crm_tokens.standing(agency, SYSTEM)
    if found is None:
        return "nobody has consented yet"
    if found.state == "needs_reauth":
        return f"refused: {found.reason}; an administrator has to consent again"
    return f"by consent, renewed {found.generation - 1} times, last on {found.obtained_at:%Y-%m-%d %H:%M} UTC"
