"""One day of an agency as a script: every lifecycle that reaches GIAV, as the events told and the cells they ask for
(contracts: giav 4).

Bookings of the day: `bkg_500` changes before anything is paid; `bkg_505` lives through instalments, refunds, a discount and
a dispute; `bkg_501` is cancelled without money, `bkg_502` with money, `bkg_503` with a penalty, `bkg_508` by not showing up,
`bkg_509` for a fee, `bkg_510` before its money came; `bkg_512` is cancelled and its refund comes back once; `bkg_506` has a
discount that is revoked, `bkg_507` was cancelled by mistake; `bkg_504` is registered and taken back; `bkg_511` goes down
with its trip, which is then on sale again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.checks import discrepancies
from domain.money import Money
from domain.steps import BookingStep, CancellationStep, ChargebackStep, ExperienceStep, PaymentStep, RefundStep, Step
from store.inbox import AcceptedEvent
from tests import stories
from tests.activities.giav.desk import SERVICES, TRAVELLERS, booking, discount

MORNING = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
EVERY = timedelta(minutes=15)

HOTEL = stories.line("lin_01", "svc_hotel", 41250, 33000)
CHEAPER_HOTEL = stories.line("lin_01", "svc_hotel", 41250, 30000)
BUS = stories.line("lin_02", "svc_bus", 9000, 6500)
GUIDE = stories.line("lin_03", "svc_guide", 1000, 800)
ANA, LUIS = TRAVELLERS
MARTA = LUIS | {"id": "trv_3", "first_name": "Marta"}
GONE = LUIS | {"status": "cancelled"}
RENAMED = ANA | {"first_name": "Ana María"}
UNKNOWN_PAYER = {"id": "cus_5", "kind": "person", "name": "Eva Sin Datos"}
KNOWN_PAYER = stories.PAYER | UNKNOWN_PAYER | {"tax_id": {"type": "NIE", "value": "X0000000T", "country": "ES"}}
ALONE = {"travellers": [ANA], "lines": [HOTEL]}


EVERYBODY = ""
ACTS = (
    "a booking that changes",
    "a booking with everything",
    "three cancellations",
    "other cancellations",
    "a refund that comes back",
    "what is taken back again",
    "what came to nothing",
    "a trip called off",
)
"""Short ones, because a day with a fault plays the rest of its act."""


@dataclass(frozen=True)
class Happening:
    """Something that is told (or, without event, undone by us), and the cell that answers it."""

    act: str
    words: str
    cell: str
    step: Step
    event: AcceptedEvent | None
    at: datetime


def day() -> list[Happening]:
    """The whole script; the same facts, ids and moments each time it is written."""
    return list(_Writer().write())


def act(name: str) -> list[Happening]:
    """The part of the day that stands alone: its bookings, and the experience that everybody travels with."""
    return [happening for happening in day() if happening.act in (EVERYBODY, name)]


class _Writer:
    def __init__(self) -> None:
        self._number = 0
        self._act = EVERYBODY
        self._revisions: dict[str, int] = {}

    def write(self) -> Iterator[Happening]:
        yield self._experience("an experience is created", "open_experience")
        yield self._experience("the experience changes", "amend_experience", title="Mallorca en junio")
        parts = (
            self._changing_booking,
            self._eventful_booking,
            self._cancelled_bookings,
            self._other_cancellations,
            self._bounced_refund,
            self._taken_back_again,
            self._come_to_nothing,
            self._called_off,
        )
        for name, part in zip(ACTS, parts, strict=True):
            self._act = name
            yield from part()
        self._act = EVERYBODY
        yield self._experience("the experience is over", "close_experience", status="completed")

    def _changing_booking(self) -> Iterator[Happening]:
        own = "bkg_500"
        yield self._booking("a booking with two nested costs", own)
        yield self._booking("a cost changes", own, lines=[CHEAPER_HOTEL, BUS])
        there = {"lines": [CHEAPER_HOTEL, GUIDE], "travellers": [RENAMED, GONE, MARTA]}
        yield self._booking("another service, another traveller", own, **there)
        early = discount(4500, "dsc_1")
        yield self._discounted("a discount before invoicing", own, early, [early], **there)

    def _eventful_booking(self) -> Iterator[Happening]:
        own = "bkg_505"
        there = {"lines": [CHEAPER_HOTEL, GUIDE], "travellers": [ANA, LUIS]}
        early, later = discount(4500, "dsc_5"), discount(10000, "dsc_6")
        yield self._booking("a booking with a discount", own, **there, discounts=[early])
        yield self._payment("a payment", own, "pay_1", 30000)
        more = there | {"lines": [CHEAPER_HOTEL, GUIDE, BUS], "discounts": [early]}
        yield self._booking("a service more", own, **more)
        yield self._payment("an instalment", own, "pay_2", 68000, initiation="mit")
        there |= {"discounts": [early]}
        yield self._booking("a service less, below what is invoiced", own, **there)
        yield self._refund("its money goes back", own, "pay_2", "ref_1", 18000, "service_change")
        yield self._discounted("a discount after invoicing", own, later, [early, later], **there)
        yield self._refund("its money too", own, "pay_2", "ref_2", 10000, "discount")
        yield self._chargeback("a chargeback takes the money", own, "funds_withdrawn")
        yield self._chargeback("the chargeback is won", own, "won")

    def _cancelled_bookings(self) -> Iterator[Happening]:
        yield self._booking("a booking of somebody without documents", "bkg_501", payer=UNKNOWN_PAYER, **ALONE)
        yield self._booking("the documents come", "bkg_501", payer=KNOWN_PAYER, **ALONE)
        yield self._cancelled("a cancellation without money", "bkg_501", "cxl_1", "none", 0, payer=KNOWN_PAYER)
        yield self._booking("a booking to be cancelled", "bkg_502", **ALONE)
        yield self._payment("its payment", "bkg_502", "pay_3", 40000)
        yield self._cancelled("a cancellation free of charge", "bkg_502", "cxl_2", "none", 0)
        yield self._refund("everything goes back", "bkg_502", "pay_3", "ref_3", 40000, "cancellation")
        yield self._booking("a booking with a penalty to come", "bkg_503", **ALONE)
        yield self._payment("its payment too", "bkg_503", "pay_4", 30000)
        yield self._cancelled("a cancellation with penalty", "bkg_503", "cxl_3", "indemnity_not_subject", 3000)
        yield self._refund("the rest goes back", "bkg_503", "pay_4", "ref_4", 27000, "cancellation")

    def _other_cancellations(self) -> Iterator[Happening]:
        yield self._booking("a booking of somebody who will not come", "bkg_508", **ALONE)
        yield self._payment("who has paid", "bkg_508", "pay_8", 30000)
        yield self._cancelled("and does not come", "bkg_508", "cxl_8", "no_show_consideration", 30000)
        yield self._booking("a booking that costs a fee to cancel", "bkg_509", **ALONE)
        yield self._payment("its payment", "bkg_509", "pay_9", 30000)
        yield self._cancelled("a cancellation with a fee", "bkg_509", "cxl_9", "taxable_fee", 3000)
        yield self._refund("all but the fee goes back", "bkg_509", "pay_9", "ref_9", 27000, "cancellation")
        yield self._booking("a booking with money under way", "bkg_510", **ALONE)
        yield self._cancelled("cancelled before the money came", "bkg_510", "cxl_10", "none", 0)
        yield self._payment("which comes all the same", "bkg_510", "pay_10", 30000)
        yield self._refund("and goes back", "bkg_510", "pay_10", "ref_10", 30000, "cancellation")

    def _bounced_refund(self) -> Iterator[Happening]:
        own = "bkg_512"
        yield self._booking("a booking whose refund will fail", own, **ALONE)
        yield self._payment("its money", own, "pay_12", 30000)
        yield self._cancelled("a cancellation with all its money to go back", own, "cxl_12", "none", 0)
        yield self._refund("it is sent", own, "pay_12", "ref_12", 30000, "cancellation")
        yield self._refund("it comes back", own, "pay_12", "ref_12", 30000, "cancellation", failed=True)
        yield self._refund("it is sent again", own, "pay_12", "ref_13", 30000, "cancellation")

    def _taken_back_again(self) -> Iterator[Happening]:
        own, given = "bkg_506", discount(10000, "dsc_7")
        yield self._booking("a booking that is paid in full", own, **ALONE)
        yield self._payment("its whole price", own, "pay_6", 82500)
        yield self._discounted("a discount after that", own, given, [given], **ALONE)
        yield self._discounted("is revoked", own, given, [], action="revoked", **ALONE)
        yield self._booking("a booking that stays", "bkg_507", **ALONE)
        yield self._cancelled("cancelled by mistake", "bkg_507", "cxl_7", "none", 0)
        yield self._booking("and there again", "bkg_507", status="confirmed", **ALONE)

    def _called_off(self) -> Iterator[Happening]:
        trip = {"id": "exp_33", "title": "Menorca"}
        there = ALONE | {"experience_id": "exp_33"}
        yield self._experience("a third experience is created", "open_experience", **trip)
        yield self._booking("with a booking", "bkg_511", **there)
        yield self._cancelled("which is cancelled", "bkg_511", "cxl_11", "none", 0, experience_id="exp_33")
        yield self._experience("with its trip", "close_experience", status="cancelled", **trip)
        yield self._experience("the trip is on sale again", "amend_experience", **trip)
        yield self._experience("and called off for good", "close_experience", status="cancelled", **trip)

    def _come_to_nothing(self) -> Iterator[Happening]:
        registered = self._booking("a booking that cannot stand", "bkg_504", **ALONE)
        yield registered
        self._number += 1
        yield self._happening("it is taken back", "undo_register_booking", registered.step, None)
        never = {"id": "exp_32", "title": "Nunca"}
        yield self._experience("another experience is created", "open_experience", **never)
        yield self._experience("and cancelled", "close_experience", status="cancelled", **never)

    # Events and steps ------------------------------------------------------------------------------------------------

    def _experience(self, words: str, cell: str, **changes: Any) -> Happening:
        told = stories.experience(services=SERVICES, **changes)
        own = told["id"]
        revision = self._next("experience", own)
        kind = "experience.created" if revision == 1 else "experience.updated"
        event = self._event(kind, stories.data(f"experience/{own}", revision, experience=told))
        step = ExperienceStep(agency=stories.AGENCY, experience_id=own, event_id=event.event_id, revision=revision)
        return self._happening(words, cell, step, event)

    def _booking(self, words: str, own: str, **changes: Any) -> Happening:
        first = own not in self._revisions
        kind = "booking.created" if first else "booking.modified"
        cell = "register_booking" if first else "amend_booking"
        return self._snapshot(words, cell, kind, own, {}, **changes)

    def _discounted(
        self,
        words: str,
        own: str,
        given: dict[str, Any],
        standing: list[dict[str, Any]],
        *,
        action: str = "applied",
        **changes: Any,
    ) -> Happening:
        members = {"discount": given, "action": action}
        changes |= {"discounts": standing}
        return self._snapshot(words, "amend_booking", "booking.discount_applied", own, members, **changes)

    def _snapshot(
        self, words: str, cell: str, kind: str, own: str, members: dict[str, Any], **changes: Any
    ) -> Happening:
        revision = self._next("booking", own)
        effects = {"price_effect": stories.NO_EFFECT, "cost_effect": stories.NO_EFFECT} if revision > 1 else {}
        told = booking(id=own, locator=f"LOC{own[-3:]}", **changes)
        event = self._event(kind, stories.data(f"booking/{own}", revision, booking=told, **effects, **members))
        step = BookingStep(
            agency=stories.AGENCY,
            booking_id=own,
            experience_id=told["experience_id"],
            event_id=event.event_id,
            revision=revision,
        )
        return self._happening(words, cell, step, event)

    def _cancelled(
        self, words: str, own: str, cancellation_id: str, treatment: str, penalty: int, **changes: Any
    ) -> Happening:
        lines = [stories.line("lin_01", "svc_hotel", 41250, 0, status="cancelled")]
        now = (MORNING + EVERY * self._number).isoformat()
        told = stories.cancellation(treatment) | {
            "id": cancellation_id,
            "requested_at": now,
            "effective_at": now,
            "penalty": {"amount": stories.eur(penalty), "treatment": treatment},
        }
        changes |= {"travellers": [ANA], "lines": lines, "status": "cancelled", "penalty": penalty}
        happening = self._snapshot(words, "cancel_booking", "booking.cancelled", own, {"cancellation": told}, **changes)
        step = CancellationStep(**happening.step.model_dump(), cancellation_id=cancellation_id)
        return self._happening(words, "cancel_booking", step, happening.event)

    def _payment(self, words: str, own: str, payment_id: str, amount: int, **changes: Any) -> Happening:
        told = stories.payment(payment_id, amount=amount, booking_id=own, **changes)
        event = self._event("payment.captured", stories.data(f"payment/{payment_id}", payment=told))
        step = PaymentStep(
            agency=stories.AGENCY,
            booking_id=own,
            experience_id="exp_31",
            payment_id=payment_id,
            amount=Money(amount=amount, currency="EUR"),
            method="card",
        )
        return self._happening(words, "record_payment", step, event)

    def _refund(
        self, words: str, own: str, payment_id: str, refund_id: str, amount: int, cause: str, *, failed: bool = False
    ) -> Happening:
        now = (MORNING + EVERY * self._number).isoformat()
        told = stories.refund(
            refund_id,
            amount=amount,
            booking_id=own,
            payment_id=payment_id,
            cause=cause,
            processor={"name": "stripe", "refund_ref": f"re_{refund_id}"},
            requested_at=now,
            settled_at=now,
        )
        reference = {"id": payment_id, "amount": stories.eur(amount), "refunded_total": stories.eur(amount)}
        members = {"failure": stories.FAILURE} if failed else {"payment_ref": reference}
        data = stories.data(f"payment/{payment_id}", self._next("payment", payment_id), refund=told, **members)
        event = self._event("payment.refund_failed" if failed else "payment.refunded", data)
        step = RefundStep(
            agency=stories.AGENCY,
            booking_id=own,
            payment_id=payment_id,
            refund_id=refund_id,
            amount=Money(amount=amount, currency="EUR"),
            event_id=event.event_id,
        )
        return self._happening(words, "record_refund", step, event)

    def _chargeback(self, words: str, own: str, stage: str) -> Happening:
        told = stories.chargeback(stage) | {"payment_id": "pay_1", "booking_id": own}
        reference = stories.PAYMENT_REF | {"id": "pay_1"}
        data = stories.data("payment/pay_1", self._next("payment", "pay_1"), chargeback=told, payment_ref=reference)
        event = self._event("payment.chargeback", data)
        step = ChargebackStep(
            agency=stories.AGENCY,
            booking_id=own,
            payment_id="pay_1",
            chargeback_id=told["id"],
            stage=stage,
            amount=Money(amount=30000, currency="EUR"),
            event_id=event.event_id,
        )
        return self._happening(words, "record_chargeback", step, event)

    def _next(self, kind: str, own: str) -> int:
        # The first event of a payment is its capture.
        self._revisions[own] = self._revisions.get(own, 1 if kind == "payment" else 0) + 1
        return self._revisions[own]

    def _event(self, kind: str, data: dict[str, Any]) -> AcceptedEvent:
        self._number += 1
        event = stories.event(self._number, kind, data)
        assert discrepancies(event.data) == [], "a snapshot that does not add up proves nothing"
        return event

    def _happening(self, words: str, cell: str, step: Step, event: AcceptedEvent | None) -> Happening:
        return Happening(self._act, words, cell, step, event, MORNING + EVERY * self._number)
