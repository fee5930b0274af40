"""Our figures of a file against those that the ERP computes itself (contracts: giav 2.4, 4 "nightly check"; money-rules G2, M7).

Pure. Amounts are compared to the cent, after the ERP's binary floats were rounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from domain.money import Money
from domain.reporting import Figures

LAGS = frozenset({"to_collect", "to_invoice"})
"""Figures that the ERP may count a little after the money was written (giav 1.5)."""

Verdict = Literal["agrees", "settles", "waits", "differs", "missing"]
"""`settles`: written a moment ago; `waits`: something of ours is still on its way; `missing`: there is no such file."""


@dataclass(frozen=True, slots=True)
class FileFigures:
    """What a file is worth: sale less costs, sale less money that came and stayed, sale less documents."""

    margin: Money
    to_collect: Money
    to_invoice: Money


@dataclass(frozen=True, slots=True)
class Difference:
    figure: str
    ours: Money
    theirs: Money

    @property
    def amount(self) -> Money:
        """How much more the ERP shows."""
        return self.theirs - self.ours


def expected(bookings: Iterable[Figures], currency: str) -> FileFigures:
    """What the ERP should show for a file with these bookings.

    It keeps no sale below what is invoiced: while money that was paid beyond the price waits for its refund, it shows the
    invoiced amount as sold, and nothing as owed to the payer.
    """
    margin = to_collect = to_invoice = Money.zero(currency)
    for each in bookings:
        raised = max(each.sale, each.invoiced) - each.sale
        margin = margin + each.margin + raised
        to_collect = to_collect + each.pending + raised
        to_invoice = to_invoice + each.to_invoice + raised
    return FileFigures(margin, to_collect, to_invoice)


def differences(ours: FileFigures, theirs: FileFigures) -> tuple[Difference, ...]:
    """Every figure of which the two sides say something else."""
    pairs = (
        Difference("margin", ours.margin, theirs.margin),
        Difference("to_collect", ours.to_collect, theirs.to_collect),
        Difference("to_invoice", ours.to_invoice, theirs.to_invoice),
    )
    return tuple(pair for pair in pairs if pair.amount)


def judge(found: Iterable[Difference], *, waits: bool, settles: bool) -> Verdict:
    """`waits`: something of ours is not over there yet; `settles`: money was written so lately that they may lag."""
    figures = {each.figure for each in found}
    if not figures:
        return "agrees"
    if waits:
        return "waits"
    return "settles" if settles and figures <= LAGS else "differs"
