"""A plain page for a person: files, reservations with what is nested in them, invoices and collections as tables."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from sandbox.giav.books import Books
from sandbox.giav.due_dates import available
from sandbox.giav.economics import children, cost, economics, sale
from sandbox.giav.invoice_reads import to_collect
from sandbox.giav.records import Record

_STYLE = (
    "body{font:14px system-ui,sans-serif;margin:2rem}table{border-collapse:collapse;margin-bottom:2rem}"
    "th,td{border:1px solid #ccc;padding:.25rem .6rem;text-align:left}td.n{text-align:right}td.minus{color:#b00}"
    "th{background:#eee;position:sticky;top:0}tr:hover td{background:#f6f6f6}"
)
_CONTAINER = "Anidacion_IdReservaContenedora"
_NEWEST = 200
"""Rows shown per table."""


def page(books: Books) -> str:
    """The whole page, newest records first."""
    return (
        f'<!DOCTYPE html><html lang="es"><head><meta charset="utf-8"><title>GIAV</title><style>{_STYLE}</style></head><body>'
        f"<h1>GIAV</h1>{_files(books)}{_reservations(books)}{_invoices(books)}{_cobros(books)}</body></html>"
    )


def _table(title: str, heads: Iterable[str], rows: list[list[Any]], total: int) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    return f"<h2>{escape(title)} ({total})</h2><table><tr>{head}</tr>{body}</table>"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f'<td class="n{" minus" if value < 0 else ""}">{value:.2f}</td>'
    return f"<td>{escape('' if value is None else str(value))}</td>"


def _newest(books: Books, entity: str) -> tuple[list[Record], int]:
    rows = books.records.all(entity)
    return sorted(rows, key=lambda each: -int(each["Id"]))[:_NEWEST], len(rows)


def _client(books: Books, id_: int) -> str:
    client = books.records.get("Cliente", id_) or {}
    return " ".join(part for part in (client.get("Nombre"), client.get("Apellidos")) if part)


def _stage(books: Books, id_: int | None) -> str | None:
    return (books.records.get("EntityStage", id_) or {}).get("StageName")


def _files(books: Books) -> str:
    files, total = _newest(books, "Expediente")
    rows = []
    for each in files:
        worth = economics(books, each["Id"])
        state = "Cerrado" if each.get("Cerrado") else _stage(books, each.get("IdEntityStage"))
        holder = _client(books, each["IdCliente"])
        figures = [worth[name] for name in ("PendienteCobrar", "PendienteFacturar", "MargenEstimado")]
        rows.append([each["Id"], each["Codigo"], each.get("Titulo"), holder, state, *figures])
    heads = ("Id", "Código", "Título", "Cliente", "Estado", "Pte. cobrar", "Pte. facturar", "Margen")
    return _table("Expedientes", heads, rows, total)


def _reservations(books: Books) -> str:
    everything = books.records.all("Reserva")
    roots = [each for each in everything if each.get(_CONTAINER) is None]
    rows = []
    for root in sorted(roots, key=lambda each: -int(each["Id"])):
        rows.append(_reservation(books, root, ""))
        rows += [_reservation(books, each, "↳ ") for each in children(books, root["Id"])]
        if len(rows) >= _NEWEST:
            break
    heads = ("Id", "Exp.", "Solicitud", "Tipo", "Descripción", "Cliente", "Venta", "Coste", "Facturado", "Estado")
    return _table("Reservas", heads, rows, len(everything))


def _reservation(books: Books, each: Record, indent: str) -> list[Any]:
    """One row; what is nested stands below its container, whose cost it is."""
    return [
        f"{indent}{each['Id']}",
        each["IdExpediente"],
        each.get("CodSolicitud"),
        each["TipoReserva"],
        each.get("Descripcion"),
        _client(books, each["IdCliente"]),
        sale(each),
        cost(books, each),
        each["FacturadoImporte"],
        _stage(books, each.get("IdEntityStage")),
    ]


def _invoices(books: Books) -> str:
    invoices, total = _newest(books, "Factura")
    rows = [
        [
            each["Codigo"],
            each["IdTipo"],
            each["FechaEmision"][:10],
            each.get("IdExpediente"),
            each.get("ApellidosNombreCliente"),
            (books.records.get("Factura", each.get("IdFacturaAsociada")) or {}).get("Codigo"),
            each["total"],
            to_collect(books, each),
        ]
        for each in invoices
    ]
    heads = ("Número", "Tipo", "Fecha", "Exp.", "Cliente", "De la factura", "Total", "Pendiente")
    return _table("Facturas", heads, rows, total)


def _cobros(books: Books) -> str:
    cobros, total = _newest(books, "Cobro")
    rows = [
        [
            each["Id"],
            each["TipoOperacion"],
            each["FechaCobro"][:10],
            each.get("IdExpediente"),
            _client(books, each["IdCliente"]),
            (books.records.get("FormaPago", each["IdFormaPago"]) or {}).get("Nombre"),
            each.get("Documento"),
            float(each["Importe"]) * (1 if each["TipoOperacion"] == "Cobro" else -1),
            available(books, each),
        ]
        for each in cobros
    ]
    heads = ("Id", "Operación", "Fecha", "Exp.", "Cliente", "Forma de pago", "Documento", "Importe", "Disponible")
    return _table("Cobros", heads, rows, total)
