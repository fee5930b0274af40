"""The breaker of one connector: when nobody writes into an ERP, and how it is found out that one may again (payment-sync 3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from domain.payment_sync.events import Failing

WINDOW = timedelta(minutes=10)
MANY = 5
"""So many payments that fail alike within the window are one trouble, whatever else succeeds."""
FEW, SHARE = 2, 5
"""So few are it, too, when they are more than one in `SHARE` of all payments at work in the window."""
OUT_OF_REACH = frozenset({Failing.TRANSIENT, Failing.UNKNOWN, Failing.CONTRACT, Failing.AUTH})
"""Classes that say something of the ERP; a business refusal says something of one payment."""
WAITS = frozenset({Failing.TRANSIENT, Failing.UNKNOWN})
"""Classes in which payments wait where they are; behind the others they go to a person without a call."""
LOOKS = tuple(timedelta(seconds=each) for each in (10, 20, 40, 80, 160, 300))
"""Waits between two looks at an ERP that is away; the last one is repeated."""
CONTRACT_LOOK = timedelta(minutes=30)
"""Between two looks at an ERP that does not understand us, or does not let us in."""


class Phase(StrEnum):
    """Closed: payments pass. Open: none does. Trying: one does, to see how it fares."""

    CLOSED = "closed"
    OPEN = "open"
    TRYING = "trying"


class Failure(BaseModel):
    """One payment that could not be synchronised, and why."""

    model_config = ConfigDict(frozen=True)

    payment_id: str
    at: datetime
    failing: Failing
    words: str = ""


class Breaker(BaseModel):
    """`by` and `explanation` are of whoever opened or closed it last; `trying` is the payment that is let through.

    `drift`: the ERP's contract is not the one that was accepted, which no look mends. `away`: the last look did not get
    through. `looks` counts the looks since the trouble began, `look_at` is when the next one is due.
    """

    model_config = ConfigDict(frozen=True)

    agency: str
    connector: str
    phase: Phase = Phase.CLOSED
    version: int = 0
    since: datetime | None = None
    failing: Failing | None = None
    words: str = ""
    by: str = ""
    explanation: str = ""
    drift: bool = False
    away: bool = False
    looks: int = 0
    look_at: datetime | None = None
    trying: str = ""
    failures: tuple[Failure, ...] = ()

    @property
    def is_closed(self) -> bool:
        return self.phase is Phase.CLOSED

    def heard(self, failure: Failure, at_work: int) -> Breaker:
        """A payment failed; `at_work` payments moved within the window."""
        kept = [each for each in self.failures if failure.at - each.at <= WINDOW and each != failure]
        after = self._changed(failures=(*kept, failure)[-100:])
        if after.look_at is None and failure.failing in OUT_OF_REACH:
            # A system that could not be read is looked at soon; one that did not understand, at once.
            soon = LOOKS[0] if failure.failing in WAITS else timedelta()
            after = after._changed(look_at=failure.at + soon)
        if not after.is_closed or failure.failing not in OUT_OF_REACH:
            return after
        alike = {each.payment_id for each in after.failures if each.failing is failure.failing}
        if failure.failing is Failing.CONTRACT or is_mass(len(alike), at_work):
            words = f"{len(alike)} payments: {failure.words}" if len(alike) > 1 else failure.words
            return after.opened(failure.failing, words, failure.at)
        return after

    def opened(self, failing: Failing, words: str, at: datetime, *, drift: bool = False) -> Breaker:
        """No payment passes until the ERP is found in order."""
        return self._changed(
            phase=Phase.OPEN,
            since=at,
            failing=failing,
            words=words,
            by="system",
            explanation="",
            drift=drift,
            looks=0,
            look_at=None if drift else at + (LOOKS[0] if failing in WAITS else timedelta()),
            trying="",
        )

    def opened_by(self, person: str, why: str, at: datetime) -> Breaker:
        """What a person opens, a person closes: nobody looks meanwhile."""
        return self._changed(
            phase=Phase.OPEN, since=at, failing=None, words="", by=person, explanation=why, look_at=None, trying=""
        )

    def closed(self, by: str, why: str, at: datetime) -> Breaker:
        return self._changed(
            phase=Phase.CLOSED,
            since=at,
            failing=None,
            words="",
            by=by,
            explanation=why,
            drift=False,
            away=False,
            looks=0,
            look_at=None,
            trying="",
            failures=(),
        )

    def letting(self, payment_id: str) -> Breaker:
        return self._changed(phase=Phase.TRYING, trying=payment_id)

    def looked_in_vain(self, words: str, at: datetime, *, away: bool) -> Breaker:
        """A look, or the payment that was let through, did not succeed; the next one comes later."""
        waits = self.failing in WAITS or self.failing is None
        wait = LOOKS[min(self.looks, len(LOOKS) - 1)] if waits else CONTRACT_LOOK
        phase = Phase.CLOSED if self.is_closed else Phase.OPEN
        return self._changed(
            phase=phase, trying="", looks=self.looks + 1, look_at=at + wait, words=words or self.words, away=away
        )

    def looked(self, at: datetime) -> Breaker:
        """It answers: whoever failed alone goes on by its own timer, and nobody looks until somebody fails again."""
        return self._changed(away=False, looks=0, look_at=None, words="" if self.is_closed else self.words)

    def _changed(self, **values: object) -> Breaker:
        return self.model_copy(update={"version": self.version + 1, **values})


def is_mass(failed: int, at_work: int) -> bool:
    """Whether so many payments that fail alike are one trouble of the ERP and not each its own."""
    return failed >= MANY or (failed >= FEW and failed * SHARE > at_work)


def why_held(breaker: Breaker, payment_id: str) -> str:
    """Why a payment may not pass; empty when it may."""
    if breaker.is_closed or (breaker.phase is Phase.TRYING and breaker.trying == payment_id):
        return ""
    who = f"{breaker.by}: {breaker.explanation}" if breaker.failing is None else breaker.words
    return f"the breaker of {breaker.connector} is open ({who})"


def names(failures: Iterable[Failure], failing: Failing | None) -> tuple[str, ...]:
    """The payments that failed so, each once."""
    return tuple(dict.fromkeys(each.payment_id for each in failures if each.failing is failing))
