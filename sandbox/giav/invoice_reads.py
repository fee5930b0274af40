"""Reading invoices and their lines (contracts: giav 2.9)."""

from __future__ import annotations

from sandbox.giav.books import Books, Call, Operation
from sandbox.giav.due_dates import due_date_of, pending
from sandbox.giav.records import Record
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


def to_collect(books: Books, invoice: Record) -> float:
    return pending(books, due_date_of(books, invoice["Id"]))


def invoice_view(books: Books, invoice: Record) -> Record:
    """`WsFactura`."""
    client = books.records.get("Cliente", invoice["IdCliente"]) or {}
    file = books.records.get("Expediente", invoice.get("IdExpediente")) or {}
    details = {
        "CodigoOficina": file.get("CodigoOficina"),
        "CodigoExpediente": file.get("Codigo"),
        "SedeFiscal_IdTaxDistrict": "ES_PenínsulaYBaleares",
        "NombreUsuario": "api",
        "NombreClienteAlias": client.get("NombreAlias"),
        "TotalFactura": invoice["total"],
        "PendienteCobro": to_collect(books, invoice),
        "CodCliente": client.get("Codigo"),
        "IdEmpresa": 1,
        "NumeroLineas": len(books.records.having("FacturaLinea", "IdFactura", invoice["Id"])),
        "CodFormaPago": invoice.get("CodFormaPago"),
        "NombreFormaPago": invoice.get("NomFormaPago"),
        "ExpedienteCerrado": bool(file.get("Cerrado")),
    }
    return {**invoice, "DatosExternos": details}


def _get(books: Books, call: Call) -> Record:
    return invoice_view(books, books.demand("Factura", call["id"]))


def _search(books: Books, call: Call) -> list[Record]:
    return [invoice_view(books, each) for each in search(books, "Factura", FILTERS, call)]


def _lines(books: Books, call: Call) -> list[Record]:
    return search(books, "FacturaLinea", LINE_FILTERS, call)


def _series(_: Books, invoice: Record, wanted: list[str]) -> bool:
    return ("Proforma" if invoice["EsProforma"] else invoice["SerieFacturacion"]) in wanted


def _of_reservations(_: Books, __: Call, wanted: list[int]) -> Predicate:
    return lambda invoice: any(id_ in wanted for id_ in invoice["reservas"])


def _document_kind(_: Books, line: Record, value: str) -> bool:
    if value in ("Factura", "Proforma"):
        return line["FacturaEsProforma"] is (value == "Proforma")
    regime = {"Factura_regimen_especial": "Especial", "Factura_regimen_general": "General"}.get(value, "Dac")
    return not line["FacturaEsProforma"] and line["idRegimenFacturacion"] == regime


FILTERS: Filters = {
    "idsFactura": one_of("Id"),
    "idsSeriesFacturacion": passing(_series),
    "idsExpediente": one_of("IdExpediente"),
    "idsOficina": passing(
        lambda books, invoice, wanted: books.demand("Expediente", invoice["IdExpediente"])["IdOficina"] in wanted
    ),
    "codFacturaDesde": passing(lambda _, invoice, value: invoice["Codigo"] >= value),
    "codFacturaHasta": passing(lambda _, invoice, value: invoice["Codigo"] <= value),
    "documento": one_of("DocumentoCliente"),
    "idsCliente": one_of("IdCliente"),
    "titular": contains("ApellidosNombreCliente"),
    "fechaEmisionDesde": moment_from("FechaEmision", date_only=True),
    "fechaEmisionHasta": moment_to("FechaEmision", date_only=True),
    "importeTotalaPagarDesde": amount_from(lambda _, invoice: invoice["total"]),
    "importeTotalaPagarHasta": amount_to(lambda _, invoice: invoice["total"]),
    "importePteCobroDesde": amount_from(to_collect),
    "importePteCobroHasta": amount_to(to_collect),
    "descripcion": contains("Descripcion"),
    "traspasado": yes_no(lambda _, invoice: invoice.get("IdTraspaso") is not None),
    "idsReservas": Filter(_of_reservations, "reservas"),
    "mostrarSoloConPtePago": yes_no(lambda books, invoice: to_collect(books, invoice) != 0),
    "liquidada": yes_no(lambda _, invoice: invoice.get("IdLiquidacion") is not None),
    "idsEntitiesStages": one_of("IdEntityStage"),
    "idModalidadFactura": passing(lambda _, __, value: value == "Servicios"),
    "idsFacturaAsociada": one_of("IdFacturaAsociada"),
    "idsTipoFactura": one_of("IdTipo"),
    "importeTotalDesde": amount_from(lambda _, invoice: invoice["total"]),
    "importeTotalHasta": amount_to(lambda _, invoice: invoice["total"]),
    "simplificada": yes_no(lambda _, invoice: invoice["EsSimplificada"]),
    "customDataValues": custom_data(),
}
LINE_FILTERS: Filters = {
    "idsFacturaLinea": one_of("Id"),
    "idsFactura": one_of("IdFactura"),
    "idsReserva": one_of("IdReserva"),
    "idsExpediente": passing(
        lambda books, line, wanted: books.demand("Factura", line["IdFactura"])["IdExpediente"] in wanted
    ),
    "idsCliente": passing(
        lambda books, line, wanted: books.demand("Factura", line["IdFactura"])["IdCliente"] in wanted
    ),
    "tipoDocumento": passing(_document_kind),
}

READS: dict[str, Operation] = {
    "Factura_GET": _get,
    "Factura_SEARCH": _search,
    "FacturaLinea_SEARCH": _lines,
}
