"""Invoice numbers: correlative without holes within each series and year, dates never going back (contracts: money-rules 1.1.7)."""

from __future__ import annotations

from sandbox.giav.books import Books
from sandbox.giav.refusals import Refusal

_LETTERS = {"General": "F", "Especial": "E", "Dac": "D", "Proforma": "P"}


def prefix_of(regime: str, *, simplified: bool, correcting: bool) -> str:
    """The series: simplified and correcting invoices have their own, as the law wants."""
    return f"{_LETTERS[regime]}{'S' if simplified else ''}{'R' if correcting else ''}"


def next_code(books: Books, prefix: str, day: str) -> str:
    """Take the next number for an invoice of `day` (`yyyy-MM-dd`). Refuses a day before the last one of the series."""
    year = day[:4]
    held = books.records.having("Serie", "prefix", prefix)
    series = held[0] if held else books.records.get("Serie", books.records.add("Serie", _fresh(prefix)))
    if series is None:
        raise LookupError(prefix)
    if day < series["day"]:
        raise Refusal(f"La fecha de emisión es anterior a la de la última factura de la serie ({series['day']})")
    number = series["last"].get(year, 0) + 1
    books.records.change("Serie", series, day=day, last={**series["last"], year: number})
    return f"{prefix}-{year}-{number:06d}"


def _fresh(prefix: str) -> dict[str, object]:
    return {"prefix": prefix, "day": "0000-00-00", "last": {}}
