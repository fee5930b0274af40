"""Clients, files, reservations, nesting and passengers in the GIAV stand-in."""

from __future__ import annotations

import httpx
import pytest

from sandbox.giav import seeds
from tests.sandbox.giav.caller import Fault, Giav

OWN_REFERENCE = "ORQ-ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def custom(key: int, value: str = OWN_REFERENCE) -> list[dict[str, object]]:
    return [{"Key": key, "Value": value}]


def receive_costs(giav: Giav, reservation: int, amount: float, settled: bool = False) -> None:
    wish = {"act": "receive-costs", "reserva": reservation, "importe": amount, "pagado": settled}
    assert httpx.post(f"{giav.url}/control/people", json=wish).status_code == 200


# Clients


def test_a_second_client_with_the_same_document_is_refused(giav: Giav) -> None:
    giav.client("12345678-z")
    with pytest.raises(Fault, match="Ya existe un cliente con el documento 12345678Z"):
        giav.client("12345678 Z")


def test_clients_without_document_may_be_many(giav: Giav) -> None:
    assert giav.client("") != giav.client("")


def test_a_client_is_found_by_document_however_it_is_written(giav: Giav) -> None:
    made = giav.client("12345678-z")
    hits = giav.find("Cliente_SEARCH", documento="12345678Z", documentoExacto=True, documentoModo="Solo_NIF")
    assert [each["Id"] for each in hits] == [made]
    assert giav.find("Cliente_SEARCH", documento="2345678", documentoExacto=True) == []


def test_a_put_replaces_the_whole_client(giav: Giav) -> None:
    made = giav.client(email="ana@example.com", customDataValues=custom(2001))
    giav("Cliente_PUT", idCliente=made, tipoCliente="Particular", nombre="Eva", facturaECodPais="ESP")
    read_back = giav("Cliente_GET", id=made)
    assert (read_back["Nombre"], read_back.get("Email"), read_back.get("CustomDataValues")) == ("Eva", None, None)


def test_an_account_code_needs_ten_digits(giav: Giav) -> None:
    with pytest.raises(Fault, match="10 dígitos"):
        giav("Cliente_PUT", idCliente=giav.client(), nombre="Ana", facturaECodPais="ESP", codCC="4300")


def test_a_disabled_client_is_found_only_on_request(giav: Giav) -> None:
    made = giav.client(deshabilitado=True)
    assert giav.find("Cliente_SEARCH", idsCliente=[made]) == []
    assert len(giav.find("Cliente_SEARCH", idsCliente=[made], incluirDeshabilitados=True)) == 1


# Files


def test_a_file_needs_an_existing_client_and_an_office_of_the_key(giav: Giav) -> None:
    with pytest.raises(Fault, match="No existe el registro"):
        giav.file(idCliente=99)
    with pytest.raises(Fault, match="No se tiene acceso al registro"):
        giav.file(idOficina=4)


def test_custom_data_is_searched_exactly_and_anded(giav: Giav) -> None:
    second = giav("CustomData_POST", name="Canal", type="TextBox", targetClass="Expediente")
    both = giav.file(customDataValues=[*custom(2002), {"Key": second, "Value": "web"}])
    one = giav.file(customDataValues=custom(2002))
    assert [each["Id"] for each in giav.find("Expediente_SEARCH", customDataValues=custom(2002))] == [both, one]
    wish = [*custom(2002), {"Key": second, "Value": "web"}]
    assert [each["Id"] for each in giav.find("Expediente_SEARCH", customDataValues=wish)] == [both]
    assert giav.find("Expediente_SEARCH", customDataValues=custom(2002, OWN_REFERENCE.lower())) == []


def test_custom_field_of_another_class_or_none_is_refused(giav: Giav) -> None:
    for key in (2003, 9999):
        with pytest.raises(Fault, match="CustomData"):
            giav.file(customDataValues=custom(key))


def test_a_stage_belongs_to_its_class(giav: Giav) -> None:
    made = giav.file(idEntityStage=seeds.FILE_OPEN)
    assert giav("Expediente_GET", id=made)["IdEntityStage"] == seeds.FILE_OPEN
    with pytest.raises(Fault, match="EntityStage"):
        giav.file(idEntityStage=seeds.RESERVATION_CONFIRMED)


def test_dates_are_plain_days(giav: Giav) -> None:
    made = giav.file(fechaDesde="2026-05-01", fechaHasta="2026-05-09")
    assert giav("Expediente_GET", id=made)["FechaDesde"] == "2026-05-01T00:00:00"
    with pytest.raises(Fault, match="fecha"):
        giav.file(fechaDesde="01/05/2026")
    with pytest.raises(Fault, match="fecha"):
        giav.find("Expediente_SEARCH", multiFiltroFechaDesde="2026-05-01T00:00:00")
    assert len(giav.find("Expediente_SEARCH", multiFiltroFechaDesde="2026-05-01")) == 1


