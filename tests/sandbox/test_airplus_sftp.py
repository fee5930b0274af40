"""The AirPlus drop box over a real SSH connection, seen with paramiko."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncssh
import httpx
import paramiko
import pytest

from sandbox.airplus.running import Reach, running_sftp
from sandbox.airplus.sftp import Account
from sandbox.airplus.stand_in import PASSWORD, USER, AirplusStandIn
from sandbox.running import running
from tests.sandbox.tamara_files import File

NAME = File().name
PART = f"in/{NAME}.part"
FINAL = f"in/{NAME}"


@contextmanager
def session(reach: Reach, password: str = PASSWORD) -> Iterator[paramiko.SFTPClient]:
    with paramiko.Transport((reach.host, reach.port)) as transport:
        transport.connect(username=USER, password=password)
        key = base64.b64encode(hashlib.sha256(transport.get_remote_server_key().asbytes()).digest()).decode()
        assert reach.fingerprint == f"SHA256:{key.rstrip('=')}"
        client = paramiko.SFTPClient.from_transport(transport)
        assert client is not None
        client.get_channel().settimeout(10)  # type: ignore[union-attr]
        yield client


def put(client: paramiko.SFTPClient, name: str = PART, raw: bytes | None = None) -> None:
    with client.open(name, "wb") as file:
        file.write(File().raw() if raw is None else raw)


@pytest.fixture
def stand_in() -> AirplusStandIn:
    return AirplusStandIn()


@pytest.fixture
def reach(stand_in: AirplusStandIn) -> Iterator[Reach]:
    with running_sftp(stand_in) as found:
        yield found


def fault(stand_in: AirplusStandIn, operation: str, kind: str) -> None:
    stand_in.faults.set({"operation": operation, "kind": kind, "seconds": 0.05})


def test_a_file_is_judged_when_it_gets_its_final_name(stand_in: AirplusStandIn, reach: Reach) -> None:
    with session(reach) as client:
        put(client)
        assert stand_in.state()["files"] == []
        assert client.stat(PART).st_size == len(File().raw())
        client.rename(PART, FINAL)
        assert client.stat(FINAL).st_size == len(File().raw())
        assert [file["status"] for file in stand_in.state()["files"]] == ["A"]
        assert client.listdir("out") == [NAME.replace(".dat", ".ack")]
        with client.open(f"out/{NAME.replace('.dat', '.ack')}") as answer:
            assert answer.read(3) == b"900"


def test_a_file_written_under_its_final_name_is_judged_when_it_is_closed(
    stand_in: AirplusStandIn, reach: Reach
) -> None:
    with session(reach) as client:
        put(client, FINAL)
        with pytest.raises(PermissionError):
            put(client, FINAL)
    assert [file["status"] for file in stand_in.state()["files"]] == ["A"]


def test_rename_never_overwrites_and_posix_rename_is_not_offered(reach: Reach) -> None:
    with session(reach) as client:
        put(client)
        client.rename(PART, FINAL)
        put(client)
        with pytest.raises(OSError, match="exists"):
            client.rename(PART, FINAL)
        with pytest.raises(OSError, match=r"not offered|supported"):
            client.posix_rename(PART, FINAL)
        assert client.stat(PART).st_size == client.stat(FINAL).st_size


@pytest.mark.parametrize(
    "deed",
    [
        lambda client: put(client, "out/x.ack"),
        lambda client: put(client, "x.dat"),
        lambda client: put(client, "in/deeper/x.dat"),
        lambda client: client.mkdir("in/deeper"),
        lambda client: client.chmod(FINAL, 0o777),
        lambda client: client.remove(FINAL),
        lambda client: client.rename(FINAL, "archive/x"),
    ],
)
def test_what_an_agency_may_not_do(reach: Reach, deed: Callable[[paramiko.SFTPClient], None]) -> None:
    with session(reach) as client:
        put(client)
        client.rename(PART, FINAL)
        with pytest.raises(PermissionError):
            deed(client)


def test_nobody_leaves_the_home(stand_in: AirplusStandIn, reach: Reach) -> None:
    with session(reach) as client:
        assert sorted(client.listdir("/")) == ["archive", "in", "out"]
        assert sorted(client.listdir("../../..")) == ["archive", "in", "out"]
        with pytest.raises(FileNotFoundError):
            client.stat("../host_key")


def test_a_wrong_password_is_refused(reach: Reach) -> None:
    with pytest.raises(paramiko.AuthenticationException), session(reach, "guess"):
        pass


def test_a_public_key_opens_the_door() -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    known = Account("agency", public_keys=(key.export_public_key().decode(),))
    with running_sftp(AirplusStandIn(accounts=(known,))) as reach, paramiko.Transport(reach[:2]) as transport:
        mine = paramiko.Ed25519Key.from_private_key(io.StringIO(key.export_private_key().decode()))
        transport.connect(username="agency", pkey=mine)
        client = paramiko.SFTPClient.from_transport(transport)
        assert client is not None
        assert client.listdir("in") == []


def test_a_connection_may_be_cut_refused_or_slow(stand_in: AirplusStandIn, reach: Reach) -> None:
    for kind in ("drop-before", "refuse", "drop-after", "throttle"):
        fault(stand_in, "connect", kind)
        with pytest.raises((paramiko.SSHException, EOFError, OSError)), session(reach) as client:
            client.listdir("in")
    fault(stand_in, "connect", "slow")
    with session(reach) as client:
        assert client.listdir("in") == []
    assert [call["outcome"] for call in stand_in.calls if call["operation"] == "connect"] == [
        "drop-before", "refuse", "drop-after", "throttle", "slow",
    ]  # fmt: skip


def test_a_full_disk_fails_the_write(stand_in: AirplusStandIn, reach: Reach) -> None:
    fault(stand_in, "put", "error-before")
    with session(reach) as client:
        with pytest.raises(OSError, match="No space left"):
            put(client)
        put(client)
        assert client.stat(PART).st_size == len(File().raw())


def test_a_torn_upload_leaves_a_part(stand_in: AirplusStandIn, reach: Reach) -> None:
    fault(stand_in, "put", "malformed")
    with pytest.raises((OSError, EOFError, paramiko.SSHException)), session(reach) as client:
        put(client)
    with session(reach) as client:
        assert 0 < (client.stat(PART).st_size or 0) < len(File().raw())


@pytest.mark.parametrize(("kind", "done"), [("drop-before", False), ("drop-after", True)])
def test_a_connection_cut_at_the_rename_leaves_the_old_or_the_new_name(
    stand_in: AirplusStandIn, reach: Reach, kind: str, done: bool
) -> None:
    fault(stand_in, "rename", kind)
    with session(reach) as client:
        put(client)
        with pytest.raises((OSError, EOFError, paramiko.SSHException)):
            client.rename(PART, FINAL)
    with session(reach) as client:
        assert client.listdir("in") == [NAME if done else f"{NAME}.part"]
    assert len(stand_in.state()["files"]) == int(done)


def test_a_file_may_be_picked_up_at_once(stand_in: AirplusStandIn, reach: Reach) -> None:
    fault(stand_in, "rename", "late")
    with session(reach) as client:
        put(client)
        client.rename(PART, FINAL)
        assert client.listdir("in") == []
        with pytest.raises(FileNotFoundError):
            client.stat(FINAL)
    assert [file["status"] for file in stand_in.state()["files"]] == ["A"]


@pytest.mark.parametrize(("kind", "error"), [("refuse", PermissionError), ("error-after", OSError)])
def test_stat_may_fail(stand_in: AirplusStandIn, reach: Reach, kind: str, error: type[Exception]) -> None:
    with session(reach) as client:
        put(client)
        fault(stand_in, "stat", kind)
        client.chdir("in")
        with pytest.raises(error):
            client.stat(f"{NAME}.part")
        assert client.stat(f"{NAME}.part").st_size == len(File().raw())


def test_a_refused_file_makes_room_once_its_answer_is_taken(stand_in: AirplusStandIn, reach: Reach) -> None:
    answer = NAME.replace(".dat", ".ack")
    with session(reach) as client:
        put(client, raw=File().raw().replace(b"PRUEBA", b"PRUEBO"))
        client.rename(PART, FINAL)
        client.rename(f"out/{answer}", f"archive/{answer}")
        assert client.listdir("in") == []
        put(client)
        client.rename(PART, FINAL)
    assert [file["reason"] for file in stand_in.state()["files"]] == ["F007", ""]


def test_answers_and_rejections_wait_for_a_person() -> None:
    stand_in = AirplusStandIn(answers_at_once=False)
    with running_sftp(stand_in) as reach, running(stand_in) as url, httpx.Client(base_url=url) as control:
        assert control.get("/control/sftp").json()["port"] == reach.port
        control.post("/control/rejections", json={"F-1": "A001"})
        with session(reach) as client:
            put(client)
            client.rename(PART, FINAL)
            assert client.listdir("out") == []
            assert control.post("/control/answers").json() == {"written": [NAME.replace(".dat", ".ack")]}
            assert len(client.listdir("out")) == 1
        assert control.get("/control/state").json()["files"][0]["transactions"][0]["reason"] == "A001"


def test_the_host_key_stays_over_a_restart_until_it_is_changed(tmp_path: Path) -> None:
    first = AirplusStandIn(tmp_path)
    again = AirplusStandIn(tmp_path)
    assert first.fingerprint == again.fingerprint
    with running_sftp(again) as reach:
        changed = again.change_host_key()
        assert changed != reach.fingerprint
        with session(Reach(reach.host, reach.port, changed)) as client:
            assert client.listdir("in") == []
    assert AirplusStandIn(tmp_path).fingerprint == changed
