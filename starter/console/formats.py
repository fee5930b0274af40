"""Money, moments and numbers as people of a language write them, in the agency's time zone (DESIGN 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_currency, format_decimal, format_percent

from domain.money import Money


@dataclass(frozen=True, slots=True)
class Formats:
    """How one language writes; everything that is None is a dash."""

    language: str

    def money(self, value: Money | None) -> str:
        if value is None:
            return "–"
        return str(format_currency(value.decimal, value.currency, locale=self.language))

    def number(self, value: float | None) -> str:
        return "–" if value is None else str(format_decimal(value, locale=self.language))

    def percent(self, value: float | None, pattern: str = "#,##0.0 %") -> str:
        return "–" if value is None else str(format_percent(value, pattern, locale=self.language))

    def day(self, value: date | None) -> str:
        return "–" if value is None else str(format_date(value, "medium", locale=self.language))

    def moment(self, value: datetime | None, zone: ZoneInfo) -> str:
        return "–" if value is None else str(format_datetime(value, "short", tzinfo=zone, locale=self.language))

    def until(self, value: datetime, now: datetime) -> str:
        """In three hours, or two days ago."""
        return str(format_timedelta(value - now, add_direction=True, locale=self.language))

    def lasting(self, value: timedelta) -> str:
        return str(format_timedelta(value, locale=self.language))
