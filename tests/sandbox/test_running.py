"""A stand-in behind a real socket: faults reach the client as what they are on the wire."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.running import STARTS_WITHIN, loopback_socket, running
from sandbox.serving import StandIn


class Counter(StandIn):
    """Counts what is stored."""

    name = "counter"

    def __init__(self) -> None:
        super().__init__()
        self.stored = 0

    def routes(self) -> list[BaseRoute]:
        return [Route("/count", self._count, methods=["POST"])]

    def state(self) -> dict[str, Any]:
        return {"stored": self.stored}

    async def _count(self, _: Request) -> Response:
        return await self.serve("count", self._store)

    def _store(self) -> Response:
        self.stored += 1
        return JSONResponse({"stored": self.stored})


@pytest.fixture
def counter() -> Iterator[tuple[Counter, httpx.Client]]:
    stand_in = Counter()
    with running(stand_in) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield stand_in, client


def test_a_call_without_fault_is_answered_and_logged(counter: tuple[Counter, httpx.Client]) -> None:
    _, client = counter
    assert client.post("/count").json() == {"stored": 1}
    assert [call["outcome"] for call in client.get("/control/calls").json()] == ["200"]


@pytest.mark.parametrize(("kind", "stored"), [("drop-before", 0), ("drop-after", 1)])
def test_a_dropped_call_breaks_the_connection_without_any_answer(
    counter: tuple[Counter, httpx.Client], kind: str, stored: int
) -> None:
    stand_in, client = counter
    client.post("/control/faults", json={"operation": "count", "kind": kind})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        client.post("/count", content=b"x" * 100_000)
    assert stand_in.stored == stored
    assert client.post("/count").json() == {"stored": stored + 1}


def test_an_error_after_the_effect_hides_that_it_was_stored(counter: tuple[Counter, httpx.Client]) -> None:
    stand_in, client = counter
    client.post("/control/faults", json={"operation": "*", "kind": "error-after"})
    assert client.post("/count").status_code == 500
    assert stand_in.stored == 1


def test_the_port_is_free_again_after_the_block() -> None:
    with running(Counter()) as url:
        port = int(url.rsplit(":", 1)[1])
    with running(Counter(), port) as again, httpx.Client() as client:
        assert client.get(f"{again}/control/health").json() == {"system": "counter"}


def test_a_taken_port_is_said_at_once() -> None:
    taken = loopback_socket()
    taken.listen()
    begun = time.monotonic()
    with pytest.raises(OSError), running(Counter(), taken.getsockname()[1]):
        pass
    taken.close()
    assert time.monotonic() - begun < STARTS_WITHIN


def test_answers_do_not_wait_for_more_bytes_to_send() -> None:
    # asyncio sets TCP_NODELAY only on sockets that name TCP; without it each answer takes 40 ms.
    bound = loopback_socket()
    assert bound.proto == socket.IPPROTO_TCP
    bound.close()
