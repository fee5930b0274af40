"""Partners who forbid renaming get each file once, too: by a marker, or directly (contracts: tamara 4.1, 4.4)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain.errors import NeedsPerson, Refused, Transient, UnknownOutcome
from sandbox.airplus.running import running_ftps, running_sftp
from sandbox.airplus.stand_in import AirplusStandIn
from tests.activities.tamara.night import DropBoxSite, ftps_settings_of, settings_of
from tests.activities.tamara.sender import CONTENT, NAME, Sender, fault

WAYS = {"sftp": (running_sftp, settings_of), "ftps": (running_ftps, ftps_settings_of)}


@pytest.fixture(params=["sftp", "ftps"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def site(way: str, publish: str) -> Iterator[DropBoxSite]:
    stand_in = AirplusStandIn(marked=publish == "marker")
    running, settings = WAYS[way]
    with running(stand_in) as reach:
        yield DropBoxSite(stand_in, settings(reach.port, reach.fingerprint, **{way: {"publish": publish}}))
    stand_in.close()


@pytest.fixture
def marked(way: str) -> Iterator[DropBoxSite]:
    """A partner who takes a file when its marker comes."""
    yield from site(way, "marker")


@pytest.fixture
def direct(way: str) -> Iterator[DropBoxSite]:
    """A partner who takes a file as soon as it is closed."""
    yield from site(way, "direct")


def taken(airplus: DropBoxSite) -> list[str]:
    return [verdict["status"] for verdict in airplus.stand_in.state()["files"]]


def test_a_marker_is_sent_behind_the_whole_file(marked: DropBoxSite) -> None:
    sender = Sender(marked.settings)
    assert sender.deliver() == NAME
    assert (marked.lying(), taken(marked)) == ({NAME: CONTENT}, ["A"])
    assert "rename" not in marked.operations()


def test_a_marker_that_still_lies_there_says_that_the_file_is_delivered(marked: DropBoxSite) -> None:
    sender = Sender(marked.settings)
    inbox = marked.stand_in.home() / "in"
    (inbox / NAME).write_bytes(CONTENT)
    (inbox / f"{NAME}.done").touch()
    sender.rename_sent = True
    assert (sender.find(), sender.deliver()) == ([NAME], NAME)
    assert "put" not in marked.operations()


def test_a_marker_that_was_sent_and_is_gone_is_a_case_for_a_person(marked: DropBoxSite) -> None:
    sender = Sender(marked.settings)
    sender.deliver()
    for ask in (sender.find, sender.deliver):
        with pytest.raises(NeedsPerson, match="may have taken it"):
            ask()
    assert taken(marked) == ["A"]


def test_whole_data_without_a_marker_only_gets_its_marker(marked: DropBoxSite) -> None:
    sender = Sender(marked.settings)
    (marked.stand_in.home() / "in" / NAME).write_bytes(CONTENT)
    assert sender.find() == []
    assert sender.deliver() == NAME
    assert (marked.operations().count("put"), taken(marked)) == (1, ["A"])


def test_a_marker_whose_answer_was_lost_is_not_sent_twice(marked: DropBoxSite) -> None:
    sender = Sender(marked.settings)
    (marked.stand_in.home() / "in" / NAME).write_bytes(CONTENT)
    fault(marked, "put", "drop-after")
    with pytest.raises(UnknownOutcome):
        sender.deliver()
    with pytest.raises(NeedsPerson):
        sender.find()
    assert taken(marked) == ["A"]


def test_a_marker_without_room_may_be_tried_again(marked: DropBoxSite) -> None:
    sender = Sender(marked.settings)
    (marked.stand_in.home() / "in" / NAME).write_bytes(CONTENT)
    fault(marked, "put", "refuse")
    with pytest.raises(Transient):
        sender.deliver()
    assert sender.rename_sent is False
    assert sender.deliver() == NAME
    assert taken(marked) == ["A"]


@pytest.mark.parametrize("foreign", [b"something else", CONTENT + b"more"])
def test_other_bytes_under_our_name_are_never_written_over(marked: DropBoxSite, foreign: bytes) -> None:
    sender = Sender(marked.settings)
    (marked.stand_in.home() / "in" / NAME).write_bytes(foreign)
    with pytest.raises(Refused, match="not overwritten"):
        sender.deliver()
    assert marked.lying() == {NAME: foreign}


def test_a_file_is_written_under_its_name_at_once(direct: DropBoxSite) -> None:
    sender = Sender(direct.settings)
    assert sender.deliver() == NAME
    assert (direct.lying(), taken(direct)) == ({NAME: CONTENT}, ["A"])
    assert sender.deliver() == NAME
    assert direct.operations().count("put") == 1


def test_a_direct_file_that_is_gone_is_a_case_for_a_person(direct: DropBoxSite) -> None:
    sender = Sender(direct.settings)
    sender.deliver()
    (direct.stand_in.home() / "in" / NAME).unlink()
    with pytest.raises(NeedsPerson, match="may have fetched it"):
        sender.deliver()
    assert taken(direct) == ["A"]


def test_a_direct_file_of_somebody_else_is_never_written_over(direct: DropBoxSite) -> None:
    sender = Sender(direct.settings)
    (direct.stand_in.home() / "in" / NAME).write_bytes(b"foreign")
    with pytest.raises(Refused, match="not overwritten"):
        sender.deliver()
    assert direct.lying() == {NAME: b"foreign"}
