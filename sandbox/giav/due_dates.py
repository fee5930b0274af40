"""Due dates of invoices and the links from collections that pay them (contracts: giav 2.10)."""

from __future__ import annotations

from sandbox.giav.books import Books, Call, Operation, as_moment, euros
from sandbox.giav.records import Record
from sandbox.giav.refusals import Refusal, missing
from sandbox.giav.search import (
    Filter,
    Filters,
    amount_from,
    amount_to,
    moment_from,
    moment_to,
    one_of,
    passing,
    search,
    yes_no,
)


def open_due_date(books: Books, invoice: Record, amount: float, day: str, method: int | None) -> Record:
    """The one due date of a new invoice; negative for a credit note."""
    due = {
        "IdDueType": "Cobro",
        "IdFactura": invoice["Id"],
        "IdFormaPago": method,
        "Amount": amount,
        "DateDueDate": as_moment(day),
        "CreationDate": books.now(),
        "settled": 0.0,
    }
    return books.demand("DueDate", books.records.add("DueDate", due))


def due_date_of(books: Books, invoice_id: int) -> Record:
    return books.records.having("DueDate", "IdFactura", invoice_id)[0]


def links_of_due_date(books: Books, due_id: int) -> list[Record]:
    return books.records.having("RelationDueDatePayment", "IdDueDate", due_id)


def paid(books: Books, due: Record) -> float:
    """Euro that collections have paid of a due date; what a refund gave back on a credit note is negative."""
    total = sum(link["Amount"] for link in links_of_due_date(books, due["Id"]))
    return euros(total if due["Amount"] >= 0 else -total)


def pending(books: Books, due: Record) -> float:
    """Euro still to be paid (negative: still to be given back). `settled` is what invoice and credit note cancel out."""
    return euros(due["Amount"] - due["settled"] - paid(books, due))


def compensated(books: Books, cobro_id: int) -> float:
    """Euro of a collection that are linked to due dates."""
    return euros(sum(link["Amount"] for link in books.records.having("RelationDueDatePayment", "IdCobro", cobro_id)))


def available(books: Books, cobro: Record) -> float:
    """Euro of a collection that are free."""
    return euros(cobro["Importe"] - compensated(books, cobro["Id"]))


def link(books: Books, due: Record, cobro: Record, amount: float) -> int:
    """Pay a due date with (a part of) a collection, or a credit note with a refund. Refuses more than either has left."""
    gives_back = cobro["TipoOperacion"] == "Reembolso"
    if gives_back != (due["Amount"] < 0):
        raise Refusal("El tipo de operación del cobro no corresponde al vencimiento")
    if amount <= 0:
        raise Refusal("El importe de la compensación debe ser mayor que cero")
    if euros(amount) > abs(pending(books, due)):
        raise Refusal("El importe de la compensación supera el importe pendiente del vencimiento")
    if euros(amount) > available(books, cobro):
        raise Refusal("El importe de la compensación supera el importe disponible del cobro")
    made = {
        "IdDueDate": due["Id"],
        "IdCobro": cobro["Id"],
        "IdUsuario": 1,
        "Amount": euros(amount),
        "CreationDate": books.now(),
    }
    return books.records.add("RelationDueDatePayment", made)


def pay_with_what_is_free(books: Books, due: Record, amount: float, cobros: list[Record]) -> float:
    """Link up to `amount` euro from the collections, in their order; answers how much was linked."""
    wanted = left = max(0.0, min(amount, pending(books, due)))
    for cobro in cobros:
        part = min(left, available(books, cobro))
        if cobro["TipoOperacion"] == "Cobro" and part > 0:
            link(books, due, cobro, part)
            left = euros(left - part)
    return euros(wanted - left)


def unlink(books: Books, due: Record, keep: float = 0.0) -> None:
    """Free the money on a due date, newest link first, until only `keep` euro are left."""
    excess = euros(abs(paid(books, due)) - keep)
    for each in reversed(links_of_due_date(books, due["Id"])):
        if excess <= 0:
            return
        if each["Amount"] <= excess:
            books.records.remove("RelationDueDatePayment", each["Id"])
        else:
            books.records.change("RelationDueDatePayment", each, Amount=euros(each["Amount"] - excess))
        excess = euros(excess - each["Amount"])


# Operations ----------------------------------------------------------------------------------------------------------


def _file_of(books: Books, due: Record) -> int | None:
    file_id: int | None = books.demand("Factura", due["IdFactura"]).get("IdExpediente")
    return file_id


def _post(books: Books, call: Call) -> int:
    due = books.demand("DueDate", call["idDueDate"])
    if call.get("idPago") is not None:
        raise missing("Pago", call["idPago"])
    if call.get("idCobro") is None:
        raise Refusal("Faltan datos obligatorios: idCobro")
    cobro = books.demand("Cobro", call["idCobro"])
    books.open_file(_file_of(books, due))
    return link(books, due, cobro, call["compensationAmount"])


