"""A booking whose hotel was ordered at RateHawk, and the cells that deal with it."""

from __future__ import annotations

from typing import Any

from activities.ratehawk.activities import RateHawkActivities
from domain.steps import BookingStep, CancellationStep
from domain.supplier import RATEHAWK
from domain.supplier_steps import FeedStep, OrderStep, SupplierStep
from store import Store
from tests import stories
from tests.activities.ratehawk.house import House

FIRST, SECOND = "bkg_500-lin_01", "bkg_500-lin_01-2"
LINES = [stories.line("lin_01", "svc_hotel", 41250, 33000), stories.line("lin_02", "svc_bus", 9000, 6500)]
LINES[1]["cost"]["supplier_id"] = "sup_bus"


def external(*partners: str) -> list[dict[str, str]]:
    return [
        {"system": "ratehawk", "order_ref": f"B2B-{number}/1", "partner_order_ref": partner}
        for number, partner in enumerate(partners, start=1)
    ]


class Back:
    """Feeds events to the store and runs the supplier's cells on them."""

    def __init__(self, store: Store, house: House, **settings: Any) -> None:
        self.store = store
        self.house = house
        self.cells = RateHawkActivities(store, {stories.AGENCY: house.account(**settings)}, now=house.clock)
        self._number = 0

    def sold(self, revision: int = 1, *orders: str, **changes: Any) -> BookingStep:
        """A snapshot of the booking that names these orders (by default the first)."""
        told = stories.booking(
            external_orders=external(*(orders or (FIRST,))), lines=changes.pop("lines", LINES), **changes
        )
        effect = {} if revision == 1 else {"price_effect": stories.NO_EFFECT}
        kind = "booking.created" if revision == 1 else "booking.modified"
        return self._step(kind, stories.data("booking/bkg_500", revision, booking=told, **effect), revision)

    def cancelled(self, revision: int = 3, *, cause: str = "customer_choice", **changes: Any) -> CancellationStep:
        """Everything is cancelled; the payer's penalty is 30.00."""
        told = stories.cancelled_booking() | {"external_orders": external(FIRST)}
        reason = stories.cancellation() | {"cause": cause} | changes
        data = stories.data("booking/bkg_500", revision, booking=told, cancellation=reason)
        step = self._step("booking.cancelled", data, revision)
        return CancellationStep(**step.model_dump(), cancellation_id="cxl_12")

    def _step(self, kind: str, data: dict[str, Any], revision: int) -> BookingStep:
        self._number += 1
        event = stories.event(self._number, kind, data)
        assert self.store.inbox.accept(event) == "new"
        assert self.store.inbox.counts().get("parked", 0) == 0
        return BookingStep(
            agency=stories.AGENCY,
            booking_id="bkg_500",
            experience_id="exp_31",
            event_id=event.event_id,
            revision=revision,
        )

    def ordered(self, partner: str = FIRST, **more: Any) -> dict[str, Any]:
        """A confirmed order, read by the feed."""
        placed = self.house.place(
            partner, **{"amount": "660.00", "checkin": "2027-06-20", "checkout": "2027-06-23", **more}
        )
        self.read()
        return placed

    def read(self) -> None:
        """A sweep, and everything handed over."""
        self.cells.read_page(FeedStep(agency=stories.AGENCY, supplier=RATEHAWK))
        for pending in self.store.supplier_orders.pending(stories.AGENCY, RATEHAWK):
            self.store.supplier_orders.handled(
                stories.AGENCY, RATEHAWK, pending.order.order_id, pending.revision, "booking", booking_id="bkg_500"
            )

    def changed(self, partner: str = FIRST) -> SupplierStep:
        """What the booking's lifecycle is given after a change of this order."""
        known = self.store.supplier_orders.called(stories.AGENCY, RATEHAWK, partner)
        assert known is not None
        return SupplierStep(
            agency=stories.AGENCY,
            booking_id="bkg_500",
            experience_id="exp_31",
            supplier=RATEHAWK,
            order_id=known.order.order_id,
            revision=known.revision,
        )


def one(step: BookingStep, partner: str = FIRST) -> OrderStep:
    return OrderStep(**BookingStep.model_validate(step.model_dump()).model_dump(), partner_order_id=partner)
