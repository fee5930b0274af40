"""Invariants of structure: the journal, numbers, series, keys (contracts: money-rules 3: L1, N1-N4, G3).

Not judged here: simplified, mediation and third-party series (N3), the words on the invoices (N5), the chain of records
and changes between two snapshots (N6, N7), because one snapshot of an ERP does not show them.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator

from domain.books import BookingBooks, Books, Invoice
from domain.invariants.declaring import Rules, Violation, first_invoices

RULES = Rules()


@RULES.of_the_books("L1", "every journal entry balances and the trial balance is zero")
def _l1(books: Books) -> Iterator[Violation]:
    if books.trial_balance:
        yield Violation("trial balance", str(books.trial_balance))
    yield from (Violation(entry, "debit differs from credit") for entry in books.unbalanced_entries)


@RULES.of_the_books("N1", "invoice numbers of a series run from 1 without holes or repeats")
def _n1(books: Books) -> Iterator[Violation]:
    for series, invoices in _by_series(books).items():
        numbers = [_number(i) for i in invoices]
        repeated = [n for n, count in Counter(numbers).items() if count > 1]
        holes = sorted(set(range(1, max(numbers) + 1)) - set(numbers))
        if repeated:
            yield Violation(series, f"repeated: {repeated[:5]}")
        if holes:
            yield Violation(series, f"holes: {holes[:5]}")


@RULES.of_the_books("N2", "issue dates do not go down as numbers go up in a series")
def _n2(books: Books) -> Iterator[Violation]:
    for series, invoices in _by_series(books).items():
        for before, after in itertools.pairwise(sorted(invoices, key=_number)):
            if after.issued_on < before.issued_on:
                yield Violation(series, f"{after.number} is dated before {before.number}")


@RULES.of_the_books("N3", "credit notes only in their own series")
def _n3(books: Books) -> Iterator[Violation]:
    for series, invoices in _by_series(books).items():
        kinds = {i.takes_back for i in invoices}
        if len(kinds) > 1:
            yield Violation(series, "credit notes and invoices share it")


@RULES.of_each_booking("N4", "no invoice of a payment is dated before its capture")
def _n4(b: BookingBooks) -> Iterator[str]:
    captured_on = {p.id: p.day for p in b.platform.payments}
    for invoice in first_invoices(b):
        day = captured_on.get(invoice.fact_id or "")
        if day is not None and invoice.issued_on < day:
            yield f"{invoice.number} is dated {invoice.issued_on}, the money came on {day}"


@RULES.of_the_books("G3", "every document that we created carries an external key, each key once")
def _g3(books: Books) -> Iterator[Violation]:
    keys: Counter[str] = Counter()
    for booking in books.bookings:
        for invoice in booking.invoices:
            if invoice.external_key is None and invoice.by_hand:
                continue
            if invoice.external_key is None:
                yield Violation(booking.booking_id, f"{invoice.number} has no key")
            else:
                keys[invoice.external_key] += 1
    yield from (Violation(key, f"stands on {count} documents") for key, count in keys.items() if count > 1)
    yield from (Violation(stranger, "belongs to no booking and no fact") for stranger in books.strangers)


def _by_series(books: Books) -> dict[str, list[Invoice]]:
    series: dict[str, list[Invoice]] = defaultdict(list)
    for booking in books.bookings:
        for invoice in booking.invoices:
            series[invoice.series].append(invoice)
    return series


def _number(invoice: Invoice) -> int:
    return int(invoice.number.rpartition("-")[2])
