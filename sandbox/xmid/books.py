"""Bookings, payments and invoices as xMid holds them (contracts: midoffice 7.1, 7.3)."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sandbox.shelf import Record, Shelf
from sandbox.xmid.schema import Doc


class XmidError(Exception):
    """A refusal: HTTP status, code and words; `more` are further members of the body."""

    def __init__(self, status: int, code: str, words: str = "", field: str = "", **more: Any) -> None:
        super().__init__(words or code)
        self.status, self.code, self.words, self.field, self.more = status, code, words, field, more


class Books:
    """Everything of one installation, by agency."""

    def __init__(self, shelf: Shelf, creditors: frozenset[str] | None = None) -> None:
        self._shelf = shelf
        self._creditors = creditors

    def close(self) -> None:
        self._shelf.close()

    # --- the same request again ---

    def replay(self, agency: str, key: str, body: Doc) -> Record | None:
        """The first answer to this key; raises XmidError if the key came with another body."""
        held = self._shelf.get("key", f"{agency}/{key}")
        if held is None:
            return None
        if held["body"] != _digest(body):
            raise XmidError(422, "SCHLUESSEL_VERWENDET", "the idempotency key came with another body before")
        answer: Record = held["answer"]
        return answer

    def remember(self, agency: str, key: str, body: Doc, answer: Record) -> Record:
        self._shelf.put("key", f"{agency}/{key}", {"body": _digest(body), "answer": answer})
        return answer

    # --- bookings ---

    def put(self, agency: str, body: Doc, if_revision: int | None) -> tuple[Record, bool]:
        """Create or change; the flag says whether it is new. Raises XmidError."""
        self._check(body)
        held = self.find(agency, body["leistungstraeger"], body["buchungsnummer"])
        if held is None and if_revision is not None:
            raise XmidError(404, "VORGANG_UNBEKANNT", "there is no booking to change")
        if held is not None:
            stale = held["revision"] != if_revision if if_revision is not None else False
            if stale or body["revision"] <= held["revision"]:
                raise XmidError(409, "REVISION_VERALTET", "another revision is held", revision=held["revision"])
        self._refuse_closed(held or body)
        self._refuse_closed(body)
        number = held["vorgangsnummer"] if held else f"V{self._shelf.next_number('vorgang', 410_001)}"
        kept = {
            **body,
            "agency": agency,
            "vorgangsnummer": number,
            "stornierung": None,
            "geaendertAm": _now(),
            "changes": held["changes"] + 1 if held else 0,
        }
        self._keep(kept)
        warnings = ["UST_ID_FEHLT"] if "firma" in body["anmelder"] and "ustId" not in body["anmelder"] else []
        return {"vorgangsnummer": number, "revision": body["revision"], "warnungen": warnings}, held is None

    def cancel(self, agency: str, supplier: str, booking: str, body: Doc) -> Record:
        """Cancel with fees; raises XmidError."""
        held = self._known(agency, supplier, booking)
        if body["revision"] <= held["revision"]:
            raise XmidError(409, "REVISION_VERALTET", "another revision is held", revision=held["revision"])
        if body["waehrung"] != held["waehrung"]:
            raise XmidError(422, "WERT", "the booking has another currency", "waehrung")
        self._refuse_closed(held)
        held |= {
            "revision": body["revision"],
            "buchungsstatus": "XX",
            "ekBrutto": body["stornoGebuehrEk"],
            "vkBrutto": body["stornoGebuehrVk"],
            "stornierung": body,
            "geaendertAm": _now(),
            "changes": held["changes"] + 1,
        }
        for service in held["leistungen"]:
            service["status"] = "XX"
        self._keep(held)
        return {"vorgangsnummer": held["vorgangsnummer"], "revision": held["revision"], "warnungen": []}

    def find(self, agency: str, supplier: str, booking: str) -> Record | None:
        return self._shelf.get("booking", _key(agency, supplier, booking))

    def show(self, agency: str, supplier: str, booking: str) -> Record:
        """The read-back; raises XmidError."""
        held = self._known(agency, supplier, booking)
        paid = sum((_signed(one) for one in self._payments(held)), Decimal(0))
        names = ("vorgangsnummer", "buchungsstatus", "revision", "ekBrutto", "vkBrutto")
        return {**{name: held[name] for name in names}, "gezahlt": f"{paid:.2f}", "geaendertAm": held["geaendertAm"]}

    def _known(self, agency: str, supplier: str, booking: str) -> Record:
        held = self.find(agency, supplier, booking)
        if held is None:
            raise XmidError(404, "VORGANG_UNBEKANNT", "there is no such booking")
        return held

    def _keep(self, booking: Record) -> None:
        key = _key(booking["agency"], booking["leistungstraeger"], booking["buchungsnummer"])
        self._shelf.put("booking", key, booking)

    def _check(self, body: Doc) -> None:
        if self._creditors is not None and body["kreditorNr"] not in self._creditors:
            raise XmidError(422, "KREDITOR_UNBEKANNT", f"creditor {body['kreditorNr']} is not known", "kreditorNr")
        if Decimal(body["marge"]) != Decimal(body["vkBrutto"]) - Decimal(body["ekBrutto"]):
            raise XmidError(422, "WERT", "is not vkBrutto less ekBrutto", "marge")
        if not {"name", "firma"} & body["anmelder"].keys():
            raise XmidError(422, "WERT", "needs a name or a company", "anmelder.name")
        numbers = [one["nr"] for one in body["teilnehmer"]]
        if numbers != list(range(1, len(numbers) + 1)):
            raise XmidError(422, "WERT", "must be numbered from 1", "teilnehmer")
        for place, service in enumerate(body["leistungen"]):
            nights = (date.fromisoformat(service["bis"]) - date.fromisoformat(service["von"])).days
            if nights != service["naechte"]:
                raise XmidError(422, "WERT", "are not the nights from von to bis", f"leistungen[{place}].naechte")
            if _numbers(service.get("teilnehmerZuordnung", "")) - set(numbers):
                where = f"leistungen[{place}].teilnehmerZuordnung"
                raise XmidError(422, "WERT", "names somebody who is no participant", where)

    # --- closed periods ---

    def shut(self, until: str) -> None:
        """No booking that ends on or before this day may be touched any more."""
        self._shelf.put("period", "closed", {"until": until})

    def _refuse_closed(self, booking: Record) -> None:
        closed = (self._shelf.get("period", "closed") or {}).get("until", "")
        if max(service["bis"] for service in booking["leistungen"]) <= closed:
            raise XmidError(423, "PERIODE_GESCHLOSSEN", f"everything until {closed} is closed")

    # --- payments and invoices ---

    def pay(self, agency: str, supplier: str, booking: str, transaction: str, body: Doc) -> tuple[Record, bool]:
        """Add a payment; the flag says whether it is new. Raises XmidError."""
        held = self._known(agency, supplier, booking)
        place = f"{agency}/{transaction}"
        whole = {**body, "transaktion": transaction, "booking": _key(agency, supplier, booking)}
        known = self._shelf.get("payment", place)
        if known is not None and known != whole:
            raise XmidError(422, "ZAHLUNG_ABWEICHEND", "this transaction came otherwise before", "transaktion")
        if body["waehrung"] != held["waehrung"]:
            raise XmidError(422, "WERT", "the booking has another currency", "waehrung")
        if known is None:
            self._refuse_closed(held)
            self._shelf.put("payment", place, whole)
        answer = {"vorgangsnummer": held["vorgangsnummer"], "revision": held["revision"], "warnungen": []}
        return answer, known is None

    def _payments(self, booking: Record) -> list[Record]:
        key = _key(booking["agency"], booking["leistungstraeger"], booking["buchungsnummer"])
        return [one for one in self._shelf.all("payment").values() if one["booking"] == key]

    def invoice(self, agency: str, supplier: str, booking: str) -> Record:
        """What a clerk at xMid does: write the invoice of what stands, or the one of the cancellation."""
        held = self._known(agency, supplier, booking)
        number = self._shelf.next_number("rechnung", 1)
        written = {
            "nummer": f"R{datetime.now(UTC):%Y}-{number:05d}",
            "datum": f"{datetime.now(UTC):%Y-%m-%d}",
            "art": "ST" if held["buchungsstatus"] == "XX" else "RE",
            "brutto": held["vkBrutto"],
            "mwst": "0.00",
            "waehrung": held["waehrung"],
            "pdfUrl": f"/rechnungen/{number}.pdf",
        }
        return self._shelf.put("invoice", f"{_key(agency, supplier, booking)}/{number}", written)

    def invoices(self, agency: str, supplier: str, booking: str) -> list[Record]:
        self._known(agency, supplier, booking)
        before = f"{_key(agency, supplier, booking)}/"
        return [one for key, one in self._shelf.all("invoice").items() if key.startswith(before)]

    def everything(self) -> dict[str, Any]:
        kinds = {"bookings": "booking", "payments": "payment", "invoices": "invoice"}
        return {name: list(self._shelf.all(kind).values()) for name, kind in kinds.items()}


def _key(agency: str, supplier: str, booking: str) -> str:
    return json.dumps([agency, supplier, booking])


def _digest(body: Doc) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _signed(payment: Record) -> Decimal:
    amount = Decimal(payment["betrag"])
    return amount if payment["richtung"] == "EIN" else -amount


def _numbers(assignment: str) -> set[int]:
    found: set[int] = set()
    for run in filter(None, assignment.split(",")):
        first, _, last = run.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found
