"""People who work with the program: what each role may do, which agencies each may see, when sign-in pauses (DESIGN 7).

Roles grow: each may do what the one before it may. Travellers and payers are no people in this sense.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

NAME = re.compile(r"^[a-z0-9][a-z0-9._@+-]{1,98}[a-z0-9]$")
"""How a sign-in name looks, in lower case; an e-mail address is one."""
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200
"""Characters. A hash of megabytes would cost the server more than its sender."""

FREE_FAILURES = 5
"""Wrong passwords in a row before sign-in pauses."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)


class Role(StrEnum):
    """What a person may do, growing."""

    VIEWER = "viewer"
    """Looks at everything of the own agencies, personal data masked."""
    OPERATOR = "operator"
    """Answers what is parked, claims payments, synchronises."""
    SUPERVISOR = "supervisor"
    """Overrules: closes by hand, moves money between answers, sees raw data."""
    ADMINISTRATOR = "administrator"
    """Gives roles, ends sessions, reads the audit trail."""

    def covers(self, needed: Role) -> bool:
        """Whether this role may do what `needed` may."""
        return _ORDER[self] >= _ORDER[needed]


_ORDER = {role: number for number, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in. `agencies` is None for all agencies, also those that come later."""

    name: str
    role: Role
    agencies: frozenset[str] | None
    language: str | None = None
    locked: bool = False
    has_password: bool = True

    def may(self, needed: Role) -> bool:
        return self.role.covers(needed)

    def sees(self, agency: str) -> bool:
        return self.agencies is None or agency in self.agencies

    def visible(self, known: Iterable[str]) -> tuple[str, ...]:
        """Those of the known agencies that this person may see, by name."""
        return tuple(sorted(agency for agency in known if self.sees(agency)))


def pause_after(failures: int) -> timedelta:
    """How long nobody may sign in under a name after so many wrong passwords in a row: doubling, and never for ever.

    A lock without end would let anybody lock out anybody.
    """
    if failures < FREE_FAILURES:
        return timedelta(0)
    doublings = min(failures - FREE_FAILURES, 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def weakness(name: str, password: str) -> str | None:
    """Why a password cannot be taken, None when it can."""
    if len(password) < SHORTEST_PASSWORD:
        return f"a password has at least {SHORTEST_PASSWORD} characters"
    if len(password) > LONGEST_PASSWORD:
        return f"a password has at most {LONGEST_PASSWORD} characters"
    if name.partition("@")[0] in password.lower():
        return "the password must not contain the name"
    if len(set(password)) < 5:
        return "the password repeats too few characters"
    return None
