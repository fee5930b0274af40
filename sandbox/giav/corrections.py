"""Credit notes, corrective invoices and the deletion of proformas (contracts: giav 2.9; money-rules 1.3)."""

from __future__ import annotations

from sandbox.giav.books import Books, Call, Operation, as_date, as_moment, euros
from sandbox.giav.cobros import check_method, enter
from sandbox.giav.due_dates import due_date_of, link, links_of_due_date, open_due_date, paid, unlink
from sandbox.giav.numbering import next_code, prefix_of
from sandbox.giav.records import Record
from sandbox.giav.refusals import Refusal, obligatory


def _reimburse(books: Books, call: Call) -> int:
    """Credit the whole original; `importeCobrosaReembolsar` of the money that paid it goes back at once."""
    original = _correctable(books, call)
    due = due_date_of(books, original["Id"])
    back = euros(call["importeCobrosaReembolsar"])
    if back < 0 or back > paid(books, due):
        raise Refusal("El importe a reembolsar supera lo cobrado de la factura")
    method = call.get("idFormaPagoReembolso")
    if back and method is None:
        raise obligatory("forma de pago del reembolso")
    if back and method is not None:
        check_method(books, method, gives_back=True, amount=back)
    credit = _counterpart(books, call, original, "Reembolso")
    # What goes back stays on the original as paid; the rest of its money is free again, and both invoices cancel out.
    unlink(books, due, keep=back)
    credit_due = _cancel_out(books, due, credit, euros(due["Amount"] - back))
    if back and method is not None:
        refund = enter(
            books,
            {
                "IdFormaPago": method,
                "idOficina": books.demand("Expediente", original["IdExpediente"])["IdOficina"],
                "IdExpediente": original["IdExpediente"],
                "IdCliente": original["IdCliente"],
                "TipoOperacion": "Reembolso",
                "Importe": back,
                "FechaCobro": credit["FechaEmision"],
                "Concepto": f"Reembolso de {original['Codigo']}",
                "Documento": credit["Codigo"],
            },
        )
        link(books, credit_due, books.demand("Cobro", refund), back)
    return int(credit["Id"])


def _rectify(books: Books, call: Call) -> int:
    """Correct the whole original with a legal reason; the money is freed only if GIAV is to see to it."""
    original = _correctable(books, call)
    due = due_date_of(books, original["Id"])
    made = _counterpart(books, call, original, "Rectificativa")
    if call["autoGestionarCompensacionesDeCobro"]:
        unlink(books, due)
        _cancel_out(books, due, made, due["Amount"])
    else:
        _cancel_out(books, due, made, euros(due["Amount"] - paid(books, due)))
    return int(made["Id"])


def _correctable(books: Books, call: Call) -> Record:
    original = books.demand("Factura", call["id"])
    books.open_file(original.get("IdExpediente"))
    if original["IdTipo"] != "Normal" or original["EsProforma"]:
        raise Refusal(f"La factura {original['Codigo']} no admite reembolso ni rectificación")
    if books.records.having("Factura", "IdFacturaAsociada", original["Id"]):
        raise Refusal(f"La factura {original['Codigo']} ya tiene una factura de reembolso o rectificativa")
    books.check_references("Factura", call)
    return original


def _counterpart(books: Books, call: Call, original: Record, kind: str) -> Record:
    """The negative twin of an invoice, in the correcting series; what was invoiced of the reservations is released."""
    day = as_date(call.get("fechaEmision") or books.today(), "fechaEmision")
    prefix = prefix_of(original["SerieFacturacion"], simplified=original["EsSimplificada"], correcting=True)
    inherited = {
        name: value for name, value in original.items() if name not in ("Id", "CustomDataValues", "IdTraspaso")
    }
    reason = ": ".join(part for part in (call.get("idMotivo"), call.get("descripcionMotivo")) if part)
    id_ = books.records.add(
        "Factura",
        {
            **inherited,
            "IdTipo": kind,
            "IdFacturaAsociada": original["Id"],
            "EsReembolso": kind == "Reembolso",
            "Codigo": next_code(books, prefix, day),
            "FechaEmision": as_moment(day),
            "FechaCreacion": books.now(),
            "Descripcion": f"{kind} de {original['Codigo']}" + (f" ({reason})" if reason else ""),
            "CustomDataValues": call.get("customDataValues"),
            "prefix": prefix,
            "total": euros(-original["total"]),
            "at": books.instant(),
        },
    )
    for each in books.records.having("FacturaLinea", "IdFactura", original["Id"]):
        negative = {**each, "IdFactura": id_, "IdLineaAsociada": each["Id"], "Total": euros(-each["Total"])}
        books.records.add("FacturaLinea", {name: value for name, value in negative.items() if name != "Id"})
        _release(books, each, "FacturadoImporte")
    return books.demand("Factura", id_)


def _release(books: Books, line: Record, field: str) -> None:
    reservation = books.records.get("Reserva", line["IdReserva"])
    if reservation is not None:
        books.records.change("Reserva", reservation, **{field: euros(reservation[field] - line["Total"])})


def _cancel_out(books: Books, due: Record, counterpart: Record, amount: float) -> Record:
    """The due date of the counterpart, of which `amount` settles the original instead of being paid."""
    books.records.change("DueDate", due, settled=amount)
    opened = open_due_date(
        books, counterpart, counterpart["total"], counterpart["FechaEmision"][:10], due.get("IdFormaPago")
    )
    return books.records.change("DueDate", opened, settled=-amount)


def _delete(books: Books, call: Call) -> None:
    """Only a proforma: the law forbids to erase an issued invoice."""
    invoice = books.demand("Factura", call["id"])
    books.open_file(invoice.get("IdExpediente"))
    if not invoice["EsProforma"]:
        raise Refusal(
            f"No se puede anular la factura {invoice['Codigo']}: una factura emitida no se elimina, "
            "se reembolsa o se rectifica"
        )
    due = due_date_of(books, invoice["Id"])
    money = [each["IdCobro"] for each in links_of_due_date(books, due["Id"])]
    unlink(books, due)
    if call["accionSiCobros"] == "EliminarCobros":
        for cobro in money:
            books.records.remove("Cobro", cobro)
    for each in books.records.having("FacturaLinea", "IdFactura", invoice["Id"]):
        _release(books, each, "FacturadoImporteProformes")
        books.records.remove("FacturaLinea", each["Id"])
    books.records.remove("DueDate", due["Id"])
    books.records.remove("Factura", invoice["Id"])


CORRECTIONS: dict[str, Operation] = {
    "Factura_REIMBURSEMENT": _reimburse,
    "Factura_RECTIFICATION": _rectify,
    "Factura_DELETE": _delete,
}
