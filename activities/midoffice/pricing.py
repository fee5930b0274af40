"""What part of a booking's money belongs to which supplier order (contracts: midoffice 3.1 price; platform-events 5.3).

Sale: the order's active lines, less their share of the discounts, plus the penalties of cancellations that touched it.
Cost: all its lines, since a cancelled line keeps what the supplier charges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from activities.midoffice.booking import Price, SellingModel, TaxScheme
from domain.money import Money, total
from domain.platform import Booking, Cancellation, Experience, Line

REGIMES: dict[str, tuple[SellingModel, TaxScheme]] = {
    "reav": ("MERCHANT", "MARGIN_SCHEME"),
    "general": ("MERCHANT", "STANDARD"),
    "mediation": ("AGENCY", "STANDARD"),
}
"""Selling model and tax scheme of each tax regime that the planner chose for the experience."""


def discounted(booking: Booking) -> dict[str, Money]:
    """Each active line's sale after discounts; a booking-wide discount is shared by line totals, to the cent."""
    sale = {line.id: line.total for line in booking.active_lines}
    weights = {line.id: max(line.total.amount, 0) for line in booking.active_lines}
    for discount in booking.discounts:
        bearers = [discount.line_id] if discount.scope == "line" and discount.line_id else list(sale)
        shared = [weights[line_id] for line_id in bearers if line_id in sale]
        if not sum(shared):
            continue
        for line_id, part in zip(bearers, discount.amount.split(shared), strict=True):
            sale[line_id] = sale[line_id] - part
    return sale


def penalties(
    booking: Booking, cancellations: Iterable[Cancellation], orders: Mapping[str, Sequence[Line]]
) -> dict[str, Money]:
    """Each order's share of the penalties that this snapshot counts.

    A penalty goes whole to the orders whose lines the cancellation names, because the payer owes one fee and the
    mid-office holds only these lines. Cancellations later than the snapshot are left out; a penalty whose cancellation
    has not arrived goes to the orders that are cancelled.
    """
    shares = {order: Money.zero(booking.currency) for order in orders}
    uncounted = booking.totals.penalty
    for cancellation in sorted(cancellations, key=lambda one: (one.effective_at, one.id)):
        penalty = cancellation.penalty.amount
        if uncounted < penalty:
            break
        uncounted = uncounted - penalty
        named = set(cancellation.line_ids) or {line.id for line in booking.lines}
        _share(shares, penalty, {order: [one for one in lines if one.id in named] for order, lines in orders.items()})
    gone = {order: [one for one in lines if one.status == "cancelled"] for order, lines in orders.items()}
    _share(shares, uncounted, gone)
    return shares


def _share(shares: dict[str, Money], penalty: Money, touched: Mapping[str, Sequence[Line]]) -> None:
    bearers = [order for order, lines in touched.items() if lines]
    if not bearers or not penalty:
        return
    weights = [max(sum(line.total.amount for line in touched[order]), 0) for order in bearers]
    for order, part in zip(bearers, penalty.split(weights if sum(weights) else [1] * len(bearers)), strict=True):
        shares[order] = shares[order] + part


def price_of(
    lines: Sequence[Line], sale: Mapping[str, Money], penalty: Money, experience: Experience, vat_rate: Decimal
) -> Price:
    """The price of one order; the VAT inside the margin is zero for a loss and for stays outside the EU."""
    currency = penalty.currency
    sell = total((sale[line.id] for line in lines if line.id in sale), currency) + penalty
    cost = total((line.cost.total for line in lines), currency)
    margin = sell - cost
    model, scheme = REGIMES[experience.tax_regime]
    areas = {service.id: service.area for service in experience.services}
    taxed = (
        scheme == "MARGIN_SCHEME" and margin.amount > 0 and not any(areas[one.service_id] == "NON_EU" for one in lines)
    )
    rate = vat_rate if taxed else Decimal(0)
    return Price(
        cost_gross=cost.decimal,
        sell_gross=sell.decimal,
        commission=margin.decimal if model == "AGENCY" else Money.zero(currency).decimal,
        margin=margin.decimal,
        selling_model=model,
        tax_scheme=scheme,
        margin_vat_rate=rate,
        margin_vat=Money.of_decimal(margin.decimal * rate / (1 + rate), currency).decimal,
    )
