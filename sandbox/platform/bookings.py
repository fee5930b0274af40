"""Sales: created, changed in services, discounted, modified (contracts: platform-events 5.3–5.5)."""

from __future__ import annotations

import copy
from typing import Any

from sandbox.platform.amounts import Conflict, Doc, Unknown, Wrong, differences, effect, money, units
from sandbox.platform.change import Change
from sandbox.platform.schedules import reprice_plan
from sandbox.platform.totals import cost_of, discount_amount, gross_of

FISCAL = ("name", "tax_id", "address")
"""What a full invoice needs of a payer."""


def create_booking(change: Change, wish: Doc) -> Doc:
    """Sell: {"experience_id", "payer", "travellers", "lines", "booker"?, "id"?, "locator"?, "pending"?}.

    A line is {"service_id", "quantity"?, "traveller_ids"?, "unit_price"?, "unit_cost"?, "description"?}; what is left
    out comes from the experience's service. Travellers get ids `trv_01`… and lines `lin_01`… in order.
    """
    experience = change.get("experience", wish["experience_id"])["snapshot"]
    if experience["status"] == "cancelled":
        raise Conflict(f"experience {experience['id']} is cancelled")
    booking_id = change.fresh_id("booking", wish.get("id"))
    payer = _party(wish["payer"])
    record: Doc = {
        "id": booking_id,
        "revision": 1,
        "currency": experience["currency"],
        "payment_ids": [],
        "plan_id": None,
        "cancellations": [],
    }
    snapshot: Doc = {
        "id": booking_id,
        "locator": wish.get("locator") or booking_id.removeprefix("bkg_").upper().rjust(6, "0")[-6:],
        "experience_id": experience["id"],
        "status": "pending" if wish.get("pending") else "confirmed",
        "payer": payer,
        "booker": _party(wish.get("booker") or wish["payer"]),
        "travellers": [_traveller(at, entry) for at, entry in enumerate(wish["travellers"], 1)],
        "lines": [],
        "discounts": [],
        "totals": {},
        "external_orders": [],
        "created_at": change.moment,
        "confirmed_at": None if wish.get("pending") else change.moment,
        "cancelled_at": None,
    }
    if not snapshot["travellers"]:
        raise Wrong("a booking needs a traveller")
    record["snapshot"] = snapshot
    for line in wish["lines"]:
        _add_line(change, record, experience, line)
    change.put("booking", change.retotal(record))
    _emit(change, "booking.created", record, actor="customer")
    return record


def _party(wish: Doc) -> Doc:
    party = {"tax_id": None, "address": None, **wish}
    party["fiscal_complete"] = all(party.get(member) for member in FISCAL)
    return party


def _traveller(at: int, wish: Doc) -> Doc:
    return {
        "id": f"trv_{at:02d}",
        "kind": "adult",
        "is_payer": False,
        "corporate": None,
        **wish,
        "status": "active",
    }


def _add_line(change: Change, record: Doc, experience: Doc, wish: Doc) -> Doc:
    """Append a line made of a service; a hotel of the hotel supplier is ordered there at once."""
    snapshot, currency = record["snapshot"], record["currency"]
    service = next((item for item in experience["services"] if item["id"] == wish["service_id"]), None)
    if service is None:
        raise Unknown(f"no service {wish['service_id']} in {experience['id']}")
    travellers = wish.get("traveller_ids") or [
        person["id"] for person in snapshot["travellers"] if person["status"] == "active"
    ]
    quantity = int(wish.get("quantity") or (1 if service["unit"] == "group" else len(travellers)))
    line_id = f"lin_{len(snapshot['lines']) + 1:02d}"
    unit_price = units(wish.get("unit_price") or service["price"], currency)
    unit_cost = units(wish.get("unit_cost") or service["cost_estimated"], currency)
    order_ref = None
    if service["kind"] == "hotel" and service["supplier"]["name"] == "RateHawk":
        order_ref = f"B2B-{change.storage.next_number('order', 50001)}/1"
        snapshot["external_orders"].append(
            {"system": "ratehawk", "order_ref": order_ref, "partner_order_ref": f"{record['id']}-{line_id}"}
        )
    line = {
        "id": line_id,
        "status": "active",
        "service_id": service["id"],
        "description": wish.get("description") or service["description"],
        "quantity": quantity,
        "unit_price": money(unit_price, currency),
        "total": money(unit_price * quantity, currency),
        "traveller_ids": list(travellers),
        "cost": {
            "supplier_id": service["supplier"]["id"],
            "supplier_ref": order_ref,
            "status": "estimated",
            "unit": money(unit_cost, currency),
            "total": money(unit_cost * quantity, currency),
        },
    }
    snapshot["lines"].append(line)
    return line


