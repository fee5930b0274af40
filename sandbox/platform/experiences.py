"""Trips and events on sale (contracts: platform-events 5.3, 5.4)."""

from __future__ import annotations

import copy

from sandbox.platform.amounts import Conflict, Doc, Wrong, differences
from sandbox.platform.change import Change

DEFAULTS: Doc = {
    "split_payment": False,
    "fill_deadline_days": None,
    "status": "on_sale",
    "currency": "EUR",
    "timezone": "Europe/Madrid",
    "min_travellers": None,
    "max_travellers": None,
    "min_travellers_deadline": None,
    "package_travel": True,
    "tax_regime": "reav",
    "services": [],
    "cancellation_policy": {"basis": "total", "tiers": []},
    "payment_plan_template": [],
}


def create_experience(change: Change, wish: Doc) -> Doc:
    """Put an experience on sale; `wish` is its snapshot, `id` and the defaults optional."""
    for needed in ("title", "sales_mode", "starts_on", "ends_on"):
        if not wish.get(needed):
            raise Wrong(f"an experience needs {needed}")
    experience_id = change.fresh_id("experience", wish.get("id"))
    snapshot = {**copy.deepcopy(DEFAULTS), **wish, "id": experience_id}
    snapshot["cancellation_policy"]["tiers"].sort(key=lambda tier: -int(tier["from_days_before_start"]))
    record = {"id": experience_id, "revision": 1, "snapshot": snapshot}
    change.put("experience", record)
    change.emit(
        "experience.created",
        about="experience",
        record=record,
        partition=experience_id,
        actor="planner",
        experience=snapshot,
    )
    return record


def update_experience(change: Change, wish: Doc) -> Doc:
    """Change members of an experience: {"experience_id", "set": {…}, "significant"?}."""
    record = change.get("experience", wish["experience_id"])
    before = copy.deepcopy(record["snapshot"])
    record["snapshot"].update(wish["set"])
    changes = differences(before, record["snapshot"])
    if not changes:
        raise Conflict("nothing changes")
    change.bump(record)
    change.put("experience", record)
    change.emit(
        "experience.updated",
        about="experience",
        record=record,
        partition=record["id"],
        actor="planner",
        experience=record["snapshot"],
        changes=changes,
        significant=bool(wish.get("significant", False)),
    )
    return record


def cancel_experience(change: Change, wish: Doc) -> Doc:
    """Call an experience off: {"experience_id", "cause"}. Its bookings are cancelled by their own verb, one by one."""
    record = change.get("experience", wish["experience_id"])
    if record["snapshot"]["status"] == "cancelled":
        raise Conflict("cancelled already")
    record["snapshot"]["status"] = "cancelled"
    change.bump(record)
    change.put("experience", record)
    affected = [
        booking
        for booking in change.storage.every("booking")
        if booking["snapshot"]["experience_id"] == record["id"] and booking["snapshot"]["status"] != "cancelled"
    ]
    change.emit(
        "experience.cancelled",
        about="experience",
        record=record,
        partition=record["id"],
        actor="planner",
        experience=record["snapshot"],
        cancellation={
            "id": f"cxl_{change.storage.next_number('cancellation', 1001)}",
            "cause": wish.get("cause", "planner"),
            "decided_at": change.moment,
            "notified_at": change.moment,
            "affected_bookings": len(affected),
        },
    )
    return record
