"""Reads the bytes of a TAMARA file into records and says where its form is wrong (contracts: tamara 3.1, 3.2, 3.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

LENGTH = 400
EOL = b"\r\n"
DETAILS = frozenset({"500", "511", "520", "530", "540", "550", "560", "590"})
REPEATED = frozenset({"310", "501", "600", "710"})
CHARSETS = {"ISO-8859-15": "iso8859-15", "UTF-8": "utf-8"}

Place = tuple[str, int, int, str, str]
"""Name, first position from 1, length, type, requirement."""


class FormError(Exception):
    """The file cannot be read at all; the text says why."""


@dataclass(frozen=True)
class Rec:
    """One record: its code, running numbers and trimmed values; `groups` where it holds groups."""

    code: str
    sub: str
    line: str
    txn: str
    values: Mapping[str, str]
    groups: tuple[Mapping[str, str], ...] = ()

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    def number(self, name: str) -> int:
        """The value as a whole number; blank counts as 0."""
        return int(self[name]) if self[name].isdigit() else 0


@dataclass
class Txn:
    """A transaction with the records under it."""

    head: Rec
    below: list[Rec] = field(default_factory=list)

    def records(self, *codes: str) -> list[Rec]:
        return [record for record in self.below if record.code in codes]

    @property
    def detail(self) -> Rec | None:
        found = self.records(*DETAILS)
        return found[0] if found else None


@dataclass
class Content:
    """Everything that a file says, and what is wrong with its form."""

    header: Rec
    trailer: Rec
    txns: list[Txn]
    totals: list[Rec]
    records: list[Rec]
    raw_before_trailer: bytes
    raw_between: bytes
    problems: list[str]


@cache
def tables() -> tuple[dict[str, list[Place]], dict[str, dict[str, Any]]]:
    """The position tables of records and of groups."""
    document = yaml.safe_load((files("sandbox.airplus") / "layout.yaml").read_text("utf-8"))
    records = {
        code: [(str(name), int(at), int(length), str(kind), str(need)) for name, at, length, kind, need in rows]
        for code, rows in document["records"].items()
    }
    return records, document["groups"]


def read(raw: bytes) -> Content:
    """The content of `raw`; raises FormError if it has no header, no trailer or no records at all."""
    if not raw.endswith(EOL):
        raise FormError("the last record has no line end")
    lines = raw[: -len(EOL)].split(EOL)
    charset = CHARSETS.get(lines[0][185:197].decode("ascii", "replace").strip())
    if charset is None:
        raise FormError("the header names no known character set")
    problems: list[str] = []
    records: list[Rec] = []
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode(charset)
        except UnicodeDecodeError as error:
            raise FormError(f"record {number} is not {charset}") from error
        if len(text) != LENGTH:
            raise FormError(f"record {number} has {len(text)} characters, not {LENGTH}")
        records.append(_record(text, number, problems))
    if records[0].code != "200" or records[-1].code != "700" or len(records) < 2:
        raise FormError("the first record is not 200 or the last is not 700")
    before = raw[: len(raw) - len(lines[-1]) - len(EOL)]
    content = Content(
        header=records[0],
        trailer=records[-1],
        txns=[],
        totals=[],
        records=records,
        raw_before_trailer=before,
        raw_between=before[len(lines[0]) + len(EOL) :],
        problems=problems,
    )
    _arrange(content)
    return content


def _record(text: str, number: int, problems: list[str]) -> Rec:
    code, sub, line, txn = text[:3], text[3:5], text[5:12], text[12:19]
    if line != f"{number:07d}":
        problems.append(f"record {number}: LINE is {line}")
    if not re.fullmatch(r"\d{7}", txn):
        problems.append(f"record {number}: TXN is {txn}")
    records, grouped = tables()
    if code in grouped:
        return Rec(code, sub, line, txn, {}, tuple(_groups(text, code, grouped[code], problems)))
    places = records.get(code)
    if places is None or code.startswith("9"):
        raise FormError(f"record {number} is of unknown type {code}")
    values = {place[0]: _value(text, code, place, problems) for place in places}
    end = places[-1][1] + places[-1][2] - 1
    if text[end:].strip(" "):
        problems.append(f"{code}: the filler from {end + 1} is not blank")
    return Rec(code, sub, line, txn, values)


def _groups(text: str, code: str, table: Mapping[str, Any], problems: list[str]) -> Iterator[dict[str, str]]:
    start, width, count = int(table["start"]), int(table["width"]), int(table["count"])
    for index in range(count):
        begin = start + width * index
        if not text[begin - 1 : begin - 1 + width].strip(" "):
            continue
        yield {
            str(name): _value(text, code, (str(name), begin + int(offset), int(length), str(kind), str(need)), problems)
            for name, offset, length, kind, need in table["fields"]
        }
    if text[start - 1 + width * count :].strip(" "):
        problems.append(f"{code}: the filler is not blank")


_SHAPES = {"N": r"\d+", "M": r"\d+", "R": r"\d+", "D": r"\d{8}", "T": r"\d{6}", "A": r"[A-Z]+ *", "AN": r"\S.*"}


def _value(text: str, code: str, place: Place, problems: list[str]) -> str:
    name, at, length, kind, need = place
    raw = text[at - 1 : at - 1 + length]
    if not raw.strip(" "):
        # An empty passenger or place is a matter for the rules V009 and V010, not of form.
        if need == "M" and (code, name) not in (("300", "PAX"), ("300", "CUST_PLACE")):
            problems.append(f"{code}.{name} is blank")
        return ""
    if not re.fullmatch(_SHAPES[kind], raw) or any(ord(sign) < 32 for sign in raw):
        problems.append(f"{code}.{name} is not of type {kind}")
    elif kind == "D" and not _is_day(raw):
        problems.append(f"{code}.{name} is not a day of the calendar")
    return raw.rstrip(" ")


def _is_day(raw: str) -> bool:
    try:
        date.fromisoformat(f"{raw[:4]}-{raw[4:6]}-{raw[6:]}")
    except ValueError:
        return False
    return True


_NEXT = {
    "200": {"300", "710", "700"},
    "300": {"310", "400", *DETAILS},
    "310": {"310", "400", *DETAILS},
    "400": DETAILS,
    "501": {"501", "600", "300", "710"},
    "600": {"600", "300", "710"},
    "710": {"710", "700"},
}


def _arrange(content: Content) -> None:
    """Sort the records under their transactions and note every breach of the order."""
    previous, running = "", 0
    for record in content.records:
        allowed = _NEXT.get(previous, {"600", "300", "710"})
        if previous == "500":
            allowed = {*allowed, "501"}
        if previous and record.code not in allowed:
            content.problems.append(f"record {int(record.line or 0)}: {record.code} after {previous}")
        running = running + 1 if record.code in REPEATED and previous == record.code else 1
        if record.sub != (f"{running:02d}" if record.code in REPEATED else "00"):
            content.problems.append(f"{record.code}: SN is {record.sub}")
        if record.code == "300":
            content.txns.append(Txn(record))
        elif record.code == "710":
            content.totals.append(record)
        elif record.code not in ("200", "700") and content.txns:
            content.txns[-1].below.append(record)
        expected = 0 if record.code in ("200", "700", "710") else len(content.txns)
        if record.txn != f"{expected:07d}":
            content.problems.append(f"{record.code}: TXN is {record.txn}, not {expected:07d}")
        previous = record.code
