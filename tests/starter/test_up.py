"""`bookings up` brings a whole installation up and takes it down again without a rest."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from starter.embedded import DYNAMIC_CONFIG, server_command
from tests.starter.agency import SECRET, SOURCE, booking_created, installation, payment_captured, raw, signed
from tests.starter.collector import Collector, collecting
from tests.starter.test_children import alive, gone_within
from workers.tracing import trace_of


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as listening:
        yield listening


@pytest.fixture
def settings(tmp_path: Path, collector: Collector) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(
        f"""
        data = "data"
        [temporal]
        port = {free_port()}
        ui_port = {free_port()}
        [gateway]
        port = {free_port()}
        [console]
        port = {free_port()}
        [telemetry]
        traces = "{collector.url}"
        [agencies.demo]
        name = "Viajes Ejemplo"
        erp = "journal"
        [agencies.demo.platform]
        source = "{SOURCE}"
        webhook_secrets = [{{ value = "{SECRET}" }}]
        """
    )
    return path


def bookings(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "starter", *arguments]


def children_of(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


@pytest.fixture
def running(settings: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        bookings("up", "--settings", str(settings)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    yield process
    if process.poll() is None:
        process.kill()
    process.wait(30)


def read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    told = ""
    for line in process.stdout:
        told += line
        if words in line:
            return told
    raise AssertionError(f"ended without saying '{words}':\n{told}")


def test_up_serves_survives_a_killed_gateway_and_stops_without_a_rest(
    settings: Path, running: subprocess.Popen[str], collector: Collector
) -> None:
    """Its event is one trace at the collector, from the webhook to the write, whichever processes had a part in it."""
    said = read_until(running, "Ctrl-C stops everything")
    gateway = next(word for word in said.split() if word.endswith("/events"))
    family = children_of(running.pid)
    assert len(family) == 4, said
    for told in (booking_created(1), payment_captured(2)):
        body = raw(told)
        headers = signed(body, told["id"], at=int(time.time()))
        assert httpx.post(gateway, content=body, headers=headers).status_code == 202
    os.kill(listener_of(family, "gateway"), signal.SIGKILL)
    read_until(running, "gateway ended with -9")
    end = time.monotonic() + 120
    answer = None
    while answer is None and time.monotonic() < end:
        try:
            answer = httpx.post(gateway, content=body, headers=headers)
        except httpx.HTTPError:
            time.sleep(0.1)
    assert answer is not None
    assert answer.status_code == 202
    second = subprocess.run(bookings("up", "--settings", str(settings)), capture_output=True, text=True, check=False)
    assert second.returncode == 2
    assert "already running" in second.stderr
    event = payment_captured(2)["id"]
    trace = format(trace_of("demo", event).trace_id, "032x")
    write = collector.wait_for(trace, "bookings-worker", "journal post")
    cell = collector.wait_for(trace, "bookings-worker", "journal.record_payment")
    # What the killed gateway did not send any more, the next one says: it received the event again.
    received = collector.wait_for(trace, "bookings-gateway", "receive")
    assert (write.parent, received.attributes["bookings.event"]) == (cell.span, event)
    assert not [each for each in collector.spans if not each.parent], "all belong to an event or a workflow of ours"
    assert collector.wrong == []
    family |= children_of(running.pid)
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 0
    assert [pid for pid in family if alive(pid)] == []


def listener_of(family: set[int], name: str) -> int:
    return next(pid for pid in family if name in Path(f"/proc/{pid}/cmdline").read_text().split("\0"))


def test_a_killed_supervisor_leaves_no_orphans(running: subprocess.Popen[str]) -> None:
    read_until(running, "Ctrl-C stops everything")
    family = children_of(running.pid)
    running.kill()
    # A worker that has not connected yet gives up only after its own time limit.
    assert all(gone_within(pid, 90) for pid in family)


def test_a_port_in_use_is_said_with_what_to_do(settings: Path) -> None:
    port = settings.read_text().split("port = ")[1].split()[0]
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", int(port)))
        occupied.listen()
        ended = subprocess.run(bookings("up", "--settings", str(settings)), capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert f"port {port} (temporal.port) is in use" in ended.stderr
    assert "ss -ltnp" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_embedded_server_is_durable_quick_and_local(tmp_path: Path) -> None:
    command = server_command(installation(tmp_path))
    assert command[command.index("--ip") + 1] == "127.0.0.1"
    assert {"journal_mode=wal", "synchronous=full"} <= set(command)
    assert {f"{key}={value}" for key, value in DYNAMIC_CONFIG.items()} <= set(command)
    assert "ParkedSince=Datetime" in command
