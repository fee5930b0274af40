"""Expedientes: the file of a trip, opened, changed, closed and, while empty, deleted (contracts: giav 2.4)."""

from __future__ import annotations

from sandbox.giav.books import Books, Call, Operation, as_date, as_moment
from sandbox.giav.economics import economics
from sandbox.giav.filling import filled
from sandbox.giav.records import Record
from sandbox.giav.refusals import Refusal, missing
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
    "observacionesAlCliente": "Observaciones",
    "destinationCountryISO3166Code": "Destination_Country",
    "destinationIdCountryZone": "Destination_IdCountryZone",
}
_FIXED = ("Id", "IdOficina", "Codigo", "CodigoOficina", "FechaCreacion", "Cerrado", "FechaCierre", "PlazaAPlaza")


def _post(books: Books, call: Call) -> int:
    office = books.office(call.get("idOficina", _default_office(books)))
    books.demand("Cliente", call["idCliente"])
    books.check_references("Expediente", call)
    opened = call.get("fechaApertura") or books.today()
    record = {
        **filled("Expediente_POST", "WsExpediente", call, _RENAMES),
        "IdOficina": office["Id"],
        "CodigoOficina": office["Codigo"],
        "FechaCreacion": as_moment(as_date(opened, "fechaApertura")),
        "FechaModificacion": books.now(),
        "Cerrado": False,
        "PlazaAPlaza": False,
    }
    id_ = books.records.add("Expediente", record)
    books.records.change("Expediente", books.demand("Expediente", id_), Codigo=f"{opened[:4]}{id_:06d}")
    return id_


def _default_office(books: Books) -> int:
    """The office of the key's user."""
    first: int = books.records.all("Oficina")[0]["Id"]
    return first


def _put(books: Books, call: Call) -> None:
    before = _open(books, call["idExpediente"])
    books.demand("Cliente", call["idCliente"])
    books.check_references("Expediente", call)
    record = filled("Expediente_PUT", "WsExpediente", call, _RENAMES, leave_out=("idExpediente",))
    fixed = {name: before[name] for name in _FIXED if name in before}
    books.records.replace("Expediente", {**record, **fixed, "FechaModificacion": books.now()})


def _get(books: Books, call: Call) -> Record:
    return books.demand("Expediente", call["id"])


def _delete(books: Books, call: Call) -> None:
    file_id = _open(books, call["id"])["Id"]
    for entity, what in (("Reserva", "reservas"), ("Cobro", "cobros"), ("Factura", "facturas")):
        if books.records.having(entity, "IdExpediente", file_id):
            raise Refusal(f"No se puede eliminar el expediente: tiene {what}")
    for each in books.records.having("PasajeroExpediente", "IdExpediente", file_id):
        books.records.remove("PasajeroExpediente", each["Id"])
    books.records.remove("Expediente", file_id)


def _reopen(books: Books, call: Call) -> None:
    found = books.demand("Expediente", call["id"])
    books.records.change("Expediente", found, Cerrado=False, FechaCierre=None, FechaModificacion=books.now())


def _close(books: Books, call: Call) -> None:
    """Refuses while the office's closing conditions are not met."""
    found = books.demand("Expediente", call["id"])
    office = books.demand("Oficina", found["IdOficina"])
    worth = economics(books, found["Id"])
    conditions = (
        ("CierreExpFacturados", "PendienteFacturar", "facturar"),
        ("CierreExpCobrados", "PendienteCobrar", "cobrar"),
    )
    for condition, figure, what in conditions:
        if office.get(condition) and worth[figure]:
            raise Refusal(f"No se puede cerrar el expediente: hay importes pendientes de {what}")
    books.records.change("Expediente", found, Cerrado=True, FechaCierre=books.now(), FechaModificacion=books.now())


def _economics(books: Books, call: Call) -> Record:
    return economics(books, books.demand("Expediente", call["id"])["Id"])


def _open(books: Books, id_: int) -> Record:
    found = books.open_file(id_)
    if found is None:
        raise missing("Expediente", id_)
    return found


def _search(books: Books, call: Call) -> list[Record]:
    return search(books, "Expediente", FILTERS, call, modifiers=("modoMultiFiltroFecha",))


def _multi_date(upper: bool) -> Filter:
    fields = {"Salida": "FechaDesde", "Regreso": "FechaHasta"}

    def predicate(books: Books, call: Call, value: str) -> Predicate:
        mode = call["modoMultiFiltroFecha"]
        if mode not in fields:
            raise Refusal(f"Filtro no disponible: modoMultiFiltroFecha {mode}")
        make = moment_to if upper else moment_from
        return make(fields[mode], date_only=True).predicate(books, call, value)

    return Filter(predicate)


def _has_passenger(books: Books, file: Record, wanted: list[int]) -> bool:
    links = books.records.having("PasajeroExpediente", "IdExpediente", file["Id"])
    return any(each["IdPasajero"] in wanted for each in links)


FILTERS: Filters = {
    "idsExpediente": one_of("Id"),
    "codOficina": one_of("CodigoOficina"),
    "idsOficina": one_of("IdOficina"),
    "codigoDesde": passing(lambda _, file, value: file["Codigo"] >= value),
    "codigoHasta": passing(lambda _, file, value: file["Codigo"] <= value),
    "idsCliente": one_of("IdCliente"),
    "idsPasajeros": passing(_has_passenger),
    "fechaCreacionDesde": moment_from("FechaCreacion"),
    "fechaCreacionHasta": moment_to("FechaCreacion"),
    "fechaHoraModificacionDesde": moment_from("FechaModificacion"),
    "fechaHoraModificacionHasta": moment_to("FechaModificacion"),
    "fechaCierreDesde": moment_from("FechaCierre"),
    "fechaCierreHasta": moment_to("FechaCierre"),
    "multiFiltroFechaDesde": _multi_date(upper=False),
    "multiFiltroFechaHasta": _multi_date(upper=True),
    "idsEntitiesStages": one_of("IdEntityStage"),
    "titulo": contains("Titulo"),
    "facturacionPendiente": yes_no(lambda books, file: economics(books, file["Id"])["PendienteFacturar"] != 0),
    "cobroPendiente": yes_no(lambda books, file: economics(books, file["Id"])["PendienteCobrar"] != 0),
    "estadoCierre": yes_no(lambda _, file: bool(file.get("Cerrado"))),
    "tipoExpediente": passing(lambda _, file, value: file["PlazaAPlaza"] is (value == "Plaza_a_plaza")),
    "customDataValues": custom_data(),
}

OPERATIONS: dict[str, Operation] = {
    "Expediente_SEARCH": _search,
    "Expediente_POST": _post,
    "Expediente_PUT": _put,
    "Expediente_GET": _get,
    "Expediente_DELETE": _delete,
    "Expediente_OPEN": _reopen,
    "Expediente_CLOSE": _close,
    "Expediente_InfoEconomica_GET": _economics,
}
