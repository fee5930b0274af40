"""Records and fields of Z.I.E.L.'s files, and the form of every value (contracts: midoffice 8.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime


class FileError(Exception):
    """What an acknowledgement says of a file that is not taken; `place` is `RECORD[n].field`."""

    def __init__(self, code: str, words: str, place: str = "", number: str = "") -> None:
        super().__init__(f"{place}: {words}" if place else words)
        self.code = code
        self.number = number


Check = Callable[[str], bool]


def _form(pattern: str) -> Check:
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


def _date(value: str) -> bool:
    return _form(r"\d{2}\.\d{2}\.\d{4}")(value) and _reads(value, "%d.%m.%Y")


def _instant(value: str) -> bool:
    return _form(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")(value) and _reads(value, "%Y-%m-%dT%H:%M:%SZ")


def _reads(value: str, form: str) -> bool:
    try:
        datetime.strptime(value, form)  # noqa: DTZ007  only whether it is one
    except ValueError:
        return False
    return True


def _or_empty(check: Check) -> Check:
    return lambda value: value == "" or check(value)


text = _form(r"[^\x00-\x1f]{0,300}")
filled = _form(r"[^\x00-\x1f]{1,300}")
number = _form(r"[1-9]\d{0,8}|0")
amount = _form(r"-?\d{1,13},\d{2,3}")
currency = _form(r"[A-Z]{3}")
status = _form("OK|NS|ST")

FIELDS: dict[str, dict[str, Check]] = {
    "KOPF": {
        "version": _form("1"),
        "idem": _form(r"[0-9a-f]{32}"),
        "agentur": filled,
        "aktion": _form("[NASZRQ]"),
        "erstellt": _instant,
        "anzahl_saetze": number,
    },
    "VORG": {
        "lieferant": filled,
        "buchungsnr": filled,
        "fremdref": text,
        "revision": _or_empty(number),
        "status": _or_empty(status),
        "buchungsdatum": _or_empty(_date),
        "waehrung": _or_empty(currency),
        "ek_brutto": _or_empty(amount),
        "ek_mwst": _or_empty(amount),
        "vk_brutto": _or_empty(amount),
        "provision": _or_empty(amount),
        "inkasso": _or_empty(_form("[AD]")),
        "steuerart": _or_empty(_form("[RMCF]")),
        "lieferant_faellig": _or_empty(_date),
    },
    "KUND": {
        "kundennr": filled,
        "firma": text,
        "anrede": text,
        "vorname": text,
        "name": text,
        "strasse": text,
        "plz": text,
        "ort": text,
        "land": _or_empty(_form("[A-Z]{2}")),
        "ust_id": text,
        "email": _or_empty(_form(r"[^@\s]+@[^@\s]+")),
        "telefon": text,
    },
    "REIS": {
        "nr": number,
        "anrede": _or_empty(_form("MR|MRS|CHD|INF")),
        "vorname": text,
        "name": filled,
        "alter": _or_empty(number),
    },
    "LEIS": {
        "nr": number,
        "art": filled,
        "status": status,
        "hotel": filled,
        "hotel_id": text,
        "zimmer": text,
        "verpflegung": _or_empty(_form("RO|BB|HB|FB|AI|OT")),
        "von": _date,
        "bis": _date,
        "naechte": number,
        "zuordnung": _or_empty(_form(r"\d+(-\d+)?(,\d+(-\d+)?)*")),
    },
    "STRN": {"ab": _or_empty(_instant), "bis": _or_empty(_instant), "gebuehr": _or_empty(amount)},
    "ZAHL": {
        "transaktion": filled,
        "richtung": _form("[EA]"),
        "art": _form("BAR|UEBERWEISUNG|LASTSCHRIFT|KARTE|AIRPLUS|DEPOT|GUTSCHEIN"),
        "betrag": amount,
        "waehrung": currency,
        "datum": _date,
        "referenz": text,
    },
    "RECH": {
        "nummer": filled,
        "art": _form("RE|GS|LR"),
        "datum": _date,
        "faellig": _or_empty(_date),
        "brutto": amount,
        "mwst": amount,
        "waehrung": currency,
    },
    "ENDE": {"anzahl_saetze": number, "crc32": _form(r"[0-9a-f]{8}")},
}
"""Every record's fields in order."""
CANCELLING = {"gebuehr_ek": amount, "gebuehr_vk": amount, "erstattung": amount}
"""What a STRN record has besides on action S."""
WHOLE = (
    "status",
    "buchungsdatum",
    "waehrung",
    "ek_brutto",
    "ek_mwst",
    "vk_brutto",
    "provision",
    "inkasso",
    "steuerart",
)
"""The fields of VORG that a booking needs; payments, invoices and queries name only its key."""
BODIES: dict[str, dict[str, tuple[int, int]]] = {
    "N": {"VORG": (1, 1), "KUND": (1, 1), "REIS": (1, 999), "LEIS": (1, 999), "STRN": (0, 20)},
    "A": {"VORG": (1, 1), "KUND": (1, 1), "REIS": (1, 999), "LEIS": (1, 999), "STRN": (0, 20)},
    "S": {"VORG": (1, 1), "KUND": (1, 1), "REIS": (1, 999), "LEIS": (1, 999), "STRN": (1, 1)},
    "Z": {"VORG": (1, 1), "ZAHL": (1, 1)},
    "R": {"VORG": (1, 1), "RECH": (1, 1)},
    "Q": {"VORG": (1, 1)},
}
"""Which records each action has, in this order, how few and how many."""
