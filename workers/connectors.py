"""The workflows of connectors: one for each agency and the ERP that holds its receipts, started with the workers (payment-sync 3, 7)."""

from __future__ import annotations

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy

from domain import naming
from domain.connector_steps import ConnectorState
from domain.payment_sync.breaker import Breaker
from store import Store
from store.installation import Installation
from workflows.searching import found_by


async def start_connectors(client: Client, installation: Installation, store: Store) -> None:
    """Start what does not run, with the breaker as it was kept last; may be repeated."""
    for name, agency in installation.agencies.items():
        breaker = store.connectors.breaker(name, agency.erp) or Breaker(agency=name, connector=agency.erp)
        await client.start_workflow(
            "Connector",
            ConnectorState(agency=name, connector=agency.erp, breaker=breaker),
            id=naming.connector_workflow(name, agency.erp),
            task_queue=naming.Queue.WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=found_by("connector", name),
            static_summary=f"{agency.erp} of {name}",
        )
