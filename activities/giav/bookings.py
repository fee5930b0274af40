"""Booking → client, travellers, container and nested costs; and the way back (contracts: giav 2.5, 4)."""

from __future__ import annotations

from collections.abc import Mapping

from activities.giav.client import SYSTEM
from activities.giav.clients import ensure_client
from activities.giav.experiences import hold_by_payer
from activities.giav.mapping.parties import full_name, pasajero
from activities.giav.mapping.reservas import container, cost_line, has_cost_line, line_code
from activities.giav.mapping.values import Request
from activities.giav.office import CREATE, Container, Office, own_id
from domain.effects import VERIFY_WAITS, EffectKey, EffectRecord, EffectState, wait_before_look
from domain.errors import BackOfficeError, NeedsPerson, Refused, Transient, UnknownOutcome
from domain.platform import Booking, Experience, Line, Traveller
from domain.steps import BookingStep, Done

NEST, VERIFY = "nest", "verify"


def register_booking(office: Office, step: BookingStep) -> Done:
    """Everything that a new booking becomes. Nothing is looked up before the first attempt of an effect."""
    booking = office.store.facts.booking_in(step.agency, step.event_id)
    expediente = office.expediente(booking.experience_id)
    experience = office.experience(booking.experience_id)
    client = ensure_client(office, booking.payer, booking.id)
    hold_by_payer(office, experience, expediente, client, booking.id)
    travellers = [
        ensure_traveller(office, booking, each, expediente, client)
        for each in booking.travellers
        if each.status == "active"
    ]
    standing = _create_container(office, booking, experience, client, expediente, travellers)
    ids = {"client": str(client), "container": str(standing.id)}
    lines = {
        line.id: create_cost_line(office, booking, line, experience, client, standing)
        for line in booking.lines
        if has_cost_line(line)
    }
    codes = {line_code(booking.id, each): own for each, own in lines.items()}
    made = {office.key("cost line", code, CREATE): own for code, own in codes.items()}
    made[standing.posted_by] = standing.id
    verify = office.key("reserva", booking.id, VERIFY)
    office.repeatable(verify, lambda: _verify(office, made), standing.id, booking.id)
    for code, own in codes.items():
        nest_cost_line(office, booking.id, code, own, standing.id, 0)
    return Done(ids=ids | {line_id: str(own) for line_id, own in lines.items()})


def _verify(office: Office, made: Mapping[EffectKey, int]) -> None:
    """Read what was made, before one hangs on the other (giav 4: verify). Raises `UnknownOutcome` where an id is another's, whose
    answer came to our call: that record is looked for by our reference. Two looks have to agree.
    """
    strange = _strangers(office, made) and _strangers(office, made)
    doubted = [key for key in strange if office.store.effects.doubt(key, f"{made[key]} was answered, and is another's")]
    if doubted:
        words = f"another call's answer came for {', '.join(f'{key.entity} {key.business_id}' for key in doubted)}"
        raise UnknownOutcome(words, system=SYSTEM, operation="Reservas_SEARCH", retry_after=VERIFY_WAITS[0])


def _strangers(office: Office, made: Mapping[EffectKey, int]) -> list[EffectKey]:
    """Whose id names a record that does not carry our reference, or none."""
    standing = {record["Id"]: record for record in office.lookups.reservas(idsReservas=list(made.values()))}
    return [
        key
        for key, own in made.items()
        if own not in standing or not office.lookups.is_reserva(standing[own], key.reference, key.business_id)
    ]


def ensure_traveller(office: Office, booking: Booking, traveller: Traveller, expediente: int, client: int) -> int:
    """The passenger, on the list of the file."""
    business_id = f"{booking.id}/{traveller.id}"
    key = office.key("pasajero", business_id, CREATE)
    request = pasajero(traveller, key.reference, office.settings.custom_fields.pasajero, client)
    own = office.create(
        key,
        "Pasajero_POST",
        request,
        lambda reference: office.lookups.pasajero(reference, full_name(traveller)),
        booking.id,
    )
    office.create(
        office.key("pasajero in expediente", business_id, CREATE),
        "PasajeroExpediente_POST",
        {"idPasajero": own, "idExpediente": expediente},
        lambda _: office.lookups.pasajero_in_expediente(own, expediente),
        booking.id,
    )
    return own


