"""Payment schedules: from the experience's template, and again whenever the price moves (contracts: platform-events 5.3)."""

from __future__ import annotations

import copy
from datetime import date, timedelta

from sandbox.platform.amounts import Doc, Wrong, money, percent_of, total_of

OPEN = ("scheduled", "failed")
"""States in which an instalment may still change its amount."""
VOID = ("waived", "cancelled")
"""States that do not count in the plan's sum."""


def instalments_from(template: list[Doc], total: int, currency: str, starts_on: date, ids: list[str]) -> list[Doc]:
    """Instantiate a template for a booking of `total` minor units; exactly one balance, the last."""
    kinds = [item["kind"] for item in sorted(template, key=lambda item: int(item["seq"]))]
    if kinds.count("balance") != 1 or kinds[-1] != "balance":
        raise Wrong("a payment plan has exactly one balance, the last")
    instalments = [
        {
            "id": ids[at],
            "seq": item["seq"],
            "due_on": _due(item["due"], starts_on),
            "kind": item["kind"],
            "percent": item.get("percent"),
            "amount": item["amount"] if item["kind"] == "fixed" else money(0, currency),
            "status": "scheduled",
            "attempts": 0,
        }
        for at, item in enumerate(sorted(template, key=lambda item: int(item["seq"])))
    ]
    return balanced(instalments, total, currency)


def _due(rule: Doc, starts_on: date) -> str:
    if rule.get("on"):
        return str(rule["on"])
    return (starts_on - timedelta(days=int(rule["days_before_start"]))).isoformat()


def balanced(instalments: list[Doc], total: int, currency: str) -> list[Doc]:
    """The same instalments with amounts that add up to `total`.

    Paid ones stay. Percentages follow the price, the balance takes the difference; if that is not enough, the later
    instalments shrink first. When all were paid and the price rose, the rest becomes a new balance.
    """
    result = copy.deepcopy(instalments)
    for item in result:
        if item["status"] in OPEN and item["kind"] == "percentage":
            item["amount"] = money(percent_of(total, item["percent"]), currency)
    missing = total - total_of(item["amount"] for item in result if item["status"] not in VOID)
    if missing > 0:
        _add(result, missing, currency)
    elif missing < 0:
        _take_off(result, -missing, currency)
    return result


def _add(instalments: list[Doc], missing: int, currency: str) -> None:
    last = instalments[-1]
    if last["status"] in OPEN:
        last["amount"] = money(last["amount"]["amount"] + missing, currency)
    elif last["status"] == "waived":
        last["status"], last["amount"] = "scheduled", money(missing, currency)
    else:
        seq = int(last["seq"]) + 1
        last["kind"] = "fixed"
        instalments.append(
            {**last, "id": f"{last['id']}n{seq}", "seq": seq, "kind": "balance", "percent": None, "attempts": 0}
            | {"amount": money(missing, currency), "status": "scheduled", "payment_id": None}
        )


def _take_off(instalments: list[Doc], surplus: int, currency: str) -> None:
    for item in reversed(instalments):
        if item["status"] not in OPEN or surplus == 0:
            continue
        taken = min(surplus, int(item["amount"]["amount"]))
        item["amount"] = money(item["amount"]["amount"] - taken, currency)
        surplus -= taken
        if item["amount"]["amount"] == 0:
            item["status"] = "waived"


def public(instalment: Doc) -> Doc:
    """An instalment as the snapshot shows it: without the percentage that it was made from."""
    return {name: value for name, value in instalment.items() if name != "percent" and value is not None}


def grew(before: list[Doc], after: list[Doc]) -> bool:
    """Whether some instalment became larger or new: then the customer must agree again (strong authentication)."""
    known = {item["id"]: int(item["amount"]["amount"]) for item in before}
    return any(int(item["amount"]["amount"]) > known.get(item["id"], 0) for item in after if item["status"] in OPEN)
