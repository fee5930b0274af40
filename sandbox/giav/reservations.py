"""Reservations of a file, and costs nested in a container (contracts: giav 2.5)."""

from __future__ import annotations

from sandbox.giav.books import Books, Call, Operation
from sandbox.giav.economics import children, sale
from sandbox.giav.filling import filled
from sandbox.giav.passengers import link_to_reservation
from sandbox.giav.records import Record
from sandbox.giav.refusals import NEEDS_MARGIN, Refusal
from sandbox.giav.reservation_reads import READS

NORMAL_TYPES = frozenset({"HT", "RC", "BU", "CI", "CR", "DE", "OT", "RT", "SG", "PQ"})
CONTAINER_TYPES = frozenset({"PQ", "CI"})

_RENAMES = {
    "subtipoReserva": "SubtipoOtros",
    "gastosGestion": "GastosGestionImporte",
    "margenOperacionPrevisto": "Anidacion_MargenOpPrevisto",
    "servicioOtrosOtrosREAV": "EsOtrosReav",
    "destinationCountryISO3166Code": "Destination_Country",
    "destinationIdCountryZone": "Destination_IdCountryZone",
    "codModalidadpago": "CodFormaPago",
    "porcentajeComisionMinorista": "PorcComisionCliente",
    "comisionMinoristaIncluyeImpuestos": "ComisionClienteIncluyeImpuestos",
    "clienteBono": "ClienteBono",
}
_FIXED = ("Id", "Codigo", "IdExpediente", "TipoReserva", "FechaCreacion", "PorcComisionCliente")
_OURS = ("FacturadoImporte", "FacturadoImporteProformes", "Anidacion_IdReservaContenedora", "received", "paid")
"""What other operations and people have done to the reservation; a PUT leaves it alone."""


def _check(books: Books, kind: str, call: Call) -> None:
    books.demand("Cliente", call["idCliente"])
    if books.demand("Proveedor", call["idProveedor"]).get("Deshabilitado"):
        raise Refusal("El proveedor está deshabilitado")
    for entity, parameter in (("Prestatario", "idPrestatario"), ("ProveedorProducto", "idProducto")):
        if call.get(parameter) is not None:
            raise Refusal(f"No existe el registro ({entity} {call[parameter]})")
    if call.get("subtipoReserva") is not None and kind != "OT":
        raise Refusal("El subtipo solo se admite en reservas de tipo OT")
    books.check_references("Reserva", call)


def _post(books: Books, call: Call) -> int:
    books.open_file(call["idExpediente"])
    kind = call["tipoReserva"]
    if kind not in NORMAL_TYPES:
        raise Refusal(f"El tipo de reserva {kind} no se puede crear como reserva normal")
    _check(books, kind, call)
    record = {
        **filled("Reserva_Normal_POST", "WsReserva", call, _RENAMES, leave_out=("idsPasajeros",)),
        "FacturadoImporte": 0.0,
        "FacturadoImporteProformes": 0.0,
        "FechaCreacion": books.now(),
        "FechaModificacion": books.now(),
    }
    id_ = books.records.add("Reserva", record)
    books.records.change("Reserva", books.demand("Reserva", id_), Codigo=f"R{id_:07d}")
    for passenger in call.get("idsPasajeros") or ():
        link_to_reservation(books, passenger, id_, principal=False, rooming=None)
    return id_


def _put(books: Books, call: Call) -> None:
    before = books.demand("Reserva", call["idReserva"])
    books.open_file(before["IdExpediente"])
    _check(books, before["TipoReserva"], call)
    record = {
        **filled("Reserva_Normal_PUT", "WsReserva", call, _RENAMES, leave_out=("idReserva",)),
        **{name: before[name] for name in (*_FIXED, *_OURS) if name in before},
        "FechaModificacion": books.now(),
    }
    if sale(record) < before["FacturadoImporte"]:
        raise Refusal(f"El importe de venta no puede ser menor que lo ya facturado ({before['FacturadoImporte']:.2f})")
    if record.get("Anidacion_MargenOpPrevisto") is None and children(books, record["Id"]):
        raise Refusal(NEEDS_MARGIN)
    books.records.replace("Reserva", record)


def _delete(books: Books, call: Call) -> None:
    """Refuses while a guard of the contract stands."""
    found = books.demand("Reserva", call["id"])
    books.open_file(found["IdExpediente"])
    if found["FacturadoImporte"] or found["FacturadoImporteProformes"]:
        raise Refusal("No se puede eliminar la reserva: está facturada")
    if children(books, found["Id"]):
        raise Refusal("No se puede eliminar la reserva: tiene servicios de costes anidados")
    if found.get("received"):
        raise Refusal("No se puede eliminar la reserva: tiene costes recepcionados")
    links = books.records.having("PasajeroReserva", "IdReserva", found["Id"])
    if books.records.having("Cobro", "IdRelacionPasajeroReserva", *[each["Id"] for each in links]):
        raise Refusal("No se puede eliminar la reserva: tiene cobros de pasajeros")
    for each in links:
        books.records.remove("PasajeroReserva", each["Id"])
    books.records.remove("Reserva", found["Id"])


def _nest(books: Books, call: Call) -> None:
    """Hang a cost under a container; without a container, take it out."""
    line = books.demand("Reserva", call["idReservaCoste"])
    books.open_file(line["IdExpediente"])
    container = books.optional("Reserva", call.get("idReservaContenedoraAnidamiento"))
    if container is not None:
        _check_nesting(books, line, container)
    books.records.change(
        "Reserva",
        line,
        Anidacion_IdReservaContenedora=None if container is None else container["Id"],
        FechaModificacion=books.now(),
    )


def _check_nesting(books: Books, line: Record, container: Record) -> None:
    if container["TipoReserva"] not in CONTAINER_TYPES or container.get("Anidacion_MargenOpPrevisto") is None:
        raise Refusal(NEEDS_MARGIN)
    if container["IdExpediente"] != line["IdExpediente"]:
        raise Refusal("La reserva de coste y la contenedora deben ser del mismo expediente")
    own = container["Id"] == line["Id"]
    if own or container.get("Anidacion_IdReservaContenedora") is not None or children(books, line["Id"]):
        raise Refusal("Una reserva anidada no puede contener otras reservas")
    if line["FacturadoImporte"]:
        raise Refusal("No se puede anidar la reserva: está facturada")


OPERATIONS: dict[str, Operation] = {
    "Reserva_Normal_POST": _post,
    "Reserva_Normal_PUT": _put,
    "Reserva_DELETE": _delete,
    "Reserva_Anidamiento_PUT": _nest,
    **READS,
}
