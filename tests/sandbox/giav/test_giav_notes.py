"""Tasks for people and changed passengers in the GIAV stand-in."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from sandbox.giav import seeds
from tests.sandbox.giav.caller import Fault, Giav
from tests.sandbox.giav.conftest import Clock

REFERENCE = "ORQ-ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def task(giav: Giav, file: int, **more: Any) -> int:
    wish = {"type": "Task", "targetClass": "Expediente", "classId": file, "summary": "Revisar"}
    return int(giav("Activity_POST", **{**wish, **more}))


def found(giav: Giav, **filters: Any) -> list[int]:
    return [each["Id"] for each in giav.find("Activity_SEARCH", **filters)]


def complete(giav: Giav, activity: int, **more: str) -> int:
    return httpx.post(f"{giav.url}/control/people", json={"act": "complete", "activity": activity, **more}).status_code


# Tasks


def test_a_task_comes_back_as_it_was_set(giav: Giav) -> None:
    file = giav.file()
    wish = {"body": "Antes del viernes", "deadlineDate": "2026-03-06", "reminderMinutes": "Hours2", "assignedUserId": 4}
    made = task(giav, file, type="Call", summary=f"Llamar {REFERENCE}", reminderByMail=True, **wish)
    assert giav.find("Activity_SEARCH") == [
        {
            "Id": made,
            "Type": "Call",
            "EventLogItemType": "Activity",
            "ClassFullName": "Giav.Core.Business.Expediente",
            "ClassId": file,
            "CreationDate": "2026-03-01T12:00:00",
            "CreationUserId": 1,
            "CreationUserName": "api",
            "AssignedUserId": 4,
            "Summary": f"Llamar {REFERENCE}",
            "Body": "Antes del viernes",
            "DeadlineDate": "2026-03-06T00:00:00",
            "ReminderMinutes": 120,
            "ReminderByMail": True,
            "ReminderByMailSent": False,
            "CompletionDate": None,
            "CompletionUserId": None,
            "IdSignatureSent": None,
            "IdOnlinePayment": None,
            "OnlinePaymentAmount": None,
        }
    ]


@pytest.mark.parametrize(
    ("advance", "minutes"), [(None, None), ("OnTime", 0), ("Minutes15", 15), ("Hours18", 1080), ("Weeks2", 20160)]
)
def test_a_reminder_is_read_in_minutes(giav: Giav, advance: str | None, minutes: int | None) -> None:
    task(giav, giav.file(), reminderMinutes=advance)
    assert giav.find("Activity_SEARCH")[0]["ReminderMinutes"] == minutes


def test_a_deadline_that_is_no_date_is_refused_and_nothing_is_kept(giav: Giav) -> None:
    with pytest.raises(Fault, match="fecha válida"):
        task(giav, giav.file(), deadlineDate="06/03/2026")
    assert found(giav) == []


def test_tasks_are_found_by_id_kind_text_and_record(giav: Giav) -> None:
    file, other = giav.file(), giav.file()
    line = giav.reservation(file, giav.client())
    first = task(giav, file, summary=f"Retrocesión {REFERENCE}")
    second = task(giav, other, type="Call")
    third = task(giav, line, targetClass="Reserva")
    assert found(giav) == [first, second, third]
    assert found(giav, idsActivities=[third, first, 99]) == [first, third]
    assert found(giav, types=["Call", "Meeting"]) == [second]
    assert found(giav, summary=REFERENCE.lower()) == [first]
    assert found(giav, targetClass=["Reserva", "Cobro"]) == [third]
    assert found(giav, targetClass=["Expediente"], filerClassId=other) == [second]
    assert found(giav, targetClass=["Reserva"], filerClassId=other) == []


def test_a_record_number_alone_finds_the_tasks_of_every_class(giav: Giav) -> None:
    file = giav.file()
    line = giav.reservation(file, giav.client())
    assert file == line
    made = [task(giav, file), task(giav, line, targetClass="Reserva")]
    assert found(giav, filerClassId=file) == made


def test_a_task_is_open_until_a_person_completes_it(giav: Giav, clock: Clock) -> None:
    file = giav.file()
    done, open_ = task(giav, file), task(giav, file)
    clock.forward(days=2)
    assert complete(giav, done, comentario="Pruebas enviadas") == 200
    assert (found(giav, completed="Si"), found(giav, completed="No")) == ([done], [open_])
    assert found(giav, completed="NoAplicar") == [done, open_]
    seen = giav.find("Activity_SEARCH", idsActivities=[done])[0]
    assert (seen["CompletionDate"], seen["CompletionComment"]) == ("2026-03-03T12:00:00", "Pruebas enviadas")
    assert complete(giav, 99) == 422


def test_tasks_are_found_by_the_days_of_deadline_completion_and_change(giav: Giav, clock: Clock) -> None:
    file = giav.file()
    early, late, never = (task(giav, file, deadlineDate=day) for day in ("2026-03-06", "2026-03-09", None))
    assert found(giav, deadlineDateFrom="2026-03-07") == [late]
    assert found(giav, deadlineDateTo="2026-03-06") == [early]
    assert found(giav, deadlineDateFrom="2026-03-06", deadlineDateTo="2026-03-09") == [early, late]
    clock.forward(days=2)
    complete(giav, never)
    assert found(giav, completionDateFrom="2026-03-03", completionDateTo="2026-03-03") == [never]
    assert found(giav, completionDateTo="2026-03-02") == []
    assert found(giav, modificationDateHourFrom="2026-03-03T12:00") == [never]
    assert found(giav, modificationDateHourTo="2026-03-01") == [early, late]


def test_a_filter_by_day_takes_no_time_of_day(giav: Giav) -> None:
    with pytest.raises(Fault, match="fecha válida"):
        found(giav, deadlineDateFrom="2026-03-06T10:00:00")


def test_tasks_are_not_searched_by_user_because_the_stand_in_has_none(giav: Giav) -> None:
    with pytest.raises(Fault, match="Filtro no disponible: assignedUserIds"):
        found(giav, assignedUserIds=[4])


# Passengers


def test_a_put_replaces_the_whole_passenger(giav: Giav, clock: Clock) -> None:
    client, field = giav.client(), seeds.REFERENCE_FIELDS["Pasajero"]
    reference = [{"Key": field, "Value": REFERENCE}]
    more = {"documento": "X1", "email": "ana@example.org", "fechaNacimiento": "1990-05-01", "rgpdSigned": True}
    own = giav("Pasajero_POST", nombre="Ana Ruiz", paxTipo="Ch", customDataValues=reference, **more)
    clock.forward(days=1)
    change = {"nombre": "Ana Ruiz Gil", "paxTipo": "Ad", "pais": "España", "idClienteAsociado": client}
    assert giav("Pasajero_PUT", idPasajero=own, **change) is None
    held = giav.find("Pasajero_SEARCH", idsPasajeros=[own])
    assert held == [
        {
            "Id": own,
            "IdExpediente": None,
            "IdPresupuesto": None,
            "IdClienteOrigen": client,
            "Tipo": "Ad",
            "Nombre": "Ana Ruiz Gil",
            "FechaNacimiento": None,
            "PasaporteCaducidad": None,
            "Pais": "España",
            "SedeFiscal_IdTaxDistrict": None,
            "RGPDSigned": False,
        }
    ]
    assert giav.find("Pasajero_SEARCH", customDataValues=reference) == []
    assert [each["Id"] for each in giav.find("Pasajero_SEARCH", fechaHoraModificacionDesde="2026-03-02")] == [own]


def test_a_changed_passenger_keeps_file_and_seat(giav: Giav) -> None:
    file = giav.file()
    line = giav.reservation(file, giav.client())
    own = giav("Pasajero_POST", nombre="Ana Ruiz", paxTipo="Ad")
    giav("PasajeroExpediente_POST", idPasajero=own, idExpediente=file)
    giav("PasajeroReserva_POST", idPasajero=own, idReserva=line, principal=True)
    giav("Pasajero_PUT", idPasajero=own, nombre="Eva Gil", paxTipo="Ad")
    for operation in ("PasajeroExpediente_SEARCH", "PasajeroReserva_SEARCH"):
        assert giav.find(operation, idsPasajeros=[own])[0]["DatosExternos"]["NombrePasajero"] == "Eva Gil"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"idPasajero": 99}, r"No existe el registro \(Pasajero 99\)"),
        ({"nombre": None}, "Faltan datos obligatorios: nombre del pasajero"),
        ({"idClienteAsociado": 999}, r"No existe el registro \(Cliente 999\)"),
        ({"customDataValues": [{"Key": seeds.REFERENCE_FIELDS["Cobro"], "Value": "x"}]}, "No existe el registro"),
        ({"fechaNacimiento": "1/5/1990"}, "fecha válida"),
    ],
)
def test_a_refused_change_leaves_the_passenger_alone(giav: Giav, change: dict[str, Any], words: str) -> None:
    own = giav("Pasajero_POST", nombre="Ana Ruiz", paxTipo="Ad")
    with pytest.raises(Fault, match=words):
        giav("Pasajero_PUT", **{"idPasajero": own, "nombre": "Otra", "paxTipo": "Ad", **change})
    assert [each["Nombre"] for each in giav.find("Pasajero_SEARCH")] == ["Ana Ruiz"]
