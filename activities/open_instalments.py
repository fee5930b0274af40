"""What is open of a sale's payment plan, from our read model: no ERP of ours knows instalments (contracts: payment-sync 6.1, 20)."""

from __future__ import annotations

from collections.abc import Sequence

from domain.allocation import open_amounts
from domain.collecting import taken_back
from domain.ports import OpenInstalment
from store import Store


def open_instalments(store: Store, agency: str, customer: str, contract: str) -> Sequence[OpenInstalment]:
    """By due date. `contract` is the booking, `customer` its payer; nothing of anybody else's booking."""
    facts = store.facts
    plan, booking = facts.plan(agency, contract), facts.booking(agency, contract)
    if plan is None or booking is None or booking.payer.id != customer:
        return []
    wanted = open_amounts(
        plan,
        facts.payments_of(agency, contract),
        facts.refunds_of(agency, contract),
        taken_back(facts.chargebacks_of(agency, contract)),
        store.payment_sync.duplicates_of(agency, contract),
    )
    return [
        OpenInstalment(instalment_id=each.id, receivable=contract, due_on=each.due_on, open_amount=wanted[each.id])
        for each in sorted(plan.installments, key=lambda each: each.due_on)
        if each.id in wanted
    ]
