"""I10: what we remember of our writes and what the systems hold are the same, record by record and in both directions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from domain.effects import EffectKey, EffectRecord, EffectState

REFERENCE = re.compile(r"ORQ-[A-Z2-7]{26}")
MAKING = frozenset({"create", "reissue", "collect", "add", "deliver"})


class Place(NamedTuple):
    """Where the records of an entity lie: in which stand-in, under which kind, and what their id is called."""

    system: str
    kind: str
    own_id: str = "Id"


GIAV: Mapping[str, str] = {
    "cliente": "Cliente",
    "expediente": "Expediente",
    "reserva": "Reserva",
    "cost line": "Reserva",
    "pasajero": "Pasajero",
    "pasajero in expediente": "PasajeroExpediente",
    "cobro": "Cobro",
    "reembolso": "Cobro",
    "factura": "Factura",
    "credit note": "Factura",
    "penalty": "Factura",
    "task": "Activity",
}
PLACES: Mapping[tuple[str, str], Place] = {
    **{("giav", entity): Place("giav", kind) for entity, kind in GIAV.items()},
    ("platform", "charge"): Place("platform", "charge", "charge.id"),
    ("tamara", "file"): Place("airplus", "files", "name"),
    ("easycount", "document"): Place("easycount", "documents", "doc_uuid"),
    ("kommo", "note"): Place("kommo", "notes", "id"),
}
FREED = frozenset({("giav", "compensation")})
"""What the other side takes away by itself: GIAV the links of an invoice that is credited."""
NAMELESS = frozenset({"PasajeroExpediente"})
"""Kinds of GIAV that have no field for a reference."""

Held = Mapping[str, Mapping[str, Any]]
"""What each stand-in holds: records by kind."""


def disagreements(ledger: Sequence[EffectRecord], held: Held) -> Iterator[str]:
    """What is remembered as made and is not there under that id, and what is there and not remembered so."""
    made = [each for each in ledger if each.state is EffectState.DONE and each.key.operation in MAKING]
    ours = {each.key.reference: each for each in made}
    for each in made:
        entity = (each.key.system, each.key.entity)
        if entity in PLACES:
            yield from _missing(each, PLACES[entity], held)
        elif each.key.system == "giav" and entity not in FREED:
            yield f"{_name(each.key)}: nobody said where GIAV holds it"
    for kind in sorted(set(GIAV.values())):
        for record in _records(held, Place("giav", kind)):
            for reference in REFERENCE.findall(str(record)):
                known = ours.get(reference)
                if known is None or known.outside_id != str(record["Id"]):
                    remembered = "nothing" if known is None else f"{_name(known.key)} {known.outside_id}"
                    yield f"GIAV's {kind} {record['Id']} is ours, and {remembered} is remembered of it"


def _missing(made: EffectRecord, place: Place, held: Held) -> Iterator[str]:
    named = [record for record in _records(held, place) if _id(record, place) == made.outside_id]
    where = f"{_name(made.key)} is remembered as {place.system} {place.kind} {made.outside_id}"
    if not named:
        yield f"{where}, which is not there"
    elif place.system == "giav" and place.kind not in NAMELESS and made.key.reference not in str(named):
        yield f"{where}, which is not ours"


def _id(record: Mapping[str, Any], place: Place) -> str:
    value: Any = record
    for name in place.own_id.split("."):
        value = value[name]
    return str(value)


def _records(held: Held, place: Place) -> list[Mapping[str, Any]]:
    found = held.get(place.system, {}).get(place.kind, [])
    return list(found.values()) if isinstance(found, dict) else list(found)


def _name(key: EffectKey) -> str:
    return f"{key.system} {key.entity} {key.operation}"
