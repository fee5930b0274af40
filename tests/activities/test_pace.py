"""Pace: so many calls a second, whoever makes them, and nobody waits long in a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from activities.giav.client import GiavClient
from activities.giav.settings import GiavSettings
from activities.midoffice.settings import WebSettings
from activities.midoffice.web import Route, Web
from activities.pace import LONGEST_PAUSE, Pace
from activities.platform.settings import PlatformAccount
from domain.errors import BackOfficeError, PutOff
from store.installation import PlatformSettings
from tests.activities.giav.desk import section


class Time:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.now += seconds


def paced(per_second: float, burst: int) -> tuple[Pace, Time]:
    time = Time()
    return Pace(per_second, burst, system="x", clock=time, sleep=time.sleep), time


def test_a_burst_goes_at_once_and_the_rest_in_its_time() -> None:
    pace, time = paced(5, 5)
    for _ in range(5):
        pace.take("a")
    assert time.slept == 0
    for _ in range(10):
        pace.take("a")
    assert time.slept == pytest.approx(2.0)


def test_whoever_would_wait_long_comes_back_later() -> None:
    pace, time = paced(0.1, 1)
    pace.take("a")
    with pytest.raises(PutOff) as later:
        pace.take("a")
    assert later.value.retry_after == pytest.approx(10.0)
    assert time.slept == 0
    time.now += 10
    pace.take("a")


def test_a_pause_that_the_other_side_asks_for_holds_for_everybody() -> None:
    pace, time = paced(5, 5)
    pace.stop(30)
    with pytest.raises(PutOff) as later:
        pace.take("a")
    assert later.value.retry_after == pytest.approx(30.0)
    time.now += 30 - LONGEST_PAUSE / 2
    pace.take("a")
    assert time.slept == pytest.approx(LONGEST_PAUSE / 2)


Caller = Callable[[], Any]


def to_giav(transport: httpx.BaseTransport, pace: dict[str, Any]) -> Caller:
    client = GiavClient(GiavSettings.model_validate(section("http://giav.test", **pace)), transport)
    return lambda: client.call("Expediente_InfoEconomica_GET", id=1)


def to_midoffice(transport: httpx.BaseTransport, pace: dict[str, Any]) -> Caller:
    settings = WebSettings.model_validate(
        {"url": "http://midoffice.test", "kind": "tina", "supplier_numbers": {"a": "1"}, **pace}
    )
    web = Web("midoffice", settings, headers={}, transport=transport)
    return lambda: web.ask(Route("read", write=False, method="GET", path="/1"), b"", lambda body: body)  # type: ignore[arg-type,return-value]


def to_platform(transport: httpx.BaseTransport, pace: dict[str, Any]) -> Caller:
    settings = PlatformSettings.model_validate({"source": "s", "url": "http://platform.test", **pace})
    client = PlatformAccount.open(settings, "test", transport).client
    assert client is not None
    return lambda: client.booking("bkg_1")


@pytest.mark.parametrize("line", [to_giav, to_midoffice, to_platform])
@pytest.mark.parametrize(("pace", "sent"), [({"calls_per_second": 0.01}, 1), ({}, 3)], ids=["paced", "free"])
def test_every_line_keeps_the_pace_of_its_account(
    line: Callable[[httpx.BaseTransport, dict[str, Any]], Caller], pace: dict[str, Any], sent: int
) -> None:
    came = []

    def answer(request: httpx.Request) -> httpx.Response:
        came.append(request)
        return httpx.Response(404)

    call = line(httpx.MockTransport(answer), pace)
    late = []
    for _ in range(3):
        try:
            call()
        except BackOfficeError as error:
            if isinstance(error, PutOff):
                late.append(error.retry_after or 0)
    assert len(came) == sent
    assert [each > 60 for each in late] == [True] * (3 - sent), (
        "what is over the pace is never sent, and comes back later"
    )