def _delete(books: Books, call: Call) -> None:
    found = books.demand("RelationDueDatePayment", call["id"])
    books.open_file(_file_of(books, books.demand("DueDate", found["IdDueDate"])))
    books.records.remove("RelationDueDatePayment", call["id"])


def _due_dates(books: Books, call: Call) -> list[Record]:
    return [due_date_view(books, each) for each in search(books, "DueDate", DUE_DATE_FILTERS, call)]


def _links(books: Books, call: Call) -> list[Record]:
    return [link_view(books, each) for each in search(books, "RelationDueDatePayment", LINK_FILTERS, call)]


def due_date_view(books: Books, due: Record) -> Record:
    """`WsDueDate`."""
    invoice = books.demand("Factura", due["IdFactura"])
    file = books.records.get("Expediente", invoice.get("IdExpediente")) or {}
    details = {
        "IdCliente": invoice["IdCliente"],
        "HolderName": invoice.get("ApellidosNombreCliente"),
        "InvoiceCode": invoice["Codigo"],
        "InvoiceDate": invoice["FechaEmision"],
        "InvoiceTotalAmountCompensations": paid(books, due),
        "InvoicePendingAmountToCompensate": pending(books, due),
        "IsPrePayment": False,
        "FileCode": file.get("Codigo"),
        "OfficeCode": file.get("CodigoOficina"),
    }
    return {**due, "DatosExternos": details}


def link_view(books: Books, relation: Record) -> Record:
    """`WsRelationDueDatePayment`."""
    due = books.demand("DueDate", relation["IdDueDate"])
    invoice = books.demand("Factura", due["IdFactura"])
    cobro = books.demand("Cobro", relation["IdCobro"])
    method = books.records.get("FormaPago", cobro["IdFormaPago"]) or {}
    file = books.records.get("Expediente", invoice.get("IdExpediente")) or {}
    details = {
        "IdExpedienteFactura": invoice.get("IdExpediente"),
        "InvoiceCode": invoice["Codigo"],
        "InvoiceDate": invoice["FechaEmision"],
        "UserName": "api",
        "DateDueDate": due["DateDueDate"],
        "PaymentAmount": cobro["Importe"],
        "PaymentDate": cobro["FechaCobro"],
        "PaymentFormName": method.get("Nombre"),
        "FileCode": file.get("Codigo"),
        "OfficeCode": file.get("CodigoOficina"),
        "PaymentFormIsUATP": method.get("Uatp", False),
    }
    return {**relation, "DatosExternos": details}


def _invoice_field(field: str) -> Filter:
    return passing(lambda books, due, value: books.demand("Factura", due["IdFactura"]).get(field) in value)


DUE_DATE_FILTERS: Filters = {
    "IdsDueDates": one_of("Id"),
    "IdDuetype": one_of("IdDueType"),
    "IdsFormasPago": one_of("IdFormaPago"),
    "IdsFacturasClientes": one_of("IdFactura"),
    "IdsClientes": _invoice_field("IdCliente"),
    "IdsExpedientes": _invoice_field("IdExpediente"),
    "InvoiceReference": passing(lambda books, due, value: books.demand("Factura", due["IdFactura"])["Codigo"] == value),
    "DueDateFrom": moment_from("DateDueDate"),
    "DueDateTo": moment_to("DateDueDate"),
    "AmountFrom": amount_from(lambda _, due: due["Amount"]),
    "AmountTo": amount_to(lambda _, due: due["Amount"]),
    "AmounPendeningCompensateFrom": amount_from(pending),
    "AmounPendeningCompensateTo": amount_to(pending),
    "HasCompensations": yes_no(lambda books, due: bool(links_of_due_date(books, due["Id"]))),
    "IsRemitted": yes_no(lambda _, __: False),
    "IsPrepayment": yes_no(lambda _, __: False),
}

LINK_FILTERS: Filters = {
    "idsRelations": one_of("Id"),
    "idsDueDates": one_of("IdDueDate"),
    "idsCobros": one_of("IdCobro"),
    "idsFacturasClientes": passing(
        lambda books, link_, value: books.demand("DueDate", link_["IdDueDate"])["IdFactura"] in value
    ),
    "idsUsuarios": one_of("IdUsuario"),
    "creationDateFrom": moment_from("CreationDate"),
    "creationDateTo": moment_to("CreationDate"),
    "amountFrom": amount_from(lambda _, link_: link_["Amount"]),
    "amountTo": amount_to(lambda _, link_: link_["Amount"]),
}

OPERATIONS: dict[str, Operation] = {
    "DueDate_SEARCH": _due_dates,
    "RelationDueDatePayment_POST": _post,
    "RelationDueDatePayment_DELETE": _delete,
    "RelationDueDatePayment_SEARCH": _links,
}
