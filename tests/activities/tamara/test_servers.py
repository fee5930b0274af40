"""What holds against our stand-ins holds against every file server on this machine (contracts: tamara 4.1 to 4.4)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.tamara.cargo import Cargo
from activities.tamara.drop_box import drop_box_of
from domain.errors import BackOfficeError, Refused, Transient, Unauthorised
from tests.activities.tamara.night import NO_HOST
from tests.activities.tamara.sender import CONTENT, NAME, Sender
from tests.activities.tamara.servers import PRESENT, Site


@pytest.fixture(scope="module", params=PRESENT)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with PRESENT[request.param](tmp_path_factory.mktemp(request.param)) as site:
        yield site


@pytest.fixture
def site(server: Site) -> Site:
    """The server with empty folders."""
    for file in server.home.glob("*/*"):
        file.unlink()
    return server


def test_a_file_arrives_whole_and_once(site: Site) -> None:
    sender = Sender(site.settings)
    assert sender.find() == []
    assert sender.deliver() == NAME
    assert sender.deliver() == NAME
    assert sender.find() == [NAME]
    assert site.lying() == {NAME: CONTENT}


def test_a_large_file_arrives_whole(site: Site) -> None:
    content = b"".join(f"{number:0400d}\r\n".encode() for number in range(20_000))
    Sender(site.settings, content).deliver()
    assert site.lying() == {NAME: content}


def test_a_torn_upload_is_continued_where_it_broke(site: Site) -> None:
    (site.inbox / f"{NAME}.part").write_bytes(CONTENT[:1000])
    sender = Sender(site.settings)
    sender.deliver()
    assert site.lying() == {NAME: CONTENT}
    assert sender.beats[0] == 1000


@pytest.mark.parametrize("left_over", [b"", b"something else", CONTENT + b"longer", CONTENT])
def test_a_temporary_file_left_over_does_no_harm(site: Site, left_over: bytes) -> None:
    (site.inbox / f"{NAME}.part").write_bytes(left_over)
    Sender(site.settings).deliver()
    assert site.lying() == {NAME: CONTENT}


def test_a_rename_never_writes_over_a_file(site: Site) -> None:
    (site.inbox / NAME).write_bytes(b"theirs")
    (site.inbox / "ours").write_bytes(CONTENT)
    with drop_box_of(site.settings).session() as folder, pytest.raises(BackOfficeError):
        folder.rename("ours", NAME)
    assert site.lying() == {NAME: b"theirs", "ours": CONTENT}


def test_another_size_under_our_name_is_never_overwritten(site: Site) -> None:
    (site.inbox / NAME).write_bytes(b"other")
    with pytest.raises(Refused, match="not overwritten"):
        Sender(site.settings).deliver()
    assert site.lying() == {NAME: b"other"}


def test_answers_are_listed_read_and_put_away(site: Site) -> None:
    (site.home / "out" / "a.ack").write_bytes(b"900 \xa4")
    (site.home / "out" / "b.ack").write_bytes(b"")
    out, archive = (_beside(site, name) for name in ("out", "archive"))
    with drop_box_of(site.settings).session(out) as folder:
        assert folder.names() == ["a.ack", "b.ack"]
        assert folder.read("a.ack") == b"900 \xa4"
        folder.move("a.ack", archive)
        assert folder.names() == ["b.ack"]
        assert folder.size("a.ack") is None
    assert (site.home / "archive" / "a.ack").read_bytes() == b"900 \xa4"


def _beside(site: Site, name: str) -> str:
    """A folder of the account as the settings would name it."""
    folder = Path(site.settings.transport.folder)
    return str(folder.parent / name) if folder.is_absolute() else name


def test_many_files_go_through_one_session(site: Site) -> None:
    with drop_box_of(site.settings).session() as folder:
        for number in range(20):
            folder.write(f"{number}.part", Cargo.of(CONTENT), 0, lambda _: None)
            folder.rename(f"{number}.part", f"{number}.dat")
        assert len(folder.names()) == 20
    assert set(site.lying().values()) == {CONTENT}


def test_another_identity_than_the_pinned_one_ends_before_the_login(site: Site) -> None:
    pinned = {"host_keys": (NO_HOST,)} if site.settings.sftp else {"pins": (NO_HOST,)}
    way = site.settings.transport.model_copy(update=pinned)
    stranger = site.settings.model_copy(update={"sftp" if site.settings.sftp else "ftps": way})
    with pytest.raises(Unauthorised, match="not pinned"):
        Sender(stranger).deliver()
    assert site.lying() == {}


@pytest.mark.parametrize("publish", ["direct", "marker"])
def test_without_renaming_an_upload_that_broke_off_is_continued_under_its_name(site: Site, publish: str) -> None:
    transport = site.settings.transport.model_copy(update={"publish": publish})
    sender = Sender(site.settings.model_copy(update={"sftp" if site.settings.sftp else "ftps": transport}))
    (site.inbox / NAME).write_bytes(CONTENT[:1000])
    sender.rename_sent = publish == "direct"
    if site.final_is_closed:
        with pytest.raises(Transient, match=r"permission|550|553"):
            sender.deliver()
        assert site.lying() == {NAME: CONTENT[:1000]}
        return
    assert sender.deliver() == NAME
    assert site.lying() == {NAME: CONTENT} | ({f"{NAME}.done": b""} if publish == "marker" else {})
    assert sender.beats[0] == 1000
