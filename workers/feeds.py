"""Suppliers' feeds follow from settings: one for each agency that has the supplier, started with the workers (contracts: midoffice 2.7)."""

from __future__ import annotations

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy

from activities.ratehawk.settings import RateHawkSettings
from domain import naming
from domain.supplier import RATEHAWK
from domain.supplier_steps import FeedState
from store.installation import Installation
from workflows.searching import found_by

WITHOUT_WEBHOOK = 2
"""Minutes between two sweeps where nobody nudges (midoffice 2.9)."""


def feeds_of(installation: Installation) -> list[FeedState]:
    """The feeds that the settings ask for. The settings were checked when the accounts were opened."""
    found = []
    for name, agency in installation.agencies.items():
        if agency.ratehawk is not None:
            settings = RateHawkSettings.model_validate(agency.ratehawk)
            minutes = settings.poll_minutes if settings.webhook else min(settings.poll_minutes, WITHOUT_WEBHOOK)
            found.append(FeedState(agency=name, supplier=RATEHAWK, poll_minutes=minutes))
    return found


async def start_feeds(client: Client, installation: Installation) -> None:
    """Start what does not run, and tell what runs how often to sweep; may be repeated."""
    for feed in feeds_of(installation):
        await client.start_workflow(
            "SupplierFeed",
            feed,
            id=naming.supplier_feed(feed.agency, feed.supplier),
            task_queue=naming.Queue.WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal="arrange",
            start_signal_args=[feed],
            search_attributes=found_by("supplier feed", feed.agency),
            static_summary=f"{feed.supplier} of {feed.agency}",
        )
