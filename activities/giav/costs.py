"""What a supplier confirms becomes the nested cost; price and invoices of the customer stay (contracts: money-rules 1.2.4, F-M14)."""

from __future__ import annotations

from activities.giav.amendments import CONFIRM, Amendment
from activities.giav.office import Office
from domain.steps import Done
from domain.supplier import lines_of
from domain.supplier_steps import SupplierStep


def confirm_costs(office: Office, step: SupplierStep) -> Done:
    """Bring the cost lines of one order to its confirmed amount; answers the ids of the lines that changed."""
    orders = office.store.supplier_orders
    known = orders.get(step.agency, step.supplier, step.order_id)
    if known is None or known.confirmed is None:
        return Done(outcome="skipped", note="nothing is confirmed for this order")
    booking = orders.confirmed_in(step.agency, office.booking(step.booking_id))
    standing = office.container(booking.id)
    lines = lines_of(booking, known.order.partner_order_id)
    operation = f"{CONFIRM} {step.order_id}"
    changed = Amendment(office, booking, standing.revision, standing).confirm(lines, operation, step.revision)
    return Done(ids={line_id: str(known.confirmed) for line_id in changed}, note="" if changed else "nothing differed")
