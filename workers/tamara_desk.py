"""Mending AirPlus lines by hand: the rules and the drawing of lines that the worker uses (used by `bookings tamara fix`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from activities.tamara.correcting import parsed
from activities.tamara.lodged import vault_name
from activities.tamara.reasons import meaning_of
from activities.tamara.settings import TamaraSettings
from activities.tamara.staging import Staging
from domain.errors import Refused
from store import Store
from store.clock import utc_now
from store.installation import Installation
from store.tamara_tables import Line
from workers.wiring import open_accounts

__all__ = ["fix_line", "meaning_of"]


def fix_line(
    installation: Installation,
    store: Store,
    agency: str,
    line: Line,
    changes: Mapping[str, str],
    card: str | None,
    by: str,
    now: datetime | None = None,
) -> Line:
    """Set fields (`400.PR`) and the token of the card, then hold the line against every rule again.

    A rejected line becomes the next version, which goes with the next file. Raises `Refused` with what may be set or what
    is wrong, `SettingsError` if the agency's settings cannot be used.
    """
    settings: TamaraSettings = open_accounts(installation).tamara[agency]
    values = parsed(settings.used_layout, changes)
    if card is not None and vault_name(card) not in store.vault.names(agency):
        raise Refused(f"no card is lodged under {card}; run: bookings card add {agency} {card}", system="tamara")
    today = (now or utc_now()).astimezone(settings.zone).date()
    store.tamara_answers.set_fields(line.txn_ref, values, by)
    return Staging(store, agency, settings, today).resubmit(line, card)
