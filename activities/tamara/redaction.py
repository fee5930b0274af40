"""The copy of a file that is kept for years: no card number in full, no expiry (contracts: tamara 4.7, 5.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from activities.tamara.card import CardNumber
from activities.tamara.grammar import FieldSpec, Layout, RecordSpec

BLANK_EXPIRY = "0000"
"""What stands for an expiry where a layout has no fixed places that could be left blank."""


def redacted(layout: Layout, data: bytes, cards: Collection[CardNumber]) -> bytes:
    """`data` with every one of `cards` masked, wherever it stands, and secret fields blank in style fixed.

    For the other styles `data` has to be rendered with `BLANK_EXPIRY`.
    """
    for card in cards:
        data = data.replace(card.get_secret_value().encode(), str(card).encode())
    return b"".join(_blanked(layout, data)) if layout.style == "fixed" else data


def _blanked(layout: Layout, data: bytes) -> Iterator[bytes]:
    places = {spec.code: _expiries(spec) for spec in layout.records}
    charset = "utf-8" if layout.charset == "UTF-8" else "iso8859-15"
    for line in data.decode(charset).splitlines(keepends=True):
        for each in places.get(line[:3], ()):
            line = f"{line[: each.pos - 1]}{' ' * each.len}{line[each.end - 1 :]}"
        yield line.encode(charset)


def _expiries(spec: RecordSpec) -> list[FieldSpec]:
    """Secret fields other than the number itself, which keeps its first six and last four digits."""
    return [each for each in spec.fields if each.sens == "secret" and each.source != "txn.card"]
