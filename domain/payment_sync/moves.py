"""What a move is: one row of the table, what it asks for, and the step that it makes (contracts: payment-sync 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain.payment_sync.events import Event, Kind, Role
from domain.payment_sync.guards import Guard, free
from domain.payment_sync.states import PaymentSync, State


class Effect(StrEnum):
    """What a move asks of the workflow."""

    PROBE = "probe"
    POST = "post_receipt"
    WAIT = "wait_and_start"
    PROBE_LATER = "probe_later"
    STOP_TIMERS = "stop_timers"
    OPEN_BREAKER = "open_breaker"
    ALERT_CREDENTIALS = "alert_credentials"
    ALERT_LATE = "alert_late_payment"
    ALERT_OPERATOR = "alert_operator"
    ASK = "ask_customer"
    REMIND = "remind_customer"
    PROPOSE_REFUND = "propose_refund"
    POST_CREDIT = "post_credit"
    REQUEST_REFUND = "request_refund"
    TELL_CUSTOMER = "tell_customer"
    REVERSE = "reverse_in_erp"


class Forbidden(Exception):
    """A move that is not allowed; the text is for whoever asked for it."""


When = Callable[[PaymentSync, Event], bool]
Keeps = Callable[[PaymentSync, Event], Mapping[str, Any]]
Target = State | Callable[[PaymentSync, Event], State]


def always(_: PaymentSync, __: Event) -> bool:
    return True


def nothing(_: PaymentSync, __: Event) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Move:
    """One row. `when` picks among rows of one state and event, `guard` refuses, `keeps` is what the payment remembers."""

    number: int
    of: frozenset[State]
    on: Kind
    to: Target
    by: frozenset[Role]
    when: When = always
    guard: Guard = free
    effects: tuple[Effect, ...] = ()
    keeps: Keeps = nothing

    def target(self, sync: PaymentSync, event: Event) -> State:
        return self.to if isinstance(self.to, State) else self.to(sync, event)


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the transition log to be: the payment before and after, what to do, and the number of the row."""

    number: int
    before: PaymentSync
    after: PaymentSync
    effects: tuple[Effect, ...]
