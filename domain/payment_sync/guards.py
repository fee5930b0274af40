"""When a move is not allowed, and the reason that the person is told (contracts: payment-sync 4, "Forbidden")."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from domain.payment_sync.events import Event, Role
from domain.payment_sync.states import PaymentSync
from domain.payment_sync.verdicts import Verdict

FRESH = timedelta(seconds=60)
"""A verdict on which a person may write into the ERP is at most this old."""
CLAIM = timedelta(minutes=30)
UNDO = timedelta(days=30)
WORDS = 10
"""An explanation has at least so many characters."""

Guard = Callable[[PaymentSync, Event], str | None]
"""None: allowed. Otherwise why not."""


def free(_: PaymentSync, __: Event) -> str | None:
    return None


def permitted(_: PaymentSync, event: Event) -> str | None:
    return None if event.permitted else event.because or "the conditions do not hold"


def unclaimed(sync: PaymentSync, event: Event) -> str | None:
    """Not claimed by somebody else, unless that claim has lapsed."""
    if sync.claimed_by in (None, event.actor):
        return None
    if sync.claimed_until is not None and sync.claimed_until <= event.at:
        return None
    return f"{sync.claimed_by} is looking at it"


def freshly_unpaid(sync: PaymentSync, event: Event) -> str | None:
    """A probe of this minute says that the ERP does not have the payment."""
    evidence = event.evidence
    if evidence is None or event.at - evidence.at > FRESH:
        return "look at the ERP first: the last look is too old"
    if evidence.verdict is not Verdict.UNPAID:
        return f"the ERP says {evidence.verdict.value}: {evidence.words}"
    if evidence.open_amount is not None and evidence.open_amount < sync.amount:
        return f"only {evidence.open_amount} are open"
    return None


def explained(sync: PaymentSync, event: Event) -> str | None:
    """A person's explanation, and a verdict of the same payment or a supervisor's second explanation."""
    if event.role not in (Role.OPERATOR, Role.SUPERVISOR) or not event.actor:
        return "only a person may say so"
    if len(event.explanation.strip()) < WORDS:
        return f"an explanation of at least {WORDS} characters is needed"
    evidence = event.evidence or sync.evidence
    if evidence is not None and evidence.verdict is Verdict.SAME_PAYMENT:
        return None
    if event.role is not Role.SUPERVISOR:
        seen = f"{evidence.verdict.value}: {evidence.words}" if evidence else "nothing yet"
        return f"the ERP shows {seen}; only a supervisor may overrule that"
    if len(event.override.strip()) < WORDS or event.override.strip() == event.explanation.strip():
        return f"overruling the ERP needs a second explanation of at least {WORDS} characters"
    return None


def paid_otherwise(sync: PaymentSync, event: Event) -> str | None:
    evidence = event.evidence or sync.evidence
    if evidence is None or evidence.verdict not in (Verdict.PAID_OTHERWISE, Verdict.INCONCLUSIVE, Verdict.NO_TARGET):
        return "the ERP does not show that something else settled the receivable"
    return None


def whole_refund(sync: PaymentSync, event: Event) -> str | None:
    if event.amount is not None and event.amount != sync.amount:
        return f"{event.amount} were refunded, {sync.amount} were to be"
    return permitted(sync, event)


def undoable(sync: PaymentSync, event: Event) -> str | None:
    if len(event.explanation.strip()) < WORDS:
        return f"an explanation of at least {WORDS} characters is needed"
    if event.at - sync.since > UNDO:
        return f"it was marked more than {UNDO.days} days ago"
    return permitted(sync, event)


def own_claim(sync: PaymentSync, event: Event) -> str | None:
    """Whoever claimed it lets it go; the system when the time of the claim is over, a supervisor always."""
    if event.role is Role.SUPERVISOR or sync.claimed_by in (None, event.actor):
        return None
    if sync.claimed_until is not None and sync.claimed_until <= event.at:
        return None
    return f"{sync.claimed_by} is looking at it"


def not_posting(sync: PaymentSync, _: Event) -> str | None:
    return "a receipt was sent already and nobody knows yet whether it arrived" if sync.posting else None


def read_back(_: PaymentSync, event: Event) -> str | None:
    """The ERP was read again and shows exactly one receipt with our key."""
    if not event.receipt_id:
        return "the ERP gave no receipt"
    return None if event.permitted else event.because or "the ERP does not show exactly one receipt of ours"


def all_of(*guards: Guard) -> Guard:
    return lambda sync, event: next((words for guard in guards if (words := guard(sync, event))), None)
