"""The copy of a file that is kept for years: no card number in full, no expiry (contracts: tamara 4.7, 5.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from activities.tamara.card import CardNumber
from activities.tamara.grammar import FieldSpec, Layout, RecordSpec
from activities.tamara.hidden_cards import masked

BLANK_EXPIRY = "0000"
"""What stands for an expiry where a layout has no fixed places that could be left blank."""


def redacted(layout: Layout, data: bytes, cards: Collection[CardNumber]) -> bytes:
    """`data` with every one of `cards` masked, wherever it stands, and secret fields blank in style fixed.

    For the other styles `data` has to be rendered with `BLANK_EXPIRY`.
    """
    for card in cards:
        data = data.replace(card.get_secret_value().encode(), str(card).encode())
    return b"".join(_blanked(layout, data)) if layout.style == "fixed" else data


def redacted_answer(layout: Layout, data: bytes, prefixes: Sequence[str]) -> str:
    """An answer as it is kept, whatever its bytes: possible account numbers masked, secret fields blank in style fixed."""
    text = data.decode(_charset(layout), "replace")
    return masked("".join(_blanked_text(layout, text)) if layout.style == "fixed" else text, prefixes)


def _charset(layout: Layout) -> str:
    return "utf-8" if layout.charset == "UTF-8" else "iso8859-15"


def _blanked(layout: Layout, data: bytes) -> Iterator[bytes]:
    charset = _charset(layout)
    for line in _blanked_text(layout, data.decode(charset)):
        yield line.encode(charset)


def _blanked_text(layout: Layout, text: str) -> Iterator[str]:
    places = {spec.code: _expiries(spec) for spec in layout.records}
    for line in text.splitlines(keepends=True):
        for each in places.get(line[:3], ()):
            line = f"{line[: each.pos - 1]}{' ' * each.len}{line[each.end - 1 :]}"
        yield line


def _expiries(spec: RecordSpec) -> list[FieldSpec]:
    """Secret fields other than the number itself, which keeps its first six and last four digits."""
    return [each for each in spec.fields if each.sens == "secret" and each.source != "txn.card"]
