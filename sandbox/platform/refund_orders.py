"""The payment processor as the orchestrator asks it to give money back: an order, taken or refused, which ends later.

Two orders under one merchant_ref are two refunds: whoever is not sure whether an order arrived has to look.
"""

from __future__ import annotations

from sandbox.platform.amounts import Conflict, Doc, Wrong, money, units
from sandbox.platform.change import Change, refunded_total
from sandbox.platform.reversals import given_back

REFUNDABLE = ("card", "bizum", "sepa_dd")
"""Methods whose processor takes money back; cash, transfers and the rest go back by hand."""
OUTCOMES = ("succeeded", "pending", "failed")


def create_refund_order(change: Change, wish: Doc) -> Doc:
    """Order {"payment_id", "merchant_ref", "amount", "reason"?}; the answer says `succeeded`, `pending` or `failed`.

    Raises Conflict for more than is left, a method without a way back, a payment under dispute.
    """
    for needed in ("payment_id", "merchant_ref", "amount"):
        if not wish.get(needed):
            raise Wrong(f"a refund needs {needed}")
    record = change.get("payment", wish["payment_id"])
    payment = record["payment"]
    currency = payment["amount"]["currency"]
    amount = units(wish["amount"], currency)
    if payment["method"] not in REFUNDABLE or payment["confirmation"] == "declared":
        raise Conflict(f"{record['id']} was paid by {payment['method']}: no refund by this interface")
    if any(each["stage"] not in ("won", "lost", "accepted") for each in record["chargebacks"]):
        raise Conflict(f"{record['id']} is disputed")
    left = int(payment["amount"]["amount"]) - refunded_total(record) - _on_order(change, record["id"])
    if not 0 < amount <= left:
        raise Conflict(f"{left} are left of {record['id']}")
    outcome = _scripted(change, record["id"])
    number = change.storage.next_number("refund_order", 1001)
    order: Doc = {
        "id": f"ro_{number}",
        "merchant_ref": wish["merchant_ref"],
        "payment_id": record["id"],
        "amount": money(amount, currency),
        "reason": wish.get("reason", "goodwill"),
        "status": "pending",
        "refund_id": None,
        "message": None,
        "created_at": change.moment,
    }
    return change.put("refund_order", order if outcome == "pending" else _ended(change, order, outcome))


def settle_refund_order(change: Change, wish: Doc) -> Doc:
    """The processor ends what is pending of a payment: {"payment_id", "status": "succeeded" (default) | "failed"}."""
    waiting = [each for each in _orders(change, wish["payment_id"]) if each["status"] == "pending"]
    if not waiting:
        raise Conflict(f"no refund of {wish['payment_id']} is pending")
    return change.put("refund_order", _ended(change, waiting[0], wish.get("status", "succeeded")))


def script_refund_orders(change: Change, wish: Doc) -> Doc:
    """What the next orders for a payment answer: {"payment_id", "outcomes": ["pending", "failed", "succeeded"]}."""
    outcomes = list(wish["outcomes"])
    wrong = [outcome for outcome in outcomes if outcome not in OUTCOMES]
    if wrong:
        raise Wrong(f"no such outcome: {wrong[0]}")
    return change.put("script", {"id": f"refunds of {wish['payment_id']}", "outcomes": outcomes})


def _ended(change: Change, order: Doc, status: str) -> Doc:
    if status == "failed":
        return {**order, "status": "failed", "message": "expired_or_canceled_card"}
    if status != "succeeded":
        raise Wrong(f"no such end: {status}")
    record = change.get("payment", order["payment_id"])
    told = given_back(change, record, {"cause": order["reason"], "status": "succeeded"}, order["amount"])
    change.put("booking", change.retotal(change.get("booking", record["booking_id"])))
    return {**order, "status": "succeeded", "refund_id": told["id"]}


def _orders(change: Change, payment_id: str) -> list[Doc]:
    return [each for each in change.storage.every("refund_order") if each["payment_id"] == payment_id]


def _on_order(change: Change, payment_id: str) -> int:
    pending = (each for each in _orders(change, payment_id) if each["status"] == "pending")
    return sum(int(each["amount"]["amount"]) for each in pending)


def _scripted(change: Change, payment_id: str) -> str:
    script = change.find("script", f"refunds of {payment_id}")
    if not script or not script["outcomes"]:
        return "succeeded"
    outcome = str(script["outcomes"].pop(0))
    change.put("script", script)
    return outcome
