"""One agency's desk at GIAV: settings, line, look-ups, ledger and store in one hand (contracts: giav 3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from temporalio import activity

from activities.effects import Effect, Effects
from activities.giav.client import SYSTEM, GiavClient
from activities.giav.lookups import Lookups
from activities.giav.mapping.values import At, Request, local_day
from activities.giav.settings import GiavSettings
from domain.effects import EffectKey, EffectRecord, EffectState
from domain.errors import BackOfficeError, ContractBroken, NeedsPerson, NotYet, Transient, UnknownOutcome
from domain.platform import Booking, Experience
from domain.steps import Decision
from store import Store

CREATE, AMEND = "create", "amend"
KIN = (("reserva", "cost line"), ("cobro", "reembolso"), ("factura", "penalty", "credit note"))
"""Entities of ours that are one kind of record in GIAV: their ids differ."""
Reached = Callable[[], bool]
LONGEST_WAIT = 60.0
"""Seconds between two looks at something that another step must bring into being."""


@dataclass(frozen=True)
class GiavAccount:
    """An agency's line to GIAV and its settings."""

    client: GiavClient
    settings: GiavSettings

    @classmethod
    def open(cls, section: dict[str, Any]) -> GiavAccount:
        """From the raw section of an installation file. Raises pydantic's `ValidationError`."""
        settings = GiavSettings.model_validate(section)
        return cls(GiavClient(settings), settings)


@dataclass(frozen=True)
class Container:
    """The reservation of a booking as GIAV has it: `posted` is the last record that we sent, by `posted_by`; `travellers`
    came with it."""

    id: int
    expediente: int
    posted: Request
    posted_by: EffectKey
    revision: int
    travellers: tuple[int, ...]

    @property
    def client(self) -> int:
        return int(self.posted["idCliente"])


