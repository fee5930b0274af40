"""Totals of a booking that add up to the cent (contracts: platform-events 5.3)."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.platform.amounts import Doc, Wrong, money, percent_of, total_of


@dataclass(frozen=True)
class Moved:
    """Money that moved for a booking so far, minor units: captured, given back, withdrawn by disputes."""

    captured: int = 0
    refunded: int = 0
    disputed: int = 0


def gross_of(lines: list[Doc]) -> int:
    """What the active lines sell for; a cancelled line counts zero."""
    return total_of(line["total"] for line in lines if line["status"] == "active")


def cost_of(lines: list[Doc]) -> int:
    """What all lines cost; on a cancelled line this is the supplier's charge."""
    return total_of(line["cost"]["total"] for line in lines)


def discounts_that_stand(discounts: list[Doc], lines: list[Doc]) -> list[Doc]:
    """Without those whose lines are all cancelled."""
    active = {line["id"] for line in lines if line["status"] == "active"}
    return [
        discount
        for discount in discounts
        if (discount["line_id"] in active if discount["scope"] == "line" else bool(active))
    ]


def discount_amount(kind: str, value: object, base: int, currency: str) -> int:
    """Minor units that a discount takes off `base`; `value` is Money or a percentage like "10.00"."""
    amount = percent_of(base, str(value)) if kind == "percentage" else _units_of(value, currency)
    if amount <= 0 or amount > base:
        raise Wrong(f"a discount of {amount} on {base} is not possible")
    return amount


def _units_of(value: object, currency: str) -> int:
    if not isinstance(value, dict) or value.get("currency") != currency:
        raise Wrong("a discount by amount needs Money in the booking's currency")
    return int(value["amount"])


def totals_of(booking: Doc, cancellations: list[Doc], moved: Moved, currency: str) -> Doc:
    """The totals of a booking snapshot; raises Wrong if the total would be negative."""
    gross = gross_of(booking["lines"])
    discount = total_of(entry["amount"] for entry in booking["discounts"])
    penalty = total_of(entry["penalty"]["amount"] for entry in cancellations)
    total = gross - discount + penalty
    if total < 0:
        raise Wrong(f"the total would be {total}: discounts exceed what is sold")
    cost = cost_of(booking["lines"])
    amounts = {
        "gross": gross,
        "discount": discount,
        "penalty": penalty,
        "total": total,
        "cost": cost,
        "margin": total - cost,
        "captured": moved.captured,
        "refunded": moved.refunded,
        "disputed": moved.disputed,
        "due": total - moved.captured + moved.refunded + moved.disputed,
    }
    return {name: money(amount, currency) for name, amount in amounts.items()}
