"""What an agency has set up in its GIAV: offices, payment methods, stages, custom fields, suppliers (contracts: giav 2.2, 2.7)."""

from __future__ import annotations

from itertools import islice

from pydantic import BaseModel, ConfigDict

from activities.giav.client import GiavClient
from activities.giav.elements import Record
from activities.giav.lookups import CLIENTES
from activities.giav.mapping.values import Request

FIELD_NAME = "Referencia externa (ORQ)"
"""The text field that we install for our reference."""
FIELD_CLASSES = ("Cliente", "Expediente", "Reserva", "Cobro", "Factura", "Pasajero")
"""The classes of records that take our reference (giav 3.1); in lower case they are the names in the settings."""
STAGE_CLASSES = ("Expediente", "Reserva")
MOST_SUPPLIERS = 1000
"""More are not read: whom we look for has to be found by name then."""
HOLDER_WORD = "titular"

METHODS: Request = {
    "admiteCobros": "NoAplicar",
    "admiteReembolsos": "NoAplicar",
    "arqueaCaja": "NoAplicar",
    "clientePertenece": False,
    "incluirDeshabilitados": False,
}
FIELDS: Request = {"types": ["TextBox"], "hidden": "NoAplicar", "required": "NoAplicar"}
SUPPLIERS: Request = {"genera347_349": "NoAplicar", "cifExacto": False, "incluirDeshabilitados": False}


class Entry(BaseModel):
    """A line of a catalogue: GIAV's internal id and its name there."""

    model_config = ConfigDict(frozen=True)

    id: int
    name: str


class Office(Entry):
    """`trade_name` is what customers know it by."""

    trade_name: str = ""


class Method(Entry):
    """A payment method in use; `category` is GIAV's own."""

    category: str
    collects: bool
    refunds: bool


class Stage(Entry):
    """A stage of a class; `withdrawn` is GIAV's flag `Cancelled`, whose meaning nobody documents."""

    order: int
    withdrawn: bool


class Catalogues(BaseModel):
    """All of it; stages and fields by class."""

    model_config = ConfigDict(frozen=True)

    offices: tuple[Office, ...] = ()
    methods: tuple[Method, ...] = ()
    stages: dict[str, tuple[Stage, ...]] = {}
    fields: dict[str, tuple[Entry, ...]] = {}
    suppliers: tuple[Entry, ...] = ()
    holders: tuple[Entry, ...] = ()
    """Clients that may hold expedientes without a single payer."""


def read_catalogues(client: GiavClient) -> Catalogues:
    """Read everything once; the first call proves the key. Raises the classes of `domain.errors`."""
    offices = client.search("Oficina_SEARCH", busquedaExactaCodigo=False)
    return Catalogues(
        offices=tuple(_office(each) for each in offices if not each["Deshabilitado"]),
        methods=tuple(_method(each) for each in client.search("FormaPago_SEARCH", **METHODS)),
        stages={target: _stages(client, target) for target in STAGE_CLASSES},
        fields={target: fields_of(client, target) for target in FIELD_CLASSES},
        suppliers=tuple(
            _entry(each, "Nombre")
            for each in islice(client.search("Proveedor_SEARCH", **SUPPLIERS), MOST_SUPPLIERS)
            if not each["Deshabilitado"]
        ),
        holders=tuple(
            _entry(each, "Nombre")
            for each in client.search("Cliente_SEARCH", **CLIENTES, nombre=HOLDER_WORD)
            if not each["Deshabilitado"]
        ),
    )


def fields_of(client: GiavClient, target: str, name: str = "Referencia externa") -> tuple[Entry, ...]:
    """The text fields of a class that may be for our reference, oldest first."""
    found = client.search("CustomData_SEARCH", **FIELDS, name=name, targetClass=[target])
    text = (each for each in found if each["Type"] == "TextBox" and not each["Required"])
    return tuple(sorted((_entry(each, "Name") for each in text), key=lambda entry: entry.id))


def _entry(record: Record, name: str) -> Entry:
    return Entry(id=record["Id"], name=record[name] or "")


def _office(record: Record) -> Office:
    name = record["Denominacion"] or record["Codigo"] or ""
    return Office(id=record["Id"], name=name, trade_name=record["NombreComercial"] or "")


def _method(record: Record) -> Method:
    collects = bool(record["AdmiteCobros"]) and record["Tipo"] != "Pago"
    return Method(
        id=record["Id"],
        name=record["Nombre"] or record["Codigo"] or "",
        category=record["IdCategoria"],
        collects=collects,
        refunds=bool(record["AdmiteReembolsos"]),
    )


def _stages(client: GiavClient, target: str) -> tuple[Stage, ...]:
    records = client.call("EntityStages_GET", targetClass=target) or []
    stages = (
        Stage(
            id=record["Id"],
            name=record["StageName"] or "",
            order=record["OrderNum"],
            withdrawn=bool(record["Cancelled"]),
        )
        for record in records
        if (record.get("Id") or 0) > 0
    )
    return tuple(sorted(stages, key=lambda stage: (stage.order, stage.id)))
