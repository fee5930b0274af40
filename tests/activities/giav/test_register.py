"""A booking becomes payer, travellers, container and nested costs, each once, or nothing at all (contracts: giav 2.5, 4)."""

from __future__ import annotations

import pytest
from temporalio.exceptions import ApplicationError

from sandbox.faults import Kind
from sandbox.giav import seeds
from tests import stories
from tests.activities.giav.desk import Desk, failure

CALLS = [
    "Cliente_SEARCH",
    "Cliente_POST",
    "Cliente_SEARCH",
    "Pasajero_POST",
    "PasajeroExpediente_POST",
    "Pasajero_POST",
    "PasajeroExpediente_POST",
    "Reserva_Normal_POST",
    "Reserva_Normal_POST",
    "Reserva_Normal_POST",
    "Reservas_SEARCH",
    "Reserva_Anidamiento_PUT",
    "Reserva_Anidamiento_PUT",
]


def opened(desk: Desk) -> None:
    desk.activities.open_experience(desk.experience())
    desk.calls()


def counted(desk: Desk) -> dict[str, int]:
    return {entity: len(desk.held(entity)) for entity in ("Cliente", "Pasajero", "PasajeroExpediente", "Reserva")}


WHOLE = {"Cliente": 2, "Pasajero": 2, "PasajeroExpediente": 2, "Reserva": 3}
EMPTY = {"Cliente": 2, "Pasajero": 0, "PasajeroExpediente": 0, "Reserva": 0}


@pytest.mark.covers("giav 4: booking created", "G1")
def test_a_booking_is_registered_without_a_look_up_before_a_write(desk: Desk) -> None:
    opened(desk)
    done = desk.activities.register_booking(desk.booking())
    assert desk.calls() == CALLS
    container, lines = desk.container(), desk.lines()
    assert (container["TipoReserva"], container["Venta"], container["Anidacion_MargenOpPrevisto"]) == ("PQ", 1005, 20)
    assert (container["IdProveedor"], container["NumPax"]) == (seeds.SUPPLIER_SELF, 2)
    assert {name: (line["TipoReserva"], line["CosteComis"]) for name, line in lines.items()} == {
        "lin_01": ("HT", 660),
        "lin_02": ("BU", 130),
    }
    assert done.ids["container"] == str(container["Id"])
    assert done.ids["lin_02"] == str(lines["lin_02"]["Id"])
    assert {each["IdPasajero"] for each in desk.held("PasajeroReserva")} == {1, 2}
    assert counted(desk) == WHOLE


def test_registering_again_calls_nobody(desk: Desk) -> None:
    opened(desk)
    step = desk.booking()
    first = desk.activities.register_booking(step)
    desk.calls()
    assert desk.activities.register_booking(step) == first
    assert desk.calls() == []


@pytest.mark.covers("F-C1", "F-C2")
@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER, Kind.MALFORMED, Kind.DROP_BEFORE, Kind.PAGE_503])
@pytest.mark.parametrize("operation", sorted(set(CALLS)))
def test_whatever_breaks_at_any_call_every_record_exists_once(desk: Desk, operation: str, kind: Kind) -> None:
    opened(desk)
    desk.fault(operation, kind)
    desk.insist(desk.activities.register_booking, desk.booking())
    assert counted(desk) == WHOLE
    assert set(desk.lines()) == {"lin_01", "lin_02"}


@pytest.mark.covers("F-C2")
def test_without_custom_fields_lost_answers_are_still_found(desk: Desk) -> None:
    desk.configure(custom_fields={})
    opened(desk)
    for operation in sorted(set(CALLS)):
        desk.fault(operation, Kind.DROP_AFTER)
    desk.insist(desk.activities.register_booking, desk.booking(), attempts=30)
    assert counted(desk) == WHOLE


