"""How often GIAV is called: what the contract's steps need and not once more (contracts: giav 1.5, 3.3, 4).

A look-up on a first attempt, a catalogue read again, a record sent although nothing changed would all show here. `READ` is
the one search with which a cell may look at what stands before or after it writes (giav 4: before-images, guards, "verify");
a file, a payer and an entry of money, on which all the rest hangs, are looked at once when they were made (faults: F8).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from sandbox.faults import Kind
from tests import stories
from tests.activities.giav.desk import TRAVELLERS, Desk, booking

SERVICES = ("svc_hotel", "svc_bus", "svc_guide")
LINES = [stories.line(f"lin_0{number}", SERVICES[number % 3], 10000, 8000) for number in range(6)]
READ = {"Reservas_SEARCH": 1}
PAYER = {"Cliente_SEARCH": 2, "Cliente_POST": 1}
MONEY = {"Cobro_POST": 1, "Cobro_SEARCH": 1}
INVOICE = {"Factura_Servicios_POST": 1, "Factura_GET": 1, "DueDate_SEARCH": 1, "RelationDueDatePayment_POST": 1}
CREDIT_NOTE = {"Factura_REIMBURSEMENT": 1, "Factura_GET": 1}
NEST = {"Reserva_Normal_POST": 1, "Reserva_Anidamiento_PUT": 1}
DELETE = {"Reserva_Anidamiento_PUT": 1, "Reserva_DELETE": 1}
JOIN = {"Pasajero_POST": 1, "PasajeroExpediente_POST": 1}


def family(number: int) -> list[dict[str, Any]]:
    return [TRAVELLERS[0] | {"id": f"trv_{each}", "first_name": f"Ana {each}"} for each in range(1, number + 1)]


def needed(*parts: dict[str, int]) -> Counter[str]:
    """What the steps of one cell may call together."""
    return sum((Counter(part) for part in parts), Counter())


def beyond(desk: Desk, *parts: dict[str, int]) -> Counter[str]:
    """What was called since the last look, and no step needs."""
    made = Counter(desk.calls())
    assert made, "a cell that calls nothing proves nothing"
    return made - needed(*parts)


def registered(desk: Desk, travellers: int = 2) -> None:
    desk.registered(lines=LINES, travellers=family(travellers))
    desk.calls()


@pytest.mark.covers("giav 4: booking created")
@pytest.mark.parametrize("travellers", [1, 4, 9])
def test_a_booking_of_six_costs_calls_what_its_records_need(desk: Desk, travellers: int) -> None:
    desk.activities.open_experience(desk.experience())
    assert desk.calls() == ["Expediente_POST", "Expediente_SEARCH"]
    desk.activities.register_booking(desk.booking(lines=LINES, travellers=family(travellers)))
    container = {"Reserva_Normal_POST": 1}
    assert not beyond(desk, PAYER, *[JOIN] * travellers, container, *[NEST] * 6, READ)


def test_a_cell_that_runs_again_calls_nothing(desk: Desk) -> None:
    step = desk.registered(lines=LINES, travellers=family(3))
    desk.calls()
    desk.activities.register_booking(step)
    assert desk.calls() == []


def test_another_booking_of_the_same_payer_asks_nothing_about_the_payer(desk: Desk) -> None:
    registered(desk)
    desk.activities.register_booking(desk.booking(id="bkg_501", lines=LINES, travellers=family(2)))
    assert not beyond(desk, JOIN, JOIN, {"Reserva_Normal_POST": 1}, *[NEST] * 6, READ)


def test_only_the_write_whose_answer_was_lost_is_looked_for(desk: Desk) -> None:
    desk.activities.open_experience(desk.experience())
    desk.calls()
    desk.fault("Pasajero_POST", Kind.DROP_AFTER)
    step = desk.booking(lines=LINES, travellers=family(2))
    desk.insist(desk.activities.register_booking, step)
    looked = {"Pasajero_SEARCH": 1}
    assert not beyond(desk, PAYER, JOIN, JOIN, looked, {"Reserva_Normal_POST": 1}, *[NEST] * 6, READ)


@pytest.mark.covers("giav 4: payment")
def test_a_payment_is_five_calls_and_a_look_whose_id_was_answered(desk: Desk) -> None:
    registered(desk)
    desk.activities.record_payment(desk.payment())
    assert not beyond(desk, MONEY, INVOICE)


@pytest.mark.covers("giav 4: nested costs changed")
def test_another_cost_of_one_line_is_one_write(desk: Desk) -> None:
    registered(desk)
    changed = [stories.line("lin_00", SERVICES[0], 10000, 7000), *LINES[1:]]
    step = desk.booking(2, kind="booking.modified", lines=changed, travellers=family(2))
    desk.activities.amend_booking(step)
    assert not beyond(desk, {"Reserva_Normal_PUT": 1}, READ)


def test_a_snapshot_that_changes_nothing_writes_nothing(desk: Desk) -> None:
    registered(desk)
    desk.activities.amend_booking(desk.booking(2, kind="booking.modified", lines=LINES, travellers=family(2)))
    assert Counter(desk.calls()) - Counter(READ) == Counter()


@pytest.mark.covers("giav 4: service change")
def test_a_service_and_a_traveller_exchanged_leave_the_others_alone(desk: Desk) -> None:
    registered(desk, travellers=3)
    lines = [*LINES[:5], stories.line("lin_09", SERVICES[0], 9000, 7000)]
    people = [*family(2), TRAVELLERS[1] | {"id": "trv_9"}]
    desk.activities.amend_booking(desk.booking(2, kind="booking.modified", lines=lines, travellers=people))
    seats = {"PasajeroReserva_POST": 1, "PasajeroReserva_SEARCH": 1, "PasajeroReserva_DELETE": 1}
    assert not beyond(desk, JOIN, seats, DELETE, NEST, {"Reserva_Normal_PUT": 1}, READ)


@pytest.mark.covers("giav 4: discount after invoicing")
def test_a_price_below_what_is_invoiced_is_one_credit_note_and_one_invoice(desk: Desk) -> None:
    registered(desk)
    desk.activities.record_payment(desk.payment(amount=100000))
    desk.calls()
    step = desk.booking(2, kind="booking.modified", lines=LINES[:4], travellers=family(2))
    desk.activities.amend_booking(step)
    assert not beyond(desk, CREDIT_NOTE, DELETE, DELETE, {"Reserva_Normal_PUT": 1}, INVOICE, READ)


@pytest.mark.covers("giav 4: cancellation with money", "giav 4: refund")
def test_a_cancellation_with_penalty_writes_each_line_once_and_the_refund_once(desk: Desk) -> None:
    registered(desk)
    desk.activities.record_payment(desk.payment())
    desk.calls()
    lines = [stories.line(each["id"], each["service_id"], 10000, 0, status="cancelled") for each in LINES]
    snapshot = booking(lines=lines, status="cancelled", penalty=3000, travellers=family(2))
    desk.activities.cancel_booking(desk.cancellation(2, snapshot, stories.cancellation()))
    assert not beyond(desk, CREDIT_NOTE, {"Reserva_Normal_PUT": 1 + len(LINES)}, INVOICE, READ)
    desk.activities.record_refund(desk.refund())
    assert desk.calls() == ["Cobro_POST", "Cobro_SEARCH"]


@pytest.mark.covers("giav 4: cancellation without money")
def test_a_cancellation_without_money_deletes_its_lines_and_keeps_the_reserva(desk: Desk) -> None:
    registered(desk)
    lines = [stories.line(each["id"], each["service_id"], 10000, 0, status="cancelled") for each in LINES]
    snapshot = booking(lines=lines, status="cancelled", travellers=family(2))
    told = stories.cancellation("none") | {"penalty": {"amount": stories.eur(0), "treatment": "none"}}
    desk.activities.cancel_booking(desk.cancellation(2, snapshot, told))
    assert not beyond(desk, *[DELETE] * len(LINES), {"Reserva_Normal_PUT": 1}, READ)
