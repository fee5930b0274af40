"""Brings one agency's mid-office to what one snapshot of one booking says (contracts: midoffice 1.3, 3.3 to 3.6)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from activities.effects import Effect, Effects, Queued
from activities.midoffice.accounts import MidOfficeAccount
from activities.midoffice.adapter import PushResult
from activities.midoffice.answers import Answers
from activities.midoffice.booking import MidOfficeBooking
from activities.midoffice.codec import HeldBooking
from activities.midoffice.from_order import booking_key
from activities.midoffice.mapping import Sorted, as_it_stood, customer_of, guests_of, sort_out, struck_out
from activities.midoffice.ordered import with_order
from activities.midoffice.told import GONE, Chain, chains, lines_told, message_key, next_message, request_of
from domain.effects import EffectKey, EffectState
from domain.errors import BackOfficeError, Transient
from domain.platform import Booking, Cancellation
from domain.steps import Done
from domain.supplier import RATEHAWK
from store import Store
from store.transfers import TransferState

OPEN = frozenset({EffectState.UNKNOWN, EffectState.INTENDED, EffectState.QUEUED})
UNANSWERED = "sent, their answer is outstanding"
NOTHING_BELONGS = "no line of the booking belongs in the mid-office"


class Announcing:
    """The messages about one booking to one mid-office, whoever says what they are to hold."""

    def __init__(self, store: Store, effects: Effects, account: MidOfficeAccount, agency: str, booking_id: str) -> None:
        self._store = store
        self._effects = effects
        self._settings = account.settings
        self._adapter = account.adapter
        self._answers = Answers(store, account.adapter)
        self._agency = agency
        self._booking_id = booking_id
        self._awaiting: list[str] = []

    def _send(self, record: MidOfficeBooking, chain: Chain | None) -> tuple[EffectKey, str]:
        """One message of a chain as one effect, if one is needed; gives its key and the order id. A message whose answer is
        outstanding is `awaiting`.
        """
        chain = self._answered(chain, record)
        wanted = next_message(chain, record)
        if wanted is None:
            assert chain is not None
            self._overtaken(chain, chain.last.key, chain.order_id or "")
            return chain.last.key, chain.order_id or ""
        message = record.as_message(wanted.action, wanted.revision)
        key = message_key(self._adapter.system, message)
        again = chain is not None and chain.last.key == key and chain.armed
        adapter = self._adapter.anew() if again else self._adapter
        push = adapter.cancel_booking if wanted.action == "CANCEL" else adapter.push_booking

        def act(_: str) -> str:
            return taken(push(message))

        def look_up(_: str) -> list[str]:
            return [state.external_ref for state in adapter.read_status(message.ref) if agrees(state.held, message)]

        # What a change changes may not be visible from outside, but its repeat is the same change again. Where answers
        # come later, sending again under the same key asks for the answer.
        repeatable = wanted.action == "CHANGE" or adapter.capabilities.answers_later
        look = None if repeatable else look_up
        order_id = self._effects.perform(
            Effect(key, act, look, booking_id=message.booking_key, request=request_of(message))
        )
        if isinstance(order_id, Queued):
            self._awaiting.append(str(key))
            return key, (chain and chain.order_id) or ""
        if chain is not None:
            self._overtaken(chain, key, order_id)
        return key, order_id

    def _overtaken(self, chain: Chain, by: EffectKey, order_id: str) -> None:
        """Whatever became of messages that are open still: the order holds a later version."""
        for earlier in chain.messages:
            if earlier.key != by and earlier.state in OPEN:
                self._store.effects.done(earlier.key, order_id, adopted=True)

    def _answered(self, chain: Chain | None, record: MidOfficeBooking) -> Chain | None:
        """The chain after reading the answer to its last message, if that is outstanding."""
        if chain is None or chain.last.state is not EffectState.QUEUED:
            return chain
        try:
            self._answers.settle(chain.last)
        except BackOfficeError:
            # What they refused does not matter any more if something else is to be said now.
            if chain.content_hash == record.content_hash:
                raise
        return self._told()[record.supplier_booking_id]

    def _told(self) -> dict[str, Chain]:
        return chains(self._store, self._agency, self._adapter.system, self._booking_id)

    def _list(
        self,
        lines: Iterable[str],
        state: TransferState,
        reason: str,
        order_id: str | None = None,
    ) -> None:
        for line_id in lines:
            self._store.transfers.record(
                self._agency,
                self._adapter.system,
                self._booking_id,
                line_id,
                state,
                reason=reason,
                outside_id=order_id,
            )

    def _order_ids(self) -> dict[str, str]:
        held = [chain.order_id for chain in self._told().values() if chain.order_id]
        return {"order" if number == 1 else f"order_{number}": order for number, order in enumerate(held, start=1)}


class Transfer(Announcing):
    """One booking on its way into one mid-office. Register, amend and cancel differ only in what they start from."""

    def __init__(
        self, store: Store, effects: Effects, account: MidOfficeAccount, agency: str, booking: Booking
    ) -> None:
        super().__init__(store, effects, account, agency, booking.id)
        self._booking = booking

    def sorted_out(self) -> Sorted:
        """The snapshot's lines, sorted; raises `Transient` while the experience is unknown."""
        return self._sort(self._booking, self._store.facts.cancellations_of(self._agency, self._booking.id))

    def follow(self) -> Done:
        """Send what differs, cancel what is gone, list what has no place there."""
        now = self.sorted_out()
        told = self._told()
        notes = []
        for key, record in now.records.items():
            chain = told.get(key)
            note = self._bring_to(record, chain, now.lines[key])
            notes += [note] if note else []
            if chain is not None and chain.ref.booking_key != self._booking_id:
                self._store.transfers.forget(self._agency, self._adapter.system, chain.ref.booking_key)
        for key, chain in told.items():
            if key not in now.records and not chain.gone:
                self._strike_out(chain)
        for left in now.left_behind:
            self._list((left.line_id,), "not_transferred", left.reason)
            notes.append(f"{left.line_id}: {left.reason}")
        ids = self._order_ids()
        outcome = "partial" if now.left_behind else "done" if ids else "skipped"
        note = "; ".join(notes) if ids or notes else NOTHING_BELONGS
        awaiting = tuple(self._awaiting)
        return Done.model_validate({"outcome": outcome, "ids": ids, "note": note[:1000], "awaiting": awaiting})

    def undo(self) -> Done:
        """Cancel with fee 0 what stands there, or may still land there, and mark its messages as undone."""
        # What was told of an order before this booking claimed it is not this booking's to take back.
        for chain in super()._told().values():
            if not chain.gone:
                # Also when the outcome is in doubt: the higher version keeps a late landing from reviving the booking.
                by = self._strike_out(chain)
            elif chain.order_id is not None:
                by = chain.last.key
            else:
                continue
            if str(by) in self._awaiting:
                # Nothing is taken back before they say so; the cell comes again then.
                continue
            for message in chain.messages:
                if message.key != by and message.state is not EffectState.REFUSED:
                    self._store.effects.undone(message.key, by)
        return Done(ids=self._order_ids(), awaiting=tuple(self._awaiting))

    def _bring_to(self, record: MidOfficeBooking, chain: Chain | None, lines: Iterable[str]) -> str | None:
        """Make the mid-office hold `record`; returns a note where that takes nothing at all."""
        cancel = record.status in GONE
        if cancel and (chain is None or (chain.gone and chain.order_id is None)):
            if not record.price.sell_gross and not record.price.cost_gross:
                return f"{record.supplier_booking_id}: cancelled before it was transferred, without a fee"
            # A fee needs a booking that it belongs to (midoffice 3.4).
            before = self._sort(as_it_stood(self._booking), ()).records[record.supplier_booking_id]
            key, _ = self._send(before, chain)
            if str(key) in self._awaiting:
                self._list(lines, "queued", UNANSWERED)
                return None
            chain = self._told()[record.supplier_booking_id]
        key, order_id = self._send(record, chain)
        if str(key) in self._awaiting:
            self._list(lines, "queued", UNANSWERED, order_id or None)
        else:
            self._list(lines, "cancelled" if cancel else "transferred", "", order_id)
        return None

    def _strike_out(self, chain: Chain) -> EffectKey:
        """Cancel with fee 0 what a chain says is there; gives the key of the cancellation."""
        guests = [guest.model_dump() for _, guest in guests_of(self._booking, (), keep_all=True)]
        people = {"customer": customer_of(self._booking.payer).model_dump(), "travellers": guests}
        record = struck_out(MidOfficeBooking.model_validate({**chain.content, **people}))
        key, order_id = self._send(record, chain)
        lines = sorted(lines_told(chain))
        queued = str(key) in self._awaiting
        self._list(lines, "queued" if queued else "cancelled", "taken out of the booking", order_id or None)
        return key

    def _sort(self, booking: Booking, cancellations: Iterable[Cancellation]) -> Sorted:
        experience = self._store.facts.experience(self._agency, booking.experience_id)
        if experience is None:
            raise Transient("the experience of the booking is not known yet", system=self._adapter.system)
        found = sort_out(self._agency, booking, experience, cancellations, self._settings)
        told = self._told()
        return replace(
            found,
            records={
                key: self._as_ordered(record).model_copy(
                    update={"replaces": _replaced(key, found.lines[key], told, found.records)}
                )
                for key, record in found.records.items()
            },
        )

    def _told(self) -> dict[str, Chain]:
        """Also what was told of an order before this booking claimed it: its versions go on from there."""
        told = super()._told()
        for order in self._booking.external_orders:
            if order.partner_order_ref not in told:
                told |= self._told_alone(order.partner_order_ref)
        return told

    def _told_alone(self, supplier_booking_id: str) -> dict[str, Chain]:
        known = self._store.supplier_orders.called(self._agency, RATEHAWK, supplier_booking_id)
        if known is None:
            return {}
        return chains(self._store, self._agency, self._adapter.system, booking_key(known.order))

    def _as_ordered(self, record: MidOfficeBooking) -> MidOfficeBooking:
        """The record with what the supplier itself says of the stay, where that is known."""
        known = self._store.supplier_orders.called(self._agency, RATEHAWK, record.supplier_booking_id)
        return record if known is None else with_order(record, known.order)


def _replaced(key: str, lines: Iterable[str], told: Mapping[str, Chain], wanted: Collection[str]) -> str | None:
    """The order that served one of these lines until now: of those that they were told of, the last that is not wanted."""
    before = [
        other
        for other, chain in told.items()
        if other != key
        and other not in wanted
        and chain.order_id is not None
        and not lines_told(chain).isdisjoint(lines)
    ]
    return before[-1] if before else None


def taken(result: PushResult) -> str:
    """The id over there, or the place where a message waits for its acknowledgement."""
    return Queued(result.external_ref) if result.outcome == "QUEUED" else result.external_ref


def agrees(held: HeldBooking, record: MidOfficeBooking) -> bool:
    """Whether what is held is the record or came after it, as far as the read-back shows it."""
    if held.revision is not None and held.revision != record.revision:
        return held.revision > record.revision
    return (
        (held.status == "CANCELLED") == (record.status in GONE)
        and (held.price is None or held.price == record.price.sell_gross)
        and (held.persons is None or held.persons == len(record.travellers))
        and (held.start is None or held.start == min(service.start_date for service in record.services))
        and (held.end is None or held.end == max(service.end_date for service in record.services))
    )
