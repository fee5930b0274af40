"""Money that comes in, or fails to (contracts: platform-events 5.3, 5.6)."""

from __future__ import annotations

import copy
from datetime import timedelta

from sandbox.platform.amounts import Conflict, Doc, Wrong, money, percent_of, units
from sandbox.platform.bookings import modified
from sandbox.platform.change import Change
from sandbox.platform.schedules import instalment_of, mark_instalment

PROCESSORS: dict[str, tuple[str, str, str, int]] = {
    "card": ("stripe", "pi_test_", "1.50", 3),
    "bizum": ("redsys", "bz_test_", "0.80", 1),
    "sepa_dd": ("gocardless", "pm_test_", "0.00", 2),
    "transfer": ("bank", "trf_test_", "0.00", 0),
    "airplus": ("airplus", "uatp_test_", "0.00", 0),
    "cash": ("till", "csh_test_", "0.00", 0),
    "other": ("other", "oth_test_", "0.00", 0),
}
"""By method: processor, prefix of its payment references, fee in percent, days until the money is there."""


def capture_payment(change: Change, wish: Doc) -> Doc:
    """Take money: {"booking_id", "amount"? (default: what is due), "method"?, "instalment_id"?, "last4"?, …}.

    Further: "airplus_account_token" (method airplus), "initiation", "merchant_ref", "declared" (typed in by the
    planner), "payer_id", "id". Confirms a pending booking.
    """
    booking = change.get("booking", wish["booking_id"])
    currency = booking["currency"]
    plan, instalment = _instalment(change, booking, wish.get("instalment_id"))
    default = instalment["amount"] if instalment else booking["snapshot"]["totals"]["due"]
    amount = units(wish.get("amount") or default, currency)
    if amount <= 0:
        raise Conflict(f"nothing is due on {booking['id']}")
    payment = _attempt(change, booking, wish, amount, plan, instalment)
    payment |= {"captured_at": change.moment, "value_date": _value_date(change, payment["method"])}
    record: Doc = {
        "id": payment["id"],
        "revision": 1,
        "booking_id": booking["id"],
        "payment": payment,
        "refunds": [],
        "chargebacks": [],
        "updated_at": change.moment,
    }
    change.put("payment", record)
    if plan and instalment:
        attempts = int(instalment["attempts"]) + 1
        if _leaves_some(booking, plan, instalment, amount):
            mark_instalment(change, plan, instalment, status="scheduled", attempts=attempts)
        else:
            mark_instalment(change, plan, instalment, status="paid", payment_id=payment["id"], attempts=attempts)
    booking["payment_ids"].append(payment["id"])
    change.put("booking", change.retotal(booking))
    change.emit(
        "payment.captured",
        about="payment",
        record=record,
        partition=booking["id"],
        actor="processor",
        payment=payment,
    )
    if booking["snapshot"]["status"] == "pending":
        before = copy.deepcopy(booking["snapshot"])
        booking["snapshot"] |= {"status": "confirmed", "confirmed_at": change.moment}
        modified(change, booking, before, actor="platform")
    return record


def _instalment(change: Change, booking: Doc, instalment_id: str | None) -> tuple[Doc | None, Doc | None]:
    if instalment_id is None:
        return None, None
    if not booking["plan_id"]:
        raise Conflict(f"booking {booking['id']} has no plan")
    plan = change.get("payment_plan", booking["plan_id"])
    instalment = instalment_of(plan, instalment_id)
    if instalment["status"] not in ("scheduled", "failed", "processing"):
        raise Conflict(f"instalment {instalment_id} is {instalment['status']}")
    return plan, instalment


def _leaves_some(booking: Doc, plan: Doc, instalment: Doc, amount: int) -> bool:
    """Whether more is due afterwards than all the other instalments want: then this one was paid in part only."""
    others = [
        int(item["amount"]["amount"])
        for item in plan["instalments"]
        if item["id"] != instalment["id"] and item["status"] in ("scheduled", "failed", "processing")
    ]
    return int(booking["snapshot"]["totals"]["due"]["amount"]) - amount > sum(others)


