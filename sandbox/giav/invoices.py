"""Invoicing the reservations of a file (contracts: giav 2.9)."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.giav.books import Books, Call, Operation, as_date, as_moment, euros
from sandbox.giav.clients import full_name
from sandbox.giav.cobros import check_method, enter
from sandbox.giav.corrections import CORRECTIONS
from sandbox.giav.due_dates import open_due_date, pay_with_what_is_free
from sandbox.giav.economics import sale
from sandbox.giav.invoice_reads import READS
from sandbox.giav.numbering import next_code, prefix_of
from sandbox.giav.records import Record
from sandbox.giav.refusals import Refusal, obligatory

Share = tuple[Record, float]
"""A reservation and the euro of it that an invoice covers."""

_VAT = {"G": 21.0, "R": 10.0}


def _post(books: Books, call: Call) -> list[int]:
    """Issue one invoice, or one per regime when GIAV picks the series itself."""
    file = books.open_file(call["idExpediente"])
    client = books.demand("Cliente", call["idCliente"])
    if call["descuento"]:
        raise Refusal("El descuento en factura no está disponible")
    books.check_references("Factura", call)
    if books.manners.full_invoice_needs_document and not call["simplificada"] and call["serie"] != "Proforma":
        _check_recipient(client)
    day = as_date(call.get("fechaEmision") or books.today(), "fechaEmision")
    shares = _shares(books, call)
    issued = [_issue(books, call, client, regime, part, day) for regime, part in _by_regime(call["serie"], shares)]
    _settle(books, call, file or {}, issued, day)
    return [invoice["Id"] for invoice, _ in issued]


def _check_recipient(client: Record) -> None:
    if not (client.get("Documento") or client.get("PasaporteNumero")):
        raise obligatory("el documento del cliente es obligatorio en una factura completa")


def _shares(books: Books, call: Call) -> list[Share]:
    ids, amounts = call.get("idReservas") or [], call.get("importes") or []
    if not ids or len(ids) != len(amounts) or len(set(ids)) != len(ids):
        raise obligatory("una lista de reservas y otra de importes de la misma longitud")
    proforma = call["serie"] == "Proforma"
    shares: list[Share] = []
    for id_, amount in zip(ids, amounts, strict=True):
        reservation = books.demand("Reserva", id_)
        if reservation["IdExpediente"] != call["idExpediente"]:
            raise Refusal(f"La reserva {reservation['Codigo']} no es del expediente")
        if euros(amount) <= 0:
            raise obligatory("importe a facturar mayor que cero")
        already = reservation["FacturadoImporteProformes" if proforma else "FacturadoImporte"]
        if euros(already + amount) > sale(reservation):
            raise Refusal(
                f"El importe supera lo pendiente de facturar de la reserva {reservation['Codigo']}: "
                f"venta {sale(reservation):.2f}, facturado {already:.2f}"
            )
        shares.append((reservation, euros(amount)))
    return shares


def _by_regime(series: str, shares: list[Share]) -> Iterable[tuple[str, list[Share]]]:
    """`TravelAgentAI` lets GIAV choose: packages under the margin scheme, the rest under the general one."""
    if series != "TravelAgentAI":
        return [(series, shares)]
    packages = [each for each in shares if each[0]["TipoReserva"] in ("PQ", "CI")]
    others = [each for each in shares if each not in packages]
    return [(regime, part) for regime, part in (("Especial", packages), ("General", others)) if part]


def _issue(
    books: Books, call: Call, client: Record, regime: str, shares: list[Share], day: str
) -> tuple[Record, Record]:
    """One invoice with its lines and its due date."""
    proforma = regime == "Proforma"
    method = books.optional("FormaPago", call.get("idFormaPago")) or {}
    total = euros(sum(amount for _, amount in shares))
    prefix = prefix_of(regime, simplified=call["simplificada"], correcting=False)
    name = call.get("nombreCliente") or full_name(client)
    id_ = books.records.add(
        "Factura",
        {
            "IdTipo": "Normal",
            "IdExpediente": call["idExpediente"],
            "IdCliente": client["Id"],
            "IdDepartamento": call.get("idDepartamento"),
            "IdAgenteComercial": call.get("idAgenteComercial"),
            "IdUsuarioCreacion": 1,
            "SerieFacturacion": "General" if proforma else regime,
            "EsSimplificada": call["simplificada"],
            "EsProforma": proforma,
            "Codigo": next_code(books, prefix, day),
            "FechaEmision": as_moment(day),
            "FechaCreacion": books.now(),
            "ApellidosNombreCliente": name,
            "NomCliente": name,
            "DocumentoCliente": client.get("Documento") or client.get("PasaporteNumero"),
            "DirCliente": call.get("direccionCliente") or client.get("Direccion"),
            "CpCliente": call.get("cpCliente") or client.get("CodPostal"),
            "LocCliente": call.get("poblacionCliente") or client.get("Poblacion"),
            "ProvCliente": call.get("provinciaCliente") or client.get("Provincia"),
            "PaisCliente": client.get("SedeFiscal"),
            "Descripcion": call.get("descripcion"),
            "CodFormaPago": method.get("Codigo"),
            "NomFormaPago": method.get("Nombre"),
            "Uatp": method.get("Uatp", False),
            "EsReembolso": False,
            "IdEntityStage": call.get("idEntityStage"),
            "CustomDataValues": call.get("customDataValues"),
            "serie": call["serie"],
            "prefix": prefix,
            "total": total,
            "reservas": [reservation["Id"] for reservation, _ in shares],
            "at": books.instant(),
        },
    )
    invoice = books.demand("Factura", id_)
    for order, (reservation, amount) in enumerate(shares, start=1):
        _line(books, invoice, reservation, amount, order)
        field = "FacturadoImporteProformes" if proforma else "FacturadoImporte"
        held = books.demand("Reserva", reservation["Id"])
        books.records.change("Reserva", held, **{field: euros(held[field] + amount)})
    return invoice, open_due_date(books, invoice, total, day, call.get("idFormaPago"))


def _line(books: Books, invoice: Record, reservation: Record, amount: float, order: int) -> None:
    margin_scheme = invoice["SerieFacturacion"] == "Especial"
    tax_class = reservation.get("TipoIva") or "G"
    books.records.add(
        "FacturaLinea",
        {
            "IdFactura": invoice["Id"],
            "idRegimenFacturacion": invoice["SerieFacturacion"],
            "IdReserva": reservation["Id"],
            "IdProveedor": reservation["IdProveedor"],
            "NumLinea": str(order),
            "OrderNum": order,
            "Unidades": 1,
            "Descripcion": invoice.get("Descripcion") or reservation.get("Descripcion"),
            "TextoReserva": reservation.get("Descripcion"),
            "FechaDesde": reservation.get("FechaDesde"),
            "FechaHasta": reservation.get("FechaHasta"),
            "Total": amount,
            "ClaseIva": tax_class,
            # Under the margin scheme the tax is inside the price and no rate is shown.
            "TipoIva": 0.0 if margin_scheme else _VAT.get(tax_class, 0.0),
            "FacturaEsProforma": invoice["EsProforma"],
        },
    )


def _settle(books: Books, call: Call, file: Record, issued: list[tuple[Record, Record]], day: str) -> None:
    """Collect now (`importeaCobrar`), or apply money that is already there (`importeaCompensar`)."""
    collect, apply = euros(call["importeaCobrar"]), euros(call["importeaCompensar"])
    if collect < 0 or apply < 0 or collect + apply > euros(sum(due["Amount"] for _, due in issued)):
        raise Refusal("El importe a cobrar o compensar supera el total de la factura")
    if apply:
        money = books.records.having("Cobro", "IdExpediente", call["idExpediente"])
        own = [each for each in money if each["IdCliente"] == call["idCliente"]]
        left = apply
        for _, due in issued:
            left = euros(left - pay_with_what_is_free(books, due, left, own))
        if left:
            raise Refusal("El importe a compensar supera el importe disponible de los cobros")
    if collect:
        _collect(books, call, file, issued, collect, day)


def _collect(
    books: Books, call: Call, file: Record, issued: list[tuple[Record, Record]], amount: float, day: str
) -> None:
    if call.get("idFormaCobro") is None:
        raise obligatory("forma de cobro")
    check_method(books, call["idFormaCobro"], gives_back=False, amount=amount)
    cobro_id = enter(
        books,
        {
            "IdFormaPago": call["idFormaCobro"],
            "idOficina": file["IdOficina"],
            "IdExpediente": file["Id"],
            "IdCliente": call["idCliente"],
            "TipoOperacion": "Cobro",
            "Importe": amount,
            "FechaCobro": as_moment(day),
            "Concepto": f"Cobro de {', '.join(invoice['Codigo'] for invoice, _ in issued)}",
            "Documento": call.get("documentoCobro"),
        },
    )
    left = amount
    for _, due in issued:
        left = euros(left - pay_with_what_is_free(books, due, left, [books.demand("Cobro", cobro_id)]))


OPERATIONS: dict[str, Operation] = {"Factura_Servicios_POST": _post, **CORRECTIONS, **READS}
