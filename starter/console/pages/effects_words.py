"""What was written in an outside system, in words: the thing and what was done to it, as the effects name them."""

from __future__ import annotations

from starter.console import labels
from starter.console.languages import N_

labels.add(
    "thing",
    {
        "expediente": N_("expediente"),
        "expediente holder": N_("titular del expediente"),
        "cliente": N_("cliente"),
        "pasajero": N_("pasajero"),
        "pasajero in expediente": N_("pasajero en el expediente"),
        "reserva": N_("reserva"),
        "cost line": N_("línea de coste"),
        "cobro": N_("cobro"),
        "reembolso": N_("reembolso"),
        "factura": N_("factura"),
        "credit note": N_("abono"),
        "compensation": N_("compensación"),
        "correction plan": N_("plan de corrección"),
        "penalty": N_("penalización"),
        "invoice question": N_("pregunta sobre una factura"),
        "booking": N_("reserva"),
        "payment": N_("cobro"),
        "entry": N_("asiento"),
        "charge": N_("cargo"),
        "order": N_("pedido"),
        "file": N_("fichero"),
        "page": N_("página de pago"),
        "document": N_("documento"),
        "letter": N_("carta"),
        "duplicate_letter": N_("carta sobre un pago doble"),
        "deal": N_("trato"),
        "note": N_("nota"),
        "task": N_("tarea"),
        "bot": N_("respuesta del bot"),
    },
)
labels.add(
    "deed",
    {
        "create": N_("crear"),
        "amend": N_("cambiar"),
        "delete": N_("borrar"),
        "nest": N_("colgar de la reserva"),
        "unnest": N_("descolgar"),
        "confirm cost": N_("confirmar coste"),
        "close": N_("cerrar"),
        "reissue": N_("emitir de nuevo"),
        "decide": N_("decidir"),
        "announce": N_("comunicar"),
        "post": N_("contabilizar"),
        "set_aside": N_("apartar"),
        "release": N_("soltar"),
        "refund": N_("devolver"),
        "reverse": N_("anular"),
        "collect": N_("cobrar"),
        "cancel": N_("cancelar"),
        "deliver": N_("entregar"),
        "refuse": N_("rechazar"),
        "send": N_("enviar"),
        "try": N_("intentar"),
        "show": N_("mostrar"),
        "move": N_("mover"),
        "add": N_("añadir"),
        "answer": N_("contestar"),
    },
)


def happened(what: str) -> tuple[str, ...]:
    """The Spanish words of one thing on a line of time, whichever system tells it."""
    for kind in ("happening", "payment_event", "fact"):
        named = labels.label(kind, what)
        if named != what:
            return (named,)
    return _written(what)


def _written(what: str) -> tuple[str, ...]:
    """Of `entity operation`; as it is where it is neither."""
    for cut in range(len(words := what.split()) - 1, 0, -1):
        thing, deed = " ".join(words[:cut]), " ".join(word for word in words[cut:] if not word.isdigit())
        named, done = labels.label("thing", thing), labels.label("deed", deed)
        if named != thing or done != deed:
            return named, done
    return (what,)
