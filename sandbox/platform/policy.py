"""What a cancellation costs and what goes back (contracts: platform-events 5.5, money-rules 1.4)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sandbox.platform.amounts import Doc, money, percent_of

REFUND_DAYS = 14
"""Calendar days after the end of a package-travel contract within which the money must be back."""

FREE_CAUSES = frozenset(
    {"unavoidable_circumstances", "min_travellers", "significant_change_refused", "withdrawal_14d", "error"}
)
"""Causes for which the law leaves no penalty."""


def tier_for(policy: Doc, starts_on: date, on: date) -> Doc | None:
    """The tier of the policy that applies `on` that local day: the first whose lead time is still kept."""
    days = (starts_on - on).days
    tiers: list[Doc] = sorted(policy.get("tiers", ()), key=lambda tier: -int(tier["from_days_before_start"]))
    return next((tier for tier in tiers if days >= int(tier["from_days_before_start"])), tiers[-1] if tiers else None)


def penalty_of(tier: Doc | None, base: int) -> int:
    """Minor units that the tier takes of `base`, never more than `base`."""
    if tier is None:
        return 0
    rule = tier["penalty"]
    if rule.get("amount") is not None:
        return min(int(rule["amount"]["amount"]), base)
    return min(percent_of(base, rule["percent"]), base)


def applied_tier(tier: Doc | None) -> Doc | None:
    """The evidence form of a tier: its lead time with its percent or amount."""
    if tier is None:
        return None
    rule = {name: tier["penalty"][name] for name in ("percent", "amount") if tier["penalty"].get(name) is not None}
    return {"from_days_before_start": tier["from_days_before_start"], **rule}


def refund_amount(captured: int, refunded: int, disputed: int, total_after: int) -> int:
    """What the payer gets back: a penalty above what was captured leaves a debt, not a negative refund."""
    return max(0, captured - refunded - disputed - total_after)


def refund_decision(decided: bool, amount: int, currency: str, effective_at: datetime) -> Doc:
    deadline = effective_at + timedelta(days=REFUND_DAYS)
    return {
        "decided": decided,
        "amount": money(amount, currency) if decided else None,
        "deadline": deadline.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
