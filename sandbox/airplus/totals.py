"""Counts, totals and digests of a file, worked out again from its records (contracts: tamara 3.4 records 700 and 710)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from sandbox.airplus.reading import DETAILS, Content, Rec

KINDS_COUNTED = {
    "N_300": {"300"},
    "N_310": {"310"},
    "N_400": {"400"},
    "N_5XX": {*DETAILS, "501"},
    "N_600": {"600"},
    "N_710": {"710"},
}


def per_currency(content: Content) -> dict[str, dict[str, int]]:
    """Debit and credit counts and totals in minor units, by numeric currency code, ascending."""
    totals: dict[str, dict[str, int]] = {}
    for txn in sorted(content.txns, key=lambda entry: entry.head["CUR"]):
        entry = totals.setdefault(
            txn.head["CUR"], {"D_COUNT": 0, "D_TOTAL": 0, "C_COUNT": 0, "C_TOTAL": 0, "DEC": txn.head.number("DEC")}
        )
        side = txn.head["DC"]
        if side in ("D", "C"):
            entry[f"{side}_COUNT"] += 1
            entry[f"{side}_TOTAL"] += txn.head.number("GROSS")
    return totals


def disagreements(content: Content) -> Iterator[str]:
    """Everything that 710 and 700 say otherwise than the records do."""
    totals = per_currency(content)
    if [record["CUR"] for record in content.totals] != list(totals):
        yield "710: not one record per currency in ascending order"
    for record in content.totals:
        yield from _total(record, totals.get(record["CUR"], {}))
    trailer = content.trailer
    for name, codes in KINDS_COUNTED.items():
        found = sum(record.code in codes for record in content.records)
        if trailer.number(name) != found:
            yield f"700.{name} is {trailer[name]}, counted {found}"
    if trailer.number("N_RECORDS") != len(content.records):
        yield f"700.N_RECORDS is {trailer['N_RECORDS']}, counted {len(content.records)}"
    for name in ("D_COUNT", "C_COUNT"):
        found = sum(entry[name] for entry in totals.values())
        if trailer.number(name) != found:
            yield f"700.{name} is {trailer[name]}, counted {found}"
    hashed = sum(record.number("DOC_NO") for record in content.records if record.code == "500") % 10**15
    if trailer.number("DOC_HASH") != hashed:
        yield f"700.DOC_HASH is {trailer['DOC_HASH']}, worked out {hashed:015d}"
    if trailer["SHA256"] != hashlib.sha256(content.raw_before_trailer).hexdigest():
        yield "700.SHA256 does not fit the bytes"
    for name in ("KIND", "PARTNER_ID", "FILE_SEQ"):
        if trailer[name] != content.header[name]:
            yield f"700.{name} is not that of the header"


def _total(record: Rec, found: dict[str, int]) -> Iterator[str]:
    for name in ("DEC", "D_COUNT", "D_TOTAL", "C_COUNT", "C_TOTAL"):
        if record.number(name) != found.get(name):
            yield f"710.{name} of {record['CUR']} is {record[name]}, worked out {found.get(name)}"
    net = found.get("D_TOTAL", 0) - found.get("C_TOTAL", 0)
    if record["NET_DC"] != ("D" if net >= 0 else "C") or record.number("NET_TOTAL") != abs(net):
        yield f"710: the net of {record['CUR']} does not fit"


def miscounts(content: Content) -> Iterator[str]:
    """Counts inside a transaction that its own records contradict."""
    for txn in content.txns:
        found = {
            "N_310": len(txn.records("310")),
            "N_400": len(txn.records("400")),
            "N_5XX": len(txn.records(*DETAILS, "501")),
            "N_600": len(txn.records("600")),
        }
        for name, count in found.items():
            if txn.head.number(name) != count:
                yield f"300.{name} of transaction {int(txn.head.txn)} is {txn.head[name]}, counted {count}"
        segments = sum(len(record.groups) for record in txn.records("501"))
        if any(record.number("N_SEG") != segments for record in txn.records("500")):
            yield f"500.N_SEG of transaction {int(txn.head.txn)} is not {segments}"
        if txn.head["CLASS"] != content.header["KIND"]:
            yield f"300.CLASS of transaction {int(txn.head.txn)} is not the kind of the file"
    days = sorted(txn.head["VALUE_DATE"] for txn in content.txns) or [content.header["CREATED_DATE"]]
    if (content.header["PERIOD_FROM"], content.header["PERIOD_TO"]) != (days[0], days[-1]):
        yield "200: the period is not that of the value dates"
