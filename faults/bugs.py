"""Seeded bugs: the product without one of its cares, switched on from outside, one at a time. Each must be caught by some case.

Nothing here is a switch of the product: names of its modules are replaced while the cases of a bug are played.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import activities.accounting.mapping
import activities.giav.bookings
import activities.giav.mapping.money
import activities.giav.mapping.reservas
import activities.giav.payments
import activities.tamara.answer_book
import activities.tamara.weighing
import starter.gateway.signatures
from activities.accounting.activities import JournalActivities
from activities.effects import Effects
from activities.giav.client import GiavClient
from activities.giav.lookups import Lookups
from activities.giav.office import Office
from activities.office.desk import DeskActivities
from activities.signatures import VERBS
from domain.effects import EffectKey, EffectState
from domain.errors import BackOfficeError, Refused, Transient, UnknownOutcome
from domain.money import Money
from domain.steps import Done, Parked
from faults import stage
from store.effects import EffectLedger
from store.inbox import Inbox
from store.journal import Journal
from workflows.stepping import Saga

Plant = Callable[[], AbstractContextManager[None]]
Wanted = tuple[str, str, str]
"""Scenario, beginning of the place, fault: the first case that fits."""


@dataclass(frozen=True)
class Bug:
    """`wanted` are the cases that ought to notice it."""

    name: str
    words: str
    plant: Plant
    wanted: tuple[Wanted, ...]


@contextmanager
def swapped(owner: Any, name: str, value: Any) -> Iterator[None]:
    """`owner.name` is `value` while the block runs."""
    inherited = isinstance(owner, type) and name not in owner.__dict__
    plain = getattr(owner, name) if inherited or not isinstance(owner, type) else owner.__dict__[name]
    setattr(owner, name, value)
    try:
        yield
    finally:
        if inherited:
            delattr(owner, name)
        else:
            setattr(owner, name, plain)


def swap(owner: Any, name: str, value: Any) -> Plant:
    return lambda: swapped(owner, name, value)


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """The process works with this bug while the block runs. What never ends is given up earlier than in other runs."""
    if name is None:
        yield
        return
    with BUGS[name].plant(), swapped(stage, "PATIENCE", 60.0), swapped(stage, "STILL", 20.0):
        yield


# What the bugs do -------------------------------------------------------------------------------------------------------


def _always_fresh() -> AbstractContextManager[None]:
    plain = EffectLedger.intend

    def intend(self: EffectLedger, key: EffectKey, **more: Any) -> Any:
        return replace(plain(self, key, **more)[0], state=EffectState.INTENDED, acts=1, looks=0), True

    return swapped(EffectLedger, "intend", intend)


def _cent_off() -> AbstractContextManager[None]:
    plain = activities.giav.mapping.money.cobro

    def cobro(payment: Any, *more: Any) -> Any:
        amount = Money(amount=payment.amount.amount + 1, currency=payment.amount.currency)
        return plain(payment.model_copy(update={"amount": amount}), *more)

    return swapped(activities.giav.payments, "cobro", cobro)


def _new_reference_each_time() -> AbstractContextManager[None]:
    plain, numbers = EffectKey.reference.fget, itertools.count()  # type: ignore[attr-defined]

    def reference(self: EffectKey) -> str:
        if self.system != "giav" or self.entity != "cobro":
            return str(plain(self))
        return str(plain(EffectKey(self.agency, self.system, self.entity, self.business_id, str(next(numbers)))))

    return swapped(EffectKey, "reference", property(reference))


def _key_of_journal_per_attempt() -> AbstractContextManager[None]:
    plain, numbers = Journal.append, itertools.count()

    def append(self: Journal, agency: str, *entries: Any) -> list[int]:
        anew = [entry.model_copy(update={"key": f"{entry.key}/{next(numbers)}"}) for entry in entries]
        return plain(self, agency, *anew)

    return swapped(Journal, "append", append)


@contextmanager
def _nobody_misses_the_dead() -> Iterator[None]:
    kept = {verb: verb.silence for verb in VERBS.values()}
    for verb in kept:
        object.__setattr__(verb, "silence", timedelta(minutes=30))
    try:
        yield
    finally:
        for verb, silence in kept.items():
            object.__setattr__(verb, "silence", silence)


def _garbled_is_success() -> AbstractContextManager[None]:
    plain = GiavClient.create

    def create(self: GiavClient, name: str, /, **values: Any) -> str:
        try:
            return plain(self, name, **values)
        except UnknownOutcome:
            return "999999"

    return swapped(GiavClient, "create", create)


def _adopts_strangers() -> AbstractContextManager[None]:
    def cobro(self: Lookups, reference: str, request: Any) -> list[str]:
        return [str(record["Id"]) for record in self.cobros_of(request["idExpediente"])]

    return swapped(Lookups, "cobro", cobro)


def _loses_every_second_event() -> AbstractContextManager[None]:
    plain = Inbox.in_turns

    def in_turns(self: Inbox, *more: Any, **options: Any) -> Any:
        rows = plain(self, *more, **options)
        return [row for row in rows if '"payment.captured"' not in row.notice_json]

    return swapped(Inbox, "in_turns", in_turns)


def _parks_nothing() -> AbstractContextManager[None]:
    def park(self: DeskActivities, parking: Any) -> Parked:
        return Parked(item_id=parking.item_id, owner="nobody", deadline=parking.since)

    return _implemented(DeskActivities, "park", park)


def _implemented(owner: type, name: str, body: Callable[[Any, Any], Any]) -> AbstractContextManager[None]:
    """A cell with another body: what the SDK knows of it stays."""
    plain = owner.__dict__[name]

    def cell(self: Any, step: Any) -> Any:
        return body(self, step)

    cell.__dict__.update(plain.__dict__)
    cell.__annotations__ = plain.__annotations__
    return swapped(owner, name, cell)


def _both_sides_swapped() -> AbstractContextManager[None]:
    plain = activities.accounting.mapping.invoice

    def invoice(*more: Any) -> Any:
        movement = plain(*more)
        less = Money(amount=-movement.amount.amount, currency=movement.amount.currency)
        return movement.model_copy(update={"amount": less})

    return swapped(activities.accounting.mapping, "invoice", invoice)


async def _unwinds_nothing(_: Saga) -> list[str]:
    return []


def _swaps_compensations() -> AbstractContextManager[None]:
    """What was made first is taken back first."""
    plain = EffectLedger.of_booking

    def of_booking(self: EffectLedger, *more: Any) -> Any:
        return list(reversed(plain(self, *more)))

    return swapped(EffectLedger, "of_booking", of_booking)


def _believes_every_id() -> AbstractContextManager[None]:
    return swapped(Office, "not_taken", lambda self, key, operation, own: own)


def _never_proves() -> AbstractContextManager[None]:
    return swapped(Office, "proven", lambda self, operation, own, look: own)


def _forgets_payer() -> AbstractContextManager[None]:
    plain = Effects.perform

    def perform(self: Effects, effect: Any) -> str:
        if effect.key.entity == "factura":
            with contextlib.suppress(BackOfficeError):
                return plain(self, effect)
            return "0"
        return plain(self, effect)

    return swapped(Effects, "perform", perform)


def _leap_day_slips() -> AbstractContextManager[None]:
    plain = activities.giav.mapping.reservas.container

    def container(*given: Any, **more: Any) -> Any:
        return {
            name: f"{value[:4]}-03-01" if str(value).endswith("-02-29") else value
            for name, value in plain(*given, **more).items()
        }

    return swapped(activities.giav.bookings, "container", container)


def _believes_every_answer() -> AbstractContextManager[None]:
    plain = activities.tamara.weighing.weigh

    def weigh(*given: Any) -> Any:
        return replace(plain(*given), verdict="APPLIED", text="")

    return swapped(activities.tamara.answer_book, "weigh", weigh)


LOST_COBRO = ("payment-card", "giav Cobro_POST #1", "drop-after")
LOST_FILE = ("create", "giav Expediente_POST #1", "drop-after")
REFUSED_COBRO = ("payment-card", "giav Cobro_POST #1", "refuse")
REFUSED_LINE = ("create", "giav Reserva_Normal_POST #2", "refuse")

BUGS: dict[str, Bug] = {
    each.name: each
    for each in (
        Bug(
            "no-look-up",
            "no look before a write is sent again",
            swap(Effects, "_look", lambda *_: None),
            (LOST_COBRO, LOST_FILE),
        ),
        Bug("no-memory", "no dedupe: every attempt counts as the first", _always_fresh, (LOST_COBRO, LOST_FILE)),
        Bug(
            "lost-is-not-sent",
            "a lost answer counts as nothing sent",
            swap(EffectLedger, "unknown", lambda self, key, reason: (self.not_sent(key, reason), self.get(key))[1]),
            (("payment-card", "giav Cobro_POST #1", "late"), ("create", "giav Expediente_POST #1", "late")),
        ),
        Bug(
            "refusals-for-ever",
            "a refusal is tried again for ever",
            swap(Refused, "automatic_retry", True),
            (REFUSED_LINE,),
        ),
        Bug(
            "no-patience",
            "what is out of reach for a moment is given up",
            swap(Transient, "automatic_retry", False),
            (("create", "giav Cliente_SEARCH #1", "page-503"), ("create", "giav Cliente_SEARCH #1", "drop-before")),
        ),
        Bug(
            "nothing-undone",
            "compensations are registered and never run",
            swap(Saga, "_unwind", _unwinds_nothing),
            (("create-undone", "giav Expediente_POST #1", "drop-after"),),
        ),
        Bug(
            "compensations-swapped",
            "what was made first is taken back first",
            _swaps_compensations,
            (("create-undone", "giav Expediente_POST #1", "drop-after"),),
        ),
        Bug("cent-off", "a receipt is a cent more than the payment", _cent_off, (LOST_COBRO,)),
        Bug("new-reference", "every attempt writes another reference", _new_reference_each_time, (LOST_COBRO,)),
        Bug(
            "journal-per-attempt",
            "the journal's key is the attempt's, not the fact's",
            _key_of_journal_per_attempt,
            (
                ("payment-card", "journal.record_payment: after commit 2", "killed"),
                ("payment-card", "journal.record_payment: after commit 3", "killed"),
            ),
        ),
        Bug(
            "dead-not-missed",
            "the silence of a dead worker is noticed by nobody",
            _nobody_misses_the_dead,
            (("payment-card", "giav.record_payment: start", "killed"),),
        ),
        Bug(
            "never-rearmed",
            "`retry` does not arm the refused write again",
            swap(EffectLedger, "rearm", lambda *_: False),
            (REFUSED_COBRO,),
        ),
        Bug(
            "strict-clock",
            "a signature must be of this very minute",
            swap(starter.gateway.signatures, "TOLERANCE", 60),
            (("payment-card", "platform", "five minutes ahead"),),
        ),
        Bug("parks-nothing", "a stop for a person is on no list", _parks_nothing, (REFUSED_COBRO,)),
        Bug(
            "garbled-is-success",
            "an answer that cannot be read counts as success",
            _garbled_is_success,
            (("create", "giav PasajeroExpediente_POST #1", "malformed"),),
        ),
        Bug(
            "never-settled",
            "what was done is not written down",
            swap(EffectLedger, "done", lambda *_, **__: None),
            (LOST_COBRO,),
        ),
        Bug(
            "undone-not-noted",
            "what was taken back still counts as done",
            swap(EffectLedger, "undone", lambda *_: None),
            (("create", "giav Reserva_Anidamiento_PUT #2", "refuse"), REFUSED_LINE),
        ),
        Bug(
            "adopts-strangers",
            "a look takes whatever stands in the file",
            _adopts_strangers,
            (("service-added", "giav Cobro_POST #1", "hang"), ("service-added", "giav Cobro_POST #1", "drop-before")),
        ),
        Bug("event-lost", "an event is accepted and never handed on", _loses_every_second_event, (LOST_COBRO,)),
        Bug(
            "journal-without-refunds",
            "the journal leaves refunds out",
            lambda: _implemented(JournalActivities, "record_refund", lambda *_: Done()),
            (("refund", "event 1", "twice"),),
        ),
        Bug("sides-swapped", "debit and credit of an invoice are swapped", _both_sides_swapped, (LOST_COBRO,)),
        Bug(
            "leap-day-slips",
            "a departure on 29 February counts as one on the 1st of March",
            _leap_day_slips,
            (("create", "departure and dues", "29 February"),),
        ),
        Bug(
            "answers-believed",
            "of an answer of AirPlus nothing is ever unclear",
            _believes_every_answer,
            (("tamara-export", "answer of AirPlus", "names a line never sent"),),
        ),
        Bug(
            "ids-of-others",
            "an id that another record of ours has is taken for the new one's",
            _believes_every_id,
            (("create", "giav Pasajero_POST #2", "crossed"),),
        ),
        Bug(
            "ids-unproven",
            "nobody looks whose id was answered",
            _never_proves,
            (("create", "giav Expediente_POST #1", "crossed"),),
        ),
        Bug(
            "invoice-shrugged-off",
            "an invoice that fails is let go",
            _forgets_payer,
            (("payment-card", "giav Factura_Servicios_POST #1", "refuse"),),
        ),
    )
}
