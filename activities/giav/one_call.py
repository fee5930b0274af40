"""The one-call variant of payments: the invoice collects, and the credit note gives back (contracts: giav 4).

The cobro and the reembolso that GIAV makes by itself are learned from the document, so that every later step finds them.
"""

from __future__ import annotations

from activities.giav.client import SYSTEM
from activities.giav.corrections import Correction
from activities.giav.documents import FACTURA, Desk
from activities.giav.elements import Record
from activities.giav.mapping.values import Request, euros, money_of
from activities.giav.office import CREATE, Office
from domain.effects import EffectKey
from domain.errors import NeedsPerson, Transient
from domain.money import Money
from domain.platform import Payment, Refund
from store.documents import Document

NOTHING = "0.00"


def collects_in_one_call(office: Office, desk: Desk, payment: Payment) -> bool:
    """What was begun is finished in the same way, whatever the settings say now.

    Money whose invoice may not be issued yet goes the other way: its cobro must not wait for the payer's fiscal data.
    """
    begun = office.store.effects.last_request(office.key(FACTURA, payment.id, CREATE))
    if begun is not None:
        return bool(begun["importeaCobrar"] != NOTHING)
    if office.store.effects.get(office.key("cobro", payment.id, CREATE)) is not None:
        return False
    return office.settings.payment_variant == "one_call" and desk.may_invoice(payment.amount)


def collecting(payment: Payment, method: int) -> Request:
    """What the invoice says beside itself to collect its whole amount."""
    return {
        "idFormaCobro": method,
        "importeaCobrar": euros(payment.amount),
        "documentoCobro": payment.processor.payment_ref,
    }


def learn_cobro(office: Office, payment: Payment, document: Document, booking_id: str) -> int:
    """The cobro that GIAV made with an invoice."""
    return _learn(office, office.key("cobro", payment.id, CREATE), document, "Cobro", payment.amount, booking_id)


def gives_back_in_one_call(plan: list[Correction], refund: Refund) -> bool:
    """Only where a refund takes back one whole invoice of its own payment; the rest is given back money first."""
    whole = len(plan) == 1 and not plan[0].remaining and plan[0].document.amount == refund.amount
    return whole and plan[0].document.payment_id == refund.payment_id


def learn_reembolso(office: Office, key: EffectKey, credited: Document, refund: Refund) -> int:
    """The reembolso that GIAV made with a credit note; there must be exactly one."""
    return _learn(office, key, credited, "Reembolso", refund.amount, refund.booking_id)


def _learn(office: Office, key: EffectKey, document: Document, kind: str, amount: Money, booking_id: str) -> int:
    request: Request = {"idsFactura": [int(document.outside_id)]}

    def read() -> str:
        found = [each for each in office.lookups.cobros_on(int(document.outside_id)) if _is(each, kind, amount)]
        if not found:
            raise Transient(
                f"no {kind} of {document.number} yet", system=SYSTEM, operation="Cobro_SEARCH", retry_after=2
            )
        if len(found) > 1:
            ids = ", ".join(str(each["Id"]) for each in found)
            raise NeedsPerson(f"{document.number} has several of them ({ids}); adopt the right one", system=SYSTEM)
        return str(found[0]["Id"])

    return office.learn(key, read, request, booking_id)


def _is(record: Record, kind: str, amount: Money) -> bool:
    # A refund may come back negative.
    return record["TipoOperacion"] == kind and abs(money_of(record["Importe"]).amount) == amount.amount
