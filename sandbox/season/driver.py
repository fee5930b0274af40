"""The hands of a season: verbs on the platform, faults on the other stand-ins, each done once however often it is run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import httpx

from sandbox.season.people import Doc


class SeasonError(Exception):
    """A stand-in does not answer, or refuses what the script asks."""


@dataclass
class Driver:
    """Talks to the stand-ins. `controls` gives the base addresses of those that can be made to fail; others are left alone.

    `midoffice` is the one of them that the agency uses as its mid-office.
    """

    client: httpx.Client
    platform: str
    token: str
    controls: dict[str, str]
    pace: float
    midoffice: str = "midoco"
    start: date = date.min
    step: str = ""
    calls: int = 0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    notes: list[str] = field(default_factory=list)

    def begin(self, step: str) -> None:
        self.step, self.calls, self.notes = step, 0, []

    def do(self, verb: str, wish: Doc) -> Doc:
        """A simulation verb, under a key made of the step's name: a step that is run again repeats nothing."""
        self.calls += 1
        done: Doc = self._json("POST", f"{self.platform}/sim/{verb}", wish, key=f"season/{self.step}/{self.calls}")
        return done

    def fault(self, system: str, operation: str, kind: str, times: int | None = 1) -> None:
        if self._absent(system):
            return
        wish = {"operation": operation, "kind": kind, "times": times}
        self._json("POST", f"{self.controls[system]}/control/faults", wish)

    def reject_next(self, reason: str) -> None:
        """AirPlus will reject the next line that comes, with this reason code."""
        if not self._absent("airplus"):
            self._json("POST", f"{self.controls['airplus']}/control/rejections", {"next": reason})

    def staff(self, order: str, changes: Doc) -> None:
        """What RateHawk's staff does to an order, named by our id of it."""
        if not self._absent("ratehawk"):
            self._json("POST", f"{self.controls['ratehawk']}/control/orders/{order}", changes)

    def people(self, system: str, act: Doc) -> None:
        """What the agency's people do in a system by hand."""
        if not self._absent(system):
            self._json("POST", f"{self.controls[system]}/control/people", act)

    def held(self, system: str) -> Doc:
        """Everything that a stand-in holds."""
        if system not in self.controls:
            raise SeasonError(f"the scene needs {system}")
        held: Doc = self._json("GET", f"{self.controls[system]}/control/state")
        return held

    def clear_faults(self, system: str) -> None:
        if not self._absent(system):
            self._json("DELETE", f"{self.controls[system]}/control/faults")

    def _absent(self, system: str) -> bool:
        """Whether a stand-in takes no part; the step's line says so."""
        if system not in self.controls:
            self.notes.append(f"{system} is left alone")
        return system not in self.controls

    def wait_until_struck(self, system: str, kind: str, seconds: float) -> None:
        """Until a fault of `kind` has struck once, at most `seconds`: an outage that nobody met shows nothing."""
        if system not in self.controls:
            return
        struck = self.wait(
            lambda: any(
                entry["kind"] == kind and entry["fired"]
                for entry in self._json("GET", f"{self.controls[system]}/control/faults")
            ),
            seconds,
        )
        if not struck:
            self.notes.append(f"nobody called {system} meanwhile")

    def wait(self, done: Callable[[], bool], seconds: float) -> bool:
        """Look four times a second until `done` or `seconds` have passed."""
        end = self.clock() + seconds
        while not done():
            if self.clock() >= end:
                return False
            self.sleep(0.25)
        return True

    def refund_orders(self) -> list[Doc]:
        """What the processor was asked to give back."""
        state = self._json("GET", f"{self.platform}/control/state")
        return list(state["refund_order"].values())

    def marks(self) -> Doc:
        marks: Doc = self._json("GET", f"{self.platform}/sim/marks")
        return marks

    def mark(self, name: str, value: object) -> None:
        self._json("POST", f"{self.platform}/sim/mark", {"name": name, "value": value})

    def deliveries(self) -> Doc:
        summary: Doc = self._json("GET", f"{self.platform}/sim/deliveries")
        return summary

    def read(self, path: str) -> Doc:
        """A snapshot from the platform's own API."""
        snapshot: Doc = self._json("GET", f"{self.platform}/v1/{path}")
        return snapshot

    def _json(self, method: str, url: str, body: Doc | None = None, key: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        try:
            answer = self.client.request(method, url, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise SeasonError(f"{url} does not answer ({type(error).__name__}); is the sandbox running?") from error
        if answer.is_error:
            raise SeasonError(f"{method} {url}: {answer.status_code} {answer.text}")
        return answer.json()
