"""The SOAP wire of the GIAV stand-in: what it takes, what it refuses, how it answers."""

from __future__ import annotations

import httpx
import pytest

from sandbox.giav import seeds
from sandbox.giav.schema import NAMESPACE
from sandbox.giav.stand_in import PATH, GiavStandIn
from tests.sandbox.giav.caller import Fault, Giav, envelope, read, request

GET = {"apikey": seeds.API_KEY, "id": 1}


def refused(giav: Giav, operation: str, body: str) -> Fault:
    with pytest.raises(Fault) as caught:
        read(operation, giav.send(operation, body))
    return caught.value


def test_unknown_element_is_the_callers_fault(giav: Giav) -> None:
    body = envelope(request("Cliente_GET", GET).replace("</Cliente_GET>", "<extra>1</extra></Cliente_GET>"))
    fault = refused(giav, "Cliente_GET", body)
    assert fault.code == "Client"
    assert "extra" in fault.text


def test_wrong_order_is_the_callers_fault(giav: Giav) -> None:
    inner = f'<Cliente_GET xmlns="{NAMESPACE}"><id>1</id><apikey>{seeds.API_KEY}</apikey></Cliente_GET>'
    assert refused(giav, "Cliente_GET", envelope(inner)).code == "Client"


def test_missing_required_element_is_the_callers_fault(giav: Giav) -> None:
    inner = f'<Cliente_GET xmlns="{NAMESPACE}"><apikey>{seeds.API_KEY}</apikey></Cliente_GET>'
    assert refused(giav, "Cliente_GET", envelope(inner)).code == "Client"


def test_required_element_that_is_not_nillable_may_not_be_nil(giav: Giav) -> None:
    inner = f'<Cliente_GET xmlns="{NAMESPACE}"><apikey>k</apikey><id xsi:nil="true"/></Cliente_GET>'
    assert refused(giav, "Cliente_GET", envelope(inner)).code == "Client"


@pytest.mark.parametrize("value", ["cobro", "Devolución", ""])
def test_value_outside_an_enumeration_is_the_callers_fault(giav: Giav, value: str) -> None:
    good = {"apikey": giav.key, "idTipoOperacion": "Cobro"}
    body = envelope(request("Cobro_POST", good)).replace(">Cobro<", f">{value}<")
    assert refused(giav, "Cobro_POST", body).code == "Client"


def test_an_amount_that_is_not_a_number_is_the_callers_fault(giav: Giav) -> None:
    body = envelope(request("Cobro_POST", {"apikey": giav.key, "importe": "NaN"}))
    assert refused(giav, "Cobro_POST", body).code == "Client"


def test_document_type_is_forbidden_and_entities_stay_unread(giav: Giav) -> None:
    attack = '<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    fault = refused(giav, "Cliente_GET", attack + envelope(request("Cliente_GET", GET)))
    assert fault.code == "Client"
    assert "DTD" in fault.text


def test_markup_that_does_not_parse_is_the_callers_fault(giav: Giav) -> None:
    assert refused(giav, "Cliente_GET", envelope(request("Cliente_GET", GET))[:-5]).code == "Client"


@pytest.mark.parametrize(
    "action", ["", "Giav.Core.Business/Cliente_GET", '"Cliente_GET"', '"Giav.Core.Business/Nada_GET"']
)
def test_soapaction_must_name_an_operation_in_quotes(giav: Giav, action: str) -> None:
    body = envelope(request("Cliente_GET", GET))
    response = giav.send("Cliente_GET", body, soapaction=action)
    with pytest.raises(Fault, match="SOAPAction"):
        read("Cliente_GET", response)


def test_soapaction_must_match_the_body(giav: Giav) -> None:
    assert refused(giav, "Expediente_GET", envelope(request("Cliente_GET", GET))).code == "Client"


@pytest.mark.parametrize(
    "kind", ["application/json", "application/soap+xml; charset=utf-8", "text/xml; charset=iso-8859-1"]
)
def test_other_content_types_are_not_supported(giav: Giav, kind: str) -> None:
    body = envelope(request("Cliente_GET", GET))
    assert giav.send("Cliente_GET", body, **{"content-type": kind}).status_code == 415


