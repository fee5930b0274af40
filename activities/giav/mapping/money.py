"""Money and documents: Cobro, Factura_Servicios, credit note, link, task (contracts: giav 2.8 to 2.11)."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from activities.giav.mapping.values import At, Request, euros, local_day, reference_field, spanish
from activities.giav.settings import GiavSettings
from domain.money import Money
from domain.platform import Booking, Chargeback, Experience, Instalment, Party, Payment, Refund


def cobro(payment: Payment, booking: Booking, at: At, method: int, on: date) -> Request:
    """Money in. `documento` is the processor's payment id, by which people and look-ups find it."""
    processor = payment.processor
    notes = (payment.id, processor.authorization_code, processor.merchant_ref, at.reference)
    return {
        **_entry(at, method, payment.amount, on),
        "idTipoOperacion": "Cobro",
        "concepto": f"Pago {processor.name} {booking.locator}",
        "documento": processor.payment_ref,
        "pagador": booking.payer.name,
        "notasInternas": " ".join(part for part in notes if part),
    }


def reembolso(refund: Refund, booking: Booking, at: At, method: int) -> Request:
    """Money back to the payer: a positive amount under `Reembolso`."""
    on = local_day(refund.settled_at or refund.requested_at)
    return {
        **_entry(at, method, refund.amount, on),
        "idTipoOperacion": "Reembolso",
        "concepto": f"Devolución {refund.processor.name} {booking.locator}",
        "documento": refund.processor.refund_ref or refund.id,
        "pagador": booking.payer.name,
        "notasInternas": f"{refund.id} {refund.payment_id} {at.reference}",
    }


def bounced(refund: Refund, booking: Booking, at: At, method: int, on: date) -> Request:
    """The counter-entry of a refund that failed; `documento` is the failure's own id."""
    return {
        **_entry(at, method, refund.amount, on),
        "idTipoOperacion": "Cobro",
        "concepto": f"Devolución fallida {refund.processor.name} {booking.locator}",
        "documento": f"{refund.id}:failed",
        "pagador": booking.payer.name,
        "notasInternas": f"{refund.id} {refund.payment_id} {at.reference}",
    }


def disputed(chargeback: Chargeback, booking: Booking, at: At, method: int, on: date) -> Request:
    """Money that a bank took back (`funds_withdrawn`) or returned (`won`)."""
    out = chargeback.stage == "funds_withdrawn"
    words = "Retrocesión" if out else "Retrocesión ganada"
    return {
        **_entry(at, method, chargeback.amount, on),
        "idTipoOperacion": "Reembolso" if out else "Cobro",
        "concepto": f"{words} {chargeback.reason_code} {booking.locator}",
        "documento": f"{chargeback.id}:{chargeback.stage}",
        "pagador": booking.payer.name,
        "notasInternas": f"{chargeback.id} {chargeback.payment_id} {at.reference}",
    }


def _entry(at: At, method: int, amount: Money, on: date) -> Request:
    return {
        "idFormaPago": method,
        "idOficina": at.settings.office_id,
        "idExpediente": at.expediente,
        "idCliente": at.client,
        "importe": euros(amount),
        "fechaCobro": on.isoformat(),
        # Automatic compensation would choose an invoice for us; the link is made explicitly.
        "autocompensar": False,
        "customDataValues": reference_field(at.settings.custom_fields.cobro, at.reference),
    }


def payment_words(
    experience: Experience, booking: Booking, payment: Payment, operation_day: date, reference: str
) -> str:
    """Text of a payment's invoice: the day of the payment, which the law wants when it is not the issue date, and the
    mention of the margin scheme (money-rules 1.1.4, 1.2.2)."""
    mention = "Régimen especial de las agencias de viajes. " if experience.tax_regime == "reav" else ""
    return (
        f"Pago a cuenta: {experience.title}, reserva {booking.locator}. "
        f"Fecha de la operación: {spanish(operation_day)}. {mention}{payment.id} {reference}"
    )


