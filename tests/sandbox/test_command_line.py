"""`python -m sandbox` as people use it: one process for all stand-ins, and short words to the person who mistypes."""

from __future__ import annotations

import ftplib
import json
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import paramiko
import pytest

from sandbox.__main__ import main
from sandbox.airplus.stand_in import PASSWORD, USER

SYSTEMS = ("giav", "midoco", "airplus", "platform", "ratehawk", "tina", "sapeig", "xmid", "ziel", "postbox")
FREE = [word for name in (*SYSTEMS, "sftp", "ftps", "ziel-sftp", "smtp") for word in (f"--{name}-port", "0")]


def start(data: Path) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "serve", "--data", str(data), *FREE], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


@pytest.fixture
def served(tmp_path: Path) -> Iterator[dict[str, Any]]:
    process, ready = start(tmp_path)
    yield ready
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert process.stdout is not None
    process.stdout.close()


def at(ready: dict[str, Any], system: str) -> list[str]:
    return ["--port", ready[system]["url"].rsplit(":", 1)[1]]


def test_one_process_serves_every_stand_in(served: dict[str, Any]) -> None:
    for system in SYSTEMS:
        assert httpx.get(f"{served[system]['url']}/control/health").json() == {"system": system}
    sftp = served["airplus"]["sftp"]
    with paramiko.Transport((sftp["host"], sftp["port"])) as transport:
        transport.connect(username=USER, password=PASSWORD)
        client = paramiko.SFTPClient.from_transport(transport)
        assert client is not None
        assert client.listdir("out") == []
    ftps = served["airplus"]["ftps"]
    with ftplib.FTP_TLS(context=ssl.create_default_context(cafile=ftps["ca"])) as line:
        line.connect(ftps["host"], ftps["port"], timeout=60)
        line.login(USER, PASSWORD)
        assert line.pwd() == "/"


def test_a_fault_is_set_shown_and_cleared(served: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    there = at(served, "midoco")
    assert main(["fault", "midoco", "announceBookingMessage", "drop-after", "--times", "2", "--skip", "1", *there]) == 0
    capsys.readouterr()
    assert main(["faults", "midoco", *there]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [(fault["kind"], fault["times"], fault["skip"]) for fault in shown] == [("drop-after", 2, 1)]
    assert main(["faults", "midoco", "--clear", *there]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_state_and_calls_are_printed(served: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["state", "airplus", *at(served, "airplus")]) == 0
    assert json.loads(capsys.readouterr().out) == {"files": [], "transactions": []}
    assert main(["calls", "giav", *at(served, "giav")]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_the_wrong_system_on_a_port_is_said(served: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["state", "giav", *at(served, "midoco")]) == 1
    assert "is not giav but midoco" in capsys.readouterr().err


def test_a_stand_in_that_does_not_run_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["state", "midoco", "--port", "9"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("sandbox: midoco does not answer on http://127.0.0.1:9")
    assert said.count("\n") == 1


def test_a_taken_port_stops_the_start_with_its_number(
    served: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    taken = at(served, "midoco")[1]
    assert main(["serve", "--only", "midoco", "--midoco-port", taken]) == 1
    assert f"port {taken}" in capsys.readouterr().err


def test_the_host_key_and_the_state_survive_a_restart(tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        process, ready = start(tmp_path)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stdout is not None
        process.stdout.close()
        seen.append(ready["airplus"]["sftp"]["fingerprint"])
    assert seen[0] == seen[1]


def test_an_unknown_kind_of_fault_is_a_wrong_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["fault", "giav", "Cobro_POST", "explode"])
    assert left.value.code == 2
    assert "drop-after" in capsys.readouterr().err