def _create_container(
    office: Office, booking: Booking, experience: Experience, client: int, expediente: int, travellers: list[int]
) -> Container:
    key = office.key("reserva", booking.id, CREATE)
    request: Request = {
        **container(booking, experience, office.at(client, expediente, key)),
        "idsPasajeros": travellers,
    }
    own = office.create(
        key,
        "Reserva_Normal_POST",
        request,
        lambda reference: office.lookups.reserva(reference, expediente, booking.id),
        booking.id,
    )
    return Container(own, expediente, request, key, 0, tuple(travellers))


def create_cost_line(
    office: Office,
    booking: Booking,
    line: Line,
    experience: Experience,
    client: int,
    standing: Container,
    sequence: int = 0,
) -> int:
    """A cost that does not hang under its container yet. `sequence` above 0 makes it again after it was deleted."""
    key, expediente = office.key("cost line", line_code(booking.id, line.id), CREATE, sequence), standing.expediente
    return office.create(
        key,
        "Reserva_Normal_POST",
        cost_line(booking, line, experience, office.at(client, expediente, key)),
        lambda reference: office.lookups.reserva(reference, expediente, key.business_id),
        booking.id,
    )


def nest_cost_line(office: Office, booking_id: str, code: str, own: int, container_id: int, sequence: int) -> None:
    nesting: Request = {"idReservaCoste": own, "idReservaContenedoraAnidamiento": container_id}
    office.change(
        office.key("cost line", code, NEST, sequence),
        "Reserva_Anidamiento_PUT",
        nesting,
        own,
        booking_id,
        reached=lambda: office.lookups.container_of(own) == container_id,
    )


def delete_cost_line(office: Office, booking_id: str, code: str, sequence: int, own: int | None = None) -> None:
    """Take a nested cost out of its container and delete it; `own` is its id where that is not the one it was made with."""
    create, nest = office.key("cost line", code, CREATE, sequence), office.key("cost line", code, NEST, sequence)
    own = own or office.made(create)
    if own is None:
        return
    office.take_back(
        nest,
        office.key("cost line", code, "unnest", sequence),
        lambda: office.client.call("Reserva_Anidamiento_PUT", idReservaCoste=own),
        own,
        booking_id,
        reached=lambda: office.lookups.container_of(own) is None,
    )
    office.take_back(
        create, office.key("cost line", code, "delete", sequence), lambda: _delete_reserva(office, own), own, booking_id
    )


def undo_register_booking(office: Office, step: BookingStep) -> Done:
    """Take back what stands of a registration, newest first. Raises `NeedsPerson` once money or documents hang on it."""
    records = office.records(step.booking_id)
    if any(record.key.entity in ("cobro", "factura") and record.state is EffectState.DONE for record in records):
        raise NeedsPerson("money was recorded for this booking; its reserva stays", system=SYSTEM)
    _settle_unfinished(office, records)
    _check_guards(office, step.booking_id)
    records = office.records(step.booking_id)
    for record in reversed(records):
        if record.key.operation == CREATE and record.state is EffectState.DONE:
            _undo(office, record.key, step.booking_id)
    office.store.effects.gone(office.key("reserva", step.booking_id, VERIFY))
    for record in records:
        if record.state is EffectState.REFUSED:
            # What GIAV said no to may be said again: the booking is registered anew if a person wants it.
            office.store.effects.rearm(str(record.key))
    return Done(note="taken back")


def _undo(office: Office, key: EffectKey, booking_id: str) -> None:
    made = office.made(key)
    if made is None:
        return
    own = _carrying(office, key, made)
    undo = office.key(key.entity, key.business_id, "delete", key.sequence)
    match key.entity:
        case "cost line":
            delete_cost_line(office, booking_id, key.business_id, key.sequence, own)
        case "reserva":
            office.take_back(key, undo, lambda: _delete_reserva(office, own), own, booking_id)
        case "pasajero in expediente":
            office.take_back(
                key,
                undo,
                lambda: _delete(office, "PasajeroExpediente_DELETE", "PasajeroExpediente_SEARCH", own),
                own,
                booking_id,
            )
        case "pasajero":
            office.take_back(key, undo, lambda: _delete_passenger(office, own), own, booking_id)
        case _:
            # Clients are never deleted, and a group's payer may go on holding the file.
            return


