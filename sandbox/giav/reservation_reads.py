"""Reading reservations: `WsReserva` with its computed figures, and the search (contracts: giav 2.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.giav.books import Books, Call, Operation, euros
from sandbox.giav.clients import full_name
from sandbox.giav.economics import cost, own_cost, sale
from sandbox.giav.records import Record
from sandbox.giav.refusals import Refusal
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


def collected_from_passengers(books: Books, reservation_id: int) -> float:
    """Net euro of the collections tied to passengers of a reservation."""
    links = [each["Id"] for each in books.records.having("PasajeroReserva", "IdReserva", reservation_id)]
    money = books.records.having("Cobro", "IdRelacionPasajeroReserva", *links)
    return euros(sum(each["Importe"] if each["TipoOperacion"] == "Cobro" else -each["Importe"] for each in money))


def reservation_view(books: Books, reservation: Record) -> Record:
    """`WsReserva`. The cost of a container includes what is nested in it."""
    records = books.records
    client = records.get("Cliente", reservation["IdCliente"]) or {}
    supplier = records.get("Proveedor", reservation["IdProveedor"]) or {}
    file = books.demand("Expediente", reservation["IdExpediente"])
    sold, invoiced = sale(reservation), reservation["FacturadoImporte"]
    collected = collected_from_passengers(books, reservation["Id"])
    received = reservation.get("received", 0.0)
    return {
        **reservation,
        "Venta": euros(reservation.get("VentaComis", 0.0) + reservation.get("VentaNoComis", 0.0)),
        "Coste": cost(books, reservation),
        "Facturado": bool(invoiced) and invoiced >= sold,
        "FacturadoProformas": bool(reservation["FacturadoImporteProformes"]),
        "Pendiente": euros(sold - invoiced),
        "RecepciondeCosteTotal": bool(received) and received >= own_cost(reservation),
        "DatosExternos": {
            "IdFiscalityModule": "ES",
            "NombreCliente": full_name(client),
            "NombreClienteAlias": client.get("NombreAlias"),
            "nifProveedor": supplier.get("Cif"),
            "NombreProveedor": supplier.get("Nombre"),
            "TotalCostesRecepcionados": received,
            "TotalCobrosPasajeros": collected,
            "TotalPendienteCobrosPasajeros": euros(sold - collected),
            "CodigoOficina": file["CodigoOficina"],
            "CodigoExpediente": file["Codigo"],
            "IdTaxDistrict": "ES_PenínsulaYBaleares",
            "IdEmpresa": 1,
            "IdOficina": file["IdOficina"],
            "FechaDesde": reservation.get("FechaDesde"),
            "Cobrado": bool(collected) and collected >= sold,
            "ProveedorIdTipo": supplier.get("Tipo"),
            "ImporteAPagar": euros(own_cost(reservation) - (received if reservation.get("paid") else 0.0)),
            "ExpedienteCerrado": bool(file.get("Cerrado")),
        },
    }


def _get(books: Books, call: Call) -> Record:
    return reservation_view(books, books.demand("Reserva", call["id"]))


def _search(books: Books, call: Call) -> list[Record]:
    modifiers = ("modofiltroImporte", "fechaReserva", "modoFiltroLocalizadorPedido")
    return [reservation_view(books, each) for each in search(books, "Reserva", FILTERS, call, modifiers)]


_LOCATOR_FIELDS = {"LOC": ("Localizador",), "PED": ("CodSolicitud",), "LOCPED": ("Localizador", "CodSolicitud")}


def _locator(_: Books, call: Call, value: str) -> Predicate:
    fields = _LOCATOR_FIELDS[call["modoFiltroLocalizadorPedido"]]
    return lambda reservation: any(reservation.get(field) == value for field in fields)


_AMOUNTS: Mapping[str, Callable[[Books, Record], float]] = {
    "venta": lambda _, reservation: sale(reservation),
    "Coste": cost,
    "gastos": lambda _, reservation: float(reservation.get("GastosGestionImporte", 0.0)),
    "recuperacion": lambda _, reservation: float(reservation.get("Recuperacion", 0.0)),
}


def _amount(within: Callable[[float, float], bool]) -> Filter:
    def predicate(books: Books, call: Call, value: float) -> Predicate:
        measure = _AMOUNTS.get(call["modofiltroImporte"])
        if measure is None:
            raise Refusal(f"Filtro no disponible: modofiltroImporte {call['modofiltroImporte']}")
        return lambda reservation: within(measure(books, reservation), value)

    return Filter(predicate)


_DATE_FIELDS = {
    "creacion": "FechaCreacion",
    "inicio": "FechaDesde",
    "fin": "FechaHasta",
    "limite": "FechaLimite",
    "prepago": "FechaPrepago",
}


def _date(make: Any) -> Filter:
    def predicate(books: Books, call: Call, value: str) -> Predicate:
        field = _DATE_FIELDS.get(call["fechaReserva"])
        if field is None:
            raise Refusal(f"Filtro no disponible: fechaReserva {call['fechaReserva']}")
        made: Predicate = make(field).predicate(books, call, value)
        return made

    return Filter(predicate)


def _invoicing(_: Books, reservation: Record, value: str) -> bool:
    proformas = value.endswith("Proformas")
    invoiced = reservation["FacturadoImporteProformes" if proformas else "FacturadoImporte"]
    return (invoiced < sale(reservation)) is value.startswith("Pendiente")


def _has_passenger(books: Books, reservation: Record, wanted: list[int]) -> bool:
    links = books.records.having("PasajeroReserva", "IdReserva", reservation["Id"])
    return any(each["IdPasajero"] in wanted for each in links)


FILTERS: Filters = {
    "idsReservas": one_of("Id"),
    "idsExpediente": one_of("IdExpediente"),
    "idsProveedor": one_of("IdProveedor"),
    "idsPasajeros": passing(_has_passenger),
    "codigo": one_of("Codigo"),
    "idsOficina": passing(
        lambda books, each, wanted: books.demand("Expediente", each["IdExpediente"])["IdOficina"] in wanted
    ),
    "descripcion": contains("Descripcion"),
    "fechaReservaDesde": _date(moment_from),
    "fechaReservaHasta": _date(moment_to),
    "localizadorPedido": Filter(_locator),
    "idsCliente": one_of("IdCliente"),
    "facturacionPendiente": passing(_invoicing),
    "importeDesde": _amount(lambda held, limit: held >= limit),
    "importeHasta": _amount(lambda held, limit: held <= limit),
    "idsTipoReserva": one_of("TipoReserva"),
    "idsSubTipoOtros": one_of("SubtipoOtros"),
    "recepcionCosteTotal": yes_no(lambda _, each: bool(each.get("received")) and each["received"] >= own_cost(each)),
    "idsEntitiesStages": one_of("IdEntityStage"),
    "fechaHoraModificacionDesde": moment_from("FechaModificacion"),
    "fechaHoraModificacionHasta": moment_to("FechaModificacion"),
    "anidamiento_IdsReservasContenedoras": one_of("Anidacion_IdReservaContenedora"),
    "customDataValues": custom_data(),
}

READS: dict[str, Operation] = {"Reserva_GET": _get, "Reservas_SEARCH": _search}
