"""Days at which calendars stumble (F16): a departure on them, instalments due on them, and what GIAV then has to hold."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from sandbox.season.catalogue import granada

Doc = dict[str, Any]
AHEAD = 45
"""Days between today and the departure of the undisturbed twin."""


def _last_sunday(day: date, month: int) -> bool:
    return day.month == month and day.weekday() == 6 and (day + timedelta(days=7)).month != month


DAYS: dict[str, Callable[[date], bool]] = {
    "29 February": lambda day: (day.month, day.day) == (2, 29),
    "28 February": lambda day: (day.month, day.day) == (2, 28),
    "the 31st": lambda day: day.day == 31,
    "the end of a month of 30 days": lambda day: day.day == 30 == calendar.monthrange(day.year, day.month)[1],
    "New Year's Eve": lambda day: (day.month, day.day) == (12, 31),
    "the night in which clocks go forward": lambda day: _last_sunday(day, 3),
    "the night in which clocks go back": lambda day: _last_sunday(day, 10),
}


def departing(today: date, name: str | None) -> Doc:
    """The long weekend of the scenarios, leaving on the next such day, its instalments due on the last one.

    Who cancels pays as much as in the twin, however far away the day is.
    """
    wish = granada(today)
    if name is None:
        return wish
    fits = DAYS[name]
    leaves = next(day for day in (today + timedelta(days=ahead) for ahead in range(AHEAD, 3000)) if fits(day))
    due = next(day for day in (today - timedelta(days=ago) for ago in range(1, 3000)) if fits(day))
    far = (leaves - today).days - AHEAD
    first, *others = wish["cancellation_policy"]["tiers"]
    first = first | {"from_days_before_start": first["from_days_before_start"] + far}
    return wish | {
        "starts_on": leaves.isoformat(),
        "ends_on": (leaves + timedelta(days=3)).isoformat(),
        "min_travellers_deadline": (leaves - timedelta(days=20)).isoformat(),
        "cancellation_policy": wish["cancellation_policy"] | {"tiers": [first, *others]},
        "payment_plan_template": [each | {"due": {"on": due.isoformat()}} for each in wish["payment_plan_template"]],
    }


def wrong_days(experience: Doc, giav: Doc) -> list[str]:
    """Where a file or a reserva of the experience does not begin and end with it."""
    wanted = (experience["starts_on"], experience["ends_on"])
    return [
        f"{kind} {record['Id']} lasts from {found[0]} to {found[1]}, should be {wanted[0]} to {wanted[1]}"
        for kind in ("Expediente", "Reserva")
        for record in giav[kind]
        if (found := (str(record["FechaDesde"])[:10], str(record["FechaHasta"])[:10])) != wanted
    ]
