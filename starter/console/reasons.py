"""Why something waits, and what the answers do, in words (docs/operations.md, "Parked items").

A reason is one of the table, or a system and a kind of fault: `giav_refused`.
"""

from __future__ import annotations

from typing import NamedTuple

from starter.console import labels
from starter.console.languages import N_


class Kind(NamedTuple):
    """What a reason is about, as the today page groups them."""

    code: str
    title: str


PAYMENTS = Kind("payments", N_("Cobros"))
REFUNDS = Kind("refunds", N_("Devoluciones y disputas"))
PLANS = Kind("plans", N_("Planes de pago"))
BOOKINGS = Kind("bookings", N_("Reservas y documentos"))
AIRPLUS = Kind("airplus", N_("AirPlus"))
SUPPLIERS = Kind("suppliers", N_("Proveedores"))
EVENTS = Kind("events", N_("Eventos recibidos"))
SYSTEMS = Kind("systems", N_("Sistemas e integraciones"))
KINDS = (PAYMENTS, REFUNDS, PLANS, BOOKINGS, AIRPLUS, SUPPLIERS, EVENTS, SYSTEMS)

REASONS: dict[str, tuple[Kind, str]] = {
    "totals_mismatch": (EVENTS, N_("Las sumas del evento no cuadran")),
    "event_conflict": (EVENTS, N_("El mismo evento llegó con otro contenido")),
    "unusable_event": (EVENTS, N_("Evento que no se puede usar")),
    "unhandled_type": (EVENTS, N_("Tipo de evento desconocido")),
    "payment_ref_clash": (PAYMENTS, N_("Dos cobros con la misma referencia")),
    "fact_contradiction": (EVENTS, N_("Un hecho de dinero llegó con otros valores")),
    "twins": (SYSTEMS, N_("Dos registros con nuestra referencia")),
    "unacknowledged": (SYSTEMS, N_("Enviado y sin acuse de recibo")),
    "chargeback_opened": (REFUNDS, N_("El banco disputa un cobro")),
    "chargeback_lost": (REFUNDS, N_("Disputa perdida")),
    "debit_returned": (PLANS, N_("Recibo devuelto")),
    "refund_disputed": (REFUNDS, N_("Devolución de un cobro en disputa")),
    "refund_while_disputed": (REFUNDS, N_("Disputa durante una devolución")),
    "refund_undeclared": (REFUNDS, N_("Devolución que nadie declaró")),
    "refund_differs": (REFUNDS, N_("Se devolvió más de lo decidido")),
    "refund_unconfirmed": (REFUNDS, N_("Devolución sin confirmar por el procesador")),
    "voucher_unaccepted": (REFUNDS, N_("Bono sin aceptar")),
    "refund_due": (REFUNDS, N_("Devolución debida")),
    "refund_pending": (REFUNDS, N_("Devolución pendiente")),
    "refund_breach": (REFUNDS, N_("Plazo legal de devolución vencido")),
    "overpaid": (PAYMENTS, N_("Pagado de más")),
    "credit_differs": (REFUNDS, N_("Abono con otra penalización")),
    "penalty_undecided": (REFUNDS, N_("Penalización sin decidir")),
    "refund_undecided": (REFUNDS, N_("Devolución sin decidir")),
    "unknown_booking": (PAYMENTS, N_("Cobro de una reserva desconocida")),
    "unknown_payment": (PAYMENTS, N_("Devolución de un cobro desconocido")),
    "booking_undone": (BOOKINGS, N_("Alta de la reserva deshecha")),
    "refund_failed": (REFUNDS, N_("Devolución fallida")),
    "instalment_declined": (PLANS, N_("Cuota rechazada")),
    "instalment_late": (PLANS, N_("Cuota fuera de plazo")),
    "payment_overdue": (PLANS, N_("Cuota impagada")),
    "plan_differs": (PLANS, N_("La cuota supera lo pendiente")),
    "message_unsent": (PLANS, N_("Aviso al cliente sin enviar")),
    "fiscal_data_missing": (BOOKINGS, N_("Faltan datos fiscales")),
    "payment_in_erp": (PAYMENTS, N_("El cobro ya está en el ERP")),
    "payment_paid_otherwise": (PAYMENTS, N_("La cuota ya está pagada de otra forma")),
    "payment_inconclusive": (PAYMENTS, N_("El ERP no permite concluir")),
    "payment_partly_open": (PAYMENTS, N_("Queda una parte por pagar")),
    "payment_without_target": (PAYMENTS, N_("Cobro sin destino en el ERP")),
    "payment_mismatch": (PAYMENTS, N_("El cobro no coincide con el ERP")),
    "payment_late": (PAYMENTS, N_("Cobro de algo que ya no se pedía")),
    "payment_duplicate": (PAYMENTS, N_("Cobro duplicado")),
    "payment_refund": (PAYMENTS, N_("Devolución solicitada")),
    "payment_refund_failed": (PAYMENTS, N_("La devolución solicitada falló")),
    "payment_unanswered": (PAYMENTS, N_("El cliente no contesta sobre su pago doble")),
    "payment_remainder": (PAYMENTS, N_("Sobra una parte del pago")),
    "payment_ageing": (PAYMENTS, N_("Cobro sin sincronizar desde hace más de un día")),
    "payment_reversed": (PAYMENTS, N_("El cobro desapareció del ERP")),
    "receipt_without_payment": (PAYMENTS, N_("Cobro en el ERP que ningún pago explica")),
    "payment_without_receipt": (PAYMENTS, N_("Pago sin cobro en el ERP")),
    "receipt_differs": (PAYMENTS, N_("El cobro del ERP tiene otro importe")),
    "erp_unreachable": (SYSTEMS, N_("El ERP no responde: los cobros esperan")),
    "erp_unclear": (SYSTEMS, N_("No se sabe qué hizo el ERP: los cobros esperan")),
    "erp_contract": (SYSTEMS, N_("El ERP responde algo que no se entiende")),
    "erp_contract_changed": (SYSTEMS, N_("El ERP ha cambiado su forma de responder")),
    "erp_unauthorised": (SYSTEMS, N_("El ERP no acepta nuestra clave")),
    "erased_person_told": (BOOKINGS, N_("La plataforma vuelve a nombrar a una persona borrada")),
    "tamara_rejected": (AIRPLUS, N_("AirPlus rechazó líneas")),
    "tamara_lines_refused": (AIRPLUS, N_("Líneas que no cumplen una regla")),
    "tamara_unanswered": (AIRPLUS, N_("Fichero sin respuesta")),
    "tamara_file_refused": (AIRPLUS, N_("Fichero rechazado")),
    "tamara_answer_unclear": (AIRPLUS, N_("Respuesta poco clara")),
    "delivery_delayed": (AIRPLUS, N_("El fichero no llega a AirPlus")),
    "airplus_unpaid": (AIRPLUS, N_("AirPlus no paga una factura")),
    "card_number_found": (AIRPLUS, N_("Número de tarjeta donde no debe")),
    "supplier_cancellation": (SUPPLIERS, N_("Cancelado por el proveedor")),
    "supplier_charge": (SUPPLIERS, N_("Cargo del proveedor")),
    "supplier_cost": (SUPPLIERS, N_("Otro coste del proveedor")),
    "supplier_fee": (SUPPLIERS, N_("Gasto de cancelación")),
    "supplier_order_alive": (SUPPLIERS, N_("Pedido que sigue vivo")),
    "supplier_order_failed": (SUPPLIERS, N_("Pedido fallido")),
    "supplier_order_gone": (SUPPLIERS, N_("Pedido desaparecido")),
    "unusable_order": (SUPPLIERS, N_("Pedido que no se puede usar")),
    "deal_paid_twice": (PAYMENTS, N_("Trato pagado dos veces")),
    "deal_paid_cancelled": (PAYMENTS, N_("Trato pagado y cancelado")),
    "deal_paid_late": (PAYMENTS, N_("Trato pagado tarde")),
    "deal_paid_partly": (PAYMENTS, N_("Trato pagado en parte")),
    "deal_paid_over": (PAYMENTS, N_("Trato pagado de más")),
    "deal_not_shown": (SYSTEMS, N_("El CRM no muestra el pago")),
    "deal_changed_after_payment": (PAYMENTS, N_("Trato cambiado después del pago")),
    "kommo_needs_reauth": (SYSTEMS, N_("Kommo pide otra autorización")),
    "kommo_blocked": (SYSTEMS, N_("Kommo bloqueado")),
    "kommo_fields": (SYSTEMS, N_("Faltan campos en Kommo")),
    "kommo_webhook": (SYSTEMS, N_("Webhook de Kommo desactivado")),
    "kommo_token_ends": (SYSTEMS, N_("El permiso de Kommo caduca")),
    "giav_changed_there": (BOOKINGS, N_("Cambiado a mano en GIAV")),
    "payer_replaced": (BOOKINGS, N_("Otro pagador")),
    "invoice_data_wrong": (BOOKINGS, N_("Factura con datos antiguos")),
    "simplified_exchange": (BOOKINGS, N_("Canje de factura simplificada")),
    "late_change": (BOOKINGS, N_("Cambio después de la salida")),
    "giav_differs": (BOOKINGS, N_("GIAV no coincide")),
    "erp_reversed": (BOOKINGS, N_("Documento borrado en GIAV")),
    "invoice_late": (BOOKINGS, N_("Factura fuera de plazo")),
    "invoice_late_company": (BOOKINGS, N_("Factura de empresa fuera de plazo")),
    "restored_unseen": (SYSTEMS, N_("No se sabe si salió antes de restaurar")),
    "Refused": (BOOKINGS, N_("Rechazado por el sistema")),
    "ContractBroken": (SYSTEMS, N_("Respuesta que no se entiende")),
    "Unauthorised": (SYSTEMS, N_("Acceso denegado")),
    "NeedsPerson": (BOOKINGS, N_("Hace falta una persona")),
    "UnsupportedProduct": (BOOKINGS, N_("Producto que no cabe en el sistema")),
    "UnknownOutcome": (SYSTEMS, N_("Resultado desconocido")),
    "Transient": (SYSTEMS, N_("El sistema no responde")),
    "Defect": (SYSTEMS, N_("Error interno")),
}
FAULTS = {
    "refused": N_("rechazado"),
    "unsupported": N_("producto que no cabe"),
    "contract": N_("respuesta que no se entiende"),
    "unauthorised": N_("acceso denegado"),
    "unacknowledged": N_("sin acuse de recibo"),
    "needs_person": N_("hace falta una persona"),
    "defect": N_("error interno"),
    "unreachable": N_("no responde"),
    "unclear": N_("resultado desconocido"),
}
NAMES = {
    "giav": N_("GIAV"),
    "midoffice": N_("Mid-office"),
    "journal": N_("Diario contable"),
    "tamara": N_("AirPlus TAMARA"),
    "platform": N_("Plataforma"),
    "integration": N_("Integración"),
    "ratehawk": N_("RateHawk"),
    "easycount": N_("EasyCount"),
    "kommo": N_("Kommo"),
    "office": N_("Oficina"),
    "midoco": N_("MIDOCO"),
    "tina": N_("TINA"),
    "sapeig": N_("Sapeig"),
    "xmid": N_("xMid-TraSo"),
    "ziel": N_("Z.I.E.L."),
}
_KIND_OF_SYSTEM = {"tamara": AIRPLUS, "ratehawk": SUPPLIERS, "integration": SYSTEMS, "kommo": SYSTEMS}

