"""Money that goes back: refunds and disputes (contracts: platform-events 5.6)."""

from __future__ import annotations

from sandbox.platform.amounts import Conflict, Doc, money, units
from sandbox.platform.change import Change, payment_ref, refunded_total
from sandbox.platform.schedules import instalment_of, mark_instalment


def refund(change: Change, wish: Doc) -> Doc:
    """Give money back: {"payment_id" | "booking_id", "amount"? (default: what is owed), "cause", "cancellation_id"?}.

    By booking the amount is spread over its payments, oldest first, one event each. "status" is `declared` unless
    the processor confirms it (`succeeded`); "by_hand" leaves the processor's reference out; "undeclared" is a refund that
    the processor shows and no planner registered.
    """
    booking_id = wish.get("booking_id") or change.get("payment", wish["payment_id"])["booking_id"]
    booking = change.get("booking", booking_id)
    owed = -int(booking["snapshot"]["totals"]["due"]["amount"])
    rest = units(wish["amount"], booking["currency"]) if wish.get("amount") else owed
    if rest <= 0:
        raise Conflict(f"nothing is owed to the payer of {booking_id}")
    payment_ids = [wish["payment_id"]] if wish.get("payment_id") else booking["payment_ids"]
    made = []
    for payment_id in payment_ids:
        record = change.get("payment", payment_id)
        part = min(rest, int(record["payment"]["amount"]["amount"]) - refunded_total(record))
        if part > 0:
            made.append(given_back(change, record, wish, money(part, booking["currency"])))
            rest -= part
    if rest:
        raise Conflict(f"{rest} more than was paid")
    change.put("booking", change.retotal(booking))
    return {"id": made[0]["id"], "refunds": made}


def given_back(change: Change, record: Doc, wish: Doc, amount: Doc) -> Doc:
    """One refund of one payment as its event tells it."""
    given = {
        "id": f"ref_{change.storage.next_number('refund', 1001)}",
        "payment_id": record["id"],
        "booking_id": record["booking_id"],
        "amount": amount,
        "cause": wish.get("cause", "goodwill"),
        "destination": wish.get("destination", "original_method"),
        "status": wish.get("status", "declared"),
        "processor": {"name": record["payment"]["processor"]["name"]},
        "requested_at": change.moment,
        "settled_at": change.moment,
        "category": "Devolución TPV",
    }
    if wish.get("undeclared"):
        given |= {"status": "succeeded", "category": None}
    if wish.get("cancellation_id"):
        given["cancellation_id"] = wish["cancellation_id"]
    if not wish.get("by_hand"):
        given["processor"]["refund_ref"] = f"re_test_{given['id'].removeprefix('ref_')}"
    record["refunds"].append(given)
    _moved(change, record)
    change.emit(
        "payment.refunded",
        about="payment",
        record=record,
        partition=record["booking_id"],
        actor="processor" if wish.get("undeclared") else "planner",
        refund=given,
        payment_ref=payment_ref(record),
    )
    return given


def confirm_refund(change: Change, wish: Doc) -> Doc:
    """The processor shows a refund that a planner declared: {"payment_id", "refund_id"}."""
    record = change.get("payment", wish["payment_id"])
    given = next((item for item in record["refunds"] if item["id"] == wish["refund_id"]), None)
    if given is None or given.get("failed") or given["status"] != "declared":
        raise Conflict(f"no declared refund {wish['refund_id']}")
    given["status"] = "succeeded"
    _moved(change, record)
    change.emit(
        "payment.refunded",
        about="payment",
        record=record,
        partition=record["booking_id"],
        actor="processor",
        refund=given,
        payment_ref=payment_ref(record),
    )
    return record


def fail_refund(change: Change, wish: Doc) -> Doc:
    """A refund that was announced comes back: {"payment_id", "refund_id"}."""
    record = change.get("payment", wish["payment_id"])
    given = next((item for item in record["refunds"] if item["id"] == wish["refund_id"]), None)
    if given is None or given.get("failed"):
        raise Conflict(f"no refund {wish['refund_id']} that could fail")
    shown = dict(given)
    given["failed"] = True
    _moved(change, record)
    change.emit(
        "payment.refund_failed",
        about="payment",
        record=record,
        partition=record["booking_id"],
        actor="processor",
        refund=shown,
        failure={
            "attempt": f"att_{change.storage.next_number('attempt', 1001)}",
            "attempt_no": 1,
            "category": "hard",
            "message": "expired_or_canceled_card",
            "retry_allowed": False,
        },
    )
    change.put("booking", change.retotal(change.get("booking", record["booking_id"])))
    return record


def chargeback(change: Change, wish: Doc) -> Doc:
    """One stage of a dispute: {"payment_id", "stage", "chargeback_id"?, "amount"?, "kind"?, "reason_code"?, "fee"?}.

    Further: "evidence_due_by", the bank's deadline.
    """
    record = change.get("payment", wish["payment_id"])
    dispute = next((item for item in record["chargebacks"] if item["id"] == wish.get("chargeback_id")), None)
    if dispute is None:
        kind = wish.get("kind", "card_dispute")
        dispute = {
            "id": f"cbk_{change.storage.next_number('chargeback', 1001)}",
            "payment_id": record["id"],
            "booking_id": record["booking_id"],
            "amount": wish.get("amount") or record["payment"]["amount"],
            "kind": kind,
            "reason_code": wish.get("reason_code", "13.7" if kind == "card_dispute" else "MD06"),
            "opened_at": change.moment,
            "withdrawn": False,
        }
        record["chargebacks"].append(dispute)
    dispute |= {"stage": wish["stage"], "withdrawn": dispute["withdrawn"] or wish["stage"] == "funds_withdrawn"}
    for name in ("fee", "evidence_due_by"):
        if wish.get(name):
            dispute[name] = wish[name]
    if wish["stage"] in ("won", "lost", "accepted"):
        dispute["closed_at"] = change.moment
    if dispute["kind"].startswith("sepa_") and wish["stage"] == "funds_withdrawn":
        _wanted_again(change, record)
    _moved(change, record)
    change.emit(
        "payment.chargeback",
        about="payment",
        record=record,
        partition=record["booking_id"],
        actor="processor",
        chargeback={name: value for name, value in dispute.items() if name != "withdrawn"},
        payment_ref=payment_ref(record),
    )
    change.put("booking", change.retotal(change.get("booking", record["booking_id"])))
    return record


def _wanted_again(change: Change, record: Doc) -> None:
    """A debit that came back paid nothing: its instalment may be charged once more."""
    payment = record["payment"]
    if payment.get("plan_id"):
        plan = change.get("payment_plan", payment["plan_id"])
        mark_instalment(change, plan, instalment_of(plan, payment["installment_id"]), status="failed", payment_id=None)


def _moved(change: Change, record: Doc) -> None:
    change.bump(record)
    record["updated_at"] = change.moment
    change.put("payment", record)
