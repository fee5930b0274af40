"""What the cells of a payment's synchronisation take and give (contracts: payment-sync 6.1, 7)."""

from __future__ import annotations

from domain.payment_sync import PaymentSync, Transition
from domain.steps import PaymentStep, Step


class ProbeStep(PaymentStep):
    """A look at what the ERP has of a payment. `in_ledger`: only at what we know that we wrote, without a call."""

    in_ledger: bool = False


class TransitionLog(Step):
    """Moves that a payment has made since the last report, oldest first, and where it stands after them."""

    booking_id: str
    experience_id: str = ""
    connector: str
    sync: PaymentSync
    lines: tuple[Transition, ...]
