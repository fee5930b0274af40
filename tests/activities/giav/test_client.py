"""What comes back from the line, sorted into our errors (contracts: giav 1.3 to 1.5)."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Lock
from typing import Any

import httpx
import pytest

from activities.giav.client import PAGE, GiavClient
from activities.giav.settings import GiavSettings
from domain.errors import (
    BackOfficeError,
    Breakdown,
    ContractBroken,
    Refused,
    Transient,
    Unauthorised,
    UnknownOutcome,
)
from tests.activities.giav.desk import section
from tests.activities.giav.test_wire import COBRO, soap

KEY = "very-secret-key"
NS = 'xmlns="Giav.Core.Business"'
READ, WRITE = ("Expediente_InfoEconomica_GET", {"id": 1}), ("Cobro_POST", COBRO)


def client(answer: Callable[[httpx.Request], httpx.Response], **changes: Any) -> GiavClient:
    settings = GiavSettings.model_validate(section("http://giav.test", api_key=KEY, **changes))
    return GiavClient(settings, httpx.MockTransport(answer))


def fault(code: str, words: str) -> httpx.Response:
    body = f"<s:Fault><faultcode>soap:{code}</faultcode><faultstring>{words}</faultstring><detail/></s:Fault>"
    return httpx.Response(500, content=soap(body))


def failing(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    return answer


def raised(call: tuple[str, dict[str, Any]], answer: Callable[[httpx.Request], httpx.Response]) -> BackOfficeError:
    with pytest.raises(BackOfficeError) as caught:
        client(answer).call(call[0], **call[1])
    return caught.value


CERTIFICATE = httpx.ConnectError(f"[SSL: CERTIFICATE_VERIFY_FAILED] {ssl.SSLError()}")


@pytest.mark.parametrize(
    ("error", "on_read", "on_write"),
    [
        (httpx.ConnectError("refused"), Transient, Transient),
        (httpx.ConnectTimeout("late"), Transient, Transient),
        (httpx.PoolTimeout("full"), Transient, Transient),
        (CERTIFICATE, Unauthorised, Unauthorised),
        (httpx.ReadTimeout("late"), Transient, UnknownOutcome),
        (httpx.WriteError("broken"), Transient, UnknownOutcome),
        (httpx.ReadError("reset"), Transient, UnknownOutcome),
        (httpx.RemoteProtocolError("disconnected"), Transient, UnknownOutcome),
        (httpx.LocalProtocolError("bad header"), ContractBroken, ContractBroken),
    ],
)
def test_a_broken_line_is_sorted_by_whether_the_request_can_have_arrived(
    error: Exception, on_read: type[BackOfficeError], on_write: type[BackOfficeError]
) -> None:
    assert type(raised(READ, failing(error))) is on_read
    assert type(raised(WRITE, failing(error))) is on_write


@pytest.mark.parametrize(
    ("answer", "on_read", "on_write"),
    [
        (httpx.Response(503, html="<html>maintenance</html>"), Transient, UnknownOutcome),
        (httpx.Response(502), Transient, UnknownOutcome),
        (httpx.Response(504), Transient, UnknownOutcome),
        (httpx.Response(500, html="<html>runtime error</html>"), Transient, UnknownOutcome),
        (httpx.Response(302, headers={"Location": "/error.aspx"}), Transient, UnknownOutcome),
        (httpx.Response(200, content=b"<s:Env"), Transient, UnknownOutcome),
        (httpx.Response(200, content=soap("<Other/>")), ContractBroken, UnknownOutcome),
        (httpx.Response(429, headers={"Retry-After": "7"}), Transient, Transient),
        (httpx.Response(401), Unauthorised, Unauthorised),
        (httpx.Response(403), Unauthorised, Unauthorised),
        (httpx.Response(404, html="<html/>"), ContractBroken, ContractBroken),
        (httpx.Response(415), ContractBroken, ContractBroken),
        (fault("Server", "Timeout expired"), Transient, Breakdown),
        (fault("Server", "Referencia a objeto no establecida"), Transient, Breakdown),
        (fault("Client", "Unable to read request"), ContractBroken, ContractBroken),
        (fault("Server", "No se tiene acceso al registro"), Refused, Refused),
        (fault("Server", "No existe el registro (Reserva 3)"), Refused, Refused),
        (fault("Server", "El expediente está cerrado"), Refused, Refused),
        (fault("Server", "La reserva está facturada"), Refused, Refused),
        (fault("Server", "Faltan datos obligatorios"), Refused, Refused),
        (fault("Server", "Para admitir servicios de costes anidados, la reserva"), Refused, Refused),
        (fault("Server", "La cuenta debe tener 10 dígitos"), Refused, Refused),
        (fault("Server", "Ya existe un cliente con el documento"), Refused, Refused),
        (fault("Server", "No se tiene acceso: la apikey no es válida"), Unauthorised, Unauthorised),
    ],
)
def test_an_answer_is_sorted_as_the_contract_says(
    answer: httpx.Response, on_read: type[BackOfficeError], on_write: type[BackOfficeError]
) -> None:
    assert type(raised(READ, lambda _: answer)) is on_read
    assert type(raised(WRITE, lambda _: answer)) is on_write


def test_a_throttled_call_comes_back_when_the_server_said() -> None:
    answer = httpx.Response(429, headers={"Retry-After": "7"})
    assert raised(WRITE, lambda _: answer).retry_after == 7


@pytest.mark.parametrize(
    "result", ["<Cobro_POSTResult>0</Cobro_POSTResult>", "<Cobro_POSTResult>-1</Cobro_POSTResult>", ""]
)
def test_a_create_without_an_id_is_an_unknown_outcome(result: str) -> None:
    line = client(
        lambda _: httpx.Response(200, content=soap(f"<Cobro_POSTResponse {NS}>{result}</Cobro_POSTResponse>"))
    )
    with pytest.raises(UnknownOutcome):
        line.create("Cobro_POST", **COBRO)


def test_the_request_carries_the_quoted_action_and_the_key_first() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(
            200, content=soap(f"<Cobro_POSTResponse {NS}><Cobro_POSTResult>5</Cobro_POSTResult></Cobro_POSTResponse>")
        )

    assert client(answer).create("Cobro_POST", **COBRO) == "5"
    assert seen[0].headers["SOAPAction"] == '"Giav.Core.Business/Cobro_POST"'
    assert seen[0].headers["Content-Type"] == "text/xml; charset=utf-8"
    assert f"<Cobro_POST {NS}><apikey>{KEY}</apikey>" in seen[0].content.decode()


def test_a_value_that_does_not_fit_is_our_mistake_and_leaves_the_house_never() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise AssertionError("sent")

    assert type(raised(("Cobro_POST", COBRO | {"importe": 1.5}), answer)) is ContractBroken


def test_neither_key_nor_people_nor_stack_reach_the_error_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    words = (
        f"System.Exception: fallo ---&gt; No existe el pagador ANA PRUEBA con {KEY}\n"
        "   at Giav.Core.Business.Cobro.Save(String pagador)"
    )
    error = raised(("Cobro_POST", COBRO | {"pagador": "Ana Prueba"}), lambda _: fault("Server", words))
    assert error.message == "No existe el pagador … con …"
    assert KEY not in caplog.text


def page(ids: list[int]) -> httpx.Response:
    items = "".join(f"<WsDueDate><Id>{each}</Id></WsDueDate>" for each in ids)
    result = f"<DueDate_SEARCHResult>{items}</DueDate_SEARCHResult>"
    return httpx.Response(200, content=soap(f"<DueDate_SEARCHResponse {NS}>{result}</DueDate_SEARCHResponse>"))


def found(pages: list[list[int]]) -> tuple[list[int], int]:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return page(pages[len(asked) - 1])

    hits = client(answer).search(
        "DueDate_SEARCH", HasCompensations="NoAplicar", IsRemitted="NoAplicar", IsPrepayment="NoAplicar"
    )
    return [hit["Id"] for hit in hits], len(asked)


def test_pages_are_read_until_one_is_not_full() -> None:
    full, rest = list(range(1, PAGE + 1)), [200, 201]
    assert found([full, rest]) == ([*full, *rest], 2)


def test_an_item_without_a_positive_id_says_that_nothing_was_found() -> None:
    assert found([[0]]) == ([], 1)


def test_a_service_that_ignores_the_page_number_is_not_asked_for_ever() -> None:
    full = list(range(1, PAGE + 1))
    assert found([full, full, full]) == (full, 2)


@pytest.mark.parametrize(
    ("operation", "values", "most"),
    [("Cobro_POST", COBRO, 2), ("Expediente_InfoEconomica_GET", {"id": 1}, 4)],
)
def test_at_most_two_writes_and_four_calls_run_at_once(operation: str, values: dict[str, Any], most: int) -> None:
    lock, release = Lock(), Event()
    together = Barrier(most, action=release.set)
    running = {"now": 0, "most": 0}

    def answer(_: httpx.Request) -> httpx.Response:
        with lock:
            running["now"] += 1
            running["most"] = max(running["most"], running["now"])
        if not release.is_set():
            together.wait(5)
        with lock:
            running["now"] -= 1
        return httpx.Response(200, content=soap(f"<{operation}Response {NS}/>"))

    line = client(answer)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: line.call(operation, **values), range(8)))
    assert running["most"] == most


def test_a_call_that_finds_no_turn_comes_back_later() -> None:
    inside, leave = Event(), Event()

    def answer(_: httpx.Request) -> httpx.Response:
        inside.set()
        leave.wait(5)
        return httpx.Response(200, content=soap(f"<Expediente_CLOSEResponse {NS}/>"))

    line = client(answer, writes_at_once=1, connect_seconds=0.01, read_seconds=0.01)
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(line.call, "Expediente_CLOSE", id=1)
        assert inside.wait(5)
        with pytest.raises(Transient, match="too many calls at once"):
            line.call("Expediente_CLOSE", id=2)
        leave.set()
        assert busy.result() is None
