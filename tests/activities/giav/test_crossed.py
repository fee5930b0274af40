"""An answer that belongs to another call: its id never becomes ours (contracts: giav 3.1, 4; notes: faults F8)."""

from __future__ import annotations

import pytest

from activities.giav.office import CREATE
from domain.effects import EffectKey
from sandbox.faults import Kind
from tests import stories
from tests.activities.giav.desk import Desk
from tests.activities.giav.test_bounced import fail, refunded
from tests.activities.giav.test_register import WHOLE, counted

MADE = [
    ("Expediente_POST", 0),
    ("Cliente_POST", 0),
    ("Pasajero_POST", 1),
    ("Reserva_Normal_POST", 0),
    ("Reserva_Normal_POST", 1),
    ("Reserva_Normal_POST", 2),
    ("Reservas_SEARCH", 0),
    ("Cobro_POST", 0),
    ("Cobro_SEARCH", 0),
    ("Factura_Servicios_POST", 0),
]


def lived(desk: Desk) -> None:
    desk.insist(desk.activities.open_experience, desk.experience())
    desk.insist(desk.activities.register_booking, desk.booking())
    desk.insist(desk.activities.record_payment, desk.payment())


def whole(desk: Desk) -> None:
    assert counted(desk) == WHOLE
    container = desk.container()
    assert (container["CosteComis"], container["Anidacion_MargenOpPrevisto"]) == (0, 20)
    assert {name: line["CosteComis"] for name, line in desk.lines().items()} == {"lin_01": 660, "lin_02": 130}
    (cobro,), (invoice,) = desk.held("Cobro"), desk.held("Factura")
    assert (cobro["IdCliente"], invoice["IdCliente"]) == (container["IdCliente"],) * 2
    assert (cobro["DatosExternos"]["Disponible"], invoice["DatosExternos"]["PendienteCobro"]) == (0, 0)


@pytest.mark.covers("giav 4: booking created", "giav 4: payment")
@pytest.mark.parametrize(("operation", "before"), MADE)
def test_a_booking_is_whole_though_one_answer_was_another_calls(desk: Desk, operation: str, before: int) -> None:
    desk.fault(operation, Kind.CROSSED, skip=before)
    lived(desk)
    assert [fault["fired"] for fault in desk.stand_in.faults.listing()] == [1]
    whole(desk)


@pytest.mark.covers("F-P10")
@pytest.mark.parametrize("operation", ["Activity_POST", "Activity_SEARCH"])
def test_the_task_of_a_dispute_is_remembered_under_its_own_id(desk: Desk, operation: str) -> None:
    lived(desk)
    desk.fault(operation, Kind.CROSSED)
    step = desk.chargeback("opened")
    desk.insist(desk.activities.record_chargeback, step)
    (task,) = desk.held("Activity")
    key = EffectKey(stories.AGENCY, "giav", "task", step.chargeback_id, CREATE)
    assert desk.store.effects.outside_id(key) == str(task["Id"])


def test_the_entry_of_a_failed_refund_is_deleted_though_its_look_was_answered_with_another(desk: Desk) -> None:
    step = refunded(desk)
    fail(desk)
    desk.fault("Cobro_SEARCH", Kind.CROSSED, skip=1)
    desk.insist(desk.activities.record_refund, step)
    assert [kind for kind, _ in desk.money_lines()] == ["Cobro"]


def test_what_was_found_by_our_reference_is_doubted_no_more(desk: Desk) -> None:
    lived(desk)
    key = desk.activities._office(stories.AGENCY).key("cobro", "pay_1001", CREATE)
    assert desk.store.effects.doubt(key, "wrong")
    desk.store.effects.done(key, "7", adopted=True)
    assert not desk.store.effects.doubt(key, "wrong again")
