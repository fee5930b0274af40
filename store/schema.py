"""Every table of the store in one place, for migrations and for the tests that compare them."""

from __future__ import annotations

from store import (
    api_tokens,
    audit_trail,
    connectors,
    crm_tokens,
    deal_hooks,
    documents,
    effects,
    erasures,
    events,
    facts,
    integrations,
    journal,
    lifecycles,
    parked,
    payment_requests,
    payment_sync,
    people_tables,
    plan_orders,
    reconciliations,
    restores,
    tamara_answers,
    tamara_contents,
    tamara_prints,
    tamara_stops,
    tamara_tables,
    transfers,
    vault,
)
from store.tables import metadata

MODULES = (
    api_tokens,
    audit_trail,
    connectors,
    crm_tokens,
    deal_hooks,
    documents,
    effects,
    erasures,
    events,
    facts,
    integrations,
    journal,
    lifecycles,
    parked,
    payment_requests,
    payment_sync,
    people_tables,
    plan_orders,
    reconciliations,
    restores,
    tamara_answers,
    tamara_contents,
    tamara_prints,
    tamara_stops,
    tamara_tables,
    transfers,
    vault,
)
"""The modules that declare tables."""

__all__ = ["MODULES", "metadata"]