def test_soap_1_2_envelope_and_second_body_element_are_refused(giav: Giav) -> None:
    inner = request("Cliente_GET", GET)
    other = envelope(inner).replace(
        "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
    )
    assert refused(giav, "Cliente_GET", other).code == "Client"
    assert refused(giav, "Cliente_GET", envelope(inner + inner)).code == "Client"


def test_wrong_and_missing_key_have_no_access(giav: Giav) -> None:
    for parameters in ({"apikey": "another", "id": 1}, {"id": 1}):
        fault = refused(giav, "Cliente_GET", envelope(request("Cliente_GET", parameters)))
        assert (fault.code, "apikey" in fault.text) == ("Server", True)


def test_the_name_of_the_cobro_result_and_its_foreign_namespaces(giav: Giav) -> None:
    cobro = giav.cobro(giav.client(), 120.5)
    body = giav.send("Cobro_GET", envelope(request("Cobro_GET", {"apikey": giav.key, "id": cobro}))).text
    assert "<Cobro><Id>" in body
    assert '<TipoOperacion xmlns="Giav.Core.Business.Cobro">Cobro</TipoOperacion>' in body
    assert '<DatosExternos xmlns="Giav.Core.Business.Cobro">' in body
    assert "<Importe>120.5</Importe>" in body


def test_details_of_a_reservation_live_in_their_own_namespace_inside_an_ordinary_element(giav: Giav) -> None:
    id_ = giav.reservation(giav.file(), giav.client())
    body = giav.send("Reserva_GET", envelope(request("Reserva_GET", {"apikey": giav.key, "id": id_}))).text
    assert '<DatosExternos><IdFiscalityModule xmlns="Giav.Core.Business.Reserva">' in body


def test_a_put_answers_an_empty_wrapper(giav: Giav) -> None:
    file = giav.file()
    body = envelope(request("Expediente_CLOSE", {"apikey": giav.key, "id": file}))
    assert (
        f'<Expediente_CLOSEResponse xmlns="{NAMESPACE}"></Expediente_CLOSEResponse>'
        in giav.send("Expediente_CLOSE", body).text
    )


def test_an_empty_list_comes_back_in_three_shapes(giav: Giav, stand_in: GiavStandIn) -> None:
    seen = [giav("Expediente_SEARCH", pageSize=10) for _ in range(3)]
    assert [None if each is None else [item["Id"] for item in each] for each in seen] == [None, [], [0]]
    stand_in.books.manners.change({"empty_lists": "wrapper"})
    assert [giav("Expediente_SEARCH", pageSize=10) for _ in range(2)] == [[], []]


@pytest.mark.parametrize(("size", "index"), [(101, 0), (0, 0), (10, -1)])
def test_pages_outside_the_limits_fault(giav: Giav, size: int, index: int) -> None:
    with pytest.raises(Fault, match="página"):
        giav("Cliente_SEARCH", pageSize=size, pageIndex=index)


def test_pages_count_from_zero_and_end_short(giav: Giav) -> None:
    made = [giav.file(titulo=f"Viaje {each}") for each in range(5)]
    pages = [[each["Id"] for each in giav.find("Expediente_SEARCH", pageSize=2, pageIndex=page)] for page in range(3)]
    assert pages == [made[:2], made[2:4], made[4:]]


def test_a_filter_that_the_stand_in_lacks_is_refused_rather_than_ignored(giav: Giav) -> None:
    with pytest.raises(Fault, match="idsPresupuesto"):
        giav.find("Expediente_SEARCH", idsPresupuesto=[4])


def test_text_with_markup_and_accents_survives_the_round_trip(giav: Giav) -> None:
    title = 'Ruta <del> Vino & "más" ñandú €'
    file = giav.file(titulo=title)
    assert giav("Expediente_GET", id=file)["Titulo"] == title


def test_only_posts_are_taken(giav: Giav) -> None:
    assert httpx.get(giav.url + PATH).status_code == 405
