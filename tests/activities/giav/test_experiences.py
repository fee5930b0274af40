"""An experience has one expediente, from open to closed (contracts: giav 4)."""

from __future__ import annotations

import pytest
from temporalio.exceptions import ApplicationError

from sandbox.faults import Kind
from sandbox.giav import seeds
from tests.activities.giav.desk import Desk, failure


@pytest.mark.covers("giav 4: experience created", "G1")
def test_an_experience_becomes_one_expediente_held_by_the_stand_in_client(desk: Desk) -> None:
    step = desk.experience()
    done = desk.activities.open_experience(step)
    assert desk.activities.open_experience(step) == done
    (file,) = desk.held("Expediente")
    assert done.ids == {"expediente": str(file["Id"])}
    assert file["Titulo"] == "Fin de curso Mallorca [exp_31]"
    assert (file["IdCliente"], file["IdEntityStage"], file["esGrupo"]) == (seeds.HOLDER, seeds.FILE_OPEN, True)
    assert desk.calls() == ["Expediente_POST", "Expediente_SEARCH"]


@pytest.mark.covers("F-C2", "giav 4: experience created")
@pytest.mark.parametrize("fields", [{"expediente": 2002}, {}])
def test_an_expediente_whose_answer_was_lost_is_adopted(desk: Desk, fields: dict[str, int]) -> None:
    desk.configure(custom_fields=fields)
    desk.fault("Expediente_POST", Kind.DROP_AFTER)
    done = desk.insist(desk.activities.open_experience, desk.experience())
    assert [str(file["Id"]) for file in desk.held("Expediente")] == [done.ids["expediente"]]
    assert desk.calls().count("Expediente_POST") == 1


@pytest.mark.covers("giav 4: experience modified")
def test_an_amended_experience_is_sent_whole(desk: Desk) -> None:
    desk.activities.open_experience(desk.experience())
    desk.activities.amend_experience(desk.experience(2, title="Mallorca en junio", ends_on="2027-06-24"))
    (file,) = desk.held("Expediente")
    assert (file["Titulo"], file["FechaHasta"][:10]) == ("Mallorca en junio [exp_31]", "2027-06-24")
    assert file["CustomDataValues"][0]["Key"] == seeds.REFERENCE_FIELDS["Expediente"]


def test_an_amendment_waits_for_its_expediente(desk: Desk) -> None:
    with pytest.raises(ApplicationError) as caught:
        desk.activities.amend_experience(desk.experience(2))
    assert failure(caught.value) == "NotYet"
    assert caught.value.next_retry_delay is not None
    assert caught.value.next_retry_delay.total_seconds() == 1


@pytest.mark.covers("giav 4: experience cancelled")
def test_a_cancelled_experience_with_nothing_pending_is_closed(desk: Desk) -> None:
    desk.activities.open_experience(desk.experience())
    done = desk.activities.close_experience(desk.experience(2, status="cancelled"))
    (file,) = desk.held("Expediente")
    assert (file["Cerrado"], file["IdEntityStage"], done.note) == (True, seeds.FILE_CANCELLED, "")


@pytest.mark.covers("giav 4: experience cancelled")
def test_an_experience_with_something_pending_is_left_open_and_says_what(desk: Desk) -> None:
    desk.registered()
    done = desk.activities.close_experience(desk.experience(2, status="completed"))
    assert not desk.held("Expediente")[0]["Cerrado"]
    assert "left open: PendienteCobrar 1,005.00 EUR, PendienteFacturar 1,005.00 EUR" in done.note


@pytest.mark.covers("giav 4: experience created")
def test_a_group_with_one_payer_has_that_payer_as_holder(desk: Desk) -> None:
    desk.activities.open_experience(desk.experience(sales_mode="group_b2b"))
    client = desk.activities.register_booking(desk.booking()).ids["client"]
    assert [str(file["IdCliente"]) for file in desk.held("Expediente")] == [client]
    desk.activities.amend_experience(desk.experience(2, sales_mode="group_b2b", title="Otro"))
    assert [(str(file["IdCliente"]), file["Titulo"]) for file in desk.held("Expediente")] == [(client, "Otro [exp_31]")]
