"""Faults, restarts and what the GIAV stand-in shows to people."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest
from lxml import etree

from sandbox.giav import seeds
from sandbox.giav.stand_in import GiavStandIn
from sandbox.running import running
from tests.sandbox.giav.caller import Fault, Giav, envelope, read, request


def switch(giav: Giav, **wish: object) -> None:
    assert httpx.post(f"{giav.url}/control/faults", json=wish).status_code == 200


def cobros(stand_in: GiavStandIn) -> list[float]:
    return [each["Importe"] for each in stand_in.state()["Cobro"]]


def post(giav: Giav, client: int) -> httpx.Response:
    wish = {
        "apikey": giav.key,
        "idFormaPago": seeds.CARD,
        "idOficina": seeds.OFFICE,
        "idCliente": client,
        "importe": 10,
    }
    return giav.send("Cobro_POST", envelope(request("Cobro_POST", wish)))


def test_a_refusal_is_a_fault_in_spanish_and_stores_nothing(giav: Giav, stand_in: GiavStandIn) -> None:
    client = giav.client()
    switch(giav, operation="Cobro_POST", kind="refuse")
    with pytest.raises(Fault) as caught:
        read("Cobro_POST", post(giav, client))
    assert (caught.value.code, "No existe el registro" in caught.value.text) == ("Server", True)
    assert cobros(stand_in) == []
    assert read("Cobro_POST", post(giav, client)) == 1


@pytest.mark.parametrize(("kind", "stored"), [("error-before", []), ("error-after", [10.0])])
def test_a_technical_error_is_a_server_fault(giav: Giav, stand_in: GiavStandIn, kind: str, stored: list[float]) -> None:
    client = giav.client()
    switch(giav, operation="Cobro_POST", kind=kind)
    with pytest.raises(Fault, match="Server was unable to process request"):
        read("Cobro_POST", post(giav, client))
    assert cobros(stand_in) == stored


@pytest.mark.parametrize(("kind", "stored"), [("drop-before", []), ("drop-after", [10.0])])
def test_a_dropped_connection_gives_no_answer(
    giav: Giav, stand_in: GiavStandIn, kind: str, stored: list[float]
) -> None:
    client = giav.client()
    switch(giav, operation="Cobro_POST", kind=kind)
    with pytest.raises(httpx.TransportError):
        post(giav, client)
    assert cobros(stand_in) == stored


def test_a_late_effect_appears_after_the_cut(giav: Giav, stand_in: GiavStandIn) -> None:
    client = giav.client()
    switch(giav, operation="Cobro_POST", kind="late", seconds=0.2)
    with pytest.raises(httpx.TransportError):
        post(giav, client)
    assert cobros(stand_in) == []
    deadline = time.monotonic() + 60
    while not giav.find("Cobro_SEARCH") and time.monotonic() < deadline:
        pass
    assert cobros(stand_in) == [10.0]


def test_a_maintenance_page_is_html_with_503(giav: Giav, stand_in: GiavStandIn) -> None:
    switch(giav, operation="*", kind="page-503")
    response = post(giav, 1)
    assert (response.status_code, "<html>" in response.text) == (503, True)
    assert cobros(stand_in) == []


def test_a_malformed_answer_is_cut_after_the_effect(giav: Giav, stand_in: GiavStandIn) -> None:
    switch(giav, operation="Cobro_POST", kind="malformed")
    response = post(giav, giav.client())
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(response.content)
    assert cobros(stand_in) == [10.0]


def test_throttling_says_when_to_come_back(giav: Giav) -> None:
    switch(giav, operation="Cobro_POST", kind="throttle", seconds=7)
    response = post(giav, giav.client())
    assert (response.status_code, response.headers["retry-after"]) == (503, "7")


def test_a_fault_strikes_only_its_operation(giav: Giav) -> None:
    switch(giav, operation="Cobro_POST", kind="error-before", times=None)
    assert giav.client() > 0


def test_a_restart_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "giav.sqlite"
    first = GiavStandIn(path)
    with running(first) as url:
        giav = Giav(url)
        client, file = giav.client(), giav.file(customDataValues=[{"Key": 2002, "Value": "ORQ-1"}])
        container = giav.reservation(file, client)
        giav.invoice(file, client, {container: 400})
        giav.cobro(client, 400, idExpediente=file)
        gone = giav.file()
        giav("Expediente_DELETE", id=gone)
        before = first.state()
    first.close()
    second = GiavStandIn(path)
    assert second.state() == before
    with running(second) as url:
        giav = Giav(url)
        assert giav.find("Expediente_SEARCH", customDataValues=[{"Key": 2002, "Value": "ORQ-1"}])[0]["Id"] == file
        assert giav.file() == gone + 1
        code = giav("Factura_GET", id=giav.invoice(file, client, {container: 600})[0])["Codigo"]
        assert code == "F-2026-000002"
    second.close()


def test_a_refused_call_is_not_on_disk_either(tmp_path: Path) -> None:
    path = tmp_path / "giav.sqlite"
    first = GiavStandIn(path)
    with running(first) as url:
        giav = Giav(url)
        client, file = giav.client(), giav.file()
        container = giav.reservation(file, client)
        with pytest.raises(Fault):
            giav.invoice(file, client, {container: 400}, importeaCompensar=400)
    first.close()
    second = GiavStandIn(path)
    assert (second.state()["Factura"], second.state()["Serie"], second.state()["FacturaLinea"]) == ([], [], [])
    second.close()


def test_the_page_shows_the_books_and_escapes_what_people_typed(giav: Giav) -> None:
    client, file = giav.client(), giav.file(titulo="<script>alert(1)</script>")
    container = giav.reservation(file, client)
    giav.invoice(file, client, {container: 400})
    giav.cobro(client, 400, idExpediente=file, documento="pi_77")
    shown = httpx.get(giav.url + "/").text
    assert "<script>" not in shown
    for text in ("Expedientes (1)", "F-2026-000001", "pi_77", "600.00"):
        assert text in shown


def test_the_page_shows_a_cost_below_the_reservation_in_which_it_is_nested(giav: Giav) -> None:
    client, file = giav.client(), giav.file()
    first = giav.reservation(file, client, descripcion="<b>first</b>")
    giav.reservation(file, client, descripcion="second")
    line = giav.reservation(file, client, tipoReserva="HT", descripcion="hotel & more", ventacomis=0, costeComis=450)
    giav("Reserva_Anidamiento_PUT", idReservaCoste=line, idReservaContenedoraAnidamiento=first)
    shown = httpx.get(giav.url + "/").text
    order = [shown.index(text) for text in ("second", "&lt;b&gt;first&lt;/b&gt;", f"↳ {line}", "hotel &amp; more")]
    assert order == sorted(order)


def test_manners_are_changed_from_outside_and_nonsense_is_refused(giav: Giav, stand_in: GiavStandIn) -> None:
    url = f"{giav.url}/control/manners"
    assert httpx.put(url, json={"economics_lag": 2}).json()["economics_lag"] == 2.0
    for nonsense in ({"lag": 1}, {"empty_lists": "none"}, {"leaky_cobros": 1}, {"economics_lag": "soon"}):
        assert httpx.put(url, json=nonsense).status_code == 422
    assert stand_in.books.manners.economics_lag == 2.0
    assert httpx.post(f"{giav.url}/control/people", json={"act": "hand-over", "cobro": 9}).status_code == 422
