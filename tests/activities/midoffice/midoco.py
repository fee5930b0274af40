"""What a test wants to know of the MIDOCO stand-in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.midoffice.accounts import MidOfficeAccount
from sandbox.midoco.stand_in import MidocoStandIn


@dataclass
class Midoco:
    stand_in: MidocoStandIn
    url: str
    section: dict[str, Any]
    account: MidOfficeAccount

    @property
    def orders(self) -> list[dict[str, Any]]:
        return list(self.stand_in.state()["orders"])

    @property
    def bookings(self) -> dict[str, dict[str, Any]]:
        return {held["booking-id"]: held for held in self.stand_in.state()["bookings"]}

    @property
    def payments(self) -> list[dict[str, Any]]:
        return [payment for order in self.orders for payment in order["payments"]]

    def calls(self, operation: str) -> int:
        return sum(call["operation"] == operation for call in self.stand_in.calls)

    def fault(self, operation: str, kind: str, **more: Any) -> None:
        self.stand_in.faults.set({"operation": operation, "kind": kind, **more})


def failure(caught: pytest.ExceptionInfo[ApplicationError]) -> str | None:
    """The class of the adapter error behind a Temporal failure."""
    return caught.value.type
