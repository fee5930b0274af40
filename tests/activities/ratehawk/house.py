"""RateHawk's stand-in behind a socket, with a clock that a test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from activities.ratehawk.settings import RateHawkAccount
from sandbox.ratehawk.stand_in import API_KEY, KEY_ID, RateHawkStandIn

BEGAN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = BEGAN

    def __call__(self) -> datetime:
        return self.now

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)


class House:
    """The stand-in, its clock, and where it listens."""

    def __init__(self, stand_in: RateHawkStandIn, clock: Clock, url: str) -> None:
        self.stand_in = stand_in
        self.orders = stand_in.orders
        self.clock = clock
        self.url = url

    def section(self, **more: Any) -> dict[str, Any]:
        return {"url": self.url, "key_id": KEY_ID, "api_key": API_KEY, **more}

    def account(self, **more: Any) -> RateHawkAccount:
        return RateHawkAccount.open(self.section(**more))

    def place(self, partner_order_id: str, **more: Any) -> dict[str, Any]:
        """A confirmed order of three nights in May 2027, free to cancel until three days before."""
        wish = {
            "partner_order_id": partner_order_id,
            "checkin": "2027-05-10",
            "checkout": "2027-05-13",
            "amount": "312.40",
        }
        return self.orders.place(wish | more)

    def fault(self, operation: str, kind: str, **more: Any) -> None:
        self.stand_in.faults.set({"operation": operation, "kind": kind, **more})

    def calls(self, operation: str) -> int:
        return sum(call["operation"] == operation for call in self.stand_in.calls)
