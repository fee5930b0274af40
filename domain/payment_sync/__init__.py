"""Payments on their way into the ERP: states, events, verdicts and the one table of moves (contracts: payment-sync)."""

from domain.payment_sync.causes import CAUSES, cause_of
from domain.payment_sync.commands import Command, CommandOutcome, SyncView, Transition, offers, sort_failure
from domain.payment_sync.events import Event, Failing, Kind, Role
from domain.payment_sync.machine import decide, possible
from domain.payment_sync.moves import Effect, Forbidden, Move, Step
from domain.payment_sync.states import SHOWN_AS, TERMINAL, UNSYNCHRONISED, WITH_MONEY, PaymentSync, State
from domain.payment_sync.table import MOVES
from domain.payment_sync.verdicts import Evidence, Paid, Receipt, Receivable, Verdict, judge

__all__ = [
    "CAUSES",
    "MOVES",
    "SHOWN_AS",
    "TERMINAL",
    "UNSYNCHRONISED",
    "WITH_MONEY",
    "Command",
    "CommandOutcome",
    "Effect",
    "Event",
    "Evidence",
    "Failing",
    "Forbidden",
    "Kind",
    "Move",
    "Paid",
    "PaymentSync",
    "Receipt",
    "Receivable",
    "Role",
    "State",
    "Step",
    "SyncView",
    "Transition",
    "Verdict",
    "cause_of",
    "decide",
    "judge",
    "offers",
    "possible",
    "sort_failure",
]
