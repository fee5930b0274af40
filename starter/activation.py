"""Preparing and starting an activation: settings as they are typed, the workflow, how far it is (DESIGN 4, 7)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from temporalio.client import WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from domain.naming import Queue, integration_workflow
from domain.steps import BackfillProgress, IntegrationOrder
from starter.answers import CommandError, say
from starter.opening import connected
from store import Store
from store.installation import Installation
from store.integrations import Integration
from store.parked import ParkedItem
from workflows.searching import found_by

KOMMO = "kommo"


def progress_of(found: Integration) -> str:
    if not found.backfill:
        return ""
    told = BackfillProgress.model_validate(found.backfill)
    place = "done" if told.phase == "done" else f"at {told.phase}"
    left_out = f"{told.past} of trips before {told.ended_since}"
    if told.superseded:
        left_out += f", {told.superseded} that a newer snapshot replaced"
    return f"{place}, {told.seen} looked at, {told.taken} taken in, {left_out}"


def assigned(system: str, settings: dict[str, Any], assignments: list[str]) -> dict[str, Any]:
    """The settings with every assignment applied; values are JSON where they read as JSON, else text."""
    from workers.activating import SECRETS

    result = json.loads(json.dumps(settings))
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or not name:
            raise CommandError("a setting is given as NAME=VALUE, for example office_id=3 or payment_methods.card=14")
        if name == SECRETS[system]:
            raise CommandError("the key is not a setting; seal it with: bookings integration key")
        table, _, entry = name.partition(".")
        place = result.setdefault(table, {}) if entry else result
        if not isinstance(place, dict):
            raise CommandError(f"{table} has no parts")
        if text:
            place[entry or table] = _value(text)
        else:
            place.pop(entry or table, None)
    return {name: value for name, value in result.items() if value != {}}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def ordered(agency: str, system: str, by: str, backfill: bool, ended_since: str) -> IntegrationOrder:
    try:
        return IntegrationOrder.model_validate(
            {"agency": agency, "system": system, "by": by, "backfill": backfill, "ended_since": ended_since or None}
        )
    except ValueError:
        raise CommandError(f"--ended-since is a day like 2026-01-31, not '{ended_since}'") from None


async def run_activation(installation: Installation, store: Store, order: IntegrationOrder, *, wait: bool) -> None:
    """Start the activation, or join the one that runs."""
    client = await connected(installation)
    try:
        handle = await client.start_workflow(
            "ActivateIntegration",
            order,
            id=integration_workflow(order.agency, order.system),
            task_queue=Queue.WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=found_by("ActivateIntegration", order.agency),
            static_summary=f"activate {order.system} of {order.agency}",
            result_type=BackfillProgress,
        )
        if _waiting(store, order.agency, order.system):
            await handle.signal("changed")
        if order.system == KOMMO:
            from workers.crm_watch import watch_crm
            from workers.deal_sweeps import sweep_deals

            await watch_crm(client, [order.agency])
            await sweep_deals(client, [order.agency])
        if wait:
            ending = asyncio.create_task(handle.result())
            await _watch(store, order, ending)
            await ending
    except WorkflowFailureError as error:
        raise CommandError(f"the activation failed: {error.cause or error}") from None
    except RPCError as error:
        raise CommandError(f"Temporal answers {error.status.name}: {error.message}") from None


async def _watch(store: Store, order: IntegrationOrder, ending: asyncio.Task[Any]) -> None:
    """Say how far it is whenever that changes; stop when it ends or waits for a person."""
    said = ""
    while not ending.done():
        await asyncio.wait((ending,), timeout=1.0)
        now = await asyncio.to_thread(store.integrations.known, order.agency, order.system)
        words = f"{now.state} {progress_of(now)}".strip()
        if words != said:
            say(words)
        said = words
        waiting = await asyncio.to_thread(_waiting, store, order.agency, order.system)
        if waiting and not ending.done():
            ending.cancel()
            raise CommandError(f"it waits for a person, item {waiting[0].item_id}: {waiting[0].detail}")


def _waiting(store: Store, agency: str, system: str) -> list[ParkedItem]:
    """What an activation stopped for."""
    workflow = integration_workflow(agency, system)
    return [item for item in store.parked.list(agency) if item.workflow_id == workflow]


def tell_what_waits(installation: Installation, store: Store, agency: str, system: str) -> str:
    """An activation that stopped for want of this goes on by itself."""
    waiting = _waiting(store, agency, system)
    if not waiting:
        return ""
    try:
        asyncio.run(_signal(installation, integration_workflow(agency, system)))
    except (CommandError, RPCError):
        return f"the activation could not be told; answer it: bookings park decide {waiting[0].item_id} --retry"
    return "the activation that waited goes on"


async def _signal(installation: Installation, workflow: str) -> None:
    client = await connected(installation)
    await client.get_workflow_handle(workflow).signal("changed")
