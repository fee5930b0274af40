"""The invariants that an auditor checks, as code (contracts: money-rules 3). Pure, tolerance zero, read-only.

`ALWAYS` must hold in the middle of a crash, `AT_REST` for every booking of which nothing waits. Each module says which of
the contract's rules it leaves out and why. Amounts are minor units; account codes are those of the default chart.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.books import Books
from domain.invariants import across, cancelling, deadlines, deals, money, structure, systems
from domain.invariants.declaring import Invariant, Violation, When
from domain.invariants.later import changed_since

__all__ = ["INVARIANTS", "Invariant", "Verdict", "Violation", "When", "audit", "changed_since"]

INVARIANTS: tuple[Invariant, ...] = (
    *structure.RULES,
    *money.RULES,
    *cancelling.RULES,
    *systems.RULES,
    *across.RULES,
    *deals.RULES,
    *deadlines.RULES,
)
"""All invariants, in the order of the nightly audit."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check of one invariant gave."""

    invariant: Invariant
    violations: tuple[Violation, ...]

    @property
    def holds(self) -> bool:
        return not self.violations


def audit(books: Books) -> list[Verdict]:
    """Check everything; an invariant that cannot be evaluated is a defect and raises."""
    return [Verdict(invariant, tuple(invariant.check(books))) for invariant in INVARIANTS]
