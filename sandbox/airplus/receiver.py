"""AirPlus' side of a delivered file: sequence, duplicates, checks and the verdict (contracts: tamara 3.6, 3.9, 3.10)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.airplus.reading import Content, FormError, Txn, read
from sandbox.airplus.rules import Breach, History, first_breach, refund_of, ticket_of
from sandbox.airplus.totals import disagreements, miscounts, per_currency
from sandbox.shelf import Record, Shelf

NAME = re.compile(
    r"TAMARA_(?P<partner>[A-Za-z0-9.-]{12})_(?P<kind>BSP|MA)_(?P<seq>\d{9})_(?P<time>\d{14})_(?P<mode>[PT])\.dat"
)
NEXT = "next"
"""A wish for whatever comes next, fulfilled once."""
VERSIONS = frozenset({"v01.32"})
LAYOUT = "OURS-FIXED400/1"


@dataclass(frozen=True)
class FileProblem:
    """Why a file is refused whole, or is a duplicate."""

    status: str
    reason: str
    texts: tuple[str, ...]


class Receiver:
    """Checks every arrived file and keeps what it found; never keeps a card number beyond its last four digits.

    `partners` limits who is known (None: anybody); `wishes` are rejections that a person asks for: by TXN_REF,
    INV_NO, `#n` (the nth transaction of every file) or `next` (whatever comes next, once).
    """

    def __init__(self, shelf: Shelf, partners: frozenset[str] | None = None) -> None:
        self._shelf = shelf
        self._partners = partners
        self.wishes: dict[str, str] = {}

    def receive(self, name: str, raw: bytes, mode: str | None = None, user: str = "") -> Record:
        """The verdict on a file with its final name, kept; `mode` is what the directory is for (None: any)."""
        verdict = self._judge(name, raw, mode)
        key = f"{self._shelf.next_number('arrival', 1):09d}"
        return self._shelf.put("file", key, {"arrival": key, "user": user, **verdict})

    def close(self) -> None:
        self._shelf.close()

    def verdicts(self) -> list[Record]:
        return list(self._shelf.all("file").values())

    def transactions(self) -> list[Record]:
        """The newest version of every transaction that came, rejected ones included."""
        return list(self._shelf.all("txn").values())

    def answered(self, verdict: Record) -> None:
        verdict["answered"] = True
        self._shelf.put("file", verdict["arrival"], verdict)

    def _judge(self, name: str, raw: bytes, mode: str | None) -> Record:
        verdict: Record = {
            "name": name,
            "size": len(raw),
            "sha256": hashlib.sha256(raw).hexdigest(),
            "received_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "answered": False,
            "records": 0,
            "totals": {},
            "transactions": [],
            "problems": [],
        }
        fit = NAME.fullmatch(name)
        if fit:
            verdict |= {
                "partner": fit["partner"], "kind": fit["kind"], "seq": int(fit["seq"]), "mode": fit["mode"],
            }  # fmt: skip
        try:
            content = read(raw)
        except FormError as error:
            return self._refused(verdict, FileProblem("R", "F005", (str(error),)))
        header = content.header
        verdict |= {
            "partner": header["PARTNER_ID"], "kind": header["KIND"], "seq": header.number("FILE_SEQ"),
            "mode": header["MODE"], "reprint": header.number("REPRINT"), "records": len(content.records),
            "between": hashlib.sha256(content.raw_between).hexdigest(), "totals": per_currency(content),
        }  # fmt: skip
        problem = self._problem(content, fit, verdict, mode)
        if problem:
            return self._refused(verdict, problem)
        verdict["transactions"] = [self._transaction(txn, content) for txn in content.txns]
        rejected = any(entry["status"] == "R" for entry in verdict["transactions"])
        self._shelf.put("last", _counter(verdict), {"seq": verdict["seq"]})
        self._shelf.put("accepted", f"{_counter(verdict)}/{verdict['seq']}", verdict)
        return verdict | {"status": "P" if rejected else "A", "reason": "", "expected": verdict["seq"] + 1}

    def _refused(self, verdict: Record, problem: FileProblem) -> Record:
        expected = self._expected(verdict) if "partner" in verdict else 0
        return verdict | {
            "status": problem.status,
            "reason": problem.reason,
            "problems": list(problem.texts),
            "expected": expected,
        }

    def _expected(self, verdict: Record) -> int:
        last = self._shelf.get("last", _counter(verdict))
        return int(last["seq"]) + 1 if last else 1

    def _problem(
        self, content: Content, fit: re.Match[str] | None, verdict: Record, mode: str | None
    ) -> FileProblem | None:
        header = content.header
        if header["TAMARA_VER"] not in VERSIONS or header["LAYOUT_ID"] != LAYOUT:
            return FileProblem("R", "F006", (f"version {header['TAMARA_VER']} {header['LAYOUT_ID']}",))
        form = [*content.problems, *miscounts(content), *_misnamed(content, fit)]
        if form:
            return FileProblem("R", "F005", tuple(form))
        if self._partners is not None and header["PARTNER_ID"] not in self._partners:
            return FileProblem("R", "F004", (f"partner {header['PARTNER_ID']} is not known",))
        if mode is not None and header["MODE"] != mode:
            return FileProblem("R", "F008", (f"mode {header['MODE']} in a directory for {mode}",))
        wrong = tuple(disagreements(content))
        if wrong:
            return FileProblem("R", "F007", wrong)
        return self._sequence_problem(verdict)

    def _sequence_problem(self, verdict: Record) -> FileProblem | None:
        expected = self._expected(verdict)
        if verdict["seq"] == expected:
            return None
        held = self._shelf.get("accepted", f"{_counter(verdict)}/{verdict['seq']}")
        if held is None:
            return FileProblem("R", "F003", (f"number {verdict['seq']} where {expected} was expected",))
        reprinted = verdict["reprint"] > held["reprint"] and verdict["between"] == held["between"]
        if verdict["sha256"] == held["sha256"] or reprinted:
            return FileProblem("D", "F001", ("was processed before",))
        return FileProblem("R", "F002", ("this number was processed with other content",))

    def _transaction(self, txn: Txn, content: Content) -> Record:
        head = txn.head
        breach = first_breach(txn, content.header, self._history()) or self._wished(txn)
        entry: Record = {
            "txn": int(head.txn),
            "txn_ref": head["TXN_REF"],
            "txn_ver": head.number("TXN_VER"),
            "type": head["TYPE"],
            "dc": head["DC"],
            "service": head["SERVICE"],
            "inv_no": head["INV_NO"],
            "cn_no": head["CN_NO"],
            "orig_ref": head["ORIG_REF"],
            "currency": head["CUR"],
            "decimals": head.number("DEC"),
            "gross": head.number("GROSS"),
            "vat": head.number("VAT"),
            "value_date": head["VALUE_DATE"],
            "dossier": head["DOSSIER"],
            "card_tail": head["CARD_NO"][-4:],
            "ticket": ticket_of(txn) or "",
            "status": "R" if breach else "A",
            "reason": breach.reason if breach else "",
            "field": breach.field if breach else "",
            "text": breach.text if breach else "",
        }
        self._remember(txn, entry)
        return entry

    def _wished(self, txn: Txn) -> Breach | None:
        head = txn.head
        reason = self.wishes.get(head["TXN_REF"]) or self.wishes.get(head["INV_NO"])
        reason = reason or self.wishes.get(f"#{int(head.txn)}") or self.wishes.pop(NEXT, None)
        return Breach(reason, "", "rejected as asked") if reason else None

    def _history(self) -> History:
        return History(
            by_ref=_Lookup(self._shelf, "txn"),
            sold=_Lookup(self._shelf, "sold"),
            refunded=_Lookup(self._shelf, "refunded"),
        )

    def _remember(self, txn: Txn, entry: Record) -> None:
        known = self._shelf.get("txn", entry["txn_ref"])
        if entry["reason"] == "V020" and known is not None:
            return
        self._shelf.put("txn", entry["txn_ref"], {**entry, "credited": 0})
        if entry["status"] == "R":
            return
        number = ticket_of(txn)
        if number and entry["type"] == "SA":
            self._shelf.put("sold", number, {"ref": entry["txn_ref"]})
        if number and entry["type"] == "RF":
            self._shelf.put("refunded", refund_of(txn, number), {"ref": entry["txn_ref"]})
        sale = self._shelf.get("txn", entry["orig_ref"]) if entry["dc"] == "C" else None
        if sale is not None:
            self._shelf.put("txn", entry["orig_ref"], {**sale, "credited": sale["credited"] + entry["gross"]})


class _Lookup(Mapping[str, Mapping[str, Any]]):
    """A read-only view on one kind of the shelf."""

    def __init__(self, shelf: Shelf, kind: str) -> None:
        self._shelf, self._kind = shelf, kind

    def __getitem__(self, key: str) -> Mapping[str, Any]:
        held = self._shelf.get(self._kind, key)
        if held is None:
            raise KeyError(key)
        return held

    def __iter__(self) -> Iterator[str]:
        return iter(self._shelf.all(self._kind))

    def __len__(self) -> int:
        return len(self._shelf.all(self._kind))


def _counter(verdict: Record) -> str:
    return f"{verdict['partner']}/{verdict['kind']}/{verdict['mode']}"


def _misnamed(content: Content, fit: re.Match[str] | None) -> list[str]:
    header = content.header
    if fit is None:
        return ["the name is not TAMARA_<partner>_<kind>_<number>_<time>_<mode>.dat"]
    said = (fit["partner"], fit["kind"], fit["seq"], fit["mode"])
    held = (header["PARTNER_ID"], header["KIND"], header["FILE_SEQ"], header["MODE"])
    wrong = [] if said == held else ["the name does not agree with the header"]
    if header["KIND"] == "BSP" and not header["IATA_NO"]:
        wrong.append("200.IATA_NO is required in a BSP file")
    if len(header["PARTNER_ID"]) != 12:
        wrong.append("200.PARTNER_ID has not 12 characters")
    return wrong
