"""Reading collections: `WsCobro`, and a search that may say more than it was asked (contracts: giav 1.5, 2.8)."""

from __future__ import annotations

from sandbox.giav.books import Books, Call, Operation, euros
from sandbox.giav.clients import full_name
from sandbox.giav.due_dates import available, compensated
from sandbox.giav.records import Record
from sandbox.giav.refusals import Refusal
from sandbox.giav.search import (
    Filter,
    Filters,
    Predicate,
    amount_from,
    amount_to,
    contains,
    custom_data,
    moment_from,
    moment_to,
    one_of,
    passing,
    search,
    yes_no,
)


def cobro_view(books: Books, cobro: Record) -> Record:
    """`WsCobro`."""
    records = books.records
    client = records.get("Cliente", cobro["IdCliente"]) or {}
    method = records.get("FormaPago", cobro["IdFormaPago"]) or {}
    file = records.get("Expediente", cobro.get("IdExpediente")) or {}
    office = records.get("Oficina", cobro.get("idOficina")) or {}
    used = compensated(books, cobro["Id"])
    details = {
        "CodigoOficina": office.get("Codigo"),
        "CodigoExpediente": file.get("Codigo"),
        "NombreCliente": full_name(client),
        "CodCliente": client.get("Codigo"),
        "NombreClienteAlias": client.get("NombreAlias"),
        "NombreFormaPago": method.get("Nombre"),
        "NombreUsuarioCreacion": "api",
        "Disponible": euros(cobro["Importe"] - used),
        "Compensado": used,
        "Arqueado": cobro.get("counted", False),
        "FormaPagoEsUatp": method.get("Uatp", False),
        "AmountReconciliated": cobro.get("reconciled", 0.0),
        "ExpedienteCerrado": bool(file.get("Cerrado")),
    }
    return {**cobro, "DatosExternos": details}


def _get(books: Books, call: Call) -> Record:
    return cobro_view(books, books.demand("Cobro", call["id"]))


def _search(books: Books, call: Call) -> list[Record]:
    return [cobro_view(books, each) for each in search(books, "Cobro", FILTERS, call, modifiers=("modoImporte",))]


def _of_files(books: Books, _: Call, wanted: list[int]) -> Predicate:
    """Collections of the files and, where the installation leaks, the same clients' collections of other files."""
    files = set(wanted)
    clients: set[int] = set()
    if books.manners.leaky_cobros:
        clients = {each["IdCliente"] for each in books.records.having("Cobro", "IdExpediente", *wanted)}
    return lambda cobro: cobro.get("IdExpediente") in files or cobro["IdCliente"] in clients


def _invoice_codes(books: Books, cobro: Record) -> list[str]:
    return [books.demand("Factura", id_)["Codigo"] for id_ in _invoices(books, cobro)]


def _invoices(books: Books, cobro: Record) -> list[int]:
    links = books.records.having("RelationDueDatePayment", "IdCobro", cobro["Id"])
    return [books.demand("DueDate", each["IdDueDate"])["IdFactura"] for each in links]


def _amount(upper: bool) -> Filter:
    def predicate(books: Books, call: Call, value: float) -> Predicate:
        mode = call.get("modoImporte") or "Importe"
        if mode == "PteConciliar":
            raise Refusal("Filtro no disponible: modoImporte PteConciliar")
        make = amount_to if upper else amount_from
        by_mode = make(available) if mode == "PteCompensar" else make(lambda _, cobro: cobro["Importe"])
        return by_mode.predicate(books, call, value)

    return Filter(predicate)


def _of_passengers(books: Books, cobro: Record, wanted: list[int]) -> bool:
    relation = books.records.get("PasajeroReserva", cobro.get("IdRelacionPasajeroReserva"))
    return relation is not None and relation["IdPasajero"] in wanted


FILTERS: Filters = {
    "idsCobro": one_of("Id"),
    "idTipoOperacion": one_of("TipoOperacion"),
    "idsExpediente": Filter(_of_files),
    "idsOficina": one_of("idOficina"),
    "idsFactura": passing(lambda books, cobro, wanted: any(id_ in wanted for id_ in _invoices(books, cobro))),
    "idsCliente": one_of("IdCliente"),
    "idsPasajero": passing(_of_passengers),
    "codFacturaDesde": passing(lambda books, cobro, value: any(code >= value for code in _invoice_codes(books, cobro))),
    "codFacturaHasta": passing(lambda books, cobro, value: any(code <= value for code in _invoice_codes(books, cobro))),
    "idsFormaPago": one_of("IdFormaPago"),
    "fechaCobroDesde": moment_from("FechaCobro", date_only=True),
    "fechaCobroHasta": moment_to("FechaCobro", date_only=True),
    "importeDesde": _amount(upper=False),
    "importeHasta": _amount(upper=True),
    "idsRelacionPasajerosReservas": one_of("IdRelacionPasajeroReserva"),
    "nombrePagador": contains("Pagador"),
    "referenciaCobro": one_of("Documento"),
    "traspasado": yes_no(lambda _, cobro: cobro.get("idTraspaso") is not None),
    "conciliado": yes_no(lambda _, cobro: bool(cobro.get("reconciled"))),
    "idsEntitiesStages": one_of("idEntityStage"),
    "fechaHoraModificacionDesde": moment_from("FechaModificacion"),
    "fechaHoraModificacionHasta": moment_to("FechaModificacion"),
    "customDataValues": custom_data(),
}

READS: dict[str, Operation] = {"Cobro_GET": _get, "Cobro_SEARCH": _search}