@pytest.mark.covers("F-C2")
def test_a_reserva_that_lands_late_is_adopted(desk: Desk) -> None:
    opened(desk)
    step = desk.booking()
    desk.fault("Reserva_Normal_POST", Kind.LATE, seconds=0.05)
    with pytest.raises(ApplicationError) as caught:
        desk.activities.register_booking(step)
    assert failure(caught.value) == "UnknownOutcome"
    assert desk.stand_in.landed.wait(5)
    desk.insist(desk.activities.register_booking, step)
    assert counted(desk) == WHOLE


def test_a_booking_waits_for_its_expediente(desk: Desk) -> None:
    with pytest.raises(ApplicationError) as caught:
        desk.activities.register_booking(desk.booking())
    assert failure(caught.value) == "NotYet"
    assert "waiting for expediente" in str(caught.value)


@pytest.mark.covers("F-C3")
def test_a_payer_whom_giav_knows_is_not_created_again(desk: Desk) -> None:
    opened(desk)
    desk.activities.register_booking(desk.booking())
    other = stories.PAYER | {"id": "cus_78", "name": "PRUEBA EJEMPLO Ana"}
    desk.activities.register_booking(desk.booking(id="bkg_501", locator="OTHER", payer=other))
    assert len(desk.held("Cliente")) == 2
    assert len({each["IdCliente"] for each in desk.held("Reserva")}) == 1


@pytest.mark.covers("F-C3")
def test_a_document_that_belongs_to_another_name_asks_a_person(desk: Desk) -> None:
    opened(desk)
    desk.activities.register_booking(desk.booking())
    other = stories.PAYER | {"id": "cus_78", "name": "Eva Distinta"}
    step = desk.booking(id="bkg_501", payer=other)
    with pytest.raises(ApplicationError) as caught:
        desk.activities.register_booking(step)
    assert failure(caught.value) == "NeedsPerson"
    assert "Eva" not in str(caught.value)
    assert "00000000T" not in str(caught.value)
    effect = caught.value.details[0]["effect"]
    assert desk.store.effects.adopt(effect, "2")
    desk.activities.register_booking(step)
    assert len(desk.held("Cliente")) == 2


def test_a_company_without_address_is_a_company(desk: Desk) -> None:
    opened(desk)
    company = {"id": "cus_9", "kind": "company", "name": "Colegio Ejemplo SL", "tax_id": None}
    desk.activities.register_booking(desk.booking(payer=company))
    made = desk.held("Cliente")[-1]
    assert (made["Tipo"], made["Nombre"], made.get("Apellidos")) == ("Empresa", "Colegio Ejemplo SL", None)


@pytest.mark.covers("F-C4", "giav 4: booking created, taken back")
def test_a_refused_registration_is_taken_back_and_can_be_made_anew(desk: Desk) -> None:
    opened(desk)
    step = desk.booking()
    desk.fault("Reserva_Anidamiento_PUT", Kind.REFUSE)
    with pytest.raises(ApplicationError) as caught:
        desk.activities.register_booking(step)
    assert (failure(caught.value), caught.value.non_retryable) == ("Refused", True)
    desk.activities.undo_register_booking(step)
    assert counted(desk) == EMPTY
    desk.activities.undo_register_booking(step)
    desk.insist(desk.activities.register_booking, step)
    assert counted(desk) == WHOLE
    assert set(desk.lines()) == {"lin_01", "lin_02"}


@pytest.mark.covers("F-C4", "F-C6", "giav 4: booking created, taken back")
def test_a_whole_registration_is_taken_back_in_reverse_order(desk: Desk) -> None:
    step = desk.registered()
    desk.calls()
    desk.activities.undo_register_booking(step)
    assert desk.calls() == [
        "Reservas_SEARCH",
        *["Reservas_SEARCH", "Reserva_Anidamiento_PUT", "Reserva_DELETE"] * 2,
        *["Reservas_SEARCH", "Reserva_DELETE"],
        *["PasajeroExpediente_SEARCH", "PasajeroExpediente_DELETE", "Pasajero_SEARCH", "Pasajero_DELETE"] * 2,
    ], "each is looked for by our reference before it is deleted"
    assert counted(desk) == EMPTY


