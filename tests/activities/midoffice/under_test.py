"""A mid-office as the conformance suite sees it: what each system's file in `systems/` has to provide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, NamedTuple, TypeVar

from temporalio.exceptions import ApplicationError

from activities.midoffice.accounts import MidOfficeAccount
from domain.errors import BackOfficeError
from sandbox.serving import StandIn

T = TypeVar("T")
Deed = Literal["create", "change", "cancel", "pay", "find"]


class Held(NamedTuple):
    """A booking as the stand-in holds it, in the canonical record's words; `price` is what the customer pays."""

    status: Literal["REQUESTED", "CONFIRMED", "CANCELLED"]
    price: Decimal
    cost: Decimal
    persons: int
    revision: int


class Paid(NamedTuple):
    transaction_id: str
    amount: Decimal
    currency: str


@dataclass
class UnderTest:
    """`operations` names each deed as the stand-in's fault board knows it. `stranger` are the settings with which the
    system does not let us in. `time_passes` lets the system do what it does by itself between two looks of ours
    (acknowledge files, for instance).
    """

    name: str
    stand_in: StandIn
    section: dict[str, Any]
    operations: Mapping[Deed, str]
    stranger: Mapping[str, Any]
    held: Callable[[], dict[str, Held]]
    """By supplier booking id."""
    paid: Callable[[], list[Paid]]
    time_passes: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.account = MidOfficeAccount.open(self.section)

    def opened(self, **changes: Any) -> MidOfficeAccount:
        """An account with other settings."""
        return MidOfficeAccount.open({**self.section, **changes})

    def fault(self, deed: Deed, kind: str, **more: Any) -> None:
        self.stand_in.faults.set({"operation": self.operations[deed], "kind": kind, **more})

    def calls(self, *deeds: Deed) -> int:
        """How often the stand-in was asked for these deeds; for anything, if none is named."""
        wanted = {self.operations[deed] for deed in deeds}
        return sum(not wanted or call["operation"] in wanted for call in self.stand_in.calls)

    def insist(self, call: Callable[[], T], attempts: int = 60) -> T:
        """Come back as Temporal and the lifecycles would, without their pauses; raises what Temporal would not retry."""
        for _ in range(attempts - 1):
            try:
                result = call()
                if not getattr(result, "awaiting", ()):
                    return result
            except ApplicationError as error:
                if error.non_retryable:
                    raise
            except BackOfficeError as error:
                if not error.automatic_retry:
                    raise
            self.time_passes()
        return call()
