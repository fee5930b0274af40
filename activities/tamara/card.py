"""A card number in memory, whose every text form is masked (contracts: tamara 5.2, 5.4)."""

from __future__ import annotations

from typing import Any, Final, NoReturn

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

LENGTH = 15
"""Digits of a UATP number."""

TEST_NUMBERS: Final = frozenset(
    ("192000000000008", "192000000000420", "122000000000003", "122000000000011", "122089000000006")
)
"""Synthetic numbers, the only ones allowed in mode T (contracts: tamara 5.4)."""


def passes_luhn(digits: str) -> bool:
    """Double every second digit from the right, subtract 9 above 9; the sum must be divisible by 10."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


class CardNumber:
    """A full card number. `str`, `repr`, formatting and JSON give first six and last four; pickling is refused.

    Only the renderer and the rules of 3.9 call `get_secret_value`.
    """

    __slots__ = ("_digits",)

    def __init__(self, digits: str) -> None:
        self._digits = digits

    def get_secret_value(self) -> str:
        return self._digits

    @property
    def bin6(self) -> str:
        return self._digits[:6]

    @property
    def last4(self) -> str:
        return self._digits[-4:]

    def __str__(self) -> str:
        if len(self._digits) != LENGTH:
            return "*" * len(self._digits)
        return f"{self.bin6}{'*' * (LENGTH - 10)}{self.last4}"

    def __repr__(self) -> str:
        return f"CardNumber('{self}')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CardNumber) and other._digits == self._digits

    def __hash__(self) -> int:
        return hash(self._digits)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a card number does not leave the process")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._parsed, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def _parsed(cls, value: object) -> CardNumber:
        if isinstance(value, CardNumber):
            return value
        if isinstance(value, str):
            return cls(value)
        raise ValueError("not a card number")
