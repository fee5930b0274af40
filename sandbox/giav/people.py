"""What people of the agency do in GIAV by hand, for which the API has no call (contracts: giav 0, 2.5, 2.8, 2.11).

A test or a person switches it on with `POST /control/people`, for instance `{"act": "receive-costs", "reserva": 7, "importe": 80}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.giav import cobros, invoices
from sandbox.giav.books import Books, euros

Wish = Mapping[str, Any]


def receive_costs(books: Books, wish: Wish) -> None:
    """The supplier's invoice for a reservation arrives (`importe` euro) and, with `pagado`, is paid."""
    reservation = books.demand("Reserva", int(wish["reserva"]))
    received = euros(reservation.get("received", 0.0) + float(wish["importe"]))
    books.records.change("Reserva", reservation, received=received, paid=bool(wish.get("pagado", False)))


def hand_over(books: Books, wish: Wish) -> None:
    """A collection passes to accounting and is frozen."""
    books.records.change("Cobro", books.demand("Cobro", int(wish["cobro"])), idTraspaso=1)


def count_cash(books: Books, wish: Wish) -> None:
    """The cash desk that holds a collection is counted."""
    books.records.change("Cobro", books.demand("Cobro", int(wish["cobro"])), counted=True)


def reconcile(books: Books, wish: Wish) -> None:
    """A collection is matched with the bank statement."""
    cobro = books.demand("Cobro", int(wish["cobro"]))
    books.records.change("Cobro", cobro, reconciled=cobro["Importe"])


def complete(books: Books, wish: Wish) -> None:
    """A person finishes a task, with a remark (`comentario`) if there is one to make."""
    done = {"CompletionDate": books.now(), "CompletionUserId": 2, "CompletionUserName": "oficina"}
    activity = books.demand("Activity", int(wish["activity"]))
    remark = wish.get("comentario")
    books.records.change("Activity", activity, **done, CompletionComment=remark, FechaModificacion=books.now())


class Form(dict[str, Any]):
    """What a person fills in; every other field of the mask stays empty."""

    def __missing__(self, field: str) -> None:
        return None


def collect(books: Books, wish: Wish) -> None:
    """The office takes money for a reservation (`reserva` is its CodSolicitud, `importe` euro, `formaPago` an id) and invoices it.

    `documento` is what the person writes on the receipt; without `factura` only the collection is typed.
    """
    found = books.records.having("Reserva", "CodSolicitud", wish["reserva"])
    if not found:
        raise ValueError(f"no reservation {wish['reserva']}")
    reservation, amount = found[0], euros(float(wish["importe"]))
    file = books.demand("Expediente", reservation["IdExpediente"])
    same = {"idOficina": file["IdOficina"], "idExpediente": file["Id"], "idCliente": reservation["IdCliente"]}
    words = f"Cobrado en la oficina {wish.get('documento', '')}".strip()
    if wish.get("factura", True):
        asked = {"idReservas": [reservation["Id"]], "importes": [amount], "serie": wish.get("serie", "Especial")}
        empty = {"descuento": 0, "importeaCobrar": 0, "importeaCompensar": 0, "simplificada": False}
        invoices.OPERATIONS["Factura_Servicios_POST"](books, Form(**same, **asked, **empty, descripcion=words))
    typed = {"idTipoOperacion": "Cobro", "idFormaPago": int(wish["formaPago"]), "importe": amount, "concepto": words}
    paper = {"documento": wish.get("documento", ""), "autocompensar": True}
    cobros.OPERATIONS["Cobro_POST"](books, Form(**same, **typed, **paper))


ACTS: dict[str, Callable[[Books, Wish], None]] = {
    "receive-costs": receive_costs,
    "hand-over": hand_over,
    "count-cash": count_cash,
    "reconcile": reconcile,
    "complete": complete,
    "collect": collect,
}
