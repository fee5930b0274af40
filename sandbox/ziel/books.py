"""What Z.I.E.L. holds, and its verdict on every file (contracts: midoffice 8.1)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sandbox.shelf import Record, Shelf
from sandbox.ziel.layout import FileError
from sandbox.ziel.reading import Values, read

NAME = re.compile(r"ZIEL_(?P<agency>[A-Za-z0-9-]{1,32})_\d{14}_\d{6}_(?P<idem8>[0-9a-f]{8})(?P<query>_Q)?\.csv")


@dataclass(frozen=True)
class Verdict:
    """What is answered to one file; `status` is the content of a status file instead of an acknowledgement."""

    idem: str
    result: str
    number: str = ""
    code: str = ""
    text: str = ""
    status: str | None = None

    @property
    def line(self) -> str:
        text = self.text.replace('"', "'")
        quoted = f'"{text}"' if ";" in text else text
        return f"{self.idem};{self.result};{self.number};{self.code};{quoted}\r\n"


class Books:
    """Bookings and payments, by agency, supplier and booking number."""

    def __init__(self, shelf: Shelf, agencies: frozenset[str] | None, suppliers: frozenset[str] | None) -> None:
        self._shelf = shelf
        self._agencies = agencies
        self._suppliers = suppliers

    def close(self) -> None:
        self._shelf.close()

    def judge(self, name: str, content: bytes, wished: str | None = None) -> Verdict:
        """Take a file; `wished` is an error code that a person wants for it."""
        idem = ""
        try:
            parts = NAME.fullmatch(name)
            if parts is None:
                raise FileError("E10", f"{name} is not the name of a file")
            file = read(content)
            head = file["KOPF"]
            idem = head["idem"]
            if wished:
                raise FileError(wished, "so wished", "VORG[1].revision" if wished == "E32" else "")
            if self._agencies is not None and head["agentur"] not in self._agencies:
                raise FileError("E20", f"agency {head['agentur']} is not known", "KOPF.agentur")
            if (head["agentur"], idem[:8]) != (parts["agency"], parts["idem8"]):
                raise FileError("E10", "the name does not fit the header", "KOPF.idem")
            if (head["aktion"] == "Q") != bool(parts["query"]):
                raise FileError("E10", "a status query is named _Q", "KOPF.aktion")
            verdict = self._take(file)
        except FileError as problem:
            verdict = Verdict(idem, "ERR", problem.number, problem.code, str(problem))
        self._log(name, verdict)
        return verdict

    def _take(self, file: dict[str, Any]) -> Verdict:
        head, booking = file["KOPF"], file["VORG"][0]
        idem, action = head["idem"], head["aktion"]
        known = self._shelf.get("idem", idem)
        if known is not None:
            return Verdict(idem, "DUP", known["number"])
        if self._suppliers is not None and booking["lieferant"] not in self._suppliers:
            raise FileError("E30", f"supplier {booking['lieferant']} is not known", "VORG[1].lieferant")
        key = json.dumps([head["agentur"], booking["lieferant"], booking["buchungsnr"]])
        held = self._shelf.get("booking", key)
        if action == "Q":
            return self._show(idem, held)
        if held is None and action != "N":
            raise FileError("E41", "the booking is not known", "VORG[1].buchungsnr")
        if action in "NAS":
            number = self._keep(key, held, file)
        else:
            assert held is not None
            number = held["number"]
            self._pay(key, file["ZAHL"][0], held) if action == "Z" else self._invoice(key, file["RECH"][0])
        self._shelf.put("idem", idem, {"number": number})
        if action == "N" and held is not None:
            return Verdict(idem, "WARN", number, "W01", "the booking was known and is changed")
        return Verdict(idem, "OK", number)

    def _keep(self, key: str, held: Record | None, file: dict[str, Any]) -> str:
        booking = file["VORG"][0]
        if held is not None and int(booking["revision"]) <= int(held["revision"]):
            raise FileError("E40", f"revision {held['revision']} is held", "VORG[1].revision", held["number"])
        self._check(file, booking)
        closed = (self._shelf.get("period", "closed") or {}).get("until", "")
        if max(_day(service["bis"]) for service in file["LEIS"]) <= closed:
            raise FileError("E50", f"everything until {closed} is closed")
        number = held["number"] if held else f"Z{self._shelf.next_number('vorgang', 100_001)}"
        kept = {
            **booking,
            "number": number,
            "agency": file["KOPF"]["agentur"],
            "customer": file["KUND"][0],
            "travellers": file["REIS"],
            "services": file["LEIS"],
            "fees": file["STRN"],
            "changes": held["changes"] + 1 if held else 0,
        }
        self._shelf.put("booking", key, kept)
        return number

    def _check(self, file: dict[str, Any], booking: Values) -> None:
        customer = file["KUND"][0]
        if not (customer["firma"] or customer["name"]):
            raise FileError("E31", "the customer has no name", "KUND[1].name")
        if (file["KOPF"]["aktion"] == "S") != (booking["status"] == "ST"):
            raise FileError("E32", "does not fit the action", "VORG[1].status")
        numbers = [one["nr"] for one in file["REIS"]]
        if numbers != [str(place) for place in range(1, len(numbers) + 1)]:
            raise FileError("E32", "must be numbered from 1", "REIS[1].nr")
        for place, service in enumerate(file["LEIS"], start=1):
            if service["art"] != "H":
                raise FileError("E32", "only hotels are taken", f"LEIS[{place}].art")
            nights = (_at(service["bis"]) - _at(service["von"])).days
            if nights != int(service["naechte"]):
                raise FileError("E32", "are not the nights from von to bis", f"LEIS[{place}].naechte")
            named = {part for run in service["zuordnung"].split(",") for part in run.split("-") if part}
            if named - set(numbers):
                raise FileError("E32", "names nobody who travels", f"LEIS[{place}].zuordnung")

    def _pay(self, key: str, payment: Values, held: Record) -> None:
        whole = {**payment, "booking": key}
        known = self._shelf.get("payment", payment["transaktion"])
        if known is not None and known != whole:
            raise FileError("E32", "this transaction came otherwise before", "ZAHL[1].transaktion")
        if payment["waehrung"] != held["waehrung"]:
            raise FileError("E32", "the booking has another currency", "ZAHL[1].waehrung")
        self._shelf.put("payment", payment["transaktion"], whole)

    def _invoice(self, key: str, invoice: Values) -> None:
        self._shelf.put("invoice", f"{key}/{invoice['nummer']}", {**invoice, "booking": key})

    def _show(self, idem: str, held: Record | None) -> Verdict:
        if held is None:
            raise FileError("E41", "the booking is not known", "VORG[1].buchungsnr")
        key = json.dumps([held["agency"], held["lieferant"], held["buchungsnr"]])
        paid = Decimal(0)
        for one in self._shelf.all("payment").values():
            if one["booking"] == key:
                paid += Decimal(one["betrag"].replace(",", ".")) * (1 if one["richtung"] == "E" else -1)
        cells = (held["number"], held["status"], held["revision"], held["vk_brutto"], f"{paid:.2f}".replace(".", ","))
        return Verdict(idem, "OK", held["number"], status=";".join(cells) + "\r\n")

    def _log(self, name: str, verdict: Verdict) -> None:
        row = {"name": name, "result": verdict.result, "number": verdict.number, "code": verdict.code}
        place = str(self._shelf.next_number("file", 1))
        self._shelf.put("file", place, {**row, "text": verdict.text, "at": datetime.now(UTC).isoformat()})

    def shut(self, until: str) -> None:
        """No booking that ends on or before this day may be touched any more."""
        self._shelf.put("period", "closed", {"until": until})

    def everything(self) -> dict[str, Any]:
        kinds = {"bookings": "booking", "payments": "payment", "invoices": "invoice", "files": "file"}
        return {name: list(self._shelf.all(kind).values()) for name, kind in kinds.items()}


def _at(text: str) -> datetime:
    return datetime.strptime(text, "%d.%m.%Y").replace(tzinfo=UTC)


def _day(text: str) -> str:
    return _at(text).date().isoformat()
