"""A second agency that has AirPlus, and plans that take orders: what the pages of both are tried against."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.plan_orders import PlanOrder
from domain.plan_steps import PlanCommand
from store import Store
from store.installation import Installation
from tests import stories
from tests.activities.tamara.night import AGENCY, NO_HOST
from tests.starter.agency import SECRET, SOURCE

PROFILES = [{"name": "ACME", "customers": ["cus_77"], "codes": {"PR": {"use": "mandatory"}}}]
SFTP = {"host": "127.0.0.1", "port": 1, "username": "agency", "password": "x", "host_keys": [NO_HOST]}


def with_airplus(settled: Installation) -> Installation:
    """The installation with a second agency, which has AirPlus."""
    section = {"partner_id": "TESTPARTNER1", "city": "MADRID", "profiles": PROFILES, "sftp": SFTP}
    raw = settled.model_dump(exclude_unset=True)
    raw["agencies"][AGENCY] = {
        "name": "Viajes Sol",
        "platform": {"source": f"{SOURCE}/sol", "webhook_secrets": [{"value": SECRET}]},
        "tamara": section,
    }
    return Installation.model_validate(raw)


@dataclass
class Plans:
    """Temporal as far as a page of plans needs it: remembers what plans were told, and refuses when it is told to.

    With a store, an order is kept there as a plan's workflow keeps it.
    """

    store: Store | None = None
    told: list[tuple[str, PlanCommand]] = field(default_factory=list)
    refusal: str = ""

    async def connect(self) -> Client:
        return cast(Client, self)

    def get_workflow_handle(self, workflow_id: str) -> Any:
        return PlanHandle(self, workflow_id)

    def keep(self, workflow_id: str, given: PlanCommand) -> None:
        if self.store is None:
            return
        _, agency, booking = workflow_id.split("/")
        plan = self.store.facts.plan(agency, booking)
        assert plan is not None
        order = PlanOrder(
            **given.model_dump(include={"order", "by", "why", "instalment_id", "amount"}), at=stories.START
        )
        self.store.plan_orders.give(agency, plan.id, f"order-{len(self.told)}", booking, order)


@dataclass
class PlanHandle:
    plans: Plans
    workflow_id: str

    async def execute_update(self, name: str, given: PlanCommand, result_type: type) -> str:
        if self.plans.refusal:
            raise WorkflowUpdateFailedError(ApplicationError(self.plans.refusal))
        assert (name, result_type) == ("order", str)
        self.plans.told.append((self.workflow_id, given))
        self.plans.keep(self.workflow_id, given)
        return "the plan is paused"

    async def signal(self, name: str) -> None:
        assert name == "look"
