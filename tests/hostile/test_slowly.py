"""Senders that dawdle, on real connections: hung up on, while everybody else is served."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn

from starter.serving import BodyInTime, PatientProtocol
from tests.hostile.conftest import House

SOON = 0.3


class Impatient(PatientProtocol):
    head_seconds = SOON


@contextmanager
def served(app: object) -> Iterator[tuple[str, int]]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=Impatient, log_level="error", timeout_graceful_shutdown=1)  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[:2]
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture
def address(house: House) -> Iterator[tuple[str, int]]:
    with served(BodyInTime(house[2], seconds=SOON)) as place:
        yield place


async def dribble(address: tuple[str, int], head: bytes, drop: bytes) -> bytes:
    """Send a beginning and then a little at a time, until the other side hangs up; what it said."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(head)

    async def drops() -> None:
        while True:
            await asyncio.sleep(0.02)
            writer.write(drop)
            await writer.drain()

    dropping = asyncio.create_task(drops())
    try:
        async with asyncio.timeout(180):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        dropping.cancel()
        writer.close()


@pytest.mark.parametrize(
    "head", [b"", b"POST /events HTTP/1.1\r\nHost: x\r\n", b"P"], ids=["nothing", "headers", "a letter"]
)
async def test_a_head_that_never_ends_is_hung_up_on(address: tuple[str, int], head: bytes) -> None:
    said = await dribble(address, head, b"x-y: z\r\n" if head.startswith(b"POST") else b"")
    assert b"200" not in said[:20]


async def test_a_body_that_never_ends_is_answered_with_a_408(address: tuple[str, int]) -> None:
    head = b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/cloudevents+json\r\nContent-Length: 60000\r\n\r\n"
    said = await dribble(address, head, b" ")
    assert said.startswith(b"HTTP/1.1 408")
    assert b"application/problem+json" in said


async def test_a_body_in_endless_pieces_is_answered_with_a_413_or_408(address: tuple[str, int]) -> None:
    head = b"POST /events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    said = await dribble(address, head, b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
    assert said[:12] in (b"HTTP/1.1 413", b"HTTP/1.1 408")


async def test_a_hundred_who_dawdle_keep_nobody_from_being_served(address: tuple[str, int]) -> None:
    slow = [asyncio.create_task(dribble(address, b"POST /events HTTP/1.1\r\n", b"a")) for _ in range(100)]
    async with httpx.AsyncClient(base_url=f"http://{address[0]}:{address[1]}", timeout=60) as honest:
        answers = [(await honest.get("/health/live")).status_code for _ in range(5)]
    assert answers == [200] * 5
    await asyncio.gather(*slow)


async def test_an_honest_connection_lives_on_between_requests(address: tuple[str, int]) -> None:
    async with httpx.AsyncClient(base_url=f"http://{address[0]}:{address[1]}", timeout=60) as honest:
        first = await honest.get("/health/live")
        second = await honest.get("/health/live")
    assert (first.status_code, second.status_code) == (200, 200)
