"""Envelopes and answers against golden files (contracts: giav 1.2, 1.5, 1.6)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from activities.giav.elements import WireError
from activities.giav.lookups import COBROS
from activities.giav.wire import NotXml, SoapFault, operations

GOLDEN = Path(__file__).parent / "golden"
COBRO: dict[str, Any] = {
    "idFormaPago": 10,
    "idOficina": 3,
    "idExpediente": 55,
    "idCliente": 7,
    "idTipoOperacion": "Cobro",
    "importe": "120.50",
    "fechaCobro": "2026-03-01",
    "documento": "our-ref",
    "pagador": "José <& Cía>\x00",
    "autocompensar": False,
    "customDataValues": [{"Key": 901, "Value": "our-ref"}],
}


def envelope(operation: str, **values: Any) -> str:
    return operations()[operation].envelope("the-key", values).decode()


def answered(operation: str, name: str) -> Any:
    return operations()[operation].answer((GOLDEN / f"{name}.xml").read_bytes())


def soap(inner: str) -> bytes:
    return f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{inner}</s:Body></s:Envelope>'.encode()


def test_a_create_is_written_in_schema_order_with_nil_where_a_value_must_be_named() -> None:
    golden = (GOLDEN / "cobro_post.xml").read_text("utf-8").replace("\n", "")
    assert envelope("Cobro_POST", **COBRO) == golden


def test_a_search_names_every_required_filter_and_leaves_unused_lists_out() -> None:
    golden = (GOLDEN / "cobro_search.xml").read_text("utf-8").replace("\n", "")
    assert envelope("Cobro_SEARCH", **COBROS, idsExpediente=[55, 56], pageSize=100, pageIndex=0) == golden


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("idTipoOperacion", "cobro", "idTipoOperacion: not a value of its enumeration"),
        ("importe", 120.5, "importe: not an exact number"),
        ("importe", "120.505", "importe: not a number of two decimals"),
        ("importe", "lots", "importe: not a number"),
        ("importe", "NaN", "importe: not a number of two decimals"),
        ("idCliente", None, "Cobro_POST needs idCliente"),
        ("idCliente", True, "idCliente: not a whole number"),
        ("autocompensar", "false", "autocompensar: not a flag"),
        ("customDataValues", "our-ref", "customDataValues: a list is needed"),
        ("customDataValues", [{"Value": "our-ref"}], "CustomDataItem needs Key"),
        ("idFactura", 3, "Cobro_POST has no idFactura"),
    ],
)
def test_a_value_that_does_not_fit_the_table_is_never_sent(name: str, value: Any, words: str) -> None:
    with pytest.raises(WireError, match=words):
        envelope("Cobro_POST", **COBRO | {name: value})


def test_enumerations_with_accents_travel_as_utf8() -> None:
    written = operations()["Activity_POST"].envelope(
        "k",
        {"type": "Task", "targetClass": "Expediente", "classId": 1, "summary": "Guías", "reminderByMail": False},
    )
    assert "<summary>Guías</summary>".encode() in written


def test_a_cobro_is_read_with_its_members_in_foreign_namespaces() -> None:
    (found,) = answered("Cobro_SEARCH", "cobro_search_answer")
    assert found["TipoOperacion"] == "Reembolso"
    assert found["DatosExternos"]["Disponible"] == Decimal("30.1")
    assert found["DatosExternos"]["Arqueado"] is False
    assert found["Importe"] == Decimal("-270.00000000000006")
    assert found["idTraspaso"] is None
    assert found["CustomDataValues"] == [{"Key": 2004, "Value": "ORQ-X"}, {"Key": 7, "Value": None}]


@pytest.mark.parametrize(
    "result",
    [
        "",
        "<Cobro_SEARCHResult/>",
        '<Cobro_SEARCHResult xsi:nil="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>',
    ],
)
def test_every_form_of_an_empty_list_is_an_empty_list(result: str) -> None:
    body = soap(f'<Cobro_SEARCHResponse xmlns="Giav.Core.Business">{result}</Cobro_SEARCHResponse>')
    assert operations()["Cobro_SEARCH"].answer(body) == []


def test_results_of_every_shape_are_read() -> None:
    ns = 'xmlns="Giav.Core.Business"'
    created = soap(f"<Cobro_POSTResponse {ns}><Cobro_POSTResult>12</Cobro_POSTResult></Cobro_POSTResponse>")
    assert operations()["Cobro_POST"].answer(created) == 12
    name = "Factura_Servicios_POST"
    issued = soap(f"<{name}Response {ns}><{name}Result><int>3</int><int>4</int></{name}Result></{name}Response>")
    assert operations()[name].answer(issued) == [3, 4]
    changed = soap(f"<Reserva_Normal_PUTResponse {ns}/>")
    assert operations()["Reserva_Normal_PUT"].answer(changed) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Service Unavailable</body></html>",
        b"<!DOCTYPE html><p>maintenance</p>",
        soap("<Cobro_POSTResponse>")[:-20],
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + soap('<Cobro_POSTResponse xmlns="Giav.Core.Business"/>'),
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'.encode(
            "utf-16"
        ),
        soap(""),
        soap("<a/><b/>"),
    ],
)
def test_anything_but_a_plain_soap_envelope_is_refused(body: bytes) -> None:
    with pytest.raises(NotXml):
        operations()["Cobro_POST"].answer(body)


def test_an_answer_to_another_question_is_refused() -> None:
    with pytest.raises(WireError, match="another element"):
        operations()["Cobro_POST"].answer(soap('<Cobro_GETResponse xmlns="Giav.Core.Business"/>'))


def test_an_unreadable_value_is_named_and_not_repeated() -> None:
    body = soap(
        '<Cobro_POSTResponse xmlns="Giav.Core.Business"><Cobro_POSTResult>Ana</Cobro_POSTResult></Cobro_POSTResponse>'
    )
    with pytest.raises(WireError, match=r"^Cobro_POSTResult is unreadable$"):
        operations()["Cobro_POST"].answer(body)


def test_a_fault_gives_its_code_and_words() -> None:
    body = soap("<s:Fault><faultcode>soap:Server</faultcode><faultstring> No existe </faultstring><detail/></s:Fault>")
    with pytest.raises(SoapFault) as caught:
        operations()["Cobro_POST"].answer(body)
    assert (caught.value.code, caught.value.text) == ("Server", "No existe")


def test_reads_and_writes_are_told_apart_by_name() -> None:
    reads = {name for name, operation in operations().items() if not operation.writes}
    assert {"Cobro_SEARCH", "Factura_GET", "Expediente_InfoEconomica_GET"} <= reads
    assert not reads & {
        "Cobro_POST",
        "Reserva_DELETE",
        "Expediente_CLOSE",
        "Factura_REIMBURSEMENT",
        "Reserva_Normal_PUT",
    }
