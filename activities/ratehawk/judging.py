"""What a changed order means for its booking (contracts: money-rules F-C6, F-M14, S1 to S3).

Everything is read from the store; nothing is asked of anybody.
"""

from __future__ import annotations

from collections.abc import Sequence

from activities.ratehawk.settings import RateHawkSettings
from domain.errors import Transient
from domain.money import Money, total
from domain.platform import Booking, Line
from domain.supplier import GONE, RATEHAWK, SupplierOrder, lines_of
from domain.supplier_steps import OrderVerdict, SupplierStep
from store import Store
from store.supplier_orders import KnownOrder


class Judge:
    """One agency's tolerance, held against the newest snapshot."""

    def __init__(self, store: Store, settings: RateHawkSettings) -> None:
        self._store = store
        self._settings = settings

    def judge(self, step: SupplierStep) -> OrderVerdict:
        """A cost within the tolerance, and a fee for what was cancelled, are taken over at once (`confirmed`)."""
        known = self.known(step)
        if step.revision < known.revision:
            return OrderVerdict(verdict="superseded")
        booking = self._store.facts.booking(step.agency, step.booking_id)
        if booking is None:
            raise Transient("the booking is not known yet", system=RATEHAWK, operation="judge order")
        order = known.order
        lines = lines_of(booking, order.partner_order_id)
        active = [line for line in lines if line.status == "active" and booking.status != "cancelled"]
        if order.kind == "upsell" or (order.status == "noshow" and not active):
            return OrderVerdict(verdict="nothing")
        if order.status in GONE:
            return self._gone(step, order, lines, active)
        if not active:
            return self._without_line(step, order)
        return self._priced(step, booking, order, active)

    def known(self, step: SupplierStep) -> KnownOrder:
        found = self._store.supplier_orders.get(step.agency, step.supplier, step.order_id)
        if found is None:
            raise Transient("the order is not in the store", system=RATEHAWK, operation="judge order")
        return found

    def accept(self, step: SupplierStep) -> None:
        """The supplier's amount is what the books shall say."""
        amount = self.known(step).order.payable
        self._store.supplier_orders.confirm(
            step.agency, step.supplier, step.order_id, amount, booking_id=step.booking_id
        )

    def _gone(
        self, step: SupplierStep, order: SupplierOrder, lines: Sequence[Line], active: Sequence[Line]
    ) -> OrderVerdict:
        if active:
            if order.status == "cancelled":
                words = (
                    f"RateHawk's order {order.order_id} is cancelled, and its service is still sold; book it again or "
                    "cancel it on the platform"
                )
                return OrderVerdict(verdict="order_gone", words=words, amount=order.payable)
            words = (
                f"RateHawk's order {order.order_id} is {order.status}, so there is no room for what was sold; offer "
                "another hotel, or cancel on the platform with cause supplier"
            )
            return OrderVerdict(verdict="order_failed", words=words, amount=order.payable)
        if lines:
            self.accept(step)
            return OrderVerdict(verdict="confirmed", words="the supplier's fee", amount=order.payable)
        if order.payable:
            words = (
                f"RateHawk charges {order.payable} for the cancelled order {order.order_id}, which no line of the booking "
                "carries any more"
            )
            return OrderVerdict(verdict="fee_without_line", words=words, amount=order.payable)
        return OrderVerdict(verdict="nothing", words="replaced without a fee")

    def _without_line(self, step: SupplierStep, order: SupplierOrder) -> OrderVerdict:
        if self._is_being_cancelled(step, order):
            return OrderVerdict(verdict="nothing", words="its cancellation is on its way")
        if any(one.cause == "no_show" for one in self._store.facts.cancellations_of(step.agency, step.booking_id)):
            return OrderVerdict(verdict="nothing", words="nobody came, so the order stands")
        words = (
            f"RateHawk's order {order.order_id} is alive, and nothing of the booking is sold with it; cancel it there "
            "unless it is wanted"
        )
        return OrderVerdict(verdict="order_alive", words=words, amount=order.payable)

    def _is_being_cancelled(self, step: SupplierStep, order: SupplierOrder) -> bool:
        written = self._store.effects.of_booking(step.agency, step.booking_id, RATEHAWK)
        return any(one.key.business_id == order.partner_order_id for one in written)

    def _priced(
        self, step: SupplierStep, booking: Booking, order: SupplierOrder, lines: Sequence[Line]
    ) -> OrderVerdict:
        price = order.payable
        if price.currency != booking.currency:
            words = f"RateHawk's order {order.order_id} costs {price}, and the booking is in {booking.currency}"
            return OrderVerdict(verdict="cost_differs", words=words, amount=price, acceptable=False)
        estimated: Money = total((line.cost.total for line in lines), booking.currency)
        if self._settings.tolerates(estimated, price):
            self.accept(step)
            return OrderVerdict(verdict="confirmed", amount=price)
        words = f"RateHawk's order {order.order_id} costs {price}, estimated were {estimated}"
        return OrderVerdict(verdict="cost_differs", words=words, amount=price)
