"""The proof of a file before it leaves: everything recomputed from its bytes by the parser (contracts: tamara 3.9 V026 to V029)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from activities.tamara.grammar import Layout
from activities.tamara.model import CURRENCIES, FileHead, TamaraFile
from activities.tamara.parsing import Finding, read
from activities.tamara.rebuilding import named, settle
from activities.tamara.settings import TamaraSettings
from domain.errors import ContractBroken, NeedsPerson
from store.tamara_tables import File

Sums = dict[tuple[str, str], tuple[int, int]]
"""(currency number, dc) to (count, gross in minor units)."""


def prove_block(settings: TamaraSettings, kind: str) -> None:
    """V026: the agency block is complete. Raises `NeedsPerson` naming what to configure."""
    if kind == "BSP" and settings.iata_no is None:
        raise NeedsPerson(
            "V026: a BSP file needs the agency's IATA number; set tamara.iata_no", system="tamara", code="V026"
        )


def prove(layout: Layout, data: bytes | Iterable[bytes], file: File) -> None:
    """V027 to V029 over the rendered bytes, read as a stream. Raises `ContractBroken`: such a file is never sent."""
    lines: Sums = {}
    top: dict[str, Any] = {}
    transaction: dict[str, Any] = {}
    for record in read(layout, data, _refuse):
        if not record.block:
            settle(top, record)
        elif record.spec.repeat == "transactions":
            transaction = {}
            settle(transaction, record)
            txn = transaction["txn"]
            key = (txn["amount"]["currency"], txn["dc"])
            count, gross = lines.get(key, (0, 0))
            lines[key] = (count + 1, gross + txn["amount"]["gross"])
    content = TamaraFile.model_validate(named(top))
    _prove_identity(content.file, content.agency.partner_id, file)
    if lines != _sealed(file):
        raise _broken("V027", "the transactions do not add up to what was sealed")
    totals: Sums = {}
    for total in content.totals:
        for dc, count, gross in (
            ("D", total.debit_count, total.debit_total),
            ("C", total.credit_count, total.credit_total),
        ):
            if count:
                totals[total.currency, dc] = (count, gross)
        if total.debit_total - total.credit_total != total.net_total * (1 if total.net_dc == "D" else -1):
            raise _broken("V027", f"net total of currency {total.currency} is wrong")
    if totals != lines:
        raise _broken("V027", "the totals per currency do not agree with the transactions")


def _refuse(finding: Finding) -> None:
    raise _broken(finding.rule, f"line {finding.line}: {finding.text}")


def _prove_identity(head: FileHead, partner_id: str, file: File) -> None:
    if (partner_id, head.kind, head.mode) != (file.partner_id, file.kind, file.mode):
        raise _broken("V026", "partner, kind or mode of the header is not that of the ledger")
    if head.seq != file.seq:
        raise _broken("V029", f"the header has number {head.seq}, the ledger {file.seq}")


def _sealed(file: File) -> Sums:
    return {(CURRENCIES[each.currency][0], each.dc): (each.count, each.gross) for each in file.sums}


def _broken(rule: str, text: str) -> ContractBroken:
    return ContractBroken(f"{rule}: {text}; the file is not sent", system="tamara", operation="seal", code=rule)
