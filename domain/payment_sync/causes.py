"""The one word by which payments that wait for the same thing are found together (contracts: payment-sync 3, 5, 8)."""

from __future__ import annotations

from domain.payment_sync.conditions import REVERSED, UNDONE
from domain.payment_sync.events import Failing
from domain.payment_sync.states import PaymentSync
from domain.payment_sync.verdicts import Verdict

OTHER = "other"
CAUSES: tuple[str, ...] = (
    *(each.value for each in Failing),
    *(each.value for each in Verdict if each is not Verdict.UNPAID),
    "reversed",
    "undone",
    OTHER,
)
"""Classes of failures, verdicts of the ERP, and what came apart later."""


def cause_of(sync: PaymentSync) -> str:
    """Why a payment stands where it stands; empty when nothing is wrong with it."""
    if not sync.reason:
        return ""
    if sync.reason in {REVERSED, UNDONE}:
        return "reversed" if sync.reason == REVERSED else "undone"
    if sync.reason in set(Failing):
        return sync.reason
    if sync.evidence is not None and sync.evidence.verdict is not Verdict.UNPAID:
        return sync.evidence.verdict.value
    return OTHER
