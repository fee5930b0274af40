"""A refund that was announced and then failed: its Reembolso goes, or is set off by a Cobro (contracts: giav 2.8, 4; money-rules F-R3)."""

from __future__ import annotations

from activities.giav.client import SYSTEM
from activities.giav.documents import REEMBOLSO
from activities.giav.elements import Record
from activities.giav.mapping.money import bounced
from activities.giav.mapping.values import money_of
from activities.giav.office import CREATE, Container, Office
from domain.effects import EffectState
from domain.errors import NeedsPerson
from domain.platform import Booking, Payment, Refund
from domain.steps import Done

SETTLED = frozenset({EffectState.UNDONE, EffectState.REFUSED})


def never_booked(office: Office, refund_id: str) -> bool:
    """Whether GIAV has no Reembolso of this refund and none is on its way there."""
    record = office.store.effects.get(office.key(REEMBOLSO, refund_id, CREATE))
    return record is None or record.state in SETTLED


def take_back(office: Office, refund: Refund, payment: Payment, booking: Booking, standing: Container) -> Done:
    """Delete the Reembolso while nobody has done anything with it, else write the counter-entry. Credit notes stay."""
    made = office.key(REEMBOLSO, refund.id, CREATE)
    own = office.made(made)
    counter = office.key("cobro", f"{refund.id}:failed", CREATE)
    # A counter-entry that was begun is finished: deleting as well would take the money back twice.
    if own is not None and office.store.effects.get(counter) is None and _is_free(office.lookups.cobro_by_id(own)):
        undo = office.key(REEMBOLSO, refund.id, "undo")
        office.take_back(made, undo, lambda: _delete(office, own), own, booking.id)
        return Done(ids={"deleted": str(own)})
    method = office.settings.payment_method(payment.processor.name, payment.method)
    if method is None:
        raise NeedsPerson(f"no payment method is configured for {payment.processor.name}", system=SYSTEM)
    at = office.at(standing.client, standing.expediente, counter)
    request = bounced(refund, booking, at, method, office.today())
    cobro = office.enter_money(counter, request, booking.id)
    return Done(ids={"cobro": str(cobro)})


def _is_free(held: Record | None) -> bool:
    """No guard of giav 2.8 stands; what is gone already needs no guard."""
    if held is None:
        return True
    outside = held["DatosExternos"] or {}
    return (
        held["idTraspaso"] is None
        and not money_of(outside.get("Compensado"))
        and not outside.get("Arqueado")
        and not money_of(outside.get("AmountReconciliated"))
        and not outside.get("ExpedienteCerrado")
    )


def _delete(office: Office, own: int) -> None:
    """May be repeated: what is gone is not asked for again."""
    held = office.lookups.cobro_by_id(own)
    if held is None:
        return
    if held["TipoOperacion"] != "Reembolso":
        raise NeedsPerson(f"entry {own} is no Reembolso; nothing was deleted", system=SYSTEM)
    office.client.call("Cobro_DELETE", id=own)
