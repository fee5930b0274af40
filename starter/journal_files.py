"""The journal as files for other programs: rows for a spreadsheet, and ContaPlus' two text files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from domain.ledger import Entry
from starter import contaplus
from starter.answers import CommandError
from store import Store
from store.journal import PostedEntry

POSTING_COLUMNS = ("entry", "day", "fact", "booking", "text", "account", "sub", "debit", "credit", "currency", "key")


def posting_rows(found: Iterable[PostedEntry]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for posted in found:
        entry = posted.entry
        for posting in entry.postings:
            amount = posting.amount.decimal
            debit, credit = (amount, "") if posting.side == "debit" else ("", amount)
            rows.append(
                (
                    posted.number,
                    entry.on,
                    entry.fact,
                    entry.booking_id,
                    entry.text,
                    posting.account,
                    posting.sub,
                    debit,
                    credit,
                    entry.currency,
                    entry.key,
                )
            )
    return rows


def contaplus_lines(
    store: Store, agency: str, found: Sequence[Entry], digits: int, first_number: int
) -> tuple[list[str], list[str]]:
    pairs = [(posting.account, posting.sub) for entry in found for posting in entry.postings]
    numbers = store.subaccounts.numbers(agency, pairs)
    try:
        codes = {pair: contaplus.account_code(pair[0], numbers[pair], digits) for pair in dict.fromkeys(pairs)}
        return list(contaplus.diary(found, codes, first_number=first_number)), list(contaplus.subaccounts(codes))
    except contaplus.NotExportable as error:
        raise CommandError(f"{error}; nothing was written") from None


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{folder}: cannot be made ({error.strerror})") from None


def write_lines(path: Path, lines: Iterable[str]) -> None:
    try:
        path.write_bytes("".join(lines).encode(contaplus.ENCODING))
    except OSError as error:
        raise CommandError(f"{path}: cannot be written ({error.strerror})") from None
