"""What people did, in words, as the audit trail names it."""

from __future__ import annotations

from starter.console import labels
from starter.console.languages import N_

labels.add(
    "action",
    {
        "sign-in": N_("entrar"),
        "sign-out": N_("salir"),
        "user.add": N_("dar de alta a una persona"),
        "user.role": N_("cambiar el papel"),
        "user.lock": N_("bloquear"),
        "user.unlock": N_("desbloquear"),
        "user.password": N_("cambiar la contraseña"),
        "user.sessions": N_("terminar sesiones"),
        "event.read": N_("leer un evento sin tapar"),
        "event.replay": N_("entregar un evento otra vez"),
        "integration.check": N_("comprobar las integraciones"),
        "breaker.open": N_("parar los cobros hacia el ERP"),
        "breaker.close": N_("dejar pasar los cobros al ERP"),
        "breaker.accept": N_("aceptar la forma de responder del ERP"),
        "export": N_("exportar"),
        "import": N_("importar"),
        "payment.reconcile": N_("conciliar los cobros"),
        "store restore": N_("restaurar una copia"),
        "store restored": N_("decir que se restauró una copia"),
        "store settle": N_("dar por cerrada una restauración"),
        "store.rotate-key": N_("cambiar la clave maestra"),
        "card.add": N_("guardar una cuenta de AirPlus"),
        "integration.request": N_("pedir una integración"),
        "integration.key": N_("guardar la clave de un sistema"),
        "integration.set": N_("configurar una integración"),
        "integration.activate": N_("activar una integración"),
        "integration.confirm": N_("confirmar una integración"),
        "integration.suspend": N_("suspender una integración"),
        "integration.consent": N_("autorizar en Kommo"),
        "integration.install": N_("instalar los campos de Kommo"),
        "integration.rotate-hook": N_("cambiar la dirección del webhook"),
        "deal.request": N_("pedir el pago de un trato"),
        "deal.cancel": N_("cancelar un trato"),
        "deal.refund": N_("anotar la devolución de un trato"),
        "deal.poll": N_("consultar un trato"),
        "tamara.export": N_("escribir el fichero de AirPlus"),
        "tamara.read": N_("leer respuestas de AirPlus"),
        "tamara.release": N_("soltar los ficheros de AirPlus"),
        "tamara.fix": N_("corregir una línea de AirPlus"),
        "tamara.abandon": N_("abandonar una línea de AirPlus"),
        "tamara.enter": N_("anotar una respuesta de AirPlus"),
        "midoffice.resend": N_("enviar otra vez al mid-office"),
        "supplier.poll": N_("leer los pedidos del proveedor"),
        "giav.check": N_("revisar los expedientes de GIAV"),
        "journal.settle": N_("contabilizar una liquidación"),
        "journal.close": N_("cerrar un periodo"),
        "journal.reopen": N_("reabrir un periodo"),
        "privacy export": N_("exportar datos de una persona"),
        "privacy erase": N_("borrar datos de una persona"),
        "park.retry": N_("decidir: reintentar"),
        "park.skip": N_("decidir: seguir sin el paso"),
        "park.adopt": N_("decidir: adoptar"),
        "park.abandon": N_("decidir: abandonar"),
        "park.approve": N_("decidir: sí"),
        "park.decline": N_("decidir: no"),
        "park.take_ours": N_("decidir: lo nuestro"),
        "park.keep_theirs": N_("decidir: lo suyo"),
        "park.claim": N_("decidir: reclamar"),
        "park.write_off": N_("decidir: dar por perdido"),
    },
)

_COMMANDS = {"payment": (N_("Cobro"), "payment_command"), "plan": (N_("Plan de pagos"), "plan_order")}


def action_words(action: str) -> tuple[str, ...]:
    """The Spanish words of what somebody did; commands on payments and plans have theirs on those pages."""
    kind, _, command = action.partition(".")
    if kind in _COMMANDS:
        subject, words = _COMMANDS[kind]
        return subject, labels.label(words, command)
    return (labels.label("action", action),)
