"""Whether a refund is what was decided: pure arithmetic (contracts: money-rules 4.5 F-R7; platform-events 5.5, 5.6)."""

from __future__ import annotations

from collections.abc import Iterable

from domain.money import Money, total
from domain.platform import Cancellation, Payment, Refund


def beyond_decision(
    refund: Refund, cancellation: Cancellation | None, earlier: Iterable[Refund], payments: Iterable[Payment]
) -> Money:
    """How much of `refund` goes beyond what its cancellation decided; nothing where no amount was decided.

    `earlier` are the refunds told before it. What is short is no difference: it stays owed, and the refund's clock runs.
    Money captured after the cancellation took effect goes back beside the decided amount (F-X1).
    """
    nothing = Money.zero(refund.amount.currency)
    if cancellation is None or not cancellation.refund.decided or cancellation.refund.amount is None:
        return nothing
    late = (each.amount for each in payments if each.captured_at and each.captured_at > cancellation.effective_at)
    given = (each.amount for each in earlier if each.cancellation_id == cancellation.id and each.id != refund.id)
    currency = refund.amount.currency
    left = cancellation.refund.amount + total(late, currency) - total(given, currency)
    return max(nothing, refund.amount - max(nothing, left))
