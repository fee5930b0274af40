"""The payment processor as the orchestrator calls it: charge an instalment under its mandate, once per merchant_ref."""

from __future__ import annotations

from sandbox.platform.amounts import Conflict, Doc, Wrong, units
from sandbox.platform.change import Change
from sandbox.platform.payments import FAILURES, capture_payment, fail_payment
from sandbox.platform.schedules import instalment_of


def create_charge(change: Change, wish: Doc) -> Doc:
    """Charge {"plan_id", "installment_id", "merchant_ref", "amount"}; the same merchant_ref answers the same charge.

    A decline is an answer, not an error: status `declined` with its `failure`. Raises Conflict if the merchant_ref was
    used for something else, or the instalment is paid or no longer wanted.
    """
    for needed in ("plan_id", "installment_id", "merchant_ref", "amount"):
        if not wish.get(needed):
            raise Wrong(f"a charge needs {needed}")
    request = {name: wish[name] for name in ("plan_id", "installment_id", "amount")}
    known = change.find("charge", wish["merchant_ref"])
    if known is not None:
        if known["request"] != request:
            raise Conflict(f"merchant_ref {wish['merchant_ref']} was used for another charge")
        return known
    plan = change.get("payment_plan", wish["plan_id"])
    instalment = instalment_of(plan, wish["installment_id"])
    if plan["snapshot"]["collection"] != "automatic":
        raise Wrong(f"plan {plan['id']} is collected on notice")
    if instalment["status"] not in ("scheduled", "failed"):
        raise Conflict(f"instalment {instalment['id']} is {instalment['status']}")
    if units(wish["amount"], plan["snapshot"]["currency"]) > int(instalment["amount"]["amount"]):
        # Less is in order: money without a name may have paid a part (money-rules F-P15, F-P16).
        raise Wrong(f"instalment {instalment['id']} amounts to {instalment['amount']['amount']}")
    charge: Doc = {
        "id": wish["merchant_ref"],
        "request": request,
        "charge": {
            "id": f"ch_{change.storage.next_number('charge', 1001)}",
            "merchant_ref": wish["merchant_ref"],
            **request,
            "created_at": change.moment,
            **_outcome(change, plan, instalment, wish),
        },
    }
    return change.put("charge", charge)


def _outcome(change: Change, plan: Doc, instalment: Doc, wish: Doc) -> Doc:
    payment = {
        "booking_id": plan["booking_id"],
        "instalment_id": instalment["id"],
        "amount": wish["amount"],
        "merchant_ref": wish["merchant_ref"],
        "method": plan["snapshot"]["method"],
        "initiation": "mit",
    }
    mandate = plan["snapshot"]["mandate"]
    category = "hard" if mandate is None or mandate["status"] != "active" else _scripted(change, plan, instalment)
    if category is None:
        record = capture_payment(change, payment)
        return {"status": "captured", "payment_id": record["id"], "failure": None}
    failed = fail_payment(change, {**payment, "category": category})
    return {"status": "declined", "payment_id": None, "failure": failed["failure"]}


def _scripted(change: Change, plan: Doc, instalment: Doc) -> str | None:
    """The next decline that was scripted for this instalment, or for its plan; None lets the charge pass."""
    for target in (instalment["id"], plan["id"]):
        script = change.find("script", target)
        if script and script["outcomes"]:
            outcome = str(script["outcomes"].pop(0))
            change.put("script", script)
            return None if outcome == "captured" else outcome
    return None


def script_charges(change: Change, wish: Doc) -> Doc:
    """What the next charges answer: {"target": instalment or plan id, "outcomes": ["soft", "captured", "hard"]}."""
    outcomes = list(wish["outcomes"])
    wrong = [outcome for outcome in outcomes if outcome not in (*FAILURES, "captured")]
    if wrong:
        raise Wrong(f"no such outcome: {wrong[0]}")
    return change.put("script", {"id": wish["target"], "outcomes": outcomes})
