"""A PUT never writes over what a person changed in GIAV: it asks (contracts: giav 2.1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from domain.desk import DUTIES
from domain.effects import MAX_BREAKDOWNS
from domain.steps import BookingStep, Decision
from sandbox.faults import Kind
from tests import stories
from tests.activities.giav.desk import Desk, failure
from workflows.stepping import QUESTIONS

HOTEL = stories.line("lin_01", "svc_hotel", 41250, 33000)
BUS = stories.line("lin_02", "svc_bus", 9000, 6500)
DEARER = stories.line("lin_01", "svc_hotel", 41250, 35000)


def typed_over(
    desk: Desk, own: int, entity: str = "Reserva", *, later: timedelta = timedelta(), **changes: Any
) -> None:
    """A person changes a record in GIAV's own screens."""
    books = desk.stand_in.books
    at = datetime.fromisoformat(books.now()) + later
    record = books.records.get(entity, own)
    assert record is not None
    books.records.change(entity, record, FechaModificacion=at.isoformat(timespec="seconds"), **changes)


def changed(desk: Desk, revision: int, *lines: dict[str, Any], **more: Any) -> BookingStep:
    return desk.booking(revision, kind="booking.modified", lines=list(lines), **more)


def asked(desk: Desk, step: BookingStep) -> str:
    return desk.asked(desk.activities.amend_booking, step, "giav_changed_there")


@pytest.mark.covers("giav 4: service change", "giav 4: nested costs changed")
@pytest.mark.parametrize(
    ("decision", "cost", "words"),
    [("take_ours", 700, "svc_hotel"), ("keep_theirs", 777, "Hotel con vistas")],
)
def test_what_a_person_changed_is_asked_about_and_never_written_over(
    desk: Desk, decision: Decision, cost: int, words: str
) -> None:
    desk.registered(lines=[HOTEL, BUS])
    typed_over(desk, desk.lines()["lin_01"]["Id"], CosteComis=777.0, Descripcion="Hotel con vistas")
    step = changed(desk, 2, DEARER, BUS)
    effect = asked(desk, step)
    assert desk.lines()["lin_01"]["CosteComis"] == 777
    desk.answer(effect, decision)
    desk.activities.amend_booking(step)
    line = desk.lines()["lin_01"]
    assert (line["CosteComis"], line["Descripcion"]) == (cost, words)
    desk.calls()
    desk.activities.amend_booking(changed(desk, 3, DEARER, BUS))
    assert desk.calls() == [], "what was kept is not asked about again"


def test_a_change_after_the_answer_is_asked_about_again(desk: Desk) -> None:
    desk.registered(lines=[HOTEL, BUS])
    own = desk.lines()["lin_01"]["Id"]
    typed_over(desk, own, CosteComis=777.0)
    step = changed(desk, 2, DEARER, BUS)
    effect = asked(desk, step)
    desk.answer(effect, "take_ours")
    typed_over(desk, own, later=timedelta(minutes=5), CosteComis=800.0)
    assert asked(desk, step) == effect


def test_the_price_of_the_reserva_is_guarded_too(desk: Desk) -> None:
    desk.registered(lines=[HOTEL, BUS])
    typed_over(desk, desk.container()["Id"], VentaComis=900.0)
    asked(desk, changed(desk, 2, HOTEL))
    assert desk.container()["VentaComis"] == 900


def test_what_only_people_write_is_carried_along_without_a_question(desk: Desk) -> None:
    desk.registered(lines=[HOTEL, BUS])
    own = desk.lines()["lin_01"]["Id"]
    typed_over(desk, own, TextoBono="Entregar en recepción", Regimen="MP", later=timedelta(minutes=5))
    desk.activities.amend_booking(changed(desk, 2, DEARER, BUS))
    line = desk.lines()["lin_01"]
    assert (line["CosteComis"], line["TextoBono"], line["Regimen"]) == (700, "Entregar en recepción", "MP")


def test_our_own_words_in_giav_s_spelling_are_no_change(desk: Desk) -> None:
    desk.registered(lines=[HOTEL, BUS])
    typed_over(desk, desk.lines()["lin_01"]["Id"], Descripcion="SVC_HOTEL ", later=timedelta(minutes=5))
    typed_over(desk, desk.lines()["lin_02"]["Id"], Descripcion="Autocar", later=-timedelta(minutes=5))
    costly = stories.line("lin_02", "svc_bus", 9000, 7000)
    desk.activities.amend_booking(changed(desk, 2, DEARER, costly))
    assert {line["CosteComis"] for line in desk.lines().values()} == {700, 140}


