"""Do the totals of a snapshot add up? Recomputed to the cent (contracts: platform-events 5.3, money-rules F-C14).

Only sums inside one event are checked: other facts may still be on their way, so what was captured, refunded or disputed
is compared by the audit, when nothing is under way any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from domain.money import CurrencyMismatch, Money, total
from domain.platform import Booking, Cancellation, Discount, EventData, Line, PaymentPlan

CLOSED_INSTALMENTS = frozenset({"waived", "cancelled"})
OPEN_INSTALMENTS = frozenset({"scheduled", "processing", "failed"})


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A value that does not follow from the others: where it stands, what was told, what it should be."""

    path: str
    told: str
    recomputed: str

    def __str__(self) -> str:
        return f"{self.path}: told {self.told}, recomputed {self.recomputed}"


def discrepancies(data: EventData) -> list[Discrepancy]:
    """Every difference of one minor unit or more, with a JSON pointer into `data`; empty when all adds up."""
    found: list[Discrepancy] = []
    if data.booking is not None:
        found += _guarded("/booking", data.booking.currency, _booking(data.booking, data.cancellation))
    if data.payment_plan is not None:
        plan = data.payment_plan
        found += _guarded("/payment_plan", plan.currency, _plan(plan))
        if data.booking is not None:
            found += _differs("/payment_plan/total", plan.total, data.booking.totals.total)
    for name in ("price_effect", "cost_effect"):
        effect = getattr(data, name)
        if effect is not None:
            found += _guarded(
                f"/{name}",
                effect.delta.currency,
                _differs_lazily(f"/{name}/delta", effect.delta, effect.after, effect.before),
            )
    return found


def _booking(booking: Booking, cancellation: object) -> Iterator[Discrepancy]:
    told, currency = booking.totals, booking.currency
    for index, line in enumerate(booking.lines):
        if line.status == "active":
            yield from _differs(f"/booking/lines/{index}/total", line.total, line.unit_price * line.quantity)
    gross = total((line.total for line in booking.active_lines), currency)
    discount = total((d.amount for d in booking.discounts if _stands(d, booking.lines)), currency)
    cost = total((line.cost.total for line in booking.lines), currency)
    yield from _differs("/booking/totals/gross", told.gross, gross)
    yield from _differs("/booking/totals/discount", told.discount, discount)
    yield from _differs("/booking/totals/total", told.total, told.gross - told.discount + told.penalty)
    yield from _differs("/booking/totals/cost", told.cost, cost)
    yield from _differs("/booking/totals/margin", told.margin, told.total - told.cost)
    yield from _differs("/booking/totals/due", told.due, told.total - told.captured + told.refunded + told.disputed)
    if told.total.amount < 0:
        yield Discrepancy("/booking/totals/total", str(told.total), "not negative")
    # Earlier cancellations may not have arrived yet, so the penalty can only be too small, never too large.
    if isinstance(cancellation, Cancellation) and cancellation.penalty.treatment != "undecided":
        charged = cancellation.penalty.amount
        if told.penalty < charged:
            yield Discrepancy("/booking/totals/penalty", str(told.penalty), f"at least {charged}")


def _stands(discount: Discount, lines: tuple[Line, ...]) -> bool:
    """A discount drops out when all its lines are cancelled."""
    if discount.scope == "line":
        concerned = [line for line in lines if line.id == discount.line_id]
        return not concerned or any(line.status == "active" for line in concerned)
    return not lines or any(line.status == "active" for line in lines)


def _plan(plan: PaymentPlan) -> Iterator[Discrepancy]:
    statuses = {instalment.status for instalment in plan.installments}
    # After a cancellation only what was paid is left, and the total is the penalty: there is nothing to add up.
    if statuses & OPEN_INSTALMENTS:
        counted = (i.amount for i in plan.installments if i.status not in CLOSED_INSTALMENTS)
        yield from _differs("/payment_plan/total", plan.total, total(counted, plan.currency))
    balances = [instalment for instalment in plan.installments if instalment.kind == "balance"]
    if len(balances) != 1:
        yield Discrepancy("/payment_plan/installments", f"{len(balances)} balance instalments", "1")
    elif balances[0].seq != max(instalment.seq for instalment in plan.installments):
        yield Discrepancy("/payment_plan/installments", f"balance has seq {balances[0].seq}", "the last one")


def _differs_lazily(path: str, told: Money, after: Money, before: Money) -> Iterator[Discrepancy]:
    yield from _differs(path, told, after - before)


def _differs(path: str, told: Money, recomputed: Money) -> list[Discrepancy]:
    return [] if told == recomputed else [Discrepancy(path, str(told), str(recomputed))]


def _guarded(path: str, currency: str, found: Iterator[Discrepancy]) -> list[Discrepancy]:
    """Amounts of another currency cannot be added up at all."""
    try:
        return list(found)
    except CurrencyMismatch as error:
        return [Discrepancy(path, str(error), f"all amounts in {currency}")]