def _attempt(change: Change, booking: Doc, wish: Doc, amount: int, plan: Doc | None, instalment: Doc | None) -> Doc:
    """A payment as far as it is known before the processor answers."""
    snapshot, currency = booking["snapshot"], booking["currency"]
    payment_id = change.fresh_id("payment", wish.get("id"))
    number = payment_id.removeprefix("pay_")
    method = wish.get("method", "card")
    if method not in PROCESSORS:
        raise Wrong(f"no such method: {method}")
    processor, prefix, percent, _ = PROCESSORS[method]
    fee = percent_of(amount, percent)
    initiation = wish.get("initiation", "cit")
    mandate = plan["snapshot"]["mandate"] if plan else None
    card = None
    if method in ("card", "airplus"):
        card = {"brand": "visa" if method == "card" else "airplus", "last4": wish.get("last4", "4242")}
        if wish.get("airplus_account_token"):
            card["airplus_account_token"] = wish["airplus_account_token"]
    payment: Doc = {
        "id": payment_id,
        "booking_id": booking["id"],
        "experience_id": snapshot["experience_id"],
        "payer_id": wish.get("payer_id") or snapshot["payer"]["id"],
        "amount": money(amount, currency),
        "fee": money(fee, currency),
        "net": money(amount - fee, currency),
        "method": method,
        "processor": {
            "name": processor,
            "payment_ref": f"{prefix}{number}",
            "authorization_code": f"A{number[-5:].rjust(5, '0')}",
            "merchant_ref": wish.get("merchant_ref") or f"{booking['id']}-{len(booking['payment_ids']) + 1}",
        },
        "card": card,
        "initiation": initiation,
        "sca": {"performed": initiation == "cit" and method == "card"},
        "confirmation": "declared" if wish.get("declared") else "processor",
    }
    if mandate:
        payment["sca"]["mandate_id"] = mandate["id"]
    if plan and instalment:
        payment |= {"plan_id": plan["id"], "installment_id": instalment["id"]}
    return payment


def _value_date(change: Change, method: str) -> str:
    return (change.now + timedelta(days=PROCESSORS[method][3])).date().isoformat()


FAILURES: dict[str, Doc] = {
    "soft": {"network_code": "51", "advice_code": "24", "message": "insufficient funds", "retry_allowed": True},
    "hard": {"network_code": "14", "advice_code": "03", "message": "invalid account number", "retry_allowed": False},
    "authentication_required": {"network_code": "1A", "message": "authentication required", "retry_allowed": False},
    "technical": {"message": "the issuer could not be reached", "retry_allowed": True},
}
"""What the card network says, by category."""


def fail_payment(change: Change, wish: Doc) -> Doc:
    """A payment that did not come about: as `capture_payment`, with "category" (soft, hard, …) and "attempt_no"?."""
    booking = change.get("booking", wish["booking_id"])
    category = wish.get("category", "soft")
    if category not in FAILURES:
        raise Wrong(f"no such category: {category}")
    plan, instalment = _instalment(change, booking, wish.get("instalment_id"))
    default = instalment["amount"] if instalment else booking["snapshot"]["totals"]["due"]
    payment = _attempt(
        change, booking, wish, units(wish.get("amount") or default, booking["currency"]), plan, instalment
    )
    payment |= {"fee": None, "net": None}
    attempt_no = int(instalment["attempts"]) + 1 if instalment else int(wish.get("attempt_no", 1))
    if plan and instalment:
        status = "scheduled" if category in ("soft", "technical") else "failed"
        mark_instalment(change, plan, instalment, status=status, attempts=attempt_no)
    failure = {
        "attempt": f"att_{change.storage.next_number('attempt', 1001)}",
        "attempt_no": attempt_no,
        "category": category,
        **FAILURES[category],
    }
    change.emit(
        "payment.failed",
        about="payment",
        record={"id": payment["id"], "revision": 1},
        partition=booking["id"],
        actor="processor",
        payment=payment,
        failure=failure,
    )
    return {"id": payment["id"], "payment": payment, "failure": failure}