def test_a_put_whose_answer_was_lost_is_not_taken_for_a_person_s_change(desk: Desk) -> None:
    desk.registered(lines=[HOTEL, BUS])
    desk.fault("Reserva_Normal_PUT", Kind.DROP_AFTER)
    desk.insist(desk.activities.amend_booking, changed(desk, 2, DEARER, BUS))
    assert desk.lines()["lin_01"]["CosteComis"] == 700


def test_a_breakdown_of_a_put_is_looked_at_and_after_three_a_person_is_asked(desk: Desk) -> None:
    desk.registered(lines=[HOTEL, BUS])
    desk.fault("Reserva_Normal_PUT", Kind.ERROR_AFTER)
    desk.calls()
    desk.insist(desk.activities.amend_booking, changed(desk, 2, DEARER, BUS))
    assert desk.calls().count("Reserva_Normal_PUT") == 1, "it was there after the breakdown"
    desk.fault("Reserva_Normal_PUT", Kind.ERROR_BEFORE, times=99)
    with pytest.raises(ApplicationError) as caught:
        desk.insist(desk.activities.amend_booking, changed(desk, 3, HOTEL, BUS))
    assert failure(caught.value) == "NeedsPerson"
    assert desk.calls().count("Reserva_Normal_PUT") == MAX_BREAKDOWNS


PAYER: dict[str, Any] = dict(stories.PAYER)
DOCUMENT = PAYER["tax_id"]["value"]
MOVED = PAYER | {"phone": "+34900000001"}


def payer_moved(desk: Desk, revision: int = 2) -> BookingStep:
    return desk.booking(revision, kind="booking.modified", payer=MOVED)


def test_a_payer_s_new_data_reach_the_client_that_we_made_and_what_people_wrote_stays(desk: Desk) -> None:
    desk.registered()
    (client,) = [each for each in desk.held("Cliente") if each["Documento"] == DOCUMENT]
    typed_over(desk, client["Id"], "Cliente", CuentaContableVentas="7000000001", Comentarios="Paga tarde")
    desk.activities.amend_booking(payer_moved(desk))
    held = next(each for each in desk.held("Cliente") if each["Id"] == client["Id"])
    assert (held["Telefono"], held["Comentarios"], held["CuentaContableVentas"]) == (
        "+34900000001",
        "Paga tarde",
        "7000000001",
    )
    desk.calls()
    desk.activities.amend_booking(payer_moved(desk, 3))
    assert desk.calls() == []


def test_a_client_that_was_changed_later_is_asked_about_because_not_everything_can_be_read_back(desk: Desk) -> None:
    desk.registered()
    client = next(each for each in desk.held("Cliente") if each["Documento"] == DOCUMENT)
    typed_over(desk, client["Id"], "Cliente", later=timedelta(seconds=90), cuentaContableCliente="4300000001")
    step = payer_moved(desk)
    desk.answer(asked(desk, step), "keep_theirs")
    done = desk.activities.amend_booking(step)
    assert "left as it was changed" in done.note
    assert next(each for each in desk.held("Cliente") if each["Id"] == client["Id"]).get("Telefono") != "+34900000001"


def test_a_client_of_the_agency_is_never_written_over(desk: Desk) -> None:
    desk.registered()
    client = next(each for each in desk.held("Cliente") if each["Documento"] == DOCUMENT)
    typed_over(desk, client["Id"], "Cliente", CustomDataValues=None)
    done = desk.activities.amend_booking(payer_moved(desk))
    assert "was not made by us" in done.note
    assert "Cliente_PUT" not in desk.calls()


def test_an_expediente_that_a_person_changed_is_asked_about(desk: Desk) -> None:
    desk.activities.open_experience(desk.experience())
    typed_over(desk, 1, "Expediente", Titulo="Viaje de fin de curso", Observaciones="Avisar al colegio")
    step = desk.experience(2, title="Mallorca en junio")
    about = desk.asked(desk.activities.amend_experience, step, "giav_changed_there")
    assert desk.held("Expediente")[0]["Titulo"] == "Viaje de fin de curso"
    desk.answer(about, "keep_theirs")
    assert "left as it was changed" in desk.activities.amend_experience(step).note
    assert desk.held("Expediente")[0]["Observaciones"] == "Avisar al colegio"


def test_an_expediente_keeps_the_destination_that_people_set(desk: Desk) -> None:
    desk.activities.open_experience(desk.experience())
    typed_over(desk, 1, "Expediente", Destination_Country="ES")
    desk.activities.amend_experience(desk.experience(2, title="Mallorca en junio"))
    (file,) = desk.held("Expediente")
    assert (file["Titulo"], file["Destination_Country"]) == ("Mallorca en junio [exp_31]", "ES")


def test_every_question_has_an_owner_and_a_deadline() -> None:
    assert set(QUESTIONS) <= set(DUTIES)
