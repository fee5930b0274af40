"""Reads a file as Z.I.E.L. does: bytes, lines, quotes, counts, checksum, then every field (contracts: midoffice 8.1)."""

from __future__ import annotations

import zlib
from typing import Any

from sandbox.ziel.layout import BODIES, CANCELLING, FIELDS, WHOLE, FileError

Values = dict[str, str]


def read(content: bytes) -> dict[str, Any]:
    """`{"KOPF": {…}, "VORG": [{…}], …}`. Raises FileError (E10 form, E11 checksum or count)."""
    if content.startswith(b"\xef\xbb\xbf"):
        raise FileError("E10", "a byte order mark is not taken")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileError("E10", f"not UTF-8 at byte {error.start}") from None
    if not text.endswith("\r\n"):
        raise FileError("E11", "the last line has no end")
    records = [_cells(line, place) for place, line in enumerate(_lines(text), start=1)]
    if len(records) < 3 or records[0][0] != "KOPF" or records[-1][0] != "ENDE":
        raise FileError("E10", "a file is KOPF, records, ENDE")
    head, end = _values("KOPF", records[0], "KOPF"), _values("ENDE", records[-1], "ENDE")
    if not int(head["anzahl_saetze"]) == int(end["anzahl_saetze"]) == len(records) - 2:
        raise FileError("E11", f"{len(records) - 2} records, but other counts are given", "ENDE.anzahl_saetze")
    before = content[: content.rindex(b"ENDE")]
    if end["crc32"] != f"{zlib.crc32(before):08x}":
        raise FileError("E11", "the checksum is another", "ENDE.crc32")
    return {"KOPF": head, **_body(head["aktion"], records[1:-1])}


def _lines(text: str) -> list[str]:
    """Lines end with CRLF and with nothing else; no value of ours spans lines."""
    lines = text.removesuffix("\r\n").split("\r\n")
    for place, line in enumerate(lines, start=1):
        if "\n" in line or "\r" in line:
            raise FileError("E10", f"line {place} has a bare line break")
        if not line:
            raise FileError("E10", f"line {place} is empty")
    return lines


def _cells(line: str, place: int) -> list[str]:
    """Split at semicolons; a quoted cell is quoted whole, and a quote inside is doubled."""
    cells: list[str] = []
    rest = line
    while True:
        if rest.startswith('"'):
            cell, rest = _quoted(rest, place)
        else:
            cell, semicolon, after = rest.partition(";")
            if '"' in cell:
                raise FileError("E10", f"line {place} has a quote inside an unquoted field")
            rest = semicolon + after
        cells.append(cell)
        if not rest:
            return cells
        if not rest.startswith(";"):
            raise FileError("E10", f"line {place} goes on after a closing quote")
        rest = rest[1:]
        if not rest:
            cells.append("")
            return cells


def _quoted(rest: str, place: int) -> tuple[str, str]:
    cell, at = "", 1
    while True:
        quote = rest.find('"', at)
        if quote < 0:
            raise FileError("E10", f"line {place} ends inside quotes")
        cell += rest[at:quote]
        if rest[quote + 1 : quote + 2] != '"':
            return cell, rest[quote + 1 :]
        cell, at = cell + '"', quote + 2


def _values(kind: str, cells: list[str], place: str, *, more: bool = False) -> Values:
    fields = FIELDS[kind] | (CANCELLING if more else {})
    if len(cells) - 1 != len(fields):
        raise FileError("E10", f"{len(cells) - 1} fields instead of {len(fields)}", place)
    values = dict(zip(fields, cells[1:], strict=True))
    for name, check in fields.items():
        if not check(values[name]):
            raise FileError("E32" if kind not in ("KOPF", "ENDE") else "E10", "is not of its form", f"{place}.{name}")
    return values


def _body(action: str, records: list[list[str]]) -> dict[str, list[Values]]:
    shape = BODIES[action]
    order = list(shape)
    found: dict[str, list[Values]] = {kind: [] for kind in order}
    last = 0
    for cells in records:
        kind = cells[0]
        if kind not in shape:
            raise FileError("E10", f"record {kind[:8]} has no place in action {action}")
        if order.index(kind) < last:
            raise FileError("E10", f"record {kind} is out of order")
        last = order.index(kind)
        place = f"{kind}[{len(found[kind]) + 1}]"
        found[kind].append(_values(kind, cells, place, more=action == "S" and kind == "STRN"))
    for kind, (least, most) in shape.items():
        if not least <= len(found[kind]) <= most:
            raise FileError("E10", f"{len(found[kind])} records {kind} in action {action}")
    if action in "NAS":
        for name in WHOLE:
            if not found["VORG"][0][name]:
                raise FileError("E32", "is empty", f"VORG[1].{name}")
    return found
