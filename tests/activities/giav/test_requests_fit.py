"""Every request that can be written fits the schema of the service, whole and with as little as possible (contracts: giav 1.2, 1.6).

Three schemas, that no two share a mistake: one made of the contract's own table, whole; one made of the excerpt of it that
our client compiles; and the strict one that the stand-in has of its own.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from lxml import etree

from activities.giav.client import PAGE, GiavClient
from activities.giav.elements import WireError
from activities.giav.settings import GiavSettings
from activities.giav.wire import operations, soap_body
from sandbox.giav.schema import description
from tests.activities.giav.desk import section
from tests.activities.giav.generated_schema import NAMESPACE, schema_of

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


@cache
def contract() -> dict[str, Any]:
    text = Path(__file__).with_name("contract_requests.yaml").read_bytes()
    read: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return read


@cache
def schema(name: str) -> etree.XMLSchema:
    if name == "the stand-in's":
        return description().validator
    if name == "the contract's":
        return schema_of(contract()["operations"], contract()["types"], contract()["enums"])
    requests = {operation: spec["request"] for operation, spec in table()["operations"].items()}
    return schema_of(requests, table()["types"], table()["enums"])


SCHEMAS = ("the contract's", "our table's", "the stand-in's")


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
@pytest.mark.parametrize("of", SCHEMAS)
def test_what_is_written_is_valid_by_every_schema(of: str, operation: str, whole: bool) -> None:
    written = operations()[operation].envelope("clave", request(operation, whole=whole))
    content = soap_body(written)
    assert schema(of).validate(content), schema(of).error_log
    assert content[0].tag.endswith("}apikey")


@pytest.mark.parametrize("of", SCHEMAS)
def test_each_schema_refuses_what_the_service_would(of: str) -> None:
    def spoilt(change: str) -> etree._Element:
        content = soap_body(operations()["Cobro_POST"].envelope("clave", request("Cobro_POST", whole=True)))
        kind = content.find(f"{{{NAMESPACE}}}idTipoOperacion")
        assert kind is not None
        if change == "left out":
            content.remove(kind)
        elif change == "out of order":
            content.append(kind)
        else:
            kind.text = change
        return content

    assert schema(of).validate(spoilt("Reembolso"))
    for change in ("left out", "out of order", "reembolso", ""):
        assert not schema(of).validate(spoilt(change)), change


@pytest.mark.parametrize("operation", list(table()["operations"]))
def test_our_table_is_a_faithful_excerpt_of_the_contract_s(operation: str) -> None:
    def plain(member: dict[str, Any]) -> tuple[Any, ...]:
        return member["name"], member["type"], *(member.get(mark, 0) for mark in ("req", "nil", "many"))

    whole, ours = contract()["operations"][operation], table()["operations"][operation]["request"]
    sent = {member["name"] for member in ours}
    assert [plain(member) for member in ours] == [plain(member) for member in whole if member["name"] in sent]
    assert {member["name"] for member in whole if member.get("req")} <= sent, "what must be present is never left out"


def test_our_enumerations_are_the_contract_s() -> None:
    shared = contract()["enums"].keys() & table()["enums"].keys()
    assert {name: table()["enums"][name] for name in shared} == {name: contract()["enums"][name] for name in shared}
    assert len(shared) > 20


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
