"""How many examples strangers try: few in every run of the tests, a hundred times as many with `make hostile`."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

DEEP = os.environ.get("BOOKINGS_HOSTILE") == "deep"
PATIENT = (
    HealthCheck.function_scoped_fixture,
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
)


def examples(number: int) -> settings:
    """The same examples in every run, unless it goes deep."""
    return settings(
        max_examples=number * 100 if DEEP else number,
        deadline=None,
        suppress_health_check=PATIENT,
        derandomize=not DEEP,
        database=None,
    )
