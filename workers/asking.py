"""What a mid-office holds of a booking, asked of it now (used by `bookings midoffice show --ask`)."""

from __future__ import annotations

from typing import Any

from activities.midoffice.told import chains
from domain.errors import BackOfficeError
from store import Store
from store.installation import Installation
from workers.wiring import open_accounts


def held_there(installation: Installation, store: Store, agency: str, booking_id: str) -> list[dict[str, Any]]:
    """One row per supplier order that was ever announced; `problem` says why there is no answer. Raises `SettingsError`."""
    account = open_accounts(installation, store).midoffice.get(agency)
    if account is None:
        return []
    rows: list[dict[str, Any]] = []
    for order, chain in chains(store, agency, account.adapter.system, booking_id).items():
        try:
            states = account.adapter.read_status(chain.ref)
        except BackOfficeError as error:
            rows.append({"supplier_booking": order, "problem": f"{type(error).__name__}: {error}"})
            continue
        rows += [
            {
                "supplier_booking": order,
                "order": state.external_ref,
                "status": state.held.status,
                "price": None if state.held.price is None else str(state.held.price),
                "revision": state.held.revision,
            }
            for state in states
        ] or [{"supplier_booking": order, "problem": "they hold nothing"}]
    account.adapter.close()
    return rows
