"""How GIAV says no: the Spanish sentence of a SOAP fault is all that a caller gets (contracts: giav 1.4)."""

from __future__ import annotations

NO_ACCESS = "No se tiene acceso al registro"
CLOSED = "El expediente está cerrado"
NEEDS_MARGIN = (
    "Para admitir servicios de costes anidados, la reserva contenedora debe ser de tipo paquete o circuito "
    "y tener informado el margen de operación previsto"
)


class Refusal(Exception):
    """A business refusal; becomes `soap:Server` with this text."""


class BadMessage(Exception):
    """The message itself is wrong; becomes `soap:Client` with this text."""


def missing(entity: str, id_: object) -> Refusal:
    return Refusal(f"No existe el registro ({entity} {id_})")


def obligatory(what: str) -> Refusal:
    return Refusal(f"Faltan datos obligatorios: {what}")
