"""Many bookings of one experience at once, on real threads over real sockets: one file, everything in it once (contracts:
giav 3.3 rule 5; money-rules G1, G3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from domain.steps import BookingStep
from sandbox.faults import Kind
from tests import stories
from tests.activities.giav.desk import TRAVELLERS, Desk

THREADS = 16
ROUNDS = 12
HOTEL = stories.line("lin_01", "svc_hotel", 41250, 33000)
WRITES = (
    "Expediente_POST",
    "Cliente_POST",
    "Pasajero_POST",
    "PasajeroExpediente_POST",
    "Reserva_Normal_POST",
    "Reserva_Anidamiento_PUT",
)


def tried(cell: Callable[[], object]) -> bool:
    """Whether it is done; a failure that may be tried again is no failure."""
    try:
        cell()
    except ApplicationError as error:
        if error.non_retryable:
            raise
        return False
    return True


def at_once(cells: Sequence[Callable[[], object]]) -> None:
    """All of them side by side; whoever must come back does so when the others have had their turn."""
    left = list(cells)
    with ThreadPoolExecutor(THREADS) as threads:
        for _ in range(ROUNDS):
            done = list(threads.map(tried, left))
            left = [cell for cell, is_done in zip(left, done, strict=True) if not is_done]
            if not left:
                return
    raise AssertionError(f"{len(left)} are not done after {ROUNDS} rounds")


def sold(desk: Desk, number: int, payer: dict[str, Any]) -> BookingStep:
    return desk.booking(id=f"bkg_{number}", lines=[HOTEL], travellers=TRAVELLERS[:1], payer=payer)


def customer(number: int) -> dict[str, Any]:
    """A payer with a passport of their own."""
    passport = {"type": "PASSPORT", "value": f"XPA{number:06d}", "country": "FR"}
    return stories.PAYER | {"id": f"cus_{number}", "name": f"Cliente Prueba {number}", "tax_id": passport}


def containers(desk: Desk) -> Counter[tuple[str, int]]:
    return Counter(
        (each["CodSolicitud"], each["IdExpediente"]) for each in desk.held("Reserva") if each["TipoReserva"] == "PQ"
    )


def references(desk: Desk, *entities: str) -> Counter[str]:
    return Counter(
        item["Value"]
        for entity in entities
        for record in desk.held(entity)
        for item in record.get("CustomDataValues") or ()
    )


@pytest.mark.covers("G1", "G3", "F-C2", "giav 4: booking created")
@pytest.mark.parametrize("lost", [(), ("Expediente_POST",), ("Cliente_POST", "Reserva_Normal_POST"), WRITES])
def test_two_bookings_of_a_new_experience_never_open_two_files(desk: Desk, lost: tuple[str, ...]) -> None:
    """The experience is opened twice at once as well, as by a worker that was given up too early."""
    opening = desk.experience()
    first, second = (sold(desk, number, stories.PAYER) for number in (500, 501))
    for operation in lost:
        desk.fault(operation, Kind.DROP_AFTER)
    at_once(
        [
            partial(desk.activities.register_booking, first),
            partial(desk.activities.open_experience, opening),
            partial(desk.activities.register_booking, second),
            partial(desk.activities.open_experience, opening),
        ]
    )
    (file,) = desk.held("Expediente")
    assert containers(desk) == {("bkg_500", file["Id"]): 1, ("bkg_501", file["Id"]): 1}
    assert set(references(desk, "Expediente", "Cliente", "Reserva").values()) == {1}
    assert [item.reason for item in desk.store.parked.list()] == []
    assert desk.store.effects.unsettled() == []


@pytest.mark.covers("G1", "G3")
def test_a_hundred_bookings_of_one_experience_at_once_while_answers_get_lost(desk: Desk) -> None:
    desk.activities.open_experience(desk.experience())
    steps = [sold(desk, 500 + number, customer(number)) for number in range(100)]
    for operation in WRITES[1:]:
        desk.fault(operation, Kind.DROP_AFTER, skip=7, times=3)
    at_once([partial(desk.activities.register_booking, step) for step in steps])
    (file,) = desk.held("Expediente")
    assert containers(desk) == {(f"bkg_{500 + number}", file["Id"]): 1 for number in range(100)}
    assert Counter(each["TipoReserva"] for each in desk.held("Reserva")) == {"PQ": 100, "HT": 100}
    assert all(each["Anidacion_IdReservaContenedora"] for each in desk.held("Reserva") if each["TipoReserva"] == "HT")
    assert set(references(desk, "Cliente", "Reserva").values()) == {1}
    assert desk.store.effects.unsettled() == []
