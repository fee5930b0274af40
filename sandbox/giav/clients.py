"""Clients, the payers (contracts: giav 2.3)."""

from __future__ import annotations

from typing import Any

from sandbox.giav.books import Books, Call, Operation
from sandbox.giav.filling import filled
from sandbox.giav.records import Record
from sandbox.giav.refusals import Refusal, obligatory
from sandbox.giav.search import (
    Filter,
    Filters,
    Predicate,
    contains,
    custom_data,
    moment_from,
    moment_to,
    one_of,
    search,
    yes_no,
)

_RENAMES = {
    "tipoCliente": "Tipo",
    "empresa_Facturar_Reg_General": "EmpresaFacturarRegGeneral",
    "excluir_347_349": "Excluir347349",
    "rrsss": "RRSSs",
}
_CREATED_IN = {"NombreOficinaCreacion": "Oficina central"}


def normal_document(text: str) -> str:
    """A tax document as GIAV compares it: capitals and digits only."""
    return "".join(each for each in text.upper() if each.isalnum())


def _checked(books: Books, operation: str, call: Call, own_id: int | None) -> Record:
    books.check_references("Cliente", call)
    if not (call.get("nombre") or call.get("apellidos")):
        raise obligatory("nombre del cliente")
    for account in ("cuentaContableCliente", "codCC"):
        text = call.get(account)
        if text and not (text.isdigit() and len(text) == 10):
            raise Refusal("La cuenta contable del cliente debe tener 10 dígitos")
    document = normal_document(call.get("documento", ""))
    if document and any(twin["Id"] != own_id for twin in books.records.having("Cliente", "documento", document)):
        raise Refusal(f"Ya existe un cliente con el documento {document}")
    record = filled(operation, "WsCliente", call, _RENAMES, leave_out=("idCliente",))
    return {**record, "FechaModificacion": books.now(), **({"documento": document} if document else {})}


def _post(books: Books, call: Call) -> int:
    record = _checked(books, "Cliente_POST", call, None)
    id_ = books.records.add("Cliente", {**record, "FechaCreacion": books.now()})
    books.records.change("Cliente", books.demand("Cliente", id_), Codigo=f"C{id_:06d}")
    return id_


def _put(books: Books, call: Call) -> None:
    before = books.demand("Cliente", call["idCliente"])
    record = _checked(books, "Cliente_PUT", call, before["Id"])
    fixed = {name: before[name] for name in ("Id", "Codigo", "FechaCreacion")}
    books.records.replace("Cliente", {**record, **fixed})


def _get(books: Books, call: Call) -> Record:
    return client_view(books, books.demand("Cliente", call["id"]))


def _search(books: Books, call: Call) -> list[Record]:
    modifiers = ("documentoModo", "documentoExacto", "incluirDeshabilitados", "modoFecha")
    wish = dict(call)
    if not call["incluirDeshabilitados"]:
        wish["habilitado"] = True
    return [client_view(books, each) for each in search(books, "Cliente", FILTERS, wish, modifiers)]


def client_view(_: Books, client: Record) -> Record:
    """`WsCliente`."""
    return {**client, "DatosExternos": _CREATED_IN}


def full_name(client: Record) -> str:
    return " ".join(part for part in (client.get("Apellidos"), client.get("Nombre")) if part)


def _document(_: Books, call: Call, value: str) -> Predicate:
    """By tax document, passport or both, whole or in part."""
    wanted = normal_document(value)
    fields = {"Solo_NIF": ("Documento",), "Solo_Pasaporte": ("PasaporteNumero",)}.get(
        call["documentoModo"], ("Documento", "PasaporteNumero")
    )
    exact = call["documentoExacto"]

    def keep(record: Record) -> bool:
        held = [normal_document(record.get(field) or "") for field in fields]
        return any(wanted == each if exact else wanted in each for each in held)

    return keep


def _date(make: Any) -> Filter:
    by_mode = {"Creacion": make("FechaCreacion"), "CreacionModificacion": make("FechaModificacion")}

    def predicate(books: Books, call: Call, value: str) -> Predicate:
        if call["modoFecha"] not in by_mode:
            raise Refusal(f"Filtro no disponible: modoFecha {call['modoFecha']}")
        made: Predicate = by_mode[call["modoFecha"]].predicate(books, call, value)
        return made

    return Filter(predicate)


FILTERS: Filters = {
    "idsCliente": one_of("Id"),
    "nombre": contains("Nombre", "Apellidos", "NombreAlias"),
    "documento": Filter(_document),
    "tipoCliente": one_of("Tipo"),
    "email": contains("Email"),
    "telefono": contains("Telefono", "Movil"),
    "codigoCliente": one_of("Codigo"),
    "idsEntitiesStages": one_of("idEntityStage"),
    "fechaHoraDesde": _date(moment_from),
    "fechaHoraHasta": _date(moment_to),
    "rgpdSigned": yes_no(lambda _, client: bool(client.get("RGPDSigned"))),
    "customDataValues": custom_data(),
    "habilitado": yes_no(lambda _, client: not client.get("Deshabilitado")),
}

OPERATIONS: dict[str, Operation] = {
    "Cliente_SEARCH": _search,
    "Cliente_POST": _post,
    "Cliente_PUT": _put,
    "Cliente_GET": _get,
}
