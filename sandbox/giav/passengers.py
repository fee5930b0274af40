"""Passengers, and who travels in which file and reservation (contracts: giav 2.6)."""

from __future__ import annotations

from sandbox.giav.books import Books, Call, Operation, euros
from sandbox.giav.clients import normal_document
from sandbox.giav.economics import sale
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
    passing,
    search,
    yes_no,
)

_RENAMES = {
    "idClienteAsociado": "IdClienteOrigen",
    "sedeFiscalPais": "SedeFiscal_Pais",
    "sedeFiscalIdTaxDistrict": "SedeFiscal_IdTaxDistrict",
    "paxTipo": "Tipo",
    "pasaporteFechaCaducidad": "PasaporteCaducidad",
    "customDataValues": "CustomDataValues",
}


def _post(books: Books, call: Call) -> int:
    if not call.get("nombre"):
        raise obligatory("nombre del pasajero")
    books.optional("Cliente", call.get("idClienteOrigen"))
    books.check_references("Pasajero", call)
    record = filled("Pasajero_POST", "WsPasajero", call, _RENAMES)
    moments = {"FechaCreacion": books.now(), "FechaModificacion": books.now()}
    return books.records.add("Pasajero", {**record, **moments})


def _put(books: Books, call: Call) -> None:
    before = books.demand("Pasajero", call["idPasajero"])
    if not call.get("nombre"):
        raise obligatory("nombre del pasajero")
    books.optional("Cliente", call.get("idClienteAsociado"))
    books.check_references("Pasajero", call)
    record = filled("Pasajero_PUT", "WsPasajero", call, _RENAMES, leave_out=("idPasajero",))
    fixed = {"Id": before["Id"], "FechaCreacion": before["FechaCreacion"], "FechaModificacion": books.now()}
    books.records.replace("Pasajero", {**record, **fixed})


def _delete(books: Books, call: Call) -> None:
    """`chechRelations` refuses a passenger who travels somewhere; without it the relations go too."""
    id_ = books.demand("Pasajero", call["id"])["Id"]
    links = [
        (entity, each)
        for entity in ("PasajeroReserva", "PasajeroExpediente")
        for each in books.records.having(entity, "IdPasajero", id_)
    ]
    if links and call["chechRelations"]:
        raise Refusal("No se puede eliminar el pasajero: está relacionado con expedientes o reservas")
    for entity, each in links:
        _unlink(books, entity, each)
    books.records.remove("Pasajero", id_)


def _link_to_file(books: Books, call: Call) -> int:
    passenger, file = call["idPasajero"], call["idExpediente"]
    books.demand("Pasajero", passenger)
    books.open_file(file)
    held = books.records.having("PasajeroExpediente", "IdExpediente", file)
    if any(each["IdPasajero"] == passenger for each in held):
        raise Refusal("El pasajero ya está relacionado con el expediente")
    return books.records.add("PasajeroExpediente", {"IdPasajero": passenger, "IdExpediente": file})


def _link_to_reservation(books: Books, call: Call) -> int:
    return link_to_reservation(
        books, call["idPasajero"], call["idReserva"], principal=call["principal"], rooming=call.get("textoRooming")
    )


def link_to_reservation(books: Books, passenger: int, reservation: int, *, principal: bool, rooming: str | None) -> int:
    """Put a passenger on a reservation; refuses who is on it already."""
    books.demand("Pasajero", passenger)
    file = books.demand("Reserva", reservation)["IdExpediente"]
    books.open_file(file)
    held = books.records.having("PasajeroReserva", "IdReserva", reservation)
    if any(each["IdPasajero"] == passenger for each in held):
        raise Refusal("El pasajero ya está relacionado con la reserva")
    made = {
        "IdPasajero": passenger,
        "IdReserva": reservation,
        "IdExpediente": file,
        "Principal": principal,
        "TextoRooming": rooming,
        "FechaModificacion": books.now(),
    }
    return books.records.add("PasajeroReserva", made)


def _unlink_from_file(books: Books, call: Call) -> None:
    _unlink(books, "PasajeroExpediente", books.demand("PasajeroExpediente", call["id"]))


def _unlink_from_reservation(books: Books, call: Call) -> None:
    _unlink(books, "PasajeroReserva", books.demand("PasajeroReserva", call["id"]))


def _unlink(books: Books, entity: str, relation: Record) -> None:
    books.open_file(relation["IdExpediente"])
    if entity == "PasajeroReserva" and books.records.having("Cobro", "IdRelacionPasajeroReserva", relation["Id"]):
        raise Refusal("No se puede eliminar la relación: el pasajero tiene cobros")
    books.records.remove(entity, relation["Id"])


def _search(books: Books, call: Call) -> list[Record]:
    return search(books, "Pasajero", FILTERS, call, ("documentoModo", "modoFiltroFecha", "modoFiltroLocalizadorPedido"))


def _in_files(books: Books, call: Call) -> list[Record]:
    return [in_file_view(books, each) for each in search(books, "PasajeroExpediente", IN_FILE_FILTERS, call)]


def _in_reservations(books: Books, call: Call) -> list[Record]:
    return [in_reservation_view(books, each) for each in search(books, "PasajeroReserva", IN_RESERVATION_FILTERS, call)]


