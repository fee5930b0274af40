"""What people do at the desk for AirPlus, with the rules that the worker uses: `bookings tamara fix` and `enter`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.tamara.answer_book import AnswerBook, key_of
from activities.tamara.correcting import parsed, settable
from activities.tamara.hand_told import told_by_hand
from activities.tamara.lodged import vault_name
from activities.tamara.model import Transaction, attribute
from activities.tamara.reasons import meaning_of
from activities.tamara.settings import TamaraSettings
from activities.tamara.staging import Staging
from activities.tamara.writing import writer_of
from domain.errors import BackOfficeError, Refused
from store import Store
from store.clock import utc_now
from store.installation import Installation
from store.tamara_answers import Verdict
from store.tamara_tables import FileKey, Line
from workers.wiring import open_accounts

__all__ = ["FormField", "enter_answers", "fields_of", "fix_line", "meaning_of", "wrong_fields"]

ALWAYS = ("txn", "dbi")
"""What every line may have; of the other parts those that a line has."""


@dataclass(frozen=True, slots=True)
class FormField:
    """A field that a person may set. `text` is what stands in it, as the file writes it; `room` 0 is without limit."""

    name: str
    text: str
    room: int
    kind: str


def fields_of(installation: Installation, agency: str, line: Line) -> tuple[FormField, ...]:
    """The fields that may be set in this line, by record. Raises `SettingsError` if the settings cannot be used."""
    settings: TamaraSettings = open_accounts(installation).tamara[agency]
    layout, transaction = settings.used_layout, Transaction.model_validate(line.content)
    found: list[FormField] = []
    for name, each in settable(layout).items():
        assert each.source is not None
        root, *steps = each.source.split(".")
        if root not in ALWAYS and getattr(transaction, attribute(root), None) is None:
            continue
        value = _value(transaction, [root, *steps])
        text = ""
        if value is not None:
            with suppress(BackOfficeError, ValueError, TypeError):
                text = writer_of(layout, name.split(".")[0], each)(value).strip()
        found.append(FormField(name, text, each.len, each.type))
    return tuple(found)


def _value(tree: Any, steps: list[str]) -> Any:
    for step in steps:
        tree = getattr(tree, attribute(step), None)
        if tree is None:
            return None
    return tree


def wrong_fields(installation: Installation, agency: str, changes: Mapping[str, str]) -> dict[str, str]:
    """Of each field that cannot take what was typed, why. Raises `SettingsError` if the settings cannot be used."""
    settings: TamaraSettings = open_accounts(installation).tamara[agency]
    wrong: dict[str, str] = {}
    for name, text in changes.items():
        try:
            parsed(settings.used_layout, {name: text})
        except Refused as error:
            wrong[name] = error.message.removeprefix(f"{name}: ")
    return wrong


def fix_line(
    installation: Installation,
    store: Store,
    agency: str,
    line: Line,
    changes: Mapping[str, str],
    card: str | None,
    by: str,
    now: datetime | None = None,
) -> Line:
    """Set fields (`400.PR`) and the token of the card, then hold the line against every rule again.

    A rejected line becomes the next version, which goes with the next file. Raises `Refused` with what may be set or what
    is wrong, `SettingsError` if the agency's settings cannot be used.
    """
    settings: TamaraSettings = open_accounts(installation).tamara[agency]
    values = parsed(settings.used_layout, changes)
    if card is not None and vault_name(card) not in store.vault.names(agency):
        raise Refused(f"no card is lodged under {card}; run: bookings card add {agency} {card}", system="tamara")
    today = (now or utc_now()).astimezone(settings.zone).date()
    store.tamara_answers.set_fields(line.txn_ref, values, by)
    return Staging(store, agency, settings, today).resubmit(line, card)


def enter_answers(
    installation: Installation, store: Store, agency: str, text: str, by: str, now: datetime | None = None
) -> list[tuple[FileKey, Verdict | None]]:
    """Apply rows that a person entered; of each file what became of it, None when the same was entered before.

    Raises `Refused` naming a wrong row (nothing is applied then), `SettingsError` if the settings cannot be used.
    """
    settings: TamaraSettings = open_accounts(installation).tamara[agency]
    local = (now or utc_now()).astimezone(settings.zone)
    told = told_by_hand(text, settings, local, store.tamara.file, store.tamara.lines_in)
    book = AnswerBook(store, agency, settings)
    return [
        (key_of(each.answer.ack), book.take_told(f"entered by {by}", each.words.encode(), each.answer)) for each in told
    ]