def test_an_empty_file_can_be_deleted_and_its_id_never_returns(giav: Giav) -> None:
    made = giav.file()
    giav("Expediente_DELETE", id=made)
    with pytest.raises(Fault, match="No existe el registro"):
        giav("Expediente_GET", id=made)
    assert giav.file() == made + 1


def test_a_file_with_reservation_or_money_cannot_be_deleted(giav: Giav) -> None:
    client, booked, collected = giav.client(), giav.file(), giav.file()
    giav.reservation(booked, client)
    giav.cobro(client, 10, idExpediente=collected)
    with pytest.raises(Fault, match="tiene reservas"):
        giav("Expediente_DELETE", id=booked)
    with pytest.raises(Fault, match="tiene cobros"):
        giav("Expediente_DELETE", id=collected)


def test_a_closed_file_takes_no_writes_until_it_is_opened(giav: Giav) -> None:
    client, file = giav.client(), giav.file()
    giav("Expediente_CLOSE", id=file)
    assert giav("Expediente_GET", id=file)["Cerrado"] is True
    for write in (
        lambda: giav.reservation(file, client),
        lambda: giav.cobro(client, 10, idExpediente=file),
        lambda: giav("Expediente_PUT", idExpediente=file, idCliente=client),
        lambda: giav("Expediente_DELETE", id=file),
    ):
        with pytest.raises(Fault, match="cerrado"):
            write()
    giav("Expediente_OPEN", id=file)
    assert giav.reservation(file, client)


def test_a_file_with_something_to_invoice_or_collect_cannot_be_closed(giav: Giav) -> None:
    client, file = giav.client(), giav.file()
    container = giav.reservation(file, client)
    with pytest.raises(Fault, match="pendientes de facturar"):
        giav("Expediente_CLOSE", id=file)
    giav.invoice(file, client, {container: 1000})
    with pytest.raises(Fault, match="pendientes de cobrar"):
        giav("Expediente_CLOSE", id=file)
    giav.cobro(client, 1000, idExpediente=file)
    giav("Expediente_CLOSE", id=file)


# Reservations and nested costs


def test_only_normal_types_are_normal_reservations(giav: Giav) -> None:
    with pytest.raises(Fault, match="AV"):
        giav.reservation(giav.file(), giav.client(), tipoReserva="AV")


def test_a_subtype_belongs_to_others_only(giav: Giav) -> None:
    file, client = giav.file(), giav.client()
    made = giav.reservation(file, client, tipoReserva="OT", subtipoReserva="GuíasTurísticos")
    assert giav("Reserva_GET", id=made)["SubtipoOtros"] == "GuíasTurísticos"
    with pytest.raises(Fault, match="subtipo"):
        giav.reservation(file, client, subtipoReserva="Traslados")


def test_a_disabled_or_unknown_supplier_is_refused(giav: Giav) -> None:
    file, client = giav.file(), giav.client()
    for supplier in (seeds.SUPPLIER_DISABLED, 77):
        with pytest.raises(Fault):
            giav.reservation(file, client, idProveedor=supplier)


def nested(giav: Giav, file: int, client: int) -> tuple[int, int]:
    container = giav.reservation(file, client)
    line = giav.reservation(file, client, tipoReserva="HT", ventacomis=0, costeComis=600, margenOperacionPrevisto=None)
    giav("Reserva_Anidamiento_PUT", idReservaCoste=line, idReservaContenedoraAnidamiento=container)
    return container, line


def test_nested_costs_show_on_both_sides_and_only_roots_count(giav: Giav) -> None:
    file, client = giav.file(), giav.client()
    container, line = nested(giav, file, client)
    assert giav("Reserva_GET", id=line)["Anidacion_IdReservaContenedora"] == container
    found = giav.find("Reservas_SEARCH", anidamiento_IdsReservasContenedoras=[container])
    assert [each["Id"] for each in found] == [line]
    holder = giav("Reserva_GET", id=container)
    assert (holder["Anidacion_MargenOpPrevisto"], holder["Coste"], holder["CosteComis"]) == (20.0, 600.0, 0.0)
    worth = giav("Expediente_InfoEconomica_GET", id=file)
    assert (worth["MargenEstimado"], worth["PendienteCobrar"], worth["PendientePagar"]) == (400.0, 1000.0, 600.0)