def in_file_view(books: Books, relation: Record) -> Record:
    """`WsPasajeroExpediente`."""
    passenger = books.demand("Pasajero", relation["IdPasajero"])
    file = books.demand("Expediente", relation["IdExpediente"])
    links = books.records.having("PasajeroReserva", "IdPasajero", passenger["Id"])
    details = {
        "Tipo": passenger.get("Tipo"),
        "IdEmpresa": 1,
        "IdOficina": file["IdOficina"],
        "NumerodeReservas": sum(each["IdExpediente"] == file["Id"] for each in links),
        "CodigoOficina": file["CodigoOficina"],
        "CodigoExpediente": file["Codigo"],
        "NombrePasajero": passenger["Nombre"],
        "Documento": passenger.get("Documento"),
        "Pasaporte": passenger.get("PasaporteNumero"),
        "FechaNacimiento": passenger.get("FechaNacimiento"),
        "Telefono": passenger.get("Telefono"),
        "Email": passenger.get("Email"),
    }
    return {**relation, "DatosExternos": details}


def in_reservation_view(books: Books, relation: Record) -> Record:
    """`WsPasajeroReserva`."""
    passenger = books.demand("Pasajero", relation["IdPasajero"])
    reservation = books.demand("Reserva", relation["IdReserva"])
    file = books.demand("Expediente", relation["IdExpediente"])
    money = books.records.having("Cobro", "IdRelacionPasajeroReserva", relation["Id"])
    details = {
        "Tipo": passenger.get("Tipo"),
        "IdEmpresa": 1,
        "IdExpediente": file["Id"],
        "NombrePasajero": passenger["Nombre"],
        "Documento": passenger.get("Documento"),
        "CodigoOficina": file["CodigoOficina"],
        "CodigoExpediente": file["Codigo"],
        "CodigoReserva": reservation["Codigo"],
        "NumPaxPrevistos": reservation.get("NumPax", 0),
        "ImporteTotalReserva": sale(reservation),
        "ImporteCobrosPasajero": euros(
            sum(each["Importe"] if each["TipoOperacion"] == "Cobro" else -each["Importe"] for each in money)
        ),
        "Descripcion": reservation.get("Descripcion"),
        "Localizador": reservation.get("Localizador"),
        "NumPedido": reservation.get("CodSolicitud"),
        "Telefono": passenger.get("Telefono"),
        "Email": passenger.get("Email"),
        "FechaNacimiento": passenger.get("FechaNacimiento"),
    }
    return {**relation, "DatosExternos": details}


def _document(_: Books, call: Call, value: str) -> Predicate:
    fields = {"Solo_NIF": ("Documento",), "Solo_Pasaporte": ("PasaporteNumero",)}.get(
        call["documentoModo"], ("Documento", "PasaporteNumero")
    )
    wanted = normal_document(value)
    return lambda record: any(normal_document(record.get(field) or "") == wanted for field in fields)


def _related(entity: str, field: str) -> Filter:
    return passing(
        lambda books, passenger, wanted: any(
            each[field] in wanted for each in books.records.having(entity, "IdPasajero", passenger["Id"])
        )
    )


FILTERS: Filters = {
    "idsPasajeros": one_of("Id"),
    "idsExpedientes": _related("PasajeroExpediente", "IdExpediente"),
    "idsReservas": _related("PasajeroReserva", "IdReserva"),
    "idsClientesOrigen": one_of("IdClienteOrigen"),
    "nombre": contains("Nombre"),
    "telefono": contains("Telefono"),
    "documento": Filter(_document),
    "tipo": one_of("Tipo"),
    "email": contains("Email"),
    "fechaHoraModificacionDesde": moment_from("FechaModificacion"),
    "fechaHoraModificacionHasta": moment_to("FechaModificacion"),
    "rgpdSigned": yes_no(lambda _, passenger: bool(passenger.get("RGPDSigned"))),
    "customDataValues": custom_data(),
}
IN_FILE_FILTERS: Filters = {
    "idsExpediente": one_of("IdExpediente"),
    "idsPasajeros": one_of("IdPasajero"),
    "idsRelacion": one_of("Id"),
}
IN_RESERVATION_FILTERS: Filters = {
    "idsExpediente": one_of("IdExpediente"),
    "idsReservas": one_of("IdReserva"),
    "idsPasajeros": one_of("IdPasajero"),
    "idsRelacion": one_of("Id"),
    "fechaHoraModificacionDesde": moment_from("FechaModificacion"),
    "fechaHoraModificacionHasta": moment_to("FechaModificacion"),
}

OPERATIONS: dict[str, Operation] = {
    "Pasajero_SEARCH": _search,
    "Pasajero_POST": _post,
    "Pasajero_PUT": _put,
    "Pasajero_DELETE": _delete,
    "PasajeroExpediente_POST": _link_to_file,
    "PasajeroExpediente_DELETE": _unlink_from_file,
    "PasajeroExpediente_SEARCH": _in_files,
    "PasajeroReserva_POST": _link_to_reservation,
    "PasajeroReserva_DELETE": _unlink_from_reservation,
    "PasajeroReserva_SEARCH": _in_reservations,
}
