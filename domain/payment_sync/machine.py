"""How the table is read: a payment and an event go in, the payment after it and what to do come out (payment-sync 4).

Pure and total: whatever event meets whatever state, the answer is a `Step` or `Forbidden` with the reason.
"""

from __future__ import annotations

from typing import Any

from domain.payment_sync.events import Event, Kind
from domain.payment_sync.moves import Forbidden, Step
from domain.payment_sync.states import PaymentSync, State
from domain.payment_sync.table import MOVES


def decide(sync: PaymentSync, event: Event) -> Step:
    """The move that this event makes of this payment. Raises `Forbidden`."""
    rows = [move for move in MOVES if sync.state in move.of and event.kind is move.on]
    move = next((row for row in rows if row.when(sync, event)), None)
    if move is None:
        raise Forbidden(f"{event.kind.value} is not possible while a payment is {sync.state.value}")
    if event.role not in move.by:
        raise Forbidden(f"{event.kind.value} is not for a {event.role.value}")
    if event.version is not None and event.version != sync.version:
        raise Forbidden(f"the payment has moved on meanwhile (version {sync.version}, you saw {event.version})")
    refusal = move.guard(sync, event)
    if refusal is not None:
        raise Forbidden(refusal)
    state = move.target(sync, event)
    changes: dict[str, Any] = {"state": state, "version": sync.version + 1}
    if state is not sync.state:
        changes["since"] = event.at
    if state is not State.IN_REVIEW:
        changes |= {"claimed_by": None, "claimed_until": None, "returns_to": None}
    if event.evidence is not None:
        changes["evidence"] = event.evidence
    changes |= move.keeps(sync, event)
    return Step(move.number, sync, sync.model_copy(update=changes), move.effects)


def possible(sync: PaymentSync) -> frozenset[Kind]:
    """The events that have a row in this state, whatever their guards say."""
    return frozenset(move.on for move in MOVES if sync.state in move.of)
