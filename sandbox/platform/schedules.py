"""Payment plans of bookings: made, repriced, moved, ended (contracts: platform-events 5.3, 5.4)."""

from __future__ import annotations

import copy
from datetime import date

from sandbox.platform import plans
from sandbox.platform.amounts import Conflict, Doc, Unknown, Wrong, differences, money
from sandbox.platform.change import Change


def create_plan(change: Change, wish: Doc) -> Doc:
    """Agree a schedule: {"booking_id", "template"?, "collection"?, "method"?, "id"?}.

    The template defaults to the experience's. `automatic` plans carry a mandate that the customer signed with strong
    authentication. Instalments get ids `ins_` + plan number + sequence.
    """
    booking = change.get("booking", wish["booking_id"])
    if booking["plan_id"]:
        raise Conflict(f"booking {booking['id']} has plan {booking['plan_id']}")
    if booking["snapshot"]["status"] == "cancelled":
        raise Conflict(f"booking {booking['id']} is cancelled")
    experience = change.get("experience", booking["snapshot"]["experience_id"])["snapshot"]
    template = wish.get("template") or experience["payment_plan_template"]
    if not template:
        raise Wrong("no payment plan template")
    plan_id = change.fresh_id("payment_plan", wish.get("id"))
    number = plan_id.removeprefix("plan_")
    collection = wish.get("collection", "automatic")
    totals = booking["snapshot"]["totals"]
    instalments = plans.instalments_from(
        template,
        int(totals["total"]["amount"]),
        booking["currency"],
        date.fromisoformat(experience["starts_on"]),
        [f"ins_{number}{at}" for at in range(1, len(template) + 1)],
    )
    record: Doc = {
        "id": plan_id,
        "revision": 1,
        "booking_id": booking["id"],
        "instalments": instalments,
        "declines": [],
        "snapshot": {
            "id": plan_id,
            "booking_id": booking["id"],
            "currency": booking["currency"],
            "collection": collection,
            "method": wish.get("method", "card"),
            "mandate": _mandate(change, number) if collection == "automatic" else None,
        },
    }
    _settle(record, totals["total"])
    booking["plan_id"] = plan_id
    change.put("booking", booking)
    change.put("payment_plan", record)
    _emit(change, "payment_plan.created", record)
    return record


def _mandate(change: Change, number: str) -> Doc:
    return {
        "id": f"mnd_{number}",
        "reference": f"MND{number}",
        "scheme": "card_mit",
        "signed_at": change.moment,
        "sca_performed": True,
        "schedule_disclosed": True,
        "max_amount": None,
        "expires_on": None,
        "status": "active",
    }


def _settle(record: Doc, total: Doc) -> None:
    record["snapshot"] |= {
        "revision": record["revision"],
        "total": total,
        "installments": [plans.public(item) for item in record["instalments"]],
    }


def _emit(change: Change, kind: str, record: Doc, **members: object) -> None:
    change.emit(
        kind,
        about="payment_plan",
        record=record,
        partition=record["booking_id"],
        actor="platform",
        payment_plan=record["snapshot"],
        **members,
    )


def _changed(change: Change, record: Doc, before: Doc, total: Doc, cause: str, sca_required: bool) -> None:
    """Keep a plan whose instalments moved, and say so; says nothing if the snapshot is the same."""
    _settle(record, total)
    changes = differences(before, record["snapshot"])
    if not changes:
        return
    change.bump(record)
    _settle(record, total)
    change.put("payment_plan", record)
    _emit(change, "payment_plan.changed", record, changes=changes, sca_required=sca_required, cause=cause)


def reprice_plan(change: Change, booking: Doc, cause: str) -> None:
    """After a price change: let the open instalments add up to the new total."""
    if not booking["plan_id"]:
        return
    record = change.get("payment_plan", booking["plan_id"])
    before = copy.deepcopy(record["snapshot"])
    total = booking["snapshot"]["totals"]["total"]
    instalments = plans.balanced(record["instalments"], int(total["amount"]), booking["currency"])
    more = record["snapshot"]["collection"] == "automatic" and plans.grew(record["instalments"], instalments)
    record["instalments"] = instalments
    _changed(change, record, before, total, cause, sca_required=more)


def end_plan(change: Change, booking: Doc) -> None:
    """The booking is cancelled: nothing more is collected."""
    if not booking["plan_id"]:
        return
    record = change.get("payment_plan", booking["plan_id"])
    before = copy.deepcopy(record["snapshot"])
    for item in record["instalments"]:
        if item["status"] in plans.OPEN:
            item["status"] = "cancelled"
    _changed(change, record, before, booking["snapshot"]["totals"]["total"], "booking_cancelled", sca_required=False)


def change_plan(change: Change, wish: Doc) -> Doc:
    """Move due dates, revoke the mandate or sign another: {"plan_id", "due_on"?: {instalment: date}, "revoke_mandate"?}.

    "amounts"? is {instalment: minor units}: a planner corrects what the instalments ask for, so that they add up.
    "sign_mandate" is true, or what the new mandate says otherwise: {"scheme", "max_amount", "expires_on"}.
    """
    record = change.get("payment_plan", wish["plan_id"])
    before = copy.deepcopy(record["snapshot"])
    for instalment_id, due_on in wish.get("due_on", {}).items():
        instalment_of(record, instalment_id)["due_on"] = date.fromisoformat(due_on).isoformat()
    for instalment_id, amount in wish.get("amounts", {}).items():
        instalment_of(record, instalment_id)["amount"] = money(amount, before["currency"])
    cause = "date_change"
    if wish.get("revoke_mandate") and record["snapshot"]["mandate"]:
        record["snapshot"]["mandate"] = {**record["snapshot"]["mandate"], "status": "revoked"}
        cause = "mandate_revoked"
    if wish.get("sign_mandate"):
        number = change.storage.next_number("mandate", 9001)
        terms = wish["sign_mandate"] if isinstance(wish["sign_mandate"], dict) else {}
        record["snapshot"]["mandate"] = {**_mandate(change, str(number)), **terms}
        cause = "customer_request"
    total = change.get("booking", record["booking_id"])["snapshot"]["totals"]["total"]
    _changed(change, record, before, total, wish.get("cause", cause), sca_required=False)
    return record


def instalment_of(plan: Doc, instalment_id: str) -> Doc:
    for item in plan["instalments"]:
        if item["id"] == instalment_id:
            found: Doc = item
            return found
    raise Unknown(f"no instalment {instalment_id} in {plan['id']}")


def mark_instalment(change: Change, plan: Doc, instalment: Doc, **members: object) -> None:
    """Note what a charge did to an instalment. Money has its own events, so the plan's revision stays."""
    instalment.update(members)
    plan["snapshot"]["installments"] = [plans.public(item) for item in plan["instalments"]]
    change.put("payment_plan", plan)