def test_nil_takes_a_cost_out_of_its_container(giav: Giav) -> None:
    container, line = nested(giav, giav.file(), giav.client())
    giav("Reserva_Anidamiento_PUT", idReservaCoste=line)
    assert giav.find("Reservas_SEARCH", anidamiento_IdsReservasContenedoras=[container]) == []


@pytest.mark.parametrize("unfit", [{"margenOperacionPrevisto": None}, {"tipoReserva": "HT"}])
def test_a_container_needs_margin_and_type(giav: Giav, unfit: dict[str, object]) -> None:
    file, client = giav.file(), giav.client()
    container, line = giav.reservation(file, client, **unfit), giav.reservation(file, client, tipoReserva="BU")
    with pytest.raises(Fault, match="Para admitir servicios de costes anidados"):
        giav("Reserva_Anidamiento_PUT", idReservaCoste=line, idReservaContenedoraAnidamiento=container)


def test_a_container_of_another_file_or_the_line_itself_is_refused(giav: Giav) -> None:
    client = giav.client()
    line, elsewhere = giav.reservation(giav.file(), client), giav.reservation(giav.file(), client)
    for container in (elsewhere, line):
        with pytest.raises(Fault):
            giav("Reserva_Anidamiento_PUT", idReservaCoste=line, idReservaContenedoraAnidamiento=container)


def test_a_put_keeps_nesting_and_what_was_invoiced(giav: Giav) -> None:
    file, client = giav.file(), giav.client()
    container, line = nested(giav, file, client)
    giav.invoice(file, client, {container: 400})
    own = {"idCliente": client, "idProveedor": seeds.SUPPLIER_SELF}
    giav("Reserva_Normal_PUT", idReserva=line, costeComis=550, **own)
    giav("Reserva_Normal_PUT", idReserva=container, ventacomis=900, margenOperacionPrevisto=15, **own)
    assert giav("Reserva_GET", id=line)["Anidacion_IdReservaContenedora"] == container
    read_back = giav("Reserva_GET", id=container)
    assert (read_back["VentaComis"], read_back["FacturadoImporte"], read_back["TipoReserva"]) == (900.0, 400.0, "PQ")


def test_a_sale_cannot_fall_below_what_was_invoiced(giav: Giav) -> None:
    file, client = giav.file(), giav.client()
    container = giav.reservation(file, client)
    giav.invoice(file, client, {container: 400})
    with pytest.raises(Fault, match="facturado"):
        giav(
            "Reserva_Normal_PUT",
            idReserva=container,
            idCliente=client,
            idProveedor=seeds.SUPPLIER_SELF,
            ventacomis=399.99,
        )


def test_a_reservation_with_invoices_children_or_received_costs_cannot_be_deleted(giav: Giav) -> None:
    file, client = giav.file(), giav.client()
    invoiced = giav.reservation(file, client)
    giav.invoice(file, client, {invoiced: 1})
    container, line = nested(giav, file, client)
    receive_costs(giav, line, 600)
    for reservation, reason in ((invoiced, "facturada"), (container, "anidados"), (line, "costes recepcionados")):
        with pytest.raises(Fault, match=reason):
            giav("Reserva_DELETE", id=reservation)


def test_a_free_reservation_is_deleted_with_its_passengers(giav: Giav) -> None:
    file, client = giav.file(), giav.client()
    passenger = giav("Pasajero_POST", nombre="Ana Ruiz", paxTipo="Ad")
    made = giav.reservation(file, client, idsPasajeros=[passenger])
    assert len(giav.find("PasajeroReserva_SEARCH", idsReservas=[made])) == 1
    giav("Reserva_DELETE", id=made)
    assert giav.find("PasajeroReserva_SEARCH", idsReservas=[made]) == []
    assert giav.find("Reservas_SEARCH", idsExpediente=[file]) == []


def test_reservations_are_searched_by_order_number_or_locator_as_the_mode_says(giav: Giav) -> None:
    file, client = giav.file(), giav.client()
    made = giav.reservation(file, client, CodSolicitud="B-1", localizador="XYZ")
    wish = {"modofiltroImporte": "venta", "importeDesde": 0, "importeHasta": 9999999}
    for mode, text, hits in (("PED", "B-1", [made]), ("LOC", "B-1", []), ("LOCPED", "XYZ", [made])):
        found = giav.find("Reservas_SEARCH", localizadorPedido=text, modoFiltroLocalizadorPedido=mode, **wish)
        assert [each["Id"] for each in found] == hits
    assert giav.find("Reservas_SEARCH", idsExpediente=[file], importeDesde=0, importeHasta=0) == []


