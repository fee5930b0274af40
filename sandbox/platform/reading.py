"""Listings of what the platform holds (contracts: platform-events 7)."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from sandbox.platform.amounts import Doc, Wrong, money
from sandbox.platform.model import Platform

MOST = 200
"""The largest page."""


def _number(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name) or str(default)
    if not text.isdigit():
        raise Wrong(f"{name} is a number")
    return int(text)


def _limit(query: dict[str, str]) -> int:
    limit = _number(query, "limit", 50)
    if not 1 <= limit <= MOST:
        raise Wrong(f"limit is 1 to {MOST}")
    return limit


def bookings(platform: Platform, query: dict[str, str]) -> Doc:
    """{"items": [snapshot with revision], "next_cursor"}; filters `experience_id`, `status`."""
    wanted = {name: query[name] for name in ("experience_id", "status") if query.get(name)}
    limit, after = _limit(query), _number(query, "cursor", 0)
    items: list[Doc] = []
    while page := platform.storage.page("booking", after, limit):
        for after, record in page:
            snapshot = record["snapshot"]
            if all(snapshot[name] == value for name, value in wanted.items()):
                items.append({**snapshot, "revision": record["revision"]})
                if len(items) == limit:
                    return {"items": items, "next_cursor": str(after)}
    return {"items": items, "next_cursor": None}


def payments(platform: Platform, query: dict[str, str]) -> Doc:
    """{"items": [payment with `refunds`, `chargebacks`, `updated_at`], "next_cursor"}; filters `updated_since`, `booking_id`."""
    limit = _limit(query)
    page = platform.storage.page("payment", _number(query, "cursor", 0), limit, query.get("updated_since", ""))
    booking_id = query.get("booking_id")
    return {
        "items": [_payment(record) for _, record in page if booking_id in (None, record["booking_id"])],
        "next_cursor": str(page[-1][0]) if len(page) == limit else None,
    }


def _payment(record: Doc) -> Doc:
    return {
        **record["payment"],
        "refunds": [_without(entry, "failed") | _failure(entry) for entry in record["refunds"]],
        "chargebacks": [_without(entry, "withdrawn") for entry in record["chargebacks"]],
        "updated_at": record["updated_at"],
    }


def _without(entry: Doc, name: str) -> Doc:
    return {key: value for key, value in entry.items() if key != name}


def _failure(entry: Doc) -> Doc:
    return {"status": "failed"} if entry.get("failed") else {}


def event_log(platform: Platform, query: dict[str, str]) -> Doc:
    """{"items": [whole events in sequence], "last_sequence"} after `after_sequence` (the twenty digits, or a number)."""
    after = _number(query, "after_sequence", 0)
    items = [json.loads(body) for body in platform.storage.events_after(after, _limit(query))]
    return {"items": items, "last_sequence": items[-1]["sequence"] if items else f"{after:020d}"}


def charges(platform: Platform, query: dict[str, str]) -> Doc:
    """{"items": [charge]}: the one made with this `merchant_ref`, or none."""
    if not query.get("merchant_ref"):
        raise Wrong("merchant_ref is needed")
    found = platform.storage.find("charge", query["merchant_ref"])
    return {"items": [found["charge"]] if found else []}


def refund_orders(platform: Platform, query: dict[str, str]) -> Doc:
    """{"items": [order]}: those made with this `merchant_ref`, oldest first."""
    if not query.get("merchant_ref"):
        raise Wrong("merchant_ref is needed")
    made = platform.storage.every("refund_order")
    return {"items": [each for each in made if each["merchant_ref"] == query["merchant_ref"]]}


def balances(platform: Platform, query: dict[str, str]) -> Doc:
    """{"items": [{"on", "processor", "captured", "refunded", "disputed", "fees"}]} by day and processor (UTC days)."""
    first, last = query.get("from", ""), query.get("to", "9999-12-31")
    sums: defaultdict[tuple[str, str, str], dict[str, int]] = defaultdict(
        lambda: {"captured": 0, "refunded": 0, "disputed": 0, "fees": 0}
    )
    for record in platform.storage.every("payment"):
        payment = record["payment"]
        processor, currency = payment["processor"]["name"], payment["amount"]["currency"]
        row = sums[payment["captured_at"][:10], processor, currency]
        row["captured"] += payment["amount"]["amount"]
        row["fees"] += payment["fee"]["amount"]
        for entry in record["refunds"]:
            if not entry.get("failed"):
                sums[entry["settled_at"][:10], processor, currency]["refunded"] += entry["amount"]["amount"]
        for entry in record["chargebacks"]:
            if entry["withdrawn"] and entry["stage"] != "won":
                sums[entry["opened_at"][:10], processor, currency]["disputed"] += entry["amount"]["amount"]
    return {
        "items": [
            {"on": on, "processor": processor, **{name: money(value, currency) for name, value in row.items()}}
            for (on, processor, currency), row in sorted(sums.items())
            if first <= on <= last
        ]
    }


def marks(platform: Platform) -> Doc:
    """Notes by name."""
    return {entry["id"]: entry["value"] for entry in platform.storage.every("mark")}


def everything(platform: Platform) -> dict[str, Any]:
    """All records by kind, and how the deliveries stand."""
    kinds = ("experience", "booking", "payment_plan", "payment", "charge", "refund_order")
    return {
        **{kind: {record["id"]: record for record in platform.storage.every(kind)} for kind in kinds},
        "deliveries": platform.storage.deliveries_summary(),
    }
