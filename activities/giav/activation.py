"""Settings proposed from the catalogues, and what only a person can say; pure (contracts: giav 2.2).

A guess is made only where there is one candidate. What a person set is never overruled by a guess.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from activities.giav.catalogues import FIELD_CLASSES, FIELD_NAME, Catalogues, Entry, Method, Stage
from activities.giav.settings import GiavSettings

Section = dict[str, Any]
"""Settings as a section of the settings file has them, without the key."""

METHOD_NAMES = {
    "Tarjeta_TPV": "card",
    "Stripe": "stripe",
    "Transferencia": "transfer",
    "UATP": "airplus",
    "Paypal": "paypal",
    "Metalico": "cash",
}
"""GIAV's category → the processor or method that payments name."""
OPEN = re.compile(r"abiert|confirmad|en curso|activ|open")
CANCELLED = re.compile(r"cancel|anulad")
OWN_SUPPLIER = re.compile(r"propia agencia|agencia propia")
GENERIC_SUPPLIER = re.compile(r"\bgeneric|\bvarios\b|\bpor defecto\b")
HOLDER = re.compile(r"titular.*(expediente|grupo)|(expediente|grupo).*titular")
SHORTEST_NAME = 5
"""An agency's name with fewer letters says nothing about a supplier."""


@dataclass(frozen=True)
class Proposal:
    """`settings` guessed; `questions` are settings that a person has to give, each with the ids that may be meant."""

    settings: Section = field(default_factory=dict)
    questions: dict[str, tuple[int, ...]] = field(default_factory=dict)


def propose(catalogues: Catalogues, agency_name: str) -> Proposal:
    """Everything that can be guessed."""
    guess = _Guess()
    guess.one("office_id", catalogues.offices)
    names = {_plain(agency_name), *(_plain(office.trade_name) for office in catalogues.offices)}
    guess.one("agency_supplier_id", _own_suppliers(catalogues.suppliers, names))
    guess.one("default_supplier_id", _called(catalogues.suppliers, GENERIC_SUPPLIER))
    guess.one("b2c_holder_client_id", _called(catalogues.holders, HOLDER))
    guess.methods("payment_methods", catalogues.methods, lambda method: method.collects)
    guess.methods("refund_methods", catalogues.methods, lambda method: method.refunds)
    for prefix, target in (("stage", "Expediente"), ("reserva_stage", "Reserva")):
        guess.stage(f"{prefix}_open_id", catalogues.stages.get(target, ()), OPEN)
        guess.stage(f"{prefix}_cancelled_id", catalogues.stages.get(target, ()), CANCELLED)
    found = {target.lower(): own_field(catalogues.fields.get(target, ())) for target in FIELD_CLASSES}
    fields = {name: number for name, number in found.items() if number is not None}
    if fields:
        guess.settings["custom_fields"] = fields
    return Proposal(guess.settings, guess.questions)


def own_field(fields: Iterable[Entry]) -> int | None:
    """The field for our reference: ours by name, else the only one that is called external reference."""
    ours = [entry.id for entry in fields if entry.name == FIELD_NAME]
    others = [entry.id for entry in fields if _plain(entry.name) == "referencia externa"]
    if ours:
        return ours[0]
    return others[0] if len(others) == 1 else None


def merged(proposed: Section, given: Section) -> Section:
    """What a person gave over what was guessed; tables entry by entry."""
    result = dict(proposed)
    for name, value in given.items():
        guessed = result.get(name)
        both = isinstance(value, dict) and isinstance(guessed, dict)
        result[name] = {**guessed, **value} if both else value  # type: ignore[dict-item]
    return result


def unanswered(proposal: Proposal, given: Section) -> dict[str, tuple[int, ...]]:
    """The questions of a proposal that the given settings leave open; a default answers for its whole table."""

    def answered(name: str) -> bool:
        table, _, entry = name.partition(".")
        values = given.get(table)
        return values is not None and (not entry or entry in values or "default" in values)

    return {name: ids for name, ids in proposal.questions.items() if not answered(name)}


def problems(section: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """(missing, wrong) settings of a section; wrong ones as `path: reason`, without their values."""
    try:
        GiavSettings.model_validate({**section, "api_key": "-"})
    except ValidationError as error:
        missing, wrong = [], []
        for fault in error.errors(include_input=False, include_url=False):
            path = ".".join(str(part) for part in fault["loc"])
            if fault["type"] in ("missing", "too_short"):
                missing.append(path)
            else:
                wrong.append(f"{path}: {fault['msg']}")
        return missing, wrong
    return [], []


class _Guess:
    def __init__(self) -> None:
        self.settings: Section = {}
        self.questions: dict[str, tuple[int, ...]] = {}

    def one(self, name: str, candidates: Iterable[Entry]) -> None:
        found = tuple(entry.id for entry in candidates)
        if len(found) == 1:
            self.settings[name] = found[0]
        else:
            self.questions[name] = found

    def methods(self, table: str, methods: Iterable[Method], serves: Callable[[Method], bool]) -> None:
        guessed: dict[str, int] = {}
        for category, name in METHOD_NAMES.items():
            found = [method.id for method in methods if method.category == category and serves(method)]
            if len(found) == 1:
                guessed[name] = found[0]
            elif found:
                self.questions[f"{table}.{name}"] = tuple(found)
        if "card" in guessed:
            guessed["default"] = guessed["card"]
        if guessed:
            self.settings[table] = guessed

    def stage(self, name: str, stages: Iterable[Stage], words: re.Pattern[str]) -> None:
        """The first one by its order; a stage is no must, so that nobody is asked."""
        found = [stage.id for stage in stages if words.search(_plain(stage.name)) and not stage.withdrawn]
        if found:
            self.settings[name] = found[0]


def _own_suppliers(suppliers: Iterable[Entry], names: set[str]) -> list[Entry]:
    spelled = [name for name in names if len(name) >= SHORTEST_NAME]
    return [
        entry
        for entry in suppliers
        if OWN_SUPPLIER.search(_plain(entry.name)) or any(name in _plain(entry.name) for name in spelled)
    ]


def _called(entries: Iterable[Entry], words: re.Pattern[str]) -> list[Entry]:
    return [entry for entry in entries if words.search(_plain(entry.name))]


def _plain(name: str) -> str:
    """Without case, accents, punctuation and legal form."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    kept = "".join(each for each in letters if not unicodedata.combining(each))
    words = re.sub(r"[^a-z0-9]+", " ", kept).strip()
    return re.sub(r" s ?(l|a)( ?u)?$", "", words)