def test_paid_costs_leave_nothing_to_pay(giav: Giav) -> None:
    file, client = giav.file(), giav.client()
    _, line = nested(giav, file, client)
    receive_costs(giav, line, 600, settled=True)
    worth = giav("Expediente_InfoEconomica_GET", id=file)
    assert (worth["PendientePagar"], worth["Liquidez"]) == (0.0, -600.0)


# Passengers


def test_a_passenger_in_use_is_deleted_only_without_the_check(giav: Giav) -> None:
    file = giav.file()
    passenger = giav("Pasajero_POST", nombre="Ana Ruiz", documento="X1", paxTipo="Ad", customDataValues=custom(2006))
    relation = giav("PasajeroExpediente_POST", idPasajero=passenger, idExpediente=file)
    found = giav.find("Pasajero_SEARCH", customDataValues=custom(2006), documentoModo="Ambos")
    assert ([each["Id"] for each in found], "CustomDataValues" in found[0]) == ([passenger], False)
    with pytest.raises(Fault, match="relacionado"):
        giav("Pasajero_DELETE", id=passenger, chechRelations=True)
    giav("Pasajero_DELETE", id=passenger, chechRelations=False)
    assert giav.find("PasajeroExpediente_SEARCH", idsRelacion=[relation]) == []


def test_a_passenger_joins_a_file_and_a_reservation_once(giav: Giav) -> None:
    file, client = giav.file(), giav.client()
    reservation = giav.reservation(file, client)
    passenger = giav("Pasajero_POST", nombre="Ana Ruiz", paxTipo="Ad")
    giav("PasajeroExpediente_POST", idPasajero=passenger, idExpediente=file)
    relation = giav("PasajeroReserva_POST", idPasajero=passenger, idReserva=reservation, principal=True)
    for operation, other in (
        ("PasajeroExpediente_POST", {"idExpediente": file}),
        ("PasajeroReserva_POST", {"idReserva": reservation}),
    ):
        with pytest.raises(Fault, match="ya está relacionado"):
            giav(operation, idPasajero=passenger, **other)
    giav.cobro(client, 250, idExpediente=file, idRelacionPasajeroReserva=relation)
    details = giav.find("PasajeroReserva_SEARCH", idsReservas=[reservation])[0]["DatosExternos"]
    assert (details["ImporteTotalReserva"], details["ImporteCobrosPasajero"]) == (1000.0, 250.0)
    with pytest.raises(Fault, match="cobros"):
        giav("PasajeroReserva_DELETE", id=relation)


# Catalogues and notes


def test_the_catalogues_hold_the_seeds(giav: Giav) -> None:
    assert [each["Id"] for each in giav.find("Oficina_SEARCH")] == [seeds.OFFICE]
    refunds = giav.find("FormaPago_SEARCH", admiteCobros="No", admiteReembolsos="Si")
    assert [each["Id"] for each in refunds] == [seeds.REFUND]
    assert [each["Id"] for each in giav.find("FormaPago_SEARCH", categoria="UATP")] == [seeds.UATP]
    assert len(giav.find("FormaPago_SEARCH", incluirDeshabilitados=True)) == len(giav.find("FormaPago_SEARCH")) + 1
    stages = giav("EntityStages_GET", targetClass="Expediente")
    assert [each["StageName"] for each in stages] == ["Abierto", "Cancelado", "Finalizado"]
    fields = giav.find("CustomData_SEARCH", targetClass=["Cobro"])
    assert [each["Id"] for each in fields] == [seeds.REFERENCE_FIELDS["Cobro"]]
    assert [each["Id"] for each in giav.find("Proveedor_SEARCH", nombre="ratehawk")] == [seeds.SUPPLIER_RATEHAWK]
    exact = giav.find("Proveedor_SEARCH", cif="B0000004", cifExacto=True)
    assert exact == []


def test_comments_and_tasks_hang_on_existing_records(giav: Giav) -> None:
    file = giav.file()
    comment = giav("Message_Comment_POST", targetClass="Expediente", classId=file, body="ORQ-1 nota")
    found = giav.find("Message_SEARCH", targetClass="Expediente", classId=file)
    assert [(each["Id"], each["Body"]) for each in found] == [(comment, "ORQ-1 nota")]
    giav("Activity_POST", type="Task", targetClass="Expediente", classId=file, summary="Revisar")
    log = giav.find("EventLog_SEARCH", targetClass="Expediente", classId=file)
    assert [each["ItemType"] for each in log] == ["Audit", "Comment", "Activity"]
    with pytest.raises(Fault, match="No existe el registro"):
        giav("Message_Comment_POST", targetClass="Reserva", classId=5, body="nota")