DECISIONS: dict[str, tuple[str, str]] = {
    "retry": (
        N_("Reintentar"),
        N_("Busca primero el registro y lo envía otra vez. Úselo cuando la causa esté resuelta."),
    ),
    "skip": (N_("Seguir sin este paso"), N_("Se deja fuera para siempre; no se puede deshacer. Diga por qué.")),
    "adopt": (
        N_("Adoptar un registro"),
        N_("Toma como nuestro un registro que ya existe allí; indique su identificador."),
    ),
    "abandon": (N_("Abandonar y deshacer"), N_("Se renuncia y se retira lo que esté hecho; no se puede deshacer.")),
    "approve": (N_("Sí, hacerlo"), N_("Responde que sí a la pregunta del detalle.")),
    "decline": (N_("No, dejarlo"), N_("Responde que no a la pregunta del detalle.")),
    "take_ours": (N_("Escribir lo nuestro"), N_("Nuestros datos sustituyen a los que se cambiaron allí.")),
    "keep_theirs": (N_("Dejar lo suyo"), N_("Se respeta lo que se cambió allí y se escribe el resto.")),
    "claim": (N_("Reclamar al pagador"), N_("Del dinero que falta: el pagador lo debe.")),
    "write_off": (N_("Dar por perdido"), N_("Del dinero que falta: se da por perdido (650).")),
}

labels.add("kind", {kind.code: kind.title for kind in KINDS})
labels.add("decision", {code: title for code, (title, _) in DECISIONS.items()})
labels.add("system", NAMES)


def parts(reason: str) -> tuple[str, ...]:
    """The Spanish words of a reason: one text, or the system's name and the kind of fault."""
    if reason in REASONS:
        return (REASONS[reason][1],)
    system, _, fault = reason.partition("_")
    if system in NAMES and fault in FAULTS:
        return NAMES[system], FAULTS[fault]
    return (reason,)


def kind_of(reason: str) -> Kind:
    """What a reason is about."""
    if reason in REASONS:
        return REASONS[reason][0]
    return _KIND_OF_SYSTEM.get(reason.partition("_")[0], BOOKINGS)
