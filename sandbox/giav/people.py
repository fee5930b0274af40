"""What people of the agency do in GIAV by hand, for which the API has no call (contracts: giav 0, 2.5, 2.8, 2.11).

A test or a person switches it on with `POST /control/people`, for instance `{"act": "receive-costs", "reserva": 7, "importe": 80}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

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


ACTS: dict[str, Callable[[Books, Wish], None]] = {
    "receive-costs": receive_costs,
    "hand-over": hand_over,
    "count-cash": count_cash,
    "reconcile": reconcile,
    "complete": complete,
}
