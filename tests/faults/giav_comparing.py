"""Two days compared: what GIAV and our store hold of documents, without ids, numbers and moments (contracts: money-rules O3)."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from store import Store

Record = dict[str, Any]

LINKS = {
    "IdCliente": "Cliente",
    "IdExpediente": "Expediente",
    "IdReserva": "Reserva",
    "Anidacion_IdReservaContenedora": "Reserva",
    "IdPasajero": "Pasajero",
    "IdFactura": "Factura",
    "IdFacturaAsociada": "Factura",
    "IdDueDate": "DueDate",
    "IdCobro": "Cobro",
    "reservas": "Reserva",
}
"""Fields that hold ids of other records, and of which."""
NUMBERS = frozenset({"Id", "Codigo", "CodigoExpediente", "CodCliente", "InvoiceCode", "FileCode"})
MOMENTS = frozenset({"FechaCreacion", "FechaModificacion", "CreationDate", "at"})
NUMBERS_IN_WORDS = re.compile(r"\b[A-Z]{1,3}-\d{4}-\d{6}\b|(?<=Expediente:)\d+")


def comparable(state: dict[str, list[Record]]) -> dict[str, list[str]]:
    """Every record as text; what it points to is named by its reference."""
    names = {entity: {each["Id"]: _name(entity, each) for each in records} for entity, records in state.items()}
    for due in state["DueDate"]:
        names["DueDate"][due["Id"]] = f"due date of {names['Factura'][due['IdFactura']]}"
    return {
        entity: sorted(json.dumps(_bare(each, names), sort_keys=True, ensure_ascii=False) for each in records)
        for entity, records in state.items()
    }


def differences(giav: dict[str, list[str]], wanted: dict[str, list[str]]) -> list[str]:
    """What is too much (+) and what is missing (-), record by record."""
    found = []
    for entity in wanted:
        here, there = Counter(giav[entity]), Counter(wanted[entity])
        found += [f"+ {entity} {record}" for record in (here - there).elements()]
        found += [f"- {entity} {record}" for record in (there - here).elements()]
    return found


def twins(giav: dict[str, list[str]]) -> list[str]:
    """References that more than one record of an entity carries."""
    return [
        f"{count} × {entity} {reference}"
        for entity, records in giav.items()
        for reference, count in Counter(filter(None, (_reference(json.loads(each)) for each in records))).items()
        if count > 1
    ]


def documents_of(store: Store, agency: str) -> list[str]:
    """What we remember of the documents that GIAV issued."""
    return sorted(
        f"{each.key} {each.kind} {each.amount} {each.refers_to} {each.series} {each.issued_on} {each.operation_date}"
        for booking in store.facts.bookings(agency)
        for each in store.documents.of_booking(agency, booking.id)
    )


def _reference(record: Record) -> str:
    return next((item["Value"] for item in record.get("CustomDataValues") or ()), "")


def _name(entity: str, record: Record) -> str:
    return _reference(record) or f"{entity} {record['Id']}"


def _bare(record: Record, names: dict[str, dict[int, str]]) -> Record:
    bare: Record = {}
    for name, value in record.items():
        if name in NUMBERS or name in MOMENTS:
            continue
        entity = LINKS.get(name)
        match value:
            case dict():
                bare[name] = _bare(value, names)
            case list() if entity:
                bare[name] = [names[entity].get(each, "?") for each in value]
            case int() if entity:
                bare[name] = names[entity].get(value, "?")
            case str():
                bare[name] = NUMBERS_IN_WORDS.sub("#", value)
            case _:
                bare[name] = value
    return bare
