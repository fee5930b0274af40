"""An experience is called off: its file closes last, and opens again when the trip is on sale again (contracts: giav 4)."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from domain.steps import BookingStep, CancellationStep, ExperienceStep
from sandbox.faults import Kind
from sandbox.giav import seeds
from tests import stories
from tests.activities.giav.desk import TRAVELLERS, Desk, booking

SOLD = 14
HOTEL = stories.line("lin_01", "svc_hotel", 41250, 33000)
GONE = stories.line("lin_01", "svc_hotel", 41250, 0, status="cancelled")
FREE = {"amount": stories.eur(0), "treatment": "none"}


def sold(desk: Desk, number: int) -> BookingStep:
    step = desk.booking(id=f"bkg_{number}", lines=[HOTEL], travellers=TRAVELLERS[:1])
    desk.activities.register_booking(step)
    return step


def told_of_cancellation(desk: Desk, number: int) -> CancellationStep:
    own = f"bkg_{number}"
    snapshot = booking(id=own, lines=[GONE], status="cancelled", travellers=TRAVELLERS[:1])
    cancelled = stories.cancellation("none") | {"id": f"cxl_{number}", "penalty": FREE}
    event = desk.told("booking.cancelled", stories.data(f"booking/{own}", 2, booking=snapshot, cancellation=cancelled))
    return CancellationStep(
        agency=stories.AGENCY,
        booking_id=own,
        experience_id="exp_31",
        event_id=event.event_id,
        revision=2,
        cancellation_id=cancelled["id"],
    )


def called_off(desk: Desk, revision: int = 2, affected: int = SOLD) -> ExperienceStep:
    now = "2026-11-22T09:00:00Z"
    told = stories.experience(status="cancelled")
    cancelled = {"id": "cxl_exp", "cause": "min_travellers", "decided_at": now, "affected_bookings": affected}
    data = stories.data("experience/exp_31", revision, experience=told, cancellation=cancelled)
    event = desk.told("experience.cancelled", data)
    return ExperienceStep(agency=stories.AGENCY, experience_id="exp_31", event_id=event.event_id, revision=revision)


def file_of(desk: Desk) -> dict[str, Any]:
    (file,) = desk.held("Expediente")
    return file


@pytest.mark.covers("F-X11", "giav 4: experience cancelled")
def test_one_of_fourteen_bookings_fails_and_the_file_closes_after_it_last(desk: Desk) -> None:
    desk.activities.open_experience(desk.experience())
    for number in range(SOLD):
        sold(desk, number)
    step = called_off(desk)
    desk.activities.amend_experience(step)
    assert file_of(desk)["IdEntityStage"] == seeds.FILE_CANCELLED
    cancellations = [told_of_cancellation(desk, number) for number in range(SOLD)]
    assert "bkg_0, bkg_1, bkg_10, bkg_11, bkg_12 and 9 more" in desk.activities.close_experience(step).note
    refused = []
    desk.fault("Reserva_Normal_PUT", Kind.REFUSE, skip=5)
    for cancellation in cancellations:
        try:
            desk.activities.cancel_booking(cancellation)
        except ApplicationError as error:
            refused.append((cancellation, error.details[0]["effect"]))
    ((failed, effect),) = refused
    desk.calls()
    left = desk.activities.close_experience(step)
    assert (left.note, desk.calls()) == (f"left open: waits for {failed.booking_id}", [])
    assert desk.store.effects.rearm(effect)
    desk.activities.cancel_booking(failed)
    done = desk.activities.close_experience(step)
    assert (done.ids["closed"], done.note) == (str(file_of(desk)["Id"]), "")
    assert file_of(desk)["Cerrado"]
    assert desk.calls()[-1] == "Expediente_CLOSE"


@pytest.mark.covers("F-X11")
def test_a_file_stays_open_while_a_booking_of_it_still_travels_on_the_platform(desk: Desk) -> None:
    desk.activities.open_experience(desk.experience())
    sold(desk, 1)
    assert desk.activities.close_experience(called_off(desk)).note == "left open: waits for bkg_1"
    desk.activities.cancel_booking(told_of_cancellation(desk, 1))
    assert "closed" in desk.activities.close_experience(called_off(desk, 3)).ids


@pytest.mark.covers("giav 4: experience cancelled")
def test_a_booking_that_was_taken_back_does_not_keep_the_file_open(desk: Desk) -> None:
    desk.activities.open_experience(desk.experience())
    desk.activities.undo_register_booking(sold(desk, 1))
    told_of_cancellation(desk, 1)
    assert "closed" in desk.activities.close_experience(called_off(desk)).ids


@pytest.mark.covers("giav 4: experience cancelled")
def test_an_office_that_refuses_to_close_is_asked_again_at_the_next_look(desk: Desk) -> None:
    desk.activities.open_experience(desk.experience())
    step = called_off(desk)
    desk.fault("Expediente_CLOSE", Kind.REFUSE)
    assert "left open: No existe el registro" in desk.activities.close_experience(step).note
    assert "closed" in desk.activities.close_experience(step).ids


@pytest.mark.covers("giav 4: experience cancelled")
@pytest.mark.parametrize("verb", ["amend_experience", "open_experience"])
def test_a_trip_that_is_on_sale_again_has_its_file_opened_again(desk: Desk, verb: str) -> None:
    desk.activities.open_experience(desk.experience())
    desk.activities.close_experience(called_off(desk))
    desk.calls()
    getattr(desk.activities, verb)(desk.experience(3, title="Sí que sale"))
    assert desk.calls() == ["Expediente_OPEN", "Expediente_GET", "Expediente_PUT"]
    file = file_of(desk)
    assert (file["Cerrado"], file["IdEntityStage"], file["Titulo"]) == (False, seeds.FILE_OPEN, "Sí que sale [exp_31]")
    desk.activities.close_experience(called_off(desk, 4))
    assert file_of(desk)["Cerrado"]


@pytest.mark.covers("F-X8")
@pytest.mark.parametrize("paid", [0, 30000])
def test_who_was_cancelled_by_mistake_before_a_credit_note_has_the_same_reserva_again(desk: Desk, paid: int) -> None:
    """With money in it the cancellation is stopped by its undecided penalty; without, it went through."""
    desk.registered(lines=[HOTEL], travellers=TRAVELLERS[:1])
    if paid:
        desk.activities.record_payment(desk.payment(amount=paid))
    before, lines = desk.container(), desk.lines()
    treatment = "undecided" if paid else "none"
    snapshot = booking(lines=[GONE], status="cancelled", travellers=TRAVELLERS[:1], penalty=0)
    cancelled = stories.cancellation(treatment) | {"penalty": {"amount": stories.eur(0), "treatment": treatment}}
    step = desk.cancellation(2, snapshot, cancelled)
    if paid:
        with pytest.raises(ApplicationError, match="undecided"):
            desk.activities.cancel_booking(step)
    else:
        desk.activities.cancel_booking(step)
        assert desk.container()["IdEntityStage"] == seeds.RESERVATION_CANCELLED
    restored = desk.booking(3, kind="booking.modified", lines=[HOTEL], travellers=TRAVELLERS[:1], status="confirmed")
    desk.activities.amend_booking(restored)
    now = desk.container()
    same = ("Id", "Descripcion", "IdEntityStage", "VentaComis", "FacturadoImporte")
    assert {name: now[name] for name in same} == {name: before[name] for name in same}
    assert [each["CosteComis"] for each in desk.lines().values()] == [each["CosteComis"] for each in lines.values()]
    assert [kind for kind, _ in desk.invoice_lines()] == (["Normal"] if paid else [])