def change_service(change: Change, wish: Doc) -> Doc:
    """Change what is sold: {"booking_id", "action", …}.

    added: a line as in `create_booking`; removed: {"line_id", "supplier_charge"?: Money}; repriced:
    {"line_id", "unit_price"?, "unit_cost"?, "quantity"?}. Optional for all: "initiated_by", "significant".
    """
    record = open_booking(change, wish["booking_id"])
    snapshot, currency = record["snapshot"], record["currency"]
    experience = change.get("experience", snapshot["experience_id"])["snapshot"]
    before = copy.deepcopy(snapshot)
    line_before: Doc | None = None
    line_after: Doc | None = None
    match wish["action"]:
        case "added":
            line_after = _add_line(change, record, experience, wish)
        case "removed":
            line = _active_line(record, wish["line_id"])
            line_before = copy.deepcopy(line)
            cancel_line(line, units(wish.get("supplier_charge") or money(0, currency), currency))
            if snapshot["status"] != "cancelled" and not any(item["status"] == "active" for item in snapshot["lines"]):
                raise Conflict("the last line is not removed: cancel the booking")
        case "repriced":
            line_after = _active_line(record, wish["line_id"])
            line_before = copy.deepcopy(line_after)
            _reprice(line_after, wish, currency)
        case other:
            raise Wrong(f"no such action: {other}")
    change.retotal(record)
    change.bump(record)
    change.put("booking", record)
    consent = {"required": bool(wish.get("significant", False))}
    _emit(
        change,
        "booking.service_changed",
        record,
        actor=wish.get("initiated_by", "customer"),
        service_change={
            "id": f"chg_{change.storage.next_number('service_change', 1001)}",
            "action": wish["action"],
            "line_before": line_before,
            "line_after": line_after,
            "initiated_by": wish.get("initiated_by", "customer"),
            "significant": bool(wish.get("significant", False)),
            "consent": consent,
            "effective_at": change.moment,
        },
        price_effect=_price_effect(before, record),
        cost_effect=effect(cost_of(before["lines"]), cost_of(snapshot["lines"]), currency),
    )
    reprice_plan(change, record, "price_change")
    return record


def cancel_line(line: Doc, supplier_charge: int) -> None:
    """A cancelled line stays; from now on its cost is what the supplier charges for it (minor units)."""
    line["status"] = "cancelled"
    line["cost"]["total"] = money(supplier_charge, line["total"]["currency"])


def _reprice(line: Doc, wish: Doc, currency: str) -> None:
    quantity = int(wish.get("quantity") or line["quantity"])
    price = units(wish.get("unit_price") or line["unit_price"], currency)
    cost = units(wish.get("unit_cost") or line["cost"]["unit"], currency)
    line |= {"quantity": quantity, "unit_price": money(price, currency), "total": money(price * quantity, currency)}
    line["cost"] |= {"unit": money(cost, currency), "total": money(cost * quantity, currency)}


