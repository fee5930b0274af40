"""What bookings bring in and what is still owed: figures that add up, and how old a debt is (contracts: money-rules 1.2, G2, M7).

Pure. Amounts are minor units of one currency; a booking whose money came in two currencies has figures in both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import NamedTuple, Protocol, Self, TypeVar

from domain.money import Money, rounded, total
from domain.platform import Booking, PaymentPlan

NOT_COLLECTED = frozenset({"waived", "cancelled"})
"""Instalments that nobody will pay any more."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Money and documents of one booking in one currency. `disputed` is what chargebacks took and did not give back."""

    collected: Money
    invoiced: Money
    refunded: Money
    disputed: Money

    @classmethod
    def nothing(cls, currency: str) -> Moved:
        return cls(*(Money.zero(currency) for _ in fields(cls)))


@dataclass(frozen=True, slots=True)
class Figures:
    """One booking, or the sum of many. Costs by how sure they are; `invoiced` with credit notes and penalty documents."""

    sale: Money
    cost_estimated: Money
    cost_confirmed: Money
    cost_invoiced: Money
    collected: Money
    invoiced: Money
    refunded: Money
    disputed: Money

    def __add__(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    @property
    def cost(self) -> Money:
        return self.cost_estimated + self.cost_confirmed + self.cost_invoiced

    @property
    def margin(self) -> Money:
        return self.sale - self.cost

    @property
    def margin_percent(self) -> Decimal | None:
        """Margin in percent of the sale with two decimals; None when nothing is sold."""
        if not self.sale:
            return None
        return Decimal(rounded(Decimal(self.margin.amount) * 10_000 / self.sale.amount)).scaleb(-2)

    @property
    def pending(self) -> Money:
        """What is still to be collected; negative when money is owed to the payer (M7)."""
        return self.sale - self.collected + self.refunded + self.disputed

    @property
    def to_invoice(self) -> Money:
        return self.sale - self.invoiced


def figures_of(booking: Booking, moved: Mapping[str, Moved]) -> dict[str, Figures]:
    """Currency → figures. Sale and costs stand in the booking's currency, money in that which it came in."""
    own = booking.currency
    found: dict[str, Figures] = {}
    for currency in (own, *sorted(moved.keys() - {own})):
        it, zero = moved.get(currency) or Moved.nothing(currency), Money.zero(currency)
        found[currency] = Figures(
            sale=booking.totals.total if currency == own else zero,
            cost_estimated=cost_of(booking, "estimated") if currency == own else zero,
            cost_confirmed=cost_of(booking, "confirmed") if currency == own else zero,
            cost_invoiced=cost_of(booking, "invoiced") if currency == own else zero,
            collected=it.collected,
            invoiced=it.invoiced,
            refunded=it.refunded,
            disputed=it.disputed,
        )
    return found


def cost_of(booking: Booking, status: str) -> Money:
    """A cancelled line counts too: its cost is what the supplier charges all the same."""
    return total((line.cost.total for line in booking.lines if line.cost.status == status), booking.currency)


@dataclass(frozen=True, slots=True)
class Ages:
    """What is pending, by days since it fell due; `owed` is negative: money that belongs to payers."""

    not_due: Money
    days_0_30: Money
    days_31_60: Money
    days_61_90: Money
    over_90: Money
    owed: Money

    @classmethod
    def nothing(cls, currency: str) -> Ages:
        return cls(*(Money.zero(currency) for _ in fields(cls)))

    def __add__(self, other: Ages) -> Ages:
        return Ages(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    @property
    def pending(self) -> Money:
        return total((getattr(self, field.name) for field in fields(self)), self.owed.currency)


class Due(NamedTuple):
    """One amount of a plan. `settled`: it was paid once, whatever became of that money since."""

    on: date
    amount: Money
    settled: bool


def dues_of(plan: PaymentPlan, paid: Collection[str]) -> list[Due]:
    """The instalments of a plan that count; `paid` are the ids of those that a captured payment names."""
    return [
        Due(each.due_on, each.amount, each.status == "paid" or each.id in paid)
        for each in plan.installments
        if each.status not in NOT_COLLECTED
    ]


def parts_of(pending: Money, dues: Sequence[Due]) -> Iterator[tuple[date | None, Money]]:
    """What of a debt fell or falls due when; None stands for what no instalment explains. Nothing where nothing is owed.

    Money settles the oldest instalment first, so what is missing is missing of the latest ones. An instalment that was
    paid is only owed again (a chargeback took it) when the open ones do not explain the whole.
    """
    left = pending
    for due in sorted(dues, key=lambda due: (due.settled, -due.on.toordinal())):
        if left.amount <= 0:
            return
        part = min(left, due.amount)
        yield due.on, part
        left = left - part
    if left.amount > 0:
        yield None, left


def ages_of(pending: Money, dues: Sequence[Due], otherwise: date | None, today: date) -> Ages:
    """The age of one booking's debt. What no instalment explains is due on the day `otherwise`; None is not due."""
    amounts = dict.fromkeys((field.name for field in fields(Ages)), Money.zero(pending.currency))
    if pending.amount < 0:
        return Ages(**amounts | {"owed": pending})
    for on, part in parts_of(pending, dues):
        bucket = _bucket(on or otherwise, today)
        amounts[bucket] = amounts[bucket] + part
    return Ages(**amounts)


def _bucket(due_on: date | None, today: date) -> str:
    days = -1 if due_on is None else (today - due_on).days
    if days < 0:
        return "not_due"
    return next((name for most, name in _BUCKETS if days <= most), "over_90")


_BUCKETS = ((30, "days_0_30"), (60, "days_31_60"), (90, "days_61_90"))


class Additive(Protocol):
    """What can be added up."""

    def __add__(self, other: Self, /) -> Self: ...


K = TypeVar("K")
Sum = TypeVar("Sum", bound=Additive)


def summed(rows: Iterable[tuple[K, Sum]]) -> dict[K, Sum]:
    """The sum of the rows of each key, in the order in which the keys first come."""
    sums: dict[K, Sum] = {}
    for key, row in rows:
        sums[key] = sums[key] + row if key in sums else row
    return sums
