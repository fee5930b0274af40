"""Card numbers where none may stand: names, texts and references of a transaction (contracts: tamara 3.9 V031, 5.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from activities.tamara.card import passes_luhn
from activities.tamara.model import Transaction

FREE_TEXT = frozenset({
    "txn.passenger", "txn.customer.name", "txn.customer.place", "texts.text", "fee.text", "other.text", "other.supplier",
    "hotel.name", "hotel.city", "hotel.guest", "car.company", "car.driver", "event.name", "event.organiser", "event.city",
    "rail.operator", "ground.provider", "ground.from_", "ground.to",
})  # fmt: skip
REFERENCES = frozenset({
    "hotel.confirmation", "hotel.order_id", "hotel.folio", "car.agreement", "car.confirmation", "rail.order_no",
    "ground.reference", "event.reference", "other.reference", "txn.dossier", "txn.pnr",
})  # fmt: skip
TICKETS = frozenset({"flight.document_number", "flight.original_document", "fee.related_document"})
"""Thirteen digits, of which one in ten passes the check digit of a card by chance: exempt by name."""

_ANY = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_LONG = re.compile(r"(?<!\d)\d{15,16}(?!\d)")
"""Cards of any kind; tickets have 13 digits, moments in names of files 14."""
_ACCOUNT = re.compile(r"(?<!\d)\d{15}(?!\d)")


def cards_in(transaction: Transaction, prefixes: Sequence[str]) -> Iterator[str]:
    """Paths of texts that hold a card: an AirPlus number anywhere, any card number in free text."""
    for path, text in texts_of(transaction):
        if path in TICKETS:
            continue
        ours = any(run.startswith(tuple(prefixes)) and passes_luhn(run) for run in _ACCOUNT.findall(text))
        if ours or (path in FREE_TEXT and _any_card(text)):
            yield path


def references_like_cards(transaction: Transaction) -> Iterator[str]:
    """Paths of references that pass for a card; long order numbers do so one time in ten."""
    for path, text in texts_of(transaction):
        if path in REFERENCES and _any_card(text):
            yield path


def masked(text: str, prefixes: Sequence[str]) -> str:
    """`text` with every AirPlus number masked, even inside longer runs of digits, and other cards that stand alone.

    For words and copies only, where a number masked by mistake does no harm.
    """
    begin = "|".join(map(re.escape, prefixes))
    hidden = list(text)
    for found in re.finditer(rf"(?=((?:{begin})\d{{11}}))", text):
        if passes_luhn(found[1]):
            hidden[found.start() + 6 : found.start() + 11] = "*****"
    return _LONG.sub(lambda run: "*" * len(run[0]) if passes_luhn(run[0]) else run[0], "".join(hidden))


def texts_of(transaction: Transaction) -> Iterator[tuple[str, str]]:
    """Every text of a transaction with its path, except the card."""
    stack: list[tuple[str, Any]] = [("", transaction.model_dump(exclude={"txn": {"card", "card_expiry"}}))]
    while stack:
        path, value = stack.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict):
            stack.extend((f"{path}.{name}".lstrip("."), member) for name, member in value.items())
        elif isinstance(value, list | tuple):
            stack.extend((path, member) for member in value)


def _any_card(text: str) -> bool:
    return any(passes_luhn(re.sub(r"\D", "", run)) for run in _ANY.findall(text))