class Office:
    """What every step of an agency works with."""

    def __init__(
        self, agency: str, account: GiavAccount, store: Store, effects: Effects, now: Callable[[], datetime]
    ) -> None:
        self.agency = agency
        self.client = account.client
        self.settings = account.settings
        self.lookups = Lookups(account.client, account.settings)
        self.store = store
        self.effects = effects
        self._now = now

    def now(self) -> datetime:
        return self._now()

    def today(self) -> date:
        """The day in Madrid: the only issue date that a document ever gets."""
        return local_day(self._now())

    def key(self, entity: str, business_id: str, operation: str, sequence: int = 0) -> EffectKey:
        return EffectKey(self.agency, SYSTEM, entity, business_id, operation, sequence)

    def at(self, client: int, expediente: int, key: EffectKey) -> At:
        return At(client, expediente, key.reference, self.settings)

    # Effects -----------------------------------------------------------------------------------------------------

    def create(
        self,
        key: EffectKey,
        operation: str,
        request: Request,
        look_up: Callable[[str], Sequence[str]],
        booking_id: str | None = None,
        *,
        proven: bool = False,
    ) -> int:
        """One record made exactly once; its id. `proven`: the answer is not believed before the record was seen."""

        def act(reference: str) -> str:
            own = self.not_taken(key, operation, self.client.create(operation, **request))
            return self.proven(operation, own, lambda: look_up(reference)) if proven else own

        effect = Effect(
            key=key,
            act=act,
            look_up=look_up,
            booking_id=booking_id,
            request=request,
        )
        return own_id(self.effects.perform(effect), key)

    def enter_money(self, key: EffectKey, request: Request, booking_id: str) -> int:
        """A Cobro or a Reembolso made exactly once; its id."""
        return self.create(
            key,
            "Cobro_POST",
            request,
            lambda reference: self.lookups.cobro(reference, request),
            booking_id,
            proven=True,
        )

    def not_taken(self, key: EffectKey, operation: str, own: str) -> str:
        """The id that was answered. Raises `UnknownOutcome` when another record of ours has it: this was another call's answer."""
        kin = next((each for each in KIN if key.entity in each), (key.entity,))
        holder = self.store.effects.holder(key, own, kin)
        if holder is not None:
            raise UnknownOutcome(
                f"answered with {own}, which is that of {holder.entity} {holder.business_id}",
                system=SYSTEM,
                operation=operation,
            )
        return own

    def proven(self, operation: str, own: str, look: Callable[[], Sequence[str]]) -> str:
        """The id that carries our reference, whatever was answered. Raises `UnknownOutcome` when nobody can look.

        A look that finds nothing proves nothing: the answer counts. One that finds another id may itself have got another
        call's answer: two have to agree.
        """
        try:
            found = look()
            if found and own not in found and look() != found:
                raise Transient("two looks for what was made differ", system=SYSTEM, operation=operation)
        except BackOfficeError as error:
            words = f"answered with {own}, which nobody could look at: {error}"
            raise UnknownOutcome(words, system=SYSTEM, operation=operation) from error
        return found[0] if found and own not in found else own

    def change(
        self,
        key: EffectKey,
        operation: str,
        request: Request,
        target: int,
        booking_id: str | None = None,
        *,
        reached: Reached | None = None,
        remember: Request | None = None,
    ) -> None:
        """A write that sets a state and may be repeated: PUT, nesting, CLOSE.

        `reached` tells after a breakdown whether that state is there; the ledger keeps `remember` instead of the request.
        """

        def act() -> None:
            self.client.call(operation, **request)

        kept = request if remember is None else remember
        self.effects.perform(self._act(key, act, target, booking_id, reached=reached, request=kept))

    def learn(self, key: EffectKey, read: Callable[[], str], request: Request, booking_id: str) -> int:
        """A record that GIAV made by itself with another one, under a key of its own; only read here."""
        effect = Effect(key=key, act=lambda _: read(), booking_id=booking_id, request=request)
        return own_id(self.effects.perform(effect), key)

    def repeatable(self, key: EffectKey, act: Callable[[], None], target: int, booking_id: str | None) -> None:
        """An act of several calls that may be repeated as a whole."""
        self.effects.perform(self._act(key, act, target, booking_id))

    def take_back(
        self,
        key: EffectKey,
        undo: EffectKey,
        act: Callable[[], None],
        target: int,
        booking_id: str | None,
        *,
        reached: Reached | None = None,
    ) -> None:
        """Undo an effect by a repeatable act."""
        self.effects.take_back(key, self._act(undo, act, target, booking_id, reached=reached))

    @staticmethod
    def _act(
        key: EffectKey,
        act: Callable[[], None],
        target: int,
        booking_id: str | None,
        *,
        reached: Reached | None = None,
        request: Request | None = None,
    ) -> Effect:
        def acted(_: str) -> str:
            act()
            return str(target)

        def found() -> str | None:
            return str(target) if reached is not None and reached() else None

        return Effect(key=key, act=acted, reached=found, booking_id=booking_id, request=request)

    # Questions ---------------------------------------------------------------------------------------------------

    def ask(
        self,
        about: EffectKey,
        reason: str,
        words: str,
        options: tuple[Decision, ...],
        *,
        since: datetime | None = None,
    ) -> Decision:
        """A person's answer, given at `since` or later. Raises `NeedsPerson` with the reason as code until there is one."""
        answer = self.store.parked.answer(self.agency, str(about), options, since)
        if answer is None:
            raise NeedsPerson(words, system=SYSTEM, code=reason, effect=str(about))
        return answer

    # What stands -------------------------------------------------------------------------------------------------

    def made(self, key: EffectKey) -> int | None:
        """The id that a finished effect left in GIAV."""
        found = self.store.effects.outside_id(key)
        return None if found is None else own_id(found, key)

    def records(self, booking_id: str) -> list[EffectRecord]:
        """The booking's effects in the order they were intended."""
        return self.store.effects.of_booking(self.agency, booking_id, SYSTEM)

    def expediente(self, experience_id: str) -> int:
        """The file of an experience. Raises `Transient` while it is not there."""
        return self._awaited(self.key("expediente", experience_id, CREATE), "expediente")

    def container(self, booking_id: str) -> Container:
        """The booking's reservation. Raises `Transient` while it is not there, `NeedsPerson` when it was taken back."""
        key = self.key("reserva", booking_id, CREATE)
        own = self._awaited(key, "reserva")
        newest, revision = key, 0
        for record in self.records(booking_id):
            if record.state is EffectState.DONE and record.key.entity == "reserva" and record.key.operation == AMEND:
                newest, revision = record.key, max(revision, record.key.sequence)
        posted = self.store.effects.last_request(newest)
        first = posted if newest == key else self.store.effects.last_request(key)
        if posted is None or first is None:
            raise NeedsPerson("the ledger does not know what was sent for this reserva", system=SYSTEM, effect=str(key))
        return Container(
            own, int(first["idExpediente"]), posted, newest, revision, tuple(first.get("idsPasajeros") or ())
        )

    def experience(self, experience_id: str) -> Experience:
        """Raises `Transient` while the experience is unknown."""
        found = self.store.facts.experience(self.agency, experience_id)
        if found is None:
            raise self.wait_for("experience")
        return found

    def booking(self, booking_id: str) -> Booking:
        """The newest snapshot. Raises `ContractBroken` when there is none although GIAV has the booking."""
        found = self.store.facts.booking(self.agency, booking_id)
        if found is None:
            raise ContractBroken(f"no snapshot of booking {booking_id}", system="store")
        return found

    def _awaited(self, key: EffectKey, what: str) -> int:
        record = self.store.effects.get(key)
        if record is not None and record.state is EffectState.UNDONE:
            raise NeedsPerson(f"the {what} was taken back", system=SYSTEM, effect=str(key))
        if record is None or record.state is not EffectState.DONE or record.outside_id is None:
            raise self.wait_for(what)
        return own_id(record.outside_id, key)

    def wait_for(self, what: str) -> Transient:
        """To raise when another step must come first: soon at first, then ever less often."""
        attempt = activity.info().attempt if activity.in_activity() else 1
        seconds = min(self.settings.wait_for_expediente_seconds * 2.0 ** (attempt - 1), LONGEST_WAIT)
        return NotYet(f"waiting for {what}", system=SYSTEM, retry_after=seconds)


def own_id(outside_id: str, key: EffectKey) -> int:
    """GIAV's internal id. Raises `NeedsPerson` for what a person adopted and is none (a document's number, say)."""
    if not outside_id.isdigit():
        raise NeedsPerson("the adopted id is not an internal id of GIAV", system=SYSTEM, effect=str(key))
    return int(outside_id)
