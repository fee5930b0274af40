"""Bring travellers, cost lines and container of a registered booking to a newer snapshot (contracts: giav 4, F-M*)."""

from __future__ import annotations

from collections.abc import Sequence

from activities.giav.bookings import NEST, create_cost_line, delete_cost_line, ensure_traveller, nest_cost_line
from activities.giav.client import SYSTEM
from activities.giav.clients import amend_client, ensure_client
from activities.giav.elements import Record
from activities.giav.mapping.merging import ours, respecting
from activities.giav.mapping.parties import pasajero, pasajero_change
from activities.giav.mapping.reservas import (
    as_change,
    container,
    cost_line,
    differs,
    has_cost_line,
    line_code,
    without_cost,
)
from activities.giav.mapping.values import Request, euros
from activities.giav.office import AMEND, CREATE, Container, Office, own_id
from activities.giav.replacing import replace_reserva
from domain.effects import EffectKey, EffectRecord, EffectState
from domain.errors import NeedsPerson
from domain.platform import Booking, Experience, Line

COST_LINE, TRAVELLER, SEAT = "cost line", "pasajero", "pasajero in reserva"
CONFIRM = "confirm cost"
"""How the operation begins that brings a supplier's confirmed cost; the order's number follows."""


class Amendment:
    """One booking, one newer revision. Every write is an effect of that revision, so a second run changes nothing."""

    def __init__(self, office: Office, booking: Booking, revision: int, standing: Container) -> None:
        self._office = office
        self._booking = booking
        self._revision = revision
        self._container = standing
        self._experience: Experience = office.experience(booking.experience_id)
        self._records = office.records(booking.id)
        self.note = ""
        self._stands: dict[int, Record] | None = None

    def apply(self, *, keep_lines: bool) -> int:
        """Client, travellers, lines, container, in that order; answers the payer's client id.

        `keep_lines` keeps the lines of removed services at cost 0 instead of deleting them.
        """
        client = ensure_client(self._office, self._booking.payer, self._booking.id)
        self.note = amend_client(self._office, self._booking.payer, client, self._booking.id)
        if self._booking.status != "cancelled":
            self._travellers(client)
        self._lines(client, keep_lines)
        self._put_container(client)
        return client

    # Travellers --------------------------------------------------------------------------------------------------

    def _travellers(self, client: int) -> None:
        for traveller in self._booking.travellers:
            made = self._made(TRAVELLER, f"{self._booking.id}/{traveller.id}")
            if traveller.status != "active":
                if made is not None:
                    self._leave_seat(traveller.id, made)
            elif made is None:
                own = ensure_traveller(self._office, self._booking, traveller, self._container.expediente, client)
                self._take_seat(traveller.id, own)
            else:
                wished = pasajero(traveller, made.reference, self._office.settings.custom_fields.pasajero, client)
                self._rename(traveller.id, made, wished)
                if not self._has_seat(traveller.id, made):
                    self._take_seat(traveller.id, self._own(made))
        present = {traveller.id for traveller in self._booking.travellers}
        for record in self._done(TRAVELLER, CREATE):
            traveller_id = record.key.business_id.partition("/")[2]
            if traveller_id not in present:
                self._leave_seat(traveller_id, record.key)

    def _rename(self, traveller_id: str, made: EffectKey, wished: Request) -> None:
        office = self._office
        last = office.store.effects.last_request(self._newest_amend(made) or made) or {}
        # The client of origin is left alone: GIAV calls it by another name in the PUT, and nobody reads it.
        if all(last.get(name) == wished[name] for name in ("nombre", "paxTipo")):
            return
        own = self._own(made)
        key = office.key(TRAVELLER, f"{self._booking.id}/{traveller_id}", AMEND, self._revision)
        office.change(key, "Pasajero_PUT", pasajero_change(own, wished), own, self._booking.id)

    def _take_seat(self, traveller_id: str, own: int) -> None:
        """Put a traveller who joined later on the reserva; those of the first day came with it."""
        request: Request = {"idPasajero": own, "idReserva": self._container.id, "principal": False}
        self._office.create(
            self._office.key(SEAT, f"{self._booking.id}/{traveller_id}", CREATE, self._revision),
            "PasajeroReserva_POST",
            request,
            lambda _: self._office.lookups.pasajero_in_reserva(own, self._container.id),
            self._booking.id,
        )

    def _has_seat(self, traveller_id: str, made: EffectKey) -> bool:
        """The newest of coming and leaving decides; who came with the reserva came at revision 0."""
        business_id = f"{self._booking.id}/{traveller_id}"
        came = [record.key.sequence for record in self._done(SEAT, CREATE) if record.key.business_id == business_id]
        left = [record.key.sequence for record in self._done(SEAT, "leave") if record.key.business_id == business_id]
        if self._own(made) in self._container.travellers:
            came.append(0)
        return bool(came) and max(came) >= max(left, default=0)

    def _leave_seat(self, traveller_id: str, made: EffectKey) -> None:
        """Free the seat; the passenger stays on the file's list, which is history."""
        if not self._has_seat(traveller_id, made):
            return
        own = self._own(made)
        key = self._office.key(SEAT, f"{self._booking.id}/{traveller_id}", "leave", self._revision)
        self._office.repeatable(key, lambda: self._delete_seat(own), own, self._booking.id)

    def _delete_seat(self, pasajero_id: int) -> None:
        for relation in self._office.lookups.pasajero_in_reserva(pasajero_id, self._container.id):
            self._office.client.call("PasajeroReserva_DELETE", id=int(relation))

    # Cost lines --------------------------------------------------------------------------------------------------

    def _lines(self, client: int, keep: bool) -> None:
        wanted = {line_code(self._booking.id, line.id): line for line in self._booking.lines if has_cost_line(line)}
        received: set[int] | None = None
        for record in self._done(COST_LINE, CREATE):
            code = record.key.business_id
            if code not in wanted:
                if not keep and received is None:
                    received = self._received()
                self._remove(record.key, keep or int(record.outside_id or 0) in (received or ()))
        for code, line in wanted.items():
            made = self._made(COST_LINE, code)
            if made is None:
                self._add(code, line, client)
            else:
                self._nest(made)
                at = self._office.at(client, self._container.expediente, made)
                self._put_line(made, cost_line(self._booking, line, self._experience, at))

    def _add(self, code: str, line: Line, client: int) -> None:
        office, booking, container, sequence = self._office, self._booking, self._container, self._next_sequence(code)
        own = create_cost_line(office, booking, line, self._experience, client, container, sequence)
        nest_cost_line(office, booking.id, code, own, container.id, sequence)

    def _next_sequence(self, code: str) -> int:
        """A line that was deleted or refused before is another record now, with a reference of its own."""
        tried = [
            r for r in self._records if (r.key.entity, r.key.operation, r.key.business_id) == (COST_LINE, CREATE, code)
        ]
        if not tried:
            return 0
        over = tried[-1].state in (EffectState.UNDONE, EffectState.REFUSED)
        return self._revision if over else tried[-1].key.sequence

    def _nest(self, made: EffectKey) -> None:
        """An amendment that broke off may have left a line outside the container."""
        nested = {(record.key.business_id, record.key.sequence) for record in self._done(COST_LINE, NEST)}
        if (made.business_id, made.sequence) not in nested:
            own = self._own(made)
            nest_cost_line(self._office, self._booking.id, made.business_id, own, self._container.id, made.sequence)

    def _remove(self, made: EffectKey, keep: bool) -> None:
        if not keep:
            delete_cost_line(self._office, self._booking.id, made.business_id, made.sequence)
            return
        last = self._office.store.effects.last_request(self._newest_amend(made) or made)
        if last is not None:
            self._put_line(made, without_cost(ours(last)))

    def _put_line(self, made: EffectKey, wished: Request) -> None:
        office = self._office
        last_key = self._newest_amend(made) or made
        last = office.store.effects.last_request(last_key) or {}
        if not differs(last, respecting(last, wished)):
            return
        own = self._own(made)
        key = office.key(COST_LINE, made.business_id, AMEND, self._revision)
        self._replace(key, own, (last_key, last), wished)

    def confirm(self, lines: Sequence[Line], operation: str, sequence: int) -> list[str]:
        """Bring the costs of lines to what their supplier confirmed, and nothing else of them; the lines that changed."""
        changed = []
        for line in lines:
            made = self._made(COST_LINE, line_code(self._booking.id, line.id))
            if made is None:
                # The change that brings this line is still to come, and it will bring the confirmed cost along.
                continue
            last_key = self._newest_amend(made) or made
            last = self._office.store.effects.last_request(last_key) or {}
            wished = {**ours(last), "costeComis": euros(line.cost.total)}
            if differs(last, respecting(last, wished)):
                key = self._office.key(COST_LINE, made.business_id, operation, sequence)
                self._replace(key, self._own(made), (last_key, last), wished)
                changed.append(line.id)
        return changed

    def _replace(self, key: EffectKey, own: int, last: tuple[EffectKey, Request], wished: Request) -> None:
        replace_reserva(
            self._office, key, own, last, as_change(own, wished), self._booking.id, lambda: self._standing().get(own)
        )

    def _received(self) -> set[int]:
        """Cost lines whose supplier invoice is in already: they may not be deleted (giav 4)."""
        return {
            own
            for own, line in self._standing().items()
            if line["RecepciondeCosteTotal"] or (line["DatosExternos"] or {}).get("TotalCostesRecepcionados")
        }

    def _standing(self) -> dict[int, Record]:
        """The before-images of container and lines: one search, and none when nothing is written over."""
        if self._stands is None:
            lines = [own_id(each.outside_id, each.key) for each in self._done(COST_LINE, CREATE) if each.outside_id]
            found = self._office.lookups.reservas(idsReservas=[self._container.id, *lines])
            self._stands = {int(record["Id"]): record for record in found}
        return self._stands

    # Container ---------------------------------------------------------------------------------------------------

    def _put_container(self, client: int) -> None:
        created = self._office.key("reserva", self._booking.id, CREATE)
        wished = container(
            self._booking, self._experience, self._office.at(client, self._container.expediente, created)
        )
        last = self._container.posted
        if differs(last, respecting(last, wished)):
            key = self._office.key("reserva", self._booking.id, AMEND, self._revision)
            self._replace(key, self._container.id, (self._container.posted_by, last), wished)

    # What stands -------------------------------------------------------------------------------------------------

    def _done(self, entity: str, operation: str) -> list[EffectRecord]:
        return [
            record
            for record in self._records
            if (record.key.entity, record.key.operation, record.state) == (entity, operation, EffectState.DONE)
        ]

    def _made(self, entity: str, business_id: str) -> EffectKey | None:
        found = [record.key for record in self._done(entity, CREATE) if record.key.business_id == business_id]
        return found[-1] if found else None

    def _own(self, made: EffectKey) -> int:
        """The id of a record that was made, by its create effect."""
        found = self._office.made(made)
        if found is None:
            raise NeedsPerson("a record of this booking was taken back meanwhile", system=SYSTEM, effect=str(made))
        return found

    def _newest_amend(self, made: EffectKey) -> EffectKey | None:
        found = [
            record.key
            for record in self._records
            if (record.key.entity, record.key.business_id) == (made.entity, made.business_id)
            and (record.key.operation == AMEND or record.key.operation.startswith(CONFIRM))
            and record.state is EffectState.DONE
        ]
        return found[-1] if found else None
