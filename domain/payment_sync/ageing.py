"""How long a payment may be unsynchronised before anybody is told: amber, red, a supervisor (contracts: payment-sync 7)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from domain.payment_sync.states import UNSYNCHRONISED, PaymentSync

AMBER = timedelta(hours=1)
RED = timedelta(hours=24)
"""From here on a supervisor is told, and again every day."""

Light = Literal["green", "amber", "red"]


def light(sync: PaymentSync, now: datetime) -> Light:
    """The colour of a payment by the time since its capture; whatever is synchronised or given back is green."""
    if sync.state not in UNSYNCHRONISED:
        return "green"
    age = now - (sync.captured_at or sync.since)
    return "red" if age >= RED else "amber" if age >= AMBER else "green"


def days_red(captured_at: datetime, now: datetime) -> int:
    """The first whole day counts as one."""
    return max(1, (now - captured_at) // RED)
