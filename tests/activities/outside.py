"""An outside system that fails as told, and a ledger whose process dies, under the effect protocol."""

from __future__ import annotations

import itertools
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any

import pytest

from activities.effects import Effect, Effects, Ledger
from domain.effects import VERIFY_WAITS, EffectKey, EffectState
from domain.errors import Refused, Transient, UnknownOutcome
from store import Store

KEY = EffectKey("sol", "giav", "cobro", "pay_1001", "create")
UNDO = EffectKey("sol", "giav", "cobro", "pay_1001", "delete")
LOOKS = len(VERIFY_WAITS)


class Crash(BaseException):
    """The process dies here."""


class Outside:
    """A system that keeps what it is sent. `script` says what happens at each of the next calls; after it all is well.

    drop-before  the request never arrives, no answer       drop-after   it arrives, the answer is lost
    late         it arrives just before the next act        refused      a business refusal
    unreachable  the line is down, also for look-ups        crash-before the process dies before, crash-after after it
    """

    def __init__(self, *script: str) -> None:
        self.script = deque(script)
        self.records: dict[str, list[str]] = defaultdict(list)
        self.acts = 0
        self.looks = 0
        self._under_way: list[str] = []
        self._ids = itertools.count(1)

    def act(self, reference: str) -> str:
        self.acts += 1
        self._land()
        match self._next():
            case "drop-before":
                raise UnknownOutcome("timeout")
            case "drop-after":
                self._keep(reference)
                raise UnknownOutcome("reset by peer")
            case "late":
                self._under_way.append(reference)
                raise UnknownOutcome("timeout")
            case "refused":
                raise Refused("No existe el cliente")
            case "unreachable":
                raise Transient("connection refused")
            case "crash-before":
                raise Crash
            case "crash-after":
                self._keep(reference)
                raise Crash
        return self._keep(reference)

    def look_up(self, reference: str) -> Sequence[str]:
        self.looks += 1
        if self.script and self.script[0] in ("unreachable", "crash-before"):
            raise Transient("connection refused") if self.script.popleft() == "unreachable" else Crash
        return list(self.records[reference])

    def remove(self, reference: str) -> str:
        return self.records[reference].pop()

    def effect(self, key: EffectKey = KEY) -> Effect:
        return Effect(key, act=self.act, look_up=self.look_up, booking_id="bkg_500")

    def of(self, key: EffectKey) -> list[str]:
        return self.records[key.reference]

    def _next(self) -> str:
        return self.script.popleft() if self.script else "well"

    def _keep(self, reference: str) -> str:
        made = str(next(self._ids))
        self.records[reference].append(made)
        return made

    def _land(self) -> None:
        for reference in self._under_way:
            self._keep(reference)
        self._under_way.clear()


class Dying:
    """A ledger whose process dies at the first call of one method, before or after the row is written."""

    def __init__(self, ledger: Ledger, method: str, *, written: bool) -> None:
        self._ledger, self._method, self._written = ledger, method, written

    def __getattr__(self, name: str) -> Any:
        own = getattr(self._ledger, name)
        if name != self._method:
            return own

        def die(*args: Any, **kwargs: Any) -> Any:
            self._method = ""
            if self._written:
                own(*args, **kwargs)
            raise Crash

        return die


def perform(store: Store, outside: Outside, key: EffectKey = KEY) -> str:
    return Effects(store.effects).perform(outside.effect(key))


def state(store: Store, key: EffectKey = KEY) -> EffectState:
    record = store.effects.get(key)
    assert record is not None
    return record.state


def adopted(store: Store) -> list[bool]:
    return [row.adopted for row in store.effects.history("sol", "bkg_500")]


def waits(store: Store, outside: Outside, times: int) -> list[float | None]:
    """The patience that `times` further attempts ask for; each must end unknown."""
    asked = []
    for _ in range(times):
        with pytest.raises(UnknownOutcome) as caught:
            perform(store, outside)
        assert caught.value.effect == str(KEY)
        asked.append(caught.value.retry_after)
    return asked
