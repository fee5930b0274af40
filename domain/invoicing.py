"""Until when a payment must have its invoice, and when somebody is warned: pure (contracts: money-rules 1.1.3)."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

MADRID = ZoneInfo("Europe/Madrid")
CONSUMER_ALARM = time(23, 0)
"""Local time of the day of the payment: a consumer's invoice is due with the operation, that is, on the same day."""
COMPANY_ALARM_DAY = 10
"""Day of the following month; a company's invoice is due before day 16."""


def alarm_at(captured_at: datetime, *, company: bool) -> datetime:
    """When a payment without an invoice is put on the list."""
    local = captured_at.astimezone(MADRID)
    if not company:
        return max(local, datetime.combine(local.date(), CONSUMER_ALARM, MADRID))
    following = (local.month % 12) + 1
    year = local.year + (local.month == 12)
    return datetime(year, following, COMPANY_ALARM_DAY, tzinfo=MADRID)
