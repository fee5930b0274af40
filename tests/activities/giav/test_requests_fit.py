"""Every request that can be written fits the schema of the service, whole and with as little as possible (contracts: giav 1.2, 1.6)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import httpx
import pytest
import yaml

from activities.giav.client import PAGE, GiavClient
from activities.giav.elements import WireError
from activities.giav.settings import GiavSettings
from activities.giav.wire import operations, soap_body
from sandbox.giav.schema import description
from tests.activities.giav.desk import section

SIMPLE = {
    "string": "Añadido <b> & «ñ»",
    "int": 7,
    "double": "1234.50",
    "boolean": True,
    "dateTime": "2027-06-20T00:00:00",
}


@cache
def table() -> dict[str, Any]:
    text = files("activities.giav").joinpath("operations.yaml").read_bytes()
    read: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return read


def example(kind: str) -> Any:
    """A value of a type of the table; of an enumeration its last value, which is more often the one with an accent."""
    if kind in SIMPLE:
        return SIMPLE[kind]
    if kind in table()["enums"]:
        values = table()["enums"][kind]
        return next((each for each in values if not each.isascii()), values[-1])
    members = table()["types"][kind]
    if len(members) == 1 and members[0].get("many"):
        return [example(members[0]["type"])] * 2
    return {member["name"]: example(member["type"]) for member in members}


def request(operation: str, *, whole: bool) -> dict[str, Any]:
    members = [spec for spec in table()["operations"][operation]["request"] if spec["name"] != "apikey"]
    needed = (spec for spec in members if whole or (spec.get("req") and not spec.get("nil")))
    return {spec["name"]: example(spec["type"]) for spec in needed}


@pytest.mark.parametrize("whole", [True, False], ids=["every element", "as few as possible"])
@pytest.mark.parametrize("operation", list(table()["operations"]))
def test_what_is_written_is_valid_by_the_service_s_schema(operation: str, whole: bool) -> None:
    written = operations()[operation].envelope("clave", request(operation, whole=whole))
    content = soap_body(written)
    validator = description().validator
    assert validator.validate(content), validator.error_log
    assert content[0].tag.endswith("}apikey")


@pytest.mark.parametrize(
    ("operation", "member", "value"),
    [
        ("Reserva_Normal_POST", "subtipoReserva", "GuiasTuristicos"),
        ("Cliente_POST", "tipoCliente", "ProfesionalAutonomo"),
        ("Cobro_POST", "idTipoOperacion", "cobro"),
    ],
)
def test_an_enumeration_is_written_as_it_is_spelled_or_not_at_all(operation: str, member: str, value: str) -> None:
    with pytest.raises(WireError, match="not a value of its enumeration"):
        operations()[operation].envelope("clave", request(operation, whole=True) | {member: value})


def test_accents_of_an_enumeration_arrive() -> None:
    values = request("Reserva_Normal_POST", whole=True) | {"subtipoReserva": "GuíasTurísticos"}
    content = soap_body(operations()["Reserva_Normal_POST"].envelope("clave", values))
    assert content.findtext("{Giav.Core.Business}subtipoReserva") == "GuíasTurísticos"


def test_no_page_is_ever_larger_than_the_service_gives() -> None:
    asked = []

    def answer(sent: httpx.Request) -> httpx.Response:
        asked.append(soap_body(sent.content).findtext("{Giav.Core.Business}pageSize"))
        body = '<Oficina_SEARCHResponse xmlns="Giav.Core.Business"/>'
        envelope = (
            f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{body}</s:Body></s:Envelope>'
        )
        return httpx.Response(200, content=envelope.encode())

    settings = GiavSettings.model_validate(section("http://giav.example"))
    client = GiavClient(settings, httpx.MockTransport(answer))
    assert list(client.search("Oficina_SEARCH", busquedaExactaCodigo=False)) == []
    assert (asked, PAGE) == (["100"], 100)
