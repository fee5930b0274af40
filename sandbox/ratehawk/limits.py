"""Requests per period and endpoint, with the headers that tell what is left (contracts: midoffice 2.3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sandbox.ratehawk.answers import RateHawkError, moment


class Allowances:
    """`limits` gives requests and seconds by the beginning of a path; the first that fits counts, None is no limit."""

    def __init__(self, limits: dict[str, tuple[int, int]], now: Callable[[], datetime]) -> None:
        self.limits = limits
        self._now = now
        self._used: dict[str, tuple[datetime, int]] = {}

    def of(self, endpoint: str) -> tuple[int, int] | None:
        return next((limit for start, limit in self.limits.items() if endpoint.startswith(start)), None)

    def spend(self, endpoint: str) -> dict[str, str]:
        """Count one request; the headers of its answer. Raises `RateHawkError` when it is one too many."""
        limit = self.of(endpoint)
        if limit is None:
            return {}
        most, seconds = limit
        now = self._now()
        began, used = self._used.get(endpoint, (now, 0))
        if now >= began + timedelta(seconds=seconds):
            began, used = now, 0
        self._used[endpoint] = (began, used + 1)
        headers = self._headers(most, seconds, most - used - 1, began)
        if used >= most:
            raise Exceeded(headers)
        return headers

    def _headers(self, most: int, seconds: int, left: int, began: datetime) -> dict[str, str]:
        return {
            "X-RateLimit-SecondsNumber": str(seconds),
            "X-RateLimit-RequestsNumber": str(most),
            "X-RateLimit-Remaining": str(max(left, 0)),
            "X-RateLimit-Reset": moment(began + timedelta(seconds=seconds)),
        }


class Exceeded(RateHawkError):
    """One request too many."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__("endpoint_exceeded_limit")
        self.headers = headers