def _carrying(office: Office, key: EffectKey, own: int) -> int:
    """The record that carries our reference: where a create got the answer of another call, `own` is somebody else's."""
    found = _landed(office, key)
    if not found or str(own) in found:
        return own
    if _landed(office, key) != found:
        # This answer, too, may have come to the wrong call.
        raise Transient(f"two looks for the {key.entity} of {key.business_id} differ", system=SYSTEM)
    return int(found[0])


def _settle_unfinished(office: Office, records: list[EffectRecord]) -> None:
    """Find out about creates that broke off: one that landed is adopted and then deleted with the rest."""
    for record in records:
        if record.key.operation != CREATE or record.state not in (EffectState.INTENDED, EffectState.UNKNOWN):
            continue
        found = _landed(office, record.key) if record.acts else []
        if found:
            office.store.effects.done(record.key, found[0], adopted=True)
        elif record.acts and office.store.effects.looked(record.key).looks < len(VERIFY_WAITS):
            raise UnknownOutcome(
                f"{record.key.entity} may still appear", system=SYSTEM, retry_after=wait_before_look(record)
            )
        else:
            office.store.effects.refused(record.key, "never arrived, then taken back")


def _landed(office: Office, key: EffectKey) -> list[str]:
    request = office.store.effects.last_request(key) or {}
    match key.entity:
        case "reserva" | "cost line":
            return office.lookups.reserva(key.reference, request["idExpediente"], request["CodSolicitud"])
        case "pasajero":
            return office.lookups.pasajero(key.reference, request["nombre"])
        case "pasajero in expediente":
            return office.lookups.pasajero_in_expediente(request["idPasajero"], request["idExpediente"])
        case _:
            return []


def _check_guards(office: Office, booking_id: str) -> None:
    """What a person or a supplier did in GIAV meanwhile to the reserva or a line of it forbids to delete it (giav 2.5)."""
    reservas = [
        own_id(record.outside_id, record.key)
        for record in office.records(booking_id)
        if record.key.entity in ("reserva", "cost line")
        and (record.key.operation, record.state) == (CREATE, EffectState.DONE)
        and record.outside_id
    ]
    if not reservas:
        return
    for record in office.lookups.reservas(idsReservas=reservas):
        details = record["DatosExternos"] or {}
        standing = [
            name
            for name, value in (
                ("invoiced", record["FacturadoImporte"]),
                ("proforma", record["FacturadoProformas"]),
                ("costs received", record["RecepciondeCosteTotal"] or details.get("TotalCostesRecepcionados")),
                ("prepaid", details.get("TotalPrepagos")),
                ("collected from travellers", details.get("TotalCobrosPasajeros")),
                ("file closed", details.get("ExpedienteCerrado")),
            )
            if value
        ]
        if standing:
            raise NeedsPerson(f"reserva {record['Id']} may not be deleted: {', '.join(standing)}", system=SYSTEM)


def _delete_reserva(office: Office, own: int) -> None:
    try:
        office.client.call("Reserva_DELETE", id=own)
    except (Refused, UnknownOutcome) as error:
        _unless_gone(error, not office.lookups.reservas(idsReservas=[own]))


def _delete(office: Office, operation: str, search: str, own: int) -> None:
    try:
        office.client.call(operation, id=own)
    except (Refused, UnknownOutcome) as error:
        _unless_gone(error, not any(record["Id"] == own for record in office.client.search(search, idsRelacion=[own])))


def _delete_passenger(office: Office, own: int) -> None:
    try:
        office.client.call("Pasajero_DELETE", id=own, chechRelations=True)
    except (Refused, UnknownOutcome) as error:
        _unless_gone(error, not office.lookups.pasajeros([own]))


def _unless_gone(error: BackOfficeError, gone: bool) -> None:
    """A repeated DELETE faults; if the record is gone, that is what was wanted (giav 3.3)."""
    if not gone:
        raise error
