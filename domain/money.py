"""Money: integer minor units and a currency, one rounding (contracts: money-rules 1.6, platform-events 5.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt

LARGEST = 9_007_199_254_740_991
"""The largest amount that survives every JSON reader, in minor units."""

MINOR_UNITS: dict[str, int] = {
    **dict.fromkeys(("EUR", "GBP", "USD", "CHF", "PLN", "CZK", "HUF", "SEK", "DKK", "NOK", "ILS", "CNY"), 2),
    **dict.fromkeys(("JPY", "KRW"), 0),
    **dict.fromkeys(("BHD", "KWD", "TND"), 3),
}
"""Decimals of each known currency (ISO 4217; contracts: tamara 3.7)."""


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies were added or compared."""


def rounded(value: Decimal) -> int:
    """Round to the nearest whole minor unit, exact halves away from zero. The only rounding of the program."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


class Money(BaseModel):
    """An amount in minor units (cents for EUR) with its ISO 4217 currency; the sign is free unless a field says otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Annotated[StrictInt, Field(ge=-LARGEST, le=LARGEST)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(amount=0, currency=currency)

    @classmethod
    def of_decimal(cls, value: Decimal | str, currency: str) -> Self:
        """From major units ("12.50"); rounds to the currency's minor unit."""
        return cls(amount=rounded(Decimal(value).scaleb(MINOR_UNITS.get(currency, 2))), currency=currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.amount).scaleb(-MINOR_UNITS.get(self.currency, 2))

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} meets {other.currency}")
        return other

    def __add__(self, other: Money) -> Money:
        return Money(amount=self.amount + self._same(other).amount, currency=self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(amount=self.amount - self._same(other).amount, currency=self.currency)

    def __neg__(self) -> Money:
        return Money(amount=-self.amount, currency=self.currency)

    def __mul__(self, times: int) -> Money:
        return Money(amount=self.amount * times, currency=self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other).amount

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other).amount

    def __bool__(self) -> bool:
        return self.amount != 0

    def percent(self, percent: Decimal | str) -> Money:
        """`percent` ("35.00") of this amount, rounded once."""
        return Money(amount=rounded(Decimal(self.amount) * Decimal(percent) / 100), currency=self.currency)

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Split in proportion to `weights` by largest remainder: the parts add up to the whole exactly."""
        if not weights or min(weights) < 0 or sum(weights) == 0:
            raise ValueError("weights must be positive and not all zero")
        total, sign = sum(weights), -1 if self.amount < 0 else 1
        whole = abs(self.amount)
        parts = [whole * weight // total for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(whole * weights[i] % total), i))
        for index in by_remainder[: whole - sum(parts)]:
            parts[index] += 1
        return [Money(amount=sign * part, currency=self.currency) for part in parts]

    def __str__(self) -> str:
        return f"{self.decimal:,.{MINOR_UNITS.get(self.currency, 2)}f} {self.currency}"


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of `amounts`, zero of `currency` when there are none."""
    result = Money.zero(currency)
    for amount in amounts:
        result = result + amount
    return result
