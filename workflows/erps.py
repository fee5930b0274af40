"""The ERPs to which payments are synchronised, as workflows know them: the same port, other cells (contracts: payment-sync 6.1)."""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures import (
        GIAV_DESCRIBE,
        GIAV_PROBE_PAYMENT,
        GIAV_RECONCILE,
        GIAV_RECORD_PAYMENT,
        JOURNAL_DESCRIBE,
        JOURNAL_PROBE_PAYMENT,
        JOURNAL_RECONCILE,
        JOURNAL_RECORD_PAYMENT,
        Verb,
    )
    from domain.connector_steps import Described, DescribeStep, ErpName, ReconcilePage, ReconcileStep
    from domain.payment_steps import ProbeStep
    from domain.payment_sync import Evidence
    from domain.steps import Done, PaymentStep


@dataclass(frozen=True, slots=True)
class Erp:
    """`probe` looks and never writes, `post` writes the receipt, `describe` shows the contract,
    `reconcile` reads both sides."""

    probe: Verb[ProbeStep, Evidence]
    post: Verb[PaymentStep, Done]
    describe: Verb[DescribeStep, Described]
    reconcile: Verb[ReconcileStep, ReconcilePage]


ERPS: dict[ErpName, Erp] = {
    "giav": Erp(GIAV_PROBE_PAYMENT, GIAV_RECORD_PAYMENT, GIAV_DESCRIBE, GIAV_RECONCILE),
    "journal": Erp(JOURNAL_PROBE_PAYMENT, JOURNAL_RECORD_PAYMENT, JOURNAL_DESCRIBE, JOURNAL_RECONCILE),
}


def receipt_of(done: Done, payment_id: str) -> str:
    """The id of the receipt that a post has made: GIAV's cobro, the journal's entry."""
    return done.ids.get("cobro") or next(iter(done.ids.values()), f"of {payment_id}")
