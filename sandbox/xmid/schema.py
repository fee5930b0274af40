"""The JSON that xMid takes, as tables: every member known, every value of its form (contracts: midoffice 7.1, 7.2)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

Doc = dict[str, Any]
LARGEST_BODY = 200_000


class SchemaError(Exception):
    """A body is not of the form; `field` is the path of the member, as xMid names it in `feld`."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


Check = Callable[[str, Any], None]


@dataclass(frozen=True)
class Member:
    check: Check
    required: bool = True


def _text(longest: int) -> Check:
    def check(path: str, value: Any) -> None:
        if not isinstance(value, str) or not value.strip() or len(value) > longest:
            raise SchemaError(path, f"must be text of 1 to {longest} characters")

    return check


def _pattern(form: str, words: str) -> Check:
    compiled = re.compile(form)

    def check(path: str, value: Any) -> None:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise SchemaError(path, f"must be {words}")

    return check


def _one_of(*allowed: str) -> Check:
    def check(path: str, value: Any) -> None:
        if value not in allowed:
            raise SchemaError(path, f"must be one of {', '.join(allowed)}")

    return check


def _number(least: int) -> Check:
    def check(path: str, value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise SchemaError(path, f"must be a whole number of at least {least}")

    return check


def _date(path: str, value: Any) -> None:
    try:
        if len(value) != 10:
            raise ValueError
        date.fromisoformat(value)
    except (TypeError, ValueError):
        raise SchemaError(path, "must be a date (YYYY-MM-DD)") from None


def _instant(path: str, value: Any) -> None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise SchemaError(path, "must be an instant (ISO 8601)") from None
    if moment.tzinfo is None:
        raise SchemaError(path, "must name its time zone")


def _object(members: Mapping[str, Member]) -> Check:
    def check(path: str, value: Any) -> None:
        if not isinstance(value, dict):
            raise SchemaError(path or ".", "must be an object")
        before = f"{path}." if path else ""
        for name in value:
            if name not in members:
                raise SchemaError(f"{before}{name}", "is not known")
        for name, member in members.items():
            if name in value:
                member.check(f"{before}{name}", value[name])
            elif member.required:
                raise SchemaError(f"{before}{name}", "is required")

    return check


def _list(item: Check, least: int) -> Check:
    def check(path: str, value: Any) -> None:
        if not isinstance(value, list) or len(value) < least:
            raise SchemaError(path, f"must be a list of at least {least}")
        for place, one in enumerate(value):
            item(f"{path}[{place}]", one)

    return check


AMOUNT = _pattern(r"-?\d{1,13}\.\d{2,3}", 'an amount as text ("312.40")')
CURRENCY = _pattern(r"[A-Z]{3}", "a currency (ISO 4217)")

ANMELDER = {
    "kundenNr": Member(_text(64)),
    "anrede": Member(_text(20), required=False),
    "vorname": Member(_text(100), required=False),
    "name": Member(_text(200), required=False),
    "firma": Member(_text(200), required=False),
    "ustId": Member(_text(30), required=False),
    "strasse": Member(_text(200), required=False),
    "plz": Member(_text(20), required=False),
    "ort": Member(_text(100), required=False),
    "land": Member(_pattern(r"[A-Z]{2}", "a country (ISO 3166)"), required=False),
    "email": Member(_pattern(r"[^@\s]+@[^@\s]+", "an e-mail address"), required=False),
    "telefon": Member(_text(40), required=False),
}
TEILNEHMER = {
    "nr": Member(_number(1)),
    "anrede": Member(_one_of("HERR", "FRAU", "KIND", "BABY"), required=False),
    "vorname": Member(_text(100), required=False),
    "name": Member(_text(200)),
    "alter": Member(_number(0), required=False),
    "geburtsdatum": Member(_date, required=False),
}
LEISTUNG = {
    "nr": Member(_number(1)),
    "art": Member(_one_of("HOTEL")),
    "status": Member(_one_of("OK", "RQ", "XX", "NS")),
    "objekt": Member(_text(256)),
    "zimmer": Member(_text(256), required=False),
    "verpflegung": Member(_one_of("RO", "BB", "HB", "FB", "AI", "OT"), required=False),
    "von": Member(_date),
    "bis": Member(_date),
    "naechte": Member(_number(0)),
    "anzahl": Member(_number(1)),
    "teilnehmerZuordnung": Member(_pattern(r"\d+(-\d+)?(,\d+(-\d+)?)*", 'numbers such as "1-2,4"'), required=False),
}
STORNO = {
    "ab": Member(_instant, required=False),
    "bis": Member(_instant, required=False),
    "betrag": Member(AMOUNT),
}
BOOKING = _object(
    {
        "leistungstraeger": Member(_text(64)),
        "kreditorNr": Member(_text(16)),
        "buchungsnummer": Member(_text(256)),
        "fremdReferenz": Member(_text(256), required=False),
        "revision": Member(_number(1)),
        "buchungsstatus": Member(_one_of("OK", "RQ", "XX", "NS")),
        "anmelder": Member(_object(ANMELDER)),
        "teilnehmer": Member(_list(_object(TEILNEHMER), 1)),
        "leistungen": Member(_list(_object(LEISTUNG), 1)),
        "ekBrutto": Member(AMOUNT),
        "ekMwst": Member(AMOUNT),
        "vkBrutto": Member(AMOUNT),
        "provision": Member(AMOUNT),
        "marge": Member(AMOUNT),
        "waehrung": Member(CURRENCY),
        "inkasso": Member(_one_of("AGENTUR", "DIREKT")),
        "besteuerung": Member(_one_of("REGEL", "MARGE25", "REVERSE", "FREI")),
        "storno": Member(_list(_object(STORNO), 0), required=False),
        "kostenfreiBis": Member(_instant, required=False),
    }
)
CANCELLATION = _object(
    {
        "revision": Member(_number(1)),
        "stornoDatum": Member(_date),
        "stornoGebuehrEk": Member(AMOUNT),
        "stornoGebuehrVk": Member(AMOUNT),
        "erstattung": Member(AMOUNT),
        "waehrung": Member(CURRENCY),
    }
)
PAYMENT = _object(
    {
        "betrag": Member(AMOUNT),
        "waehrung": Member(CURRENCY),
        "datum": Member(_date),
        "zahlart": Member(_one_of("BAR", "UEBERWEISUNG", "LASTSCHRIFT", "KARTE", "AIRPLUS", "DEPOT", "GUTSCHEIN")),
        "richtung": Member(_one_of("EIN", "AUS")),
        "art": Member(_one_of("ANZAHLUNG", "REST", "ERSTATTUNG", "RUECKLASTSCHRIFT")),
        "referenz": Member(_text(256), required=False),
    }
)


def read(body: bytes, form: Check) -> Doc:
    """A body of this form; raises SchemaError."""
    if len(body) > LARGEST_BODY:
        raise SchemaError(".", f"is larger than {LARGEST_BODY} bytes")
    try:
        document = json.loads(body.decode("utf-8"), object_pairs_hook=_once)
    except (UnicodeDecodeError, ValueError) as error:
        raise SchemaError(".", f"is not JSON in UTF-8: {error}") from None
    form("", document)
    checked: Doc = document
    return checked


def _once(pairs: list[tuple[str, Any]]) -> Doc:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError("a member is named twice")
    return dict(pairs)
