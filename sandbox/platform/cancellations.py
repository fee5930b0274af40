"""Ending a booking or a part of it (contracts: platform-events 5.5, money-rules 1.4)."""

from __future__ import annotations

import copy
from datetime import date
from zoneinfo import ZoneInfo

from sandbox.platform import policy
from sandbox.platform.amounts import Conflict, Doc, Unknown, Wrong, money, units
from sandbox.platform.bookings import cancel_line, open_booking
from sandbox.platform.change import Change
from sandbox.platform.schedules import end_plan, reprice_plan
from sandbox.platform.totals import discounts_that_stand, gross_of


def cancel_booking(change: Change, wish: Doc) -> Doc:
    """Cancel: {"booking_id", "cause"?, "initiated_by"?, "traveller_ids"?, "line_ids"?, …}.

    Without travellers and lines the whole booking ends. Further: "penalty"?: Money and "treatment"? override the
    policy; "refund_decided"? (true); "supplier_charges"?: {line: Money}. Cancelling does not refund.
    """
    record = open_booking(change, wish["booking_id"])
    snapshot, currency = record["snapshot"], record["currency"]
    before = copy.deepcopy(snapshot)
    moved = change.moved(record)
    full = not wish.get("traveller_ids") and not wish.get("line_ids")
    travellers, lines = _end_all(snapshot) if full else _end_part(snapshot, wish)
    for line_id, charge in wish.get("supplier_charges", {}).items():
        _line(snapshot, line_id)["cost"]["total"] = money(units(charge, currency), currency)
    snapshot["discounts"] = discounts_that_stand(snapshot["discounts"], snapshot["lines"])

    given_up = gross_of(before["lines"]) - gross_of(snapshot["lines"])
    lost_discount = sum(int(item["amount"]["amount"]) for item in before["discounts"]) - sum(
        int(item["amount"]["amount"]) for item in snapshot["discounts"]
    )
    experience = change.get("experience", snapshot["experience_id"])["snapshot"]
    rules = experience["cancellation_policy"]
    base = given_up - lost_discount if rules.get("basis", "total") == "total" else moved.captured - moved.refunded
    cause = wish.get("cause", "customer_choice")
    today = change.now.astimezone(ZoneInfo(experience["timezone"])).date()
    tier = None
    if cause not in policy.FREE_CAUSES:
        tier = policy.tier_for(rules, date.fromisoformat(experience["starts_on"]), today)
    penalty = units(wish["penalty"], currency) if wish.get("penalty") else policy.penalty_of(tier, base)
    cancellation: Doc = {
        "id": wish.get("id") or f"cxl_{change.storage.next_number('cancellation', 1001)}",
        "scope": "full" if full else "partial",
        "traveller_ids": travellers,
        "line_ids": lines,
        "requested_at": change.moment,
        "effective_at": change.moment,
        "initiated_by": wish.get("initiated_by", "customer"),
        "cause": cause,
        "policy_tier": policy.applied_tier(tier),
        "penalty": {
            "amount": money(penalty, currency),
            "treatment": wish.get("treatment") or ("indemnity_not_subject" if penalty else "none"),
        },
    }
    record["cancellations"].append(cancellation)
    if full:
        snapshot |= {"status": "cancelled", "cancelled_at": change.moment}
    change.retotal(record)
    total_after = int(snapshot["totals"]["total"]["amount"])
    owed = policy.refund_amount(moved.captured, moved.refunded, moved.disputed, total_after)
    cancellation["refund"] = policy.refund_decision(wish.get("refund_decided", True), owed, currency, change.now)
    change.bump(record)
    change.put("booking", record)
    change.emit(
        "booking.cancelled",
        about="booking",
        record=record,
        partition=record["id"],
        actor=cancellation["initiated_by"],
        booking=copy.deepcopy(snapshot),
        cancellation=cancellation,
    )
    if full:
        end_plan(change, record)
    else:
        reprice_plan(change, record, "price_change")
    return record


def _end_all(snapshot: Doc) -> tuple[list[str], list[str]]:
    travellers = [person["id"] for person in snapshot["travellers"] if person["status"] == "active"]
    lines = [line["id"] for line in snapshot["lines"] if line["status"] == "active"]
    for person in snapshot["travellers"]:
        person["status"] = "cancelled"
    for line in snapshot["lines"]:
        if line["status"] == "active":
            cancel_line(line, 0)
    return travellers, lines


def _end_part(snapshot: Doc, wish: Doc) -> tuple[list[str], list[str]]:
    """Cancel some travellers with their share of every line, and some whole lines; answers the ids that ended."""
    leaving = list(wish.get("traveller_ids", ()))
    for traveller_id in leaving:
        person = next((item for item in snapshot["travellers"] if item["id"] == traveller_id), None)
        if person is None:
            raise Unknown(f"no traveller {traveller_id}")
        person["status"] = "cancelled"
    if not any(person["status"] == "active" for person in snapshot["travellers"]):
        raise Conflict("nobody would be left: cancel the whole booking")
    ended = []
    for line in snapshot["lines"]:
        if line["status"] != "active":
            continue
        staying = [person for person in line["traveller_ids"] if person not in leaving]
        if line["id"] in wish.get("line_ids", ()) or (line["traveller_ids"] and not staying):
            cancel_line(line, 0)
            ended.append(line["id"])
        elif line["quantity"] == len(line["traveller_ids"]):
            _shrink(line, staying)
    return leaving, ended


def _shrink(line: Doc, staying: list[str]) -> None:
    currency, quantity = line["total"]["currency"], len(staying)
    line |= {"quantity": quantity, "traveller_ids": staying}
    line["total"] = money(quantity * int(line["unit_price"]["amount"]), currency)
    line["cost"]["total"] = money(quantity * int(line["cost"]["unit"]["amount"]), currency)


def _line(snapshot: Doc, line_id: str) -> Doc:
    for line in snapshot["lines"]:
        if line["id"] == line_id:
            if line["status"] != "cancelled":
                raise Wrong(f"line {line_id} goes on: its supplier charges nothing for a cancellation")
            found: Doc = line
            return found
    raise Unknown(f"no line {line_id}")
