"""Money of a duplicate goes back through the gateway that took it (contracts: payment-sync 6.2, rows 21, 25, 26).

Only what a person or the customer chose comes here. Which gateway it is, the payment itself says.
"""

from __future__ import annotations

from collections.abc import Callable

from activities.failures import implements
from activities.signatures import GATEWAY_GET_REFUND, GATEWAY_REQUEST_REFUND
from domain.duplicates import RefundOrderStep
from domain.errors import ContractBroken, Refused
from domain.platform import Payment
from domain.ports import GatewayPort, RefundCase
from store import Store

OVER = frozenset({"won", "lost", "accepted"})
"""Stages at which a bank has decided."""


class GivingBack:
    """`port` gives the gateway of an agency's payment."""

    def __init__(self, store: Store, port: Callable[[str, Payment], GatewayPort]) -> None:
        self._store = store
        self._port = port

    @implements(GATEWAY_REQUEST_REFUND)
    def request_refund(self, step: RefundOrderStep) -> RefundCase:
        """Asked for once per number. A refusal is an answer; no refund is begun beside a dispute that is open (M6)."""
        payment = self._payment(step)
        told = self._store.facts.chargebacks_of(step.agency, step.booking_id)
        stages = {each.id: each.stage for each in told if each.payment_id == step.payment_id}
        if set(stages.values()) - OVER:
            words = f"the bank decides on a dispute of {step.payment_id}: no refund is begun beside it"
            return RefundCase(case_id="", state="refused", words=words)
        own = f"{step.payment_id}-{step.number}"
        try:
            return self._port(step.agency, payment).request_refund(step.payment_id, step.amount, "duplicate", own)
        except Refused as refusal:
            return RefundCase(case_id="", state="refused", words=str(refusal))

    @implements(GATEWAY_GET_REFUND)
    def get_refund(self, step: RefundOrderStep) -> RefundCase:
        """How it stands; nothing is written."""
        return self._port(step.agency, self._payment(step)).get_refund(step.case_id)

    def _payment(self, step: RefundOrderStep) -> Payment:
        payment = self._store.facts.payment(step.agency, step.payment_id)
        if payment is None:
            raise ContractBroken(f"no payment {step.payment_id}", system="store")
        return payment