def apply_discount(change: Change, wish: Doc) -> Doc:
    """Lower the price: {"booking_id", "kind": "amount"|"percentage", "value", "code"?, "line_id"?, "funded_by"?}.

    "leaves_plan": true is the platform that forgets to let the instalments add up to the new price.
    """
    record = open_booking(change, wish["booking_id"])
    snapshot, currency = record["snapshot"], record["currency"]
    before = copy.deepcopy(snapshot)
    line_id = wish.get("line_id")
    base = int(_active_line(record, line_id)["total"]["amount"]) if line_id else gross_of(snapshot["lines"])
    discount = {
        "id": wish.get("id") or f"dsc_{change.storage.next_number('discount', 1001)}",
        "code": wish.get("code"),
        "kind": wish["kind"],
        "value": wish["value"],
        "amount": money(discount_amount(wish["kind"], wish["value"], base, currency), currency),
        "scope": "line" if line_id else "booking",
        "line_id": line_id,
        "funded_by": wish.get("funded_by", "planner"),
        "applied_at": change.moment,
    }
    snapshot["discounts"].append(discount)
    _discounted(change, record, before, discount, "applied")
    if not wish.get("leaves_plan"):
        reprice_plan(change, record, "price_change")
    return record


def revoke_discount(change: Change, wish: Doc) -> Doc:
    """Take a discount back: {"booking_id", "discount_id"}."""
    record = open_booking(change, wish["booking_id"])
    snapshot = record["snapshot"]
    before = copy.deepcopy(snapshot)
    discount = next((item for item in snapshot["discounts"] if item["id"] == wish["discount_id"]), None)
    if discount is None:
        raise Unknown(f"no discount {wish['discount_id']}")
    snapshot["discounts"].remove(discount)
    _discounted(change, record, before, discount, "revoked")
    reprice_plan(change, record, "price_change")
    return record


def _discounted(change: Change, record: Doc, before: Doc, discount: Doc, action: str) -> None:
    change.retotal(record)
    change.bump(record)
    change.put("booking", record)
    _emit(
        change,
        "booking.discount_applied",
        record,
        actor="planner",
        discount=discount,
        action=action,
        price_effect=_price_effect(before, record),
    )


def modify_booking(change: Change, wish: Doc) -> Doc:
    """Change people: {"booking_id", "travellers"?: [{"id", …}], "payer"?, "booker"?}."""
    record = open_booking(change, wish["booking_id"])
    snapshot = record["snapshot"]
    before = copy.deepcopy(snapshot)
    for person in wish.get("travellers", ()):
        known = next((item for item in snapshot["travellers"] if item["id"] == person["id"]), None)
        if known is None:
            raise Unknown(f"no traveller {person['id']}")
        known.update(person)
    for role in ("payer", "booker"):
        if wish.get(role):
            snapshot[role] = _party({**snapshot[role], **wish[role]})
    modified(change, record, before, actor="customer")
    return record


def modified(change: Change, record: Doc, before: Doc, actor: str) -> None:
    """Record a change of a booking that touches neither services nor discounts."""
    changes = differences(before, record["snapshot"])
    if not changes:
        raise Conflict("nothing changes")
    change.bump(record)
    change.put("booking", record)
    _emit(change, "booking.modified", record, actor, changes=changes, price_effect=_price_effect(before, record))


def open_booking(change: Change, booking_id: str) -> Doc:
    record = change.get("booking", booking_id)
    if record["snapshot"]["status"] == "cancelled":
        raise Conflict(f"booking {booking_id} is cancelled")
    return record


def _active_line(record: Doc, line_id: str) -> Doc:
    for line in record["snapshot"]["lines"]:
        if line["id"] == line_id and line["status"] == "active":
            found: Doc = line
            return found
    raise Unknown(f"no active line {line_id}")


def _price_effect(before: Doc, record: Doc) -> Doc:
    after = record["snapshot"]["totals"]["total"]["amount"]
    return effect(int(before["totals"]["total"]["amount"]), int(after), record["currency"])


def _emit(change: Change, kind: str, record: Doc, actor: str, **members: Any) -> None:
    change.emit(
        kind,
        about="booking",
        record=record,
        partition=record["id"],
        actor=actor,
        booking=copy.deepcopy(record["snapshot"]),
        **members,
    )
