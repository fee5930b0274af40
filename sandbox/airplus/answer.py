"""The answer file to a verdict: records 900, 910 and 990 (contracts: tamara 3.11)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sandbox.airplus.reading import LENGTH, tables
from sandbox.shelf import Record

NUMERIC = frozenset({"N", "M", "R"})


def answer_name(name: str) -> str:
    """The final name of the file with `.ack` in place of `.dat`."""
    return name.removesuffix(".dat") + ".ack"


def render(verdict: Record) -> bytes:
    """The whole answer, as bytes in ISO-8859-15."""
    now = datetime.now(UTC)
    lines = [
        _record(
            "900",
            1,
            0,
            {
                "PARTNER_ID": verdict.get("partner", ""),
                "KIND": verdict.get("kind", ""),
                "FILE_SEQ": verdict.get("seq", 0),
                "FILE_NAME": verdict["name"],
                "FILE_STATUS": verdict["status"],
                "FILE_REASON": verdict["reason"],
                "EXPECTED": verdict["expected"],
                "RCV_DATE": f"{now:%Y%m%d}",
                "RCV_TIME": f"{now:%H%M%S}",
                "MODE": verdict.get("mode", "T"),
            },
        )
    ]
    for entry in verdict["transactions"]:
        lines.append(
            _record(
                "910",
                len(lines) + 1,
                entry["txn"],
                {
                    "TXN_REF": entry["txn_ref"],
                    "TXN_VER": entry["txn_ver"],
                    "STATUS": entry["status"],
                    "REASON": entry["reason"],
                    "FIELD": entry["field"],
                    "CARD_TAIL": entry["card_tail"],
                    "INV_NO": entry["inv_no"],
                    "DOC": entry["ticket"],
                    "TEXT": entry["text"],
                },
            )
        )
    states = [entry["status"] for entry in verdict["transactions"]]
    lines.append(
        _record(
            "990",
            len(lines) + 1,
            0,
            {
                "N_RECORDS": len(lines) + 1,
                "N_ACCEPTED": states.count("A"),
                "N_REJECTED": states.count("R"),
                "N_HELD": states.count("H"),
            },
        )
    )
    return "".join(f"{line}\r\n" for line in lines).encode("iso8859-15", "replace")


def _record(code: str, line: int, txn: int, values: Mapping[str, str | int]) -> str:
    text = f"{code}00{line:07d}{txn:07d}"
    for name, at, length, kind, _ in tables()[0][code]:
        value = str(values.get(name, ""))
        text = text.ljust(at - 1)
        text += value.zfill(length) if kind in NUMERIC and value else value[:length].ljust(length)
    return text.ljust(LENGTH)