@pytest.mark.covers("F-C6")
def test_what_another_calls_answer_named_is_not_deleted_but_what_carries_our_reference(desk: Desk) -> None:
    """The passenger of another booking must not go because an answer came to the wrong call."""
    desk.registered()
    others = {each["Id"] for each in desk.held("Pasajero")}
    step = desk.booking(id="bkg_2", locator="OTHER2")
    desk.fault("Pasajero_POST", Kind.CROSSED)
    desk.insist(desk.activities.register_booking, step)
    desk.insist(desk.activities.undo_register_booking, step)
    assert {each["Id"] for each in desk.held("Pasajero")} == others


@pytest.mark.covers("giav 4: booking created, taken back")
@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER, Kind.DROP_BEFORE])
@pytest.mark.parametrize(
    "operation", ["Reserva_Anidamiento_PUT", "Reserva_DELETE", "PasajeroExpediente_DELETE", "Pasajero_DELETE"]
)
def test_an_undo_that_breaks_off_ends_the_same(desk: Desk, operation: str, kind: Kind) -> None:
    step = desk.registered()
    desk.fault(operation, kind)
    desk.insist(desk.activities.undo_register_booking, step)
    assert counted(desk) == EMPTY


def test_an_undo_first_finds_out_about_what_broke_off(desk: Desk) -> None:
    opened(desk)
    step = desk.booking()
    desk.fault("Reserva_Normal_POST", Kind.DROP_AFTER)
    with pytest.raises(ApplicationError):
        desk.activities.register_booking(step)
    desk.insist(desk.activities.undo_register_booking, step)
    assert counted(desk) == EMPTY


@pytest.mark.covers("F-C5")
def test_nothing_is_taken_back_once_money_was_recorded(desk: Desk) -> None:
    step = desk.registered()
    desk.activities.record_payment(desk.payment())
    with pytest.raises(ApplicationError) as caught:
        desk.activities.undo_register_booking(step)
    assert failure(caught.value) == "NeedsPerson"
    assert counted(desk) == WHOLE


def test_a_reserva_on_which_costs_were_received_is_not_taken_back(desk: Desk) -> None:
    step = desk.registered()
    stood = desk.stand_in.books.records
    container = stood.all("Reserva")[0]
    stood.change("Reserva", container, FacturadoImporteProformes=1.0)
    with pytest.raises(ApplicationError, match="may not be deleted: proforma"):
        desk.activities.undo_register_booking(step)
    assert counted(desk) == WHOLE


@pytest.mark.covers("giav 4: booking created, taken back")
def test_a_cost_line_whose_cost_was_received_is_not_deleted_and_a_person_is_asked(desk: Desk) -> None:
    step = desk.registered()
    records = desk.stand_in.books.records
    bus = desk.lines()["lin_02"]
    records.change("Reserva", records.get("Reserva", bus["Id"]), received=130.0)
    with pytest.raises(ApplicationError, match=f"reserva {bus['Id']} may not be deleted: costs received") as caught:
        desk.insist(desk.activities.undo_register_booking, step)
    assert failure(caught.value) == "NeedsPerson"
    assert counted(desk) == WHOLE
    assert set(desk.lines()) == {"lin_01", "lin_02"}, "nothing was un-nested before asking"


@pytest.mark.covers("1.5.8")
def test_another_currency_asks_a_person(desk: Desk) -> None:
    opened(desk)
    totals = {name: {"amount": 0, "currency": "USD"} for name in stories.booking()["totals"]}
    with pytest.raises(ApplicationError, match="euros only") as caught:
        desk.activities.register_booking(desk.booking(totals=totals, lines=[]))
    assert failure(caught.value) == "NeedsPerson"
