"""The journal in the layout of ContaPlus' text files: XDiario (entries) and XSubCta (accounts).

Fixed columns, numbers right-aligned with a decimal point, no accents, CR LF. Two public readers of the format agree on the
columns (an import module for Tryton and BulmaGés' exchange); its owner publishes none, and no program of an accountant was at
hand to import what is written here. One table each, so that a program that wants it otherwise is a line here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from domain.ledger import Entry, Posting

EURO = "2"
"""MONEDAUSO of an amount in euros."""
ENCODING = "cp1252"


class NotExportable(ValueError):
    """Something that the format cannot say; the message names entry or account."""


@dataclass(frozen=True, slots=True)
class Apunte:
    """One line of the diary: the posting, its entry, the number of the entry in the file and both account codes."""

    number: int
    entry: Entry
    posting: Posting
    code: str
    contra: str


def _text(_: Apunte) -> str:
    return ""


def _amount(side: str) -> Callable[[Apunte], str]:
    return lambda line: f"{line.posting.amount.decimal if line.posting.side == side else Decimal(0):.2f}"


def _fixed(value: str) -> Callable[[Apunte], str]:
    return lambda _: value


NUMBER, TEXT = "number", "text"
DIARY: tuple[tuple[str, int, str, Callable[[Apunte], str]], ...] = (
    ("ASIEN", 6, NUMBER, lambda line: str(line.number)),
    ("FECHA", 8, TEXT, lambda line: line.entry.on.strftime("%Y%m%d")),
    ("SUBCTA", 12, TEXT, lambda line: line.code),
    ("CONTRA", 12, TEXT, lambda line: line.contra),
    ("PTADEBE", 16, NUMBER, _fixed("0.00")),
    ("CONCEPTO", 25, TEXT, lambda line: _plain(line.entry.text)[:25]),
    ("PTAHABER", 16, NUMBER, _fixed("0.00")),
    ("FACTURA", 8, NUMBER, _fixed("0")),
    ("BASEIMPO", 16, NUMBER, _fixed("0.00")),
    ("IVA", 5, NUMBER, _fixed("0.00")),
    ("RECEQUIV", 5, NUMBER, _fixed("0.00")),
    ("DOCUMENTO", 10, TEXT, lambda line: _plain(line.entry.key.rpartition(":")[2])[-10:]),
    ("DEPARTA", 3, TEXT, _text),
    ("CLAVE", 6, TEXT, _text),
    ("ESTADO", 1, TEXT, _text),
    ("NCASADO", 6, NUMBER, _fixed("0")),
    ("TCASADO", 1, NUMBER, _fixed("0")),
    ("TRANS", 6, NUMBER, _fixed("0")),
    ("CAMBIO", 16, NUMBER, _fixed("0.000000")),
    ("DEBEME", 16, NUMBER, _fixed("0.00")),
    ("HABERME", 16, NUMBER, _fixed("0.00")),
    ("AUXILIAR", 1, TEXT, _text),
    ("SERIE", 1, TEXT, _text),
    ("SUCURSAL", 4, TEXT, _text),
    ("CODDIVISA", 5, TEXT, _text),
    ("IMPAUXME", 16, NUMBER, _fixed("0.00")),
    ("MONEDAUSO", 1, TEXT, _fixed(EURO)),
    ("EURODEBE", 16, NUMBER, _amount("debit")),
    ("EUROHABER", 16, NUMBER, _amount("credit")),
    ("BASEEURO", 16, NUMBER, _fixed("0.00")),
    ("NOCONV", 1, TEXT, _fixed("F")),
    ("NUMEROINV", 10, TEXT, _text),
)
"""Column, width, alignment, content."""

SUBACCOUNTS: tuple[tuple[str, int], ...] = (
    ("COD", 12),
    ("TITULO", 40),
    ("NIF", 15),
    ("DOMICILIO", 35),
    ("POBLACION", 25),
    ("PROVINCIA", 20),
    ("CODPOSTAL", 5),
)


def account_code(account: str, number: int, digits: int) -> str:
    """The account filled up to `digits` with the number of its sub-account: 430, 17, 8 → 43000017."""
    code = f"{account}{number:0{max(digits - len(account), 0)}d}"
    if not account.isdigit() or len(code) != digits or digits > 12:
        raise NotExportable(
            f"account {account} with sub-account {number} does not fit {digits} digits; choose more with --digits, at most 12"
        )
    return code


def diary(entries: Iterable[Entry], codes: Mapping[tuple[str, str], str], *, first_number: int = 1) -> Iterator[str]:
    """The lines of XDiario, entries numbered from `first_number` in the order given."""
    for number, entry in enumerate(entries, start=first_number):
        if entry.currency != "EUR":
            raise NotExportable(f"{entry.key} is in {entry.currency}; the file knows euros only")
        posted = [(posting, codes[posting.account, posting.sub]) for posting in entry.postings]
        for posting, code in posted:
            contra = next((other for _, other in posted if other != code), "") if len(posted) == 2 else ""
            yield _diary_line(Apunte(number, entry, posting, code, contra))


def _diary_line(line: Apunte) -> str:
    fields = []
    for name, width, kind, content in DIARY:
        value = content(line)
        if len(value) > width:
            raise NotExportable(f"{line.entry.key}: {name} takes {width} characters, not {value}")
        fields.append(value.rjust(width) if kind == NUMBER else value.ljust(width))
    return "".join(fields) + "\r\n"


def subaccounts(codes: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """The lines of XSubCta: each account with our name for it; people's names stay with the agency's own records."""
    for (account, sub), code in sorted(codes.items(), key=lambda item: item[1]):
        values = {"COD": code, "TITULO": _plain(f"{account} {sub}".strip())[:40]}
        yield "".join(values.get(name, "").ljust(width) for name, width in SUBACCOUNTS) + "\r\n"


def _plain(text: str) -> str:
    """Capitals without accents, one line; what has no plain letter is a question mark."""
    bare = unicodedata.normalize("NFKD", text)
    kept = "".join(letter for letter in bare if not unicodedata.combining(letter))
    return " ".join(kept.encode("ascii", "replace").decode("ascii").upper().split())
