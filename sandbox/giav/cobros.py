"""Collections and refunds: money in and out on the client side (contracts: giav 2.8)."""

from __future__ import annotations

from sandbox.giav.books import Books, Call, Operation, as_moment, euros
from sandbox.giav.cobro_reads import READS
from sandbox.giav.due_dates import available, compensated, due_date_of, pay_with_what_is_free
from sandbox.giav.filling import filled
from sandbox.giav.records import Record
from sandbox.giav.refusals import NO_ACCESS, Refusal, missing, obligatory

_RENAMES = {"idTipoOperacion": "TipoOperacion", "autocompensar": "CompFactAutoCom"}
_FIXED = ("Id", "IdExpediente", "idOficina", "TipoOperacion", "CompFactAutoCom", "FechaCreacion", "at")
_OURS = ("idTraspaso", "counted", "reconciled")


def check_method(books: Books, id_: int, gives_back: bool, amount: float) -> Record:
    """The payment method, or the refusal that it does not exist or does not take this."""
    method = books.demand("FormaPago", id_)
    if method.get("Deshabilitado"):
        raise Refusal(f"La forma de pago {method['Nombre']} está deshabilitada")
    if gives_back and not method["AdmiteReembolsos"]:
        raise Refusal(f"La forma de pago {method['Nombre']} no admite reembolsos")
    if not gives_back and not method["AdmiteCobros"]:
        raise Refusal(f"La forma de pago {method['Nombre']} no admite cobros")
    highest = method.get("ImporteMaximo", 0.0)
    if amount < method.get("ImporteMinimo", 0.0) or (highest and amount > highest):
        raise Refusal(f"El importe no está permitido para la forma de pago {method['Nombre']}")
    return method


def enter(books: Books, record: Record) -> int:
    """Keep a new collection or refund whose fields are complete."""
    moments = {"FechaCreacion": books.now(), "at": books.instant(), "IdUsuarioCreacion": 1}
    return books.records.add("Cobro", {"FechaCobro": as_moment(books.today()), **record, **moments})


def _post(books: Books, call: Call) -> int:
    if call.get("idOficina") is None:
        raise Refusal(NO_ACCESS)
    books.office(call["idOficina"])
    file = books.open_file(call.get("idExpediente"))
    books.demand("Cliente", call["idCliente"])
    if call["importe"] <= 0:
        raise obligatory("importe mayor que cero")
    check_method(books, call["idFormaPago"], call["idTipoOperacion"] == "Reembolso", call["importe"])
    _check_passenger(books, call.get("idRelacionPasajeroReserva"), None if file is None else file["Id"])
    books.check_references("Cobro", call)
    record = filled("Cobro_POST", "WsCobro", call, _RENAMES)
    id_ = enter(books, {**record, "Importe": euros(call["importe"])})
    if call["autocompensar"] and call["idTipoOperacion"] == "Cobro":
        _compensate_oldest(books, books.demand("Cobro", id_))
    return id_


def _check_passenger(books: Books, relation_id: int | None, file_id: int | None) -> None:
    relation = books.optional("PasajeroReserva", relation_id)
    if relation is not None and relation["IdExpediente"] != file_id:
        raise missing("PasajeroReserva del expediente", relation_id)


def _compensate_oldest(books: Books, cobro: Record) -> None:
    """Apply the money at once to what its client owes, oldest invoice first, within the file if there is one."""
    for invoice in books.records.all("Factura"):
        mine = invoice["IdCliente"] == cobro["IdCliente"]
        if mine and cobro.get("IdExpediente") in (None, invoice.get("IdExpediente")):
            due = due_date_of(books, invoice["Id"])
            if due["Amount"] > 0:
                pay_with_what_is_free(books, due, available(books, cobro), [cobro])


def _guard(books: Books, cobro: Record, act: str) -> None:
    """Refuse while a guard of the contract stands."""
    books.open_file(cobro.get("IdExpediente"))
    if cobro.get("idTraspaso") is not None:
        raise Refusal(f"No se puede {act} el cobro: está traspasado a contabilidad")
    if cobro.get("counted"):
        raise Refusal(f"No se puede {act} el cobro: está arqueado")
    if cobro.get("reconciled"):
        raise Refusal(f"No se puede {act} el cobro: está conciliado")


def _put(books: Books, call: Call) -> None:
    before = books.demand("Cobro", call["idCobro"])
    _guard(books, before, "modificar")
    books.demand("Cliente", call["idCliente"])
    amount = before["Importe"] if call.get("importe") is None else euros(call["importe"])
    if amount <= 0:
        raise obligatory("importe mayor que cero")
    if amount < compensated(books, before["Id"]):
        raise Refusal("El importe no puede ser menor que lo ya compensado con facturas")
    check_method(books, call["idFormaPago"], before["TipoOperacion"] == "Reembolso", amount)
    _check_passenger(books, call.get("idRelacionPasajeroReserva"), before.get("IdExpediente"))
    books.check_references("Cobro", call)
    kept = {name: before[name] for name in (*_FIXED, *_OURS) if name in before}
    record = {
        "FechaCobro": before["FechaCobro"],
        **filled("Cobro_PUT", "WsCobro", call, _RENAMES, leave_out=("idCobro",)),
        **kept,
        "Importe": amount,
        "IdUsuarioCreacion": 1,
        "FechaModificacion": books.now(),
    }
    books.records.replace("Cobro", record)


def _delete(books: Books, call: Call) -> None:
    cobro = books.demand("Cobro", call["id"])
    _guard(books, cobro, "eliminar")
    if compensated(books, cobro["Id"]):
        raise Refusal("No se puede eliminar el cobro: está compensado con facturas")
    books.records.remove("Cobro", cobro["Id"])


OPERATIONS: dict[str, Operation] = {"Cobro_POST": _post, "Cobro_PUT": _put, "Cobro_DELETE": _delete, **READS}