def penalty_words(experience: Experience, booking: Booking, cancellation_id: str, day: date, reference: str) -> str:
    return (
        f"Gastos de cancelación: {experience.title}, reserva {booking.locator}. "
        f"Fecha de la cancelación: {spanish(day)}. {cancellation_id} {reference}"
    )


class Sale(NamedTuple):
    """What an invoice is for."""

    container: int
    amount: Money
    words: str


def factura(sale: Sale, payer: Party, at: At, series: str, simplified: bool, issued_on: date) -> Request:
    """`Factura_Servicios_POST`, money-first variant: nothing collected here, nothing compensated automatically."""
    return {
        "serie": series,
        "simplificada": simplified,
        "idExpediente": at.expediente,
        "idCliente": at.client,
        **recipient(payer),
        "idReservas": [sale.container],
        "importes": [euros(sale.amount)],
        "descuento": "0.00",
        "descripcion": sale.words,
        "fechaEmision": issued_on.isoformat(),
        "importeaCobrar": "0.00",
        "importeaCompensar": "0.00",
        "facturacionenDacRecuperacionAGastos": False,
        "customDataValues": reference_field(at.settings.custom_fields.factura, at.reference),
    }


def recipient(payer: Party) -> Request:
    """Name and address on an invoice."""
    address = payer.address
    return {
        "nombreCliente": payer.name,
        "direccionCliente": " ".join(part for part in (address.line1, address.line2) if part) if address else None,
        "cpCliente": address.postcode if address else None,
        "poblacionCliente": address.city if address else None,
        "provinciaCliente": address.region if address else None,
    }


def substitution(original: int, issued_on: date, reference: str, settings: GiavSettings) -> Request:
    """`Factura_RECTIFICATION` of a whole invoice whose data were wrong; its money is freed for the one that replaces it."""
    return {
        "id": original,
        "idMotivo": "Otros",
        "descripcionMotivo": f"Rectificación por sustitución: datos del destinatario. {reference}",
        "fechaEmision": issued_on.isoformat(),
        "autoGestionarCompensacionesDeCobro": True,
        "customDataValues": reference_field(settings.custom_fields.factura, reference),
    }


def credit_note(original: int, issued_on: date, reference: str, settings: GiavSettings) -> Request:
    """`Factura_REIMBURSEMENT` of a whole invoice that gives no money back: refunds are entries of their own."""
    return {
        "id": original,
        "importeCobrosaReembolsar": "0.00",
        "fechaEmision": issued_on.isoformat(),
        "customDataValues": reference_field(settings.custom_fields.factura, reference),
    }


def chargeback_task(chargeback: Chargeback, booking: Booking, expediente: int, today: date, reference: str) -> Request:
    """`Activity_POST`: the evidence must reach the bank in time, and GIAV's users should know."""
    due = local_day(chargeback.evidence_due_by) if chargeback.evidence_due_by else today
    gone = chargeback.stage == "funds_withdrawn"
    what = "El banco ha retirado" if gone else "El banco ha abierto una disputa por"
    body = (
        f"{what} {euros(chargeback.amount)} EUR del pago {chargeback.payment_id} "
        f"(motivo {chargeback.reason_code}). Reunir pruebas antes del {spanish(due)}."
    )
    return _task(expediente, f"Retrocesión {booking.locator} {reference}", body, due)


def decline_task(instalment: Instalment, booking: Booking, expediente: int, today: date, reference: str) -> Request:
    """`Activity_POST`: nobody tries this charge again, so somebody has to ask the payer (giav 4)."""
    body = (
        f"El plazo {instalment.seq} de {euros(instalment.amount)} EUR, con vencimiento el {spanish(instalment.due_on)}, "
        "no se ha podido cobrar y no se volverá a intentar. Pedir el pago al cliente."
    )
    return _task(expediente, f"Plazo impagado {booking.locator} {reference}", body, today)


def _task(expediente: int, summary: str, body: str, due: date) -> Request:
    return {
        "type": "Task",
        "targetClass": "Expediente",
        "classId": expediente,
        "summary": summary,
        "body": body,
        "deadlineDate": due.isoformat(),
        "reminderByMail": False,
    }
