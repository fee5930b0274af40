"""The copy of a file that is kept for years: no card number in full, no expiry (contracts: tamara 4.7, 5.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from activities.tamara.card import CardNumber
from activities.tamara.grammar import Layout
from activities.tamara.hidden_cards import masked
from activities.tamara.scanning import lines

BLANK_EXPIRY = "0000"
"""What stands for an expiry where a layout has no fixed places that could be left blank."""


def redacted_fixed(layout: Layout, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """A file of style fixed, line by line: in secret fields the number masked, everything else blank."""
    cover = _Cover(layout)
    for _, line in lines(layout, blocks, lambda *_: None):
        yield cover.on(line.decode(layout.charset)).encode(layout.charset)


def redacted_other(records: Iterable[bytes], cards: Collection[CardNumber]) -> Iterator[bytes]:
    """Records of the other styles, rendered with `BLANK_EXPIRY`: every one of `cards` masked, wherever it stands.

    `cards` may grow while the records are drawn.
    """
    for record in records:
        for card in cards:
            record = record.replace(card.get_secret_value().encode(), str(card).encode())
        yield record


def redacted_answer(layout: Layout, data: bytes, prefixes: Sequence[str]) -> str:
    """An answer as it is kept, whatever its bytes: possible account numbers masked, secret fields blank in style fixed."""
    text = data.decode(layout.charset, "replace")
    if layout.style == "fixed":
        cover = _Cover(layout)
        text = "".join(cover.on(line) for line in text.splitlines(keepends=True))
    return masked(text, prefixes)


class _Cover:
    """Hides the secret fields of lines of style fixed."""

    def __init__(self, layout: Layout) -> None:
        self._secret = {spec.code: [each for each in spec.fields if each.sens == "secret"] for spec in layout.records}
        coded = next((each for each in layout.head if each.source == "record.code"), None)
        self._code = None if coded is None else slice(coded.pos - 1, coded.end - 1)
        self._only = layout.records[0].code

    def on(self, line: str) -> str:
        code = self._only if self._code is None else line[self._code].strip(" ")
        for each in self._secret.get(code, ()):
            number = line[each.pos - 1 : each.end - 1].strip() if each.source == "txn.card" else ""
            line = line[: each.pos - 1] + str(CardNumber(number)).ljust(each.len) + line[each.end - 1 :]
        return line
