"""Which row an event picks, and what the payment remembers of it (contracts: payment-sync 3 and 4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from domain.payment_sync.events import Event, Failing
from domain.payment_sync.guards import CLAIM
from domain.payment_sync.moves import Keeps, When
from domain.payment_sync.states import PaymentSync, State
from domain.payment_sync.verdicts import Verdict

RETRIES = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
"""Waits before the next attempt after a transient failure; after the last of them a person is asked."""
PROBES = (timedelta(minutes=5), timedelta(hours=1), *[timedelta(days=1)] * 5)
"""Waits before each look for a receipt whose sending had no clear end."""
REVERSED, UNDONE = "reversed in ERP", "manual mark undone"
"""Reasons of payments that were settled once."""
APART = timedelta(minutes=5)
"""Two looks that found nothing count as an answer when they are at least this far apart."""


def says(*verdicts: Verdict) -> When:
    return lambda _, event: event.evidence is not None and event.evidence.verdict in verdicts


def fails(*kinds: Failing) -> When:
    return lambda _, event: event.failing in kinds


def on_day(*days: int) -> When:
    return lambda _, event: event.day in days


def ours(_: PaymentSync, event: Event) -> bool:
    """The receipt in the ERP carries our key."""
    return event.evidence is not None and event.evidence.verdict is Verdict.SAME_PAYMENT and event.evidence.ours


def may_retry(sync: PaymentSync, event: Event) -> bool:
    return event.failing is Failing.TRANSIENT and sync.failures < len(RETRIES)


def absent_twice(sync: PaymentSync, event: Event) -> bool:
    """This look and an earlier one, far enough apart, found the receivable unpaid."""
    found_nothing = event.evidence is not None and event.evidence.verdict is Verdict.UNPAID
    return found_nothing and sync.absent_since is not None and event.at - sync.absent_since >= APART


def posted(sync: PaymentSync, _: Event) -> bool:
    """A receipt of this payment stands in the ERP."""
    return sync.receipt_id is not None


def back(sync: PaymentSync, _: Event) -> State:
    return sync.returns_to or State.UNSYNCED


def captured(_: PaymentSync, event: Event) -> Mapping[str, Any]:
    return {"captured_at": event.at}


def posting(_: PaymentSync, __: Event) -> Mapping[str, Any]:
    return {"posting": True, "absent_since": None}


def synced(_: PaymentSync, event: Event) -> Mapping[str, Any]:
    found = event.evidence.receipt_id if event.evidence else None
    return {"receipt_id": event.receipt_id or found, "posting": False, "absent_since": None, "failures": 0} | _quiet()


def suggesting(suggestion: str) -> Keeps:
    def keeps(_: PaymentSync, event: Event) -> Mapping[str, Any]:
        words = event.failing.value if event.failing else event.evidence.words if event.evidence else event.text
        return {"reason": words, "suggestion": suggestion}

    return keeps


def failed(suggestion: str) -> Keeps:
    """The ERP answered: nothing of ours is under way any more."""

    def keeps(sync: PaymentSync, event: Event) -> Mapping[str, Any]:
        return {"posting": False, "failures": 0, **suggesting(suggestion)(sync, event)}

    return keeps


def counted(sync: PaymentSync, event: Event) -> Mapping[str, Any]:
    """Failed before anything could be written."""
    return {"failures": sync.failures + 1, "posting": False, "reason": event.failing.value if event.failing else ""}


def held(_: PaymentSync, event: Event) -> Mapping[str, Any]:
    """Nothing was tried: the breaker is open, or another payment of the receivable is being written."""
    return {"reason": event.text}


def absent(sync: PaymentSync, event: Event) -> Mapping[str, Any]:
    return {"absent_since": sync.absent_since or event.at}


def gone(_: PaymentSync, __: Event) -> Mapping[str, Any]:
    """Looked for twice and not there: what was sent never arrived."""
    return {"absent_since": None, "posting": False}


def claimed(sync: PaymentSync, event: Event) -> Mapping[str, Any]:
    returns_to = sync.returns_to if sync.state is State.IN_REVIEW else sync.state
    return {"returns_to": returns_to, "claimed_by": event.actor or None, "claimed_until": event.at + CLAIM}


def split(sync: PaymentSync, event: Event) -> Mapping[str, Any]:
    """To be looked at by whoever comes first."""
    returns_to = State.UNSYNCED if sync.state is State.SYNCING else sync.state
    return {"returns_to": returns_to, "claimed_by": None, "claimed_until": None, **suggesting("part")(sync, event)}


def told(_: PaymentSync, event: Event) -> Mapping[str, Any]:
    parts = [text for text in (event.explanation, event.override) if text]
    return {"explanation": " / ".join(parts), "posting": False} | _quiet()


def asked(_: PaymentSync, event: Event) -> Mapping[str, Any]:
    return {"asked_at": event.at}


def case(sync: PaymentSync, event: Event) -> Mapping[str, Any]:
    return {"case_id": event.case_id or sync.case_id} | _quiet()


def credited(_: PaymentSync, event: Event) -> Mapping[str, Any]:
    return {"receipt_id": event.receipt_id} | _quiet()


def reversed_in_erp(_: PaymentSync, __: Event) -> Mapping[str, Any]:
    return {"receipt_id": None, "reason": REVERSED, "suggestion": "sync_now"}


def undone(_: PaymentSync, event: Event) -> Mapping[str, Any]:
    return {"explanation": event.explanation, "reason": UNDONE}


def _quiet() -> dict[str, Any]:
    return {"reason": "", "suggestion": ""}
