"""Orders that a booking does not want any more are cancelled, before that gets dearer (contracts: midoffice 2.8, 2.11;
money-rules F-M2, F-M4, F-X2, F-X3).

A cancellation whose answer was lost is looked up by the order's status before it is sent again; it is never answered by a
new order.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from activities.effects import Effect, Effects
from activities.ratehawk.feed import Feed, found_among
from activities.ratehawk.settings import RateHawkAccount
from activities.ratehawk.wire import NOT_FOUND, SYSTEM
from domain.effects import EffectKey, EffectState
from domain.errors import BackOfficeError, NeedsPerson, Refused, Transient, UnknownOutcome
from domain.money import Money
from domain.platform import Booking
from domain.steps import BookingStep, CancellationStep, Done
from domain.supplier import GONE, RATEHAWK, SupplierOrder, orders_of
from domain.supplier_steps import ChargeStep, OrderAtStake, OrderCancelled, OrderStep, SupplierPlan
from store import Store

URGENT = timedelta(hours=24)
"""So long before a cancellation gets dearer a person is asked, if it did not work until then (F-X2)."""
PAUSE = 900.0
"""Seconds until a cancellation that came to no clear answer is begun anew."""
PATIENCE = timedelta(minutes=30)
"""How long a new order may take to show at the supplier."""


class Cancelling:
    """One agency's orders, to be confirmed or cancelled as its bookings want it."""

    def __init__(
        self,
        store: Store,
        effects: Effects,
        agency: str,
        account: RateHawkAccount,
        feed: Feed,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._effects = effects
        self._agency = agency
        self._client = account.client
        self._suppliers = account.settings.suppliers
        self._feed = feed
        self._now = now

    # What a snapshot wants ---------------------------------------------------------------------------------------------

    def plan(self, step: BookingStep) -> SupplierPlan:
        """The orders without a line that is sold, which are to be cancelled; and those not yet known to be confirmed."""
        booking = self._store.facts.booking_in(step.agency, step.event_id)
        if booking.status == "cancelled" and self._nobody_came(step):
            return SupplierPlan(notes=("nobody came, so the orders at RateHawk stand",))
        wanted, unwanted, notes = self._sorted(booking)
        cancel = tuple(self._at_stake(partner) for partner in unwanted if not self._is_over(partner))
        fresh = [partner for partner in wanted if cancel and not self._is_confirmed(partner)]
        return SupplierPlan(confirm=tuple(map(self._at_stake, fresh)), cancel=cancel, notes=tuple(notes))

    def _sorted(self, booking: Booking) -> tuple[list[str], list[str], list[str]]:
        wanted, unwanted, notes = [], [], []
        named = orders_of(booking)
        known = dict.fromkeys((*self._store.supplier_orders.links_of(self._agency, RATEHAWK, booking.id), *named))
        for partner in known:
            lines = named.get(partner, ())
            # A line that another supplier serves by now is that supplier's.
            ours = [line for line in lines if line.cost.supplier_id in self._suppliers]
            active = [line for line in ours if line.status == "active" and booking.status != "cancelled"]
            if active:
                wanted.append(partner)
                if len(active) < len(ours):
                    notes.append(
                        f"order {partner} serves other lines too, so it was not cancelled: change it at RateHawk"
                    )
            elif ours or partner not in named or not lines:
                unwanted.append(partner)
        return wanted, unwanted, notes

    def _nobody_came(self, step: BookingStep) -> bool:
        if not isinstance(step, CancellationStep):
            return any(
                one.cause == "no_show" for one in self._store.facts.cancellations_of(step.agency, step.booking_id)
            )
        cancellation = self._store.facts.cancellation(step.agency, step.cancellation_id)
        return cancellation is not None and cancellation.cause == "no_show"

    def _at_stake(self, partner_order_id: str) -> OrderAtStake:
        known = self._store.supplier_orders.called(self._agency, RATEHAWK, partner_order_id)
        if known is None:
            return OrderAtStake(partner_order_id=partner_order_id)
        return OrderAtStake(
            partner_order_id=partner_order_id, price=known.order.payable, dearer_at=known.order.dearer_at(self._now())
        )

    def _is_over(self, partner_order_id: str) -> bool:
        record = self._store.effects.get(self._key(partner_order_id))
        if record is not None and record.state is EffectState.DONE:
            return True
        known = self._store.supplier_orders.called(self._agency, RATEHAWK, partner_order_id)
        return known is not None and known.order.status in (*GONE, "noshow")

    def _is_confirmed(self, partner_order_id: str) -> bool:
        known = self._store.supplier_orders.called(self._agency, RATEHAWK, partner_order_id)
        return known is not None and known.order.status == "completed"

    # Confirming --------------------------------------------------------------------------------------------------------

    def confirm(self, step: OrderStep, waited: timedelta) -> Done:
        """The new order stands, so the old one may go. Raises `Transient` while it is being made."""
        order = self._read(step.partner_order_id)
        if order is None:
            status = self._client.booking_status(step.partner_order_id)
            if status.state != "failed" and waited < PATIENCE:
                raise _failure(Transient, "confirm order", "the order does not show yet", retry_after=30)
            if status.code == NOT_FOUND and waited < PATIENCE:
                raise _failure(Transient, "confirm order", "the order is not known there yet", retry_after=30)
            raise self._refused_change(step, status.code or status.state)
        if order.status != "completed":
            raise self._refused_change(step, order.status)
        return Done(ids={"order": str(order.order_id)})

    def _refused_change(self, step: OrderStep, what: str) -> NeedsPerson:
        words = (
            f"RateHawk did not confirm {step.partner_order_id} ({what}); the order before it stands. Take the change back "
            "on the platform, or book another room, before anything is cancelled"
        )
        return _needs_person("confirm order", words, "supplier_order_failed")

    # Cancelling --------------------------------------------------------------------------------------------------------

    def cancel(self, step: OrderStep, waited: timedelta) -> OrderCancelled:
        """Cancel once, whatever happens on the way; from a day before it gets dearer on a fault asks a person."""
        partner = step.partner_order_id
        try:
            return self._cancel(step)
        except BackOfficeError as error:
            # The effect was sent as often as it may be; its codeless question is answered by the clock.
            exhausted = isinstance(error, NeedsPerson) and not error.code
            if not (error.automatic_retry or exhausted):
                raise
            if self._is_urgent(partner, waited):
                words = (
                    f"the order {partner} could not be cancelled ({error.message}), and soon that costs more; cancel it in "
                    "RateHawk's own pages, then retry. Never book it again"
                )
                raise _needs_person("cancel order", words, "supplier_cancellation", str(self._key(partner))) from None
            if exhausted:
                self._store.effects.rearm(str(self._key(partner)))
                error = UnknownOutcome(error.message, system=SYSTEM, operation="cancel order", retry_after=PAUSE)
            if error.retry_after is not None:
                error.retry_after = max(1.0, min(error.retry_after, self._seconds_left(partner)))
            raise error from None

    def _cancel(self, step: OrderStep) -> OrderCancelled:
        partner = step.partner_order_id
        order = self._read(partner)
        if order is None:
            raise _failure(Transient, "cancel order", "RateHawk does not show the order", retry_after=300)
        if order.status in ("failed", "rejected", "noshow"):
            return OrderCancelled()
        if order.status == "cancelled":
            self._settle(step, order)
            return OrderCancelled(charged=order.payable)
        expected = order.fee_at(self._now())

        def act(_: str) -> str:
            try:
                self._client.cancel(partner)
            except Refused as refused:
                now = self._read(partner) if refused.code == NOT_FOUND else None
                if now is None or now.status != "cancelled":
                    raise
            return str(order.order_id)

        request = {"order": order.order_id, "expected": expected.model_dump()}
        self._effects.perform(
            Effect(
                self._key(partner), act, lambda _: self._cancelled(partner), booking_id=step.booking_id, request=request
            )
        )
        after = self._read(partner)
        charged = after.payable if after is not None and after.status == "cancelled" else expected
        return OrderCancelled(charged=charged, expected=expected)

    def _settle(self, step: OrderStep, order: SupplierOrder) -> None:
        """It is cancelled already: by us, with a lost answer, or by somebody at RateHawk."""
        record = self._store.effects.get(self._key(step.partner_order_id))
        if record is not None and record.state is not EffectState.DONE:
            self._store.effects.done(record.key, str(order.order_id), adopted=True)

    def _cancelled(self, partner_order_id: str) -> list[str]:
        order = self._read(partner_order_id)
        return [str(order.order_id)] if order is not None and order.status == "cancelled" else []

    def _is_urgent(self, partner_order_id: str, waited: timedelta) -> bool:
        """From a day before it gets dearer, or before the guests arrive where it does not. Nobody knows when: soon."""
        known = self._store.supplier_orders.called(self._agency, RATEHAWK, partner_order_id)
        if known is None:
            return waited >= PATIENCE
        return self._now() >= self._urgent_from(known.order)

    def _urgent_from(self, order: SupplierOrder) -> datetime:
        arrival = datetime.combine(order.checkin, time(), UTC)
        return (order.dearer_at(self._now()) or arrival) - URGENT

    def _seconds_left(self, partner_order_id: str) -> float:
        known = self._store.supplier_orders.called(self._agency, RATEHAWK, partner_order_id)
        return PAUSE if known is None else (self._urgent_from(known.order) - self._now()).total_seconds()

    def _read(self, partner_order_id: str) -> SupplierOrder | None:
        """The order as it stands there now; what is read is kept like anything that the feed reads."""
        orders, refused = self._feed.understood(self._client.orders([partner_order_id]).orders)
        if refused and not orders:
            words = f"RateHawk's order {partner_order_id} cannot be read; see the item 'unusable_order'"
            raise _needs_person("read order", words, "supplier_cancellation")
        self._store.supplier_orders.record(self._agency, RATEHAWK, orders)
        return found_among(orders, partner_order_id)

    def _key(self, partner_order_id: str) -> EffectKey:
        return EffectKey(self._agency, SYSTEM, "order", partner_order_id, "cancel")

    # The charge --------------------------------------------------------------------------------------------------------

    def weigh(self, step: ChargeStep) -> Done:
        """Hold the supplier's charges against the penalty that the payer owes (F-X3)."""
        cancellation = self._store.facts.cancellation(step.agency, step.cancellation_id)
        if cancellation is None:
            return Done(outcome="skipped", note="no cancellation of the platform")
        if cancellation.penalty.treatment == "undecided":
            raise _failure(Transient, "weigh charge", "the penalty is undecided", retry_after=3600)
        penalty: Money = cancellation.penalty.amount
        charged = step.charged
        if charged.currency == penalty.currency and charged <= penalty:
            return Done()
        words = (
            f"RateHawk charged {charged} for the cancellation, and the payer's penalty is {penalty}. Pass the difference on "
            "(decide it on the platform, then retry) or leave it with the agency (skip); without an answer the agency bears it"
        )
        raise _needs_person("weigh charge", words, "supplier_charge")


def left_to_people(store: Store, step: BookingStep) -> SupplierPlan:
    """What an agency without RateHawk has to cancel there by hand, as a note of the lifecycle."""
    booking = store.facts.booking_in(step.agency, step.event_id)
    unwanted = [
        partner
        for partner, lines in orders_of(booking).items()
        if booking.status == "cancelled" or not any(line.status == "active" for line in lines)
    ]
    words = f"cancel at RateHawk by hand, where it is not connected: {', '.join(unwanted)}"
    return SupplierPlan(notes=(words,) if unwanted else ())


def _failure(kind: type[BackOfficeError], operation: str, words: str, *, retry_after: float) -> BackOfficeError:
    return kind(words, system=SYSTEM, operation=operation, retry_after=retry_after)


def _needs_person(operation: str, words: str, code: str, effect: str = "") -> NeedsPerson:
    return NeedsPerson(words, system=SYSTEM, operation=operation, code=code, effect=effect)
