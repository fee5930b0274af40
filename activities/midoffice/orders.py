"""The mid-office cells of suppliers' orders: confirmed costs of bookings, and orders that no booking claims (contracts:
midoffice 2.7, 3.4; money-rules F-M14)."""

from __future__ import annotations

from collections.abc import Mapping

from activities.effects import Effects
from activities.failures import implements
from activities.midoffice.accounts import MidOfficeAccount
from activities.midoffice.activities import NO_MIDOFFICE
from activities.midoffice.booking import MidOfficeBooking
from activities.midoffice.from_order import STATES, before_cancellation, booking_key, record_of
from activities.midoffice.told import GONE
from activities.midoffice.transfer import Announcing, Transfer
from activities.signatures import MIDOFFICE_CONFIRM_COSTS, MIDOFFICE_TRANSFER_ORDER
from domain.errors import Transient
from domain.steps import Done
from domain.supplier import SupplierOrder
from domain.supplier_steps import SupplierOrderStep, SupplierStep
from store import Store
from store.supplier_orders import KnownOrder
from store.transfers import TransferState


class SupplierOrderActivities:
    """`accounts` holds the mid-office of every agency that has one."""

    def __init__(self, store: Store, accounts: Mapping[str, MidOfficeAccount]) -> None:
        self._store = store
        self._accounts = accounts
        self._effects = Effects(store.effects)

    @implements(MIDOFFICE_CONFIRM_COSTS)
    def confirm_costs(self, step: SupplierStep) -> Done:
        """Send the booking's newest snapshot with its confirmed costs; nothing if it says the same."""
        account = self._accounts.get(step.agency)
        if account is None:
            return NO_MIDOFFICE
        booking = self._store.facts.booking(step.agency, step.booking_id)
        if booking is None:
            raise Transient("the booking is not known yet", system=account.adapter.system)
        confirmed = self._store.supplier_orders.confirmed_in(step.agency, booking)
        return Transfer(self._store, self._effects, account, step.agency, confirmed).follow()

    @implements(MIDOFFICE_TRANSFER_ORDER)
    def transfer_order(self, step: SupplierOrderStep) -> Done:
        """Make the mid-office hold an order as it was last seen; what has no place there is listed with the reason."""
        orders = self._store.supplier_orders
        known = orders.get(step.agency, step.supplier, step.order_id)
        if known is None:
            raise Transient("the order is not in the store", operation="transfer order")
        if known.booking_id is not None:
            return Done(outcome="skipped", note=f"booking {known.booking_id} claims it by now")
        account = self._accounts.get(step.agency)
        reason = self._why_not(step, known, account)
        if account is None or reason is not None:
            orders.fate(step.agency, step.supplier, step.order_id, "listed", reason or "")
            return Done(outcome="partial", note=reason or "")
        done = _OrderTransfer(self._store, self._effects, account, step, known).follow()
        if not done.awaiting:
            orders.fate(step.agency, step.supplier, step.order_id, "transferred", done.note)
        return done

    def _why_not(self, step: SupplierOrderStep, known: KnownOrder, account: MidOfficeAccount | None) -> str | None:
        if account is None:
            return "the agency has no mid-office"
        if known.order.status not in STATES:
            return f"an order that {known.order.status} is never transferred"
        if not account.settings.takes("hotel"):
            return f"{account.adapter.system} takes no hotels"
        if step.supplier_code not in account.settings.supplier_numbers:
            return f"supplier {step.supplier_code} has no creditor number in {account.adapter.system}"
        return None


class _OrderTransfer(Announcing):
    """One order on its way into one mid-office."""

    def __init__(
        self, store: Store, effects: Effects, account: MidOfficeAccount, step: SupplierOrderStep, known: KnownOrder
    ) -> None:
        super().__init__(store, effects, account, step.agency, booking_key(known.order))
        self._step = step
        self._order = known.order

    def follow(self) -> Done:
        record = self._record_of(self._order)
        told = self._told().get(record.supplier_booking_id)
        if record.status in GONE and (told is None or (told.gone and told.order_id is None)):
            if not record.price.cost_gross:
                return Done(outcome="skipped", note="over before it was transferred, without a fee")
            # A fee needs a booking that it belongs to (midoffice 3.4).
            self._send(self._record_of(before_cancellation(self._order)), told)
            if self._awaiting:
                return Done(awaiting=tuple(self._awaiting))
            told = self._told()[record.supplier_booking_id]
        _, order_id = self._send(record, told)
        gone, queued = record.status in GONE, bool(self._awaiting)
        reason = "no booking of the platform claims it"
        state: TransferState = "queued" if queued else "cancelled" if gone else "transferred"
        self._list((str(self._order.order_id),), state, reason, order_id or None)
        return Done(ids=self._order_ids(), awaiting=tuple(self._awaiting), note=reason)

    def _record_of(self, order: SupplierOrder) -> MidOfficeBooking:
        step = self._step
        return record_of(step.agency, order, step.supplier_code, (step.selling_model, step.tax_scheme), self._settings)
