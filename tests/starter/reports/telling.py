"""What an agency was told, and what a report says of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from store import Store
from tests import stories

TODAY = datetime.now(ZoneInfo("Europe/Madrid")).date()


class Ended:
    """How a command ended and what it said."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def amounts(self, row: int = 0) -> dict[str, int]:
        """The amounts of a row that are not zero."""
        told = self.json["rows"][row]
        return {name: cell["amount"] for name, cell in told.items() if isinstance(cell, dict) and cell["amount"]}

    @property
    def verdicts(self) -> list[tuple[str, list[tuple[str, int, int]]]]:
        """Verdict of every file, with the figures that differ: ours, theirs."""
        return [
            (
                file["verdict"],
                [(each["figure"], each["ours"]["amount"], each["theirs"]["amount"]) for each in file["differences"]],
            )
            for file in self.json["verified"]["files"]
        ]

    @property
    def why(self) -> str:
        return " | ".join(words for file in self.json["verified"]["files"] for words in file["why"])


Report = Callable[..., Ended]


def told(store: Store, *events: Any) -> None:
    """Events that came in and were handed to their workflows."""
    for event in events:
        assert store.inbox.accept(event) == "new"
        store.inbox.mark_dispatched(event.agency, event.event_id)


def an_experience(number: int, experience_id: str = "exp_31", *, in_days: int = 30, title: str = "Mallorca") -> Any:
    starts = TODAY + timedelta(days=in_days)
    changes = {"starts_on": starts.isoformat(), "ends_on": starts.isoformat()}
    snapshot = stories.experience(title, id=experience_id, **changes)
    return stories.event(number, "experience.created", stories.data(f"experience/{experience_id}", experience=snapshot))


def a_booking(number: int, booking_id: str = "bkg_500", agency: str = stories.AGENCY, **changes: Any) -> Any:
    snapshot = stories.booking(booking_id, **changes)
    data = stories.data(f"booking/{booking_id}", booking=snapshot)
    source = {} if agency == stories.AGENCY else {"source": "https://platform.example/planners/pl_8R3"}
    return stories.event(number, "booking.created", data, agency=agency, **source)


def a_plan(number: int, *days: int) -> Any:
    """300.00, 382.00 and the rest, due on these days from today."""
    plan = stories.plan(revision=1, balance=32300) | {"total": stories.eur(100500)}
    for instalment, day in zip(plan["installments"], days, strict=True):
        instalment["due_on"] = (TODAY + timedelta(days=day)).isoformat()
    return stories.event(number, "payment_plan.created", stories.data("payment_plan/plan_50", payment_plan=plan))
