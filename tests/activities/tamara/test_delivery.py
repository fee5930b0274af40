"""Files reach AirPlus once, whatever the wire does (contracts: tamara 4.1, 4.2, 4.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from activities.tamara.settings import TamaraSettings
from domain.errors import BackOfficeError, NeedsPerson, Refused, Transient, UnknownOutcome
from sandbox.airplus.running import running_ftps, running_sftp
from sandbox.airplus.stand_in import AirplusStandIn
from tests.activities.tamara.night import DropBoxSite, ftps_settings_of, settings_of
from tests.activities.tamara.sender import CONTENT, NAME, Sender, fault


@pytest.fixture(params=["sftp", "ftps"])
def airplus(request: pytest.FixtureRequest) -> Iterator[DropBoxSite]:
    """The same promises by either protocol."""
    stand_in = AirplusStandIn()
    if request.param == "sftp":
        with running_sftp(stand_in) as reach:
            yield DropBoxSite(stand_in, settings_of(reach.port, reach.fingerprint))
    else:
        with running_ftps(stand_in) as reach:
            yield DropBoxSite(stand_in, ftps_settings_of(reach.port, reach.fingerprint))
    stand_in.close()


def test_a_file_arrives_whole_under_its_final_name(airplus: DropBoxSite) -> None:
    sender = Sender(airplus.settings)
    assert sender.find() == []
    assert sender.deliver() == NAME
    assert airplus.lying() == {NAME: CONTENT}
    assert sender.find() == [NAME]
    assert sender.beats[-1] == len(CONTENT)


def test_a_file_that_is_there_is_not_sent_again(airplus: DropBoxSite) -> None:
    sender = Sender(airplus.settings)
    sender.deliver()
    airplus.stand_in.calls.clear()
    assert sender.deliver() == NAME
    assert "put" not in airplus.operations()
    assert "rename" not in airplus.operations()


@pytest.mark.parametrize("settings", [settings_of(9), ftps_settings_of(9, "SHA256:" + "A" * 43)])
def test_an_unreachable_server_is_transient(settings: TamaraSettings) -> None:
    with pytest.raises(Transient):
        Sender(settings).deliver()


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("connect", "drop-before"),
        ("connect", "drop-after"),
        ("connect", "throttle"),
        ("stat", "drop-before"),
        ("put", "drop-before"),
        ("put", "malformed"),
        ("put", "drop-after"),
        ("put", "error-before"),
        ("rename", "error-before"),
    ],
)
def test_before_the_rename_everything_may_be_tried_again(airplus: DropBoxSite, operation: str, kind: str) -> None:
    sender = Sender(airplus.settings)
    fault(airplus, operation, kind)
    with pytest.raises(Transient):
        sender.deliver()
    assert not sender.rename_sent
    assert sender.deliver() == NAME
    assert airplus.lying() == {NAME: CONTENT}


def test_a_torn_upload_is_continued_where_it_broke(airplus: DropBoxSite) -> None:
    part = airplus.stand_in.home() / "in" / f"{NAME}.part"
    part.write_bytes(CONTENT[:1000])
    sender = Sender(airplus.settings)
    sender.deliver()
    assert airplus.lying() == {NAME: CONTENT}
    assert sender.beats[0] == 1000


@pytest.mark.parametrize("left_over", [b"", b"something else", CONTENT[:-1] + b"?", CONTENT + b"longer", CONTENT])
def test_a_temporary_file_left_over_does_no_harm(airplus: DropBoxSite, left_over: bytes) -> None:
    (airplus.stand_in.home() / "in" / f"{NAME}.part").write_bytes(left_over)
    Sender(airplus.settings).deliver()
    assert airplus.lying() == {NAME: CONTENT}


def test_a_temporary_file_that_may_not_be_deleted_is_gone_around(airplus: DropBoxSite) -> None:
    left_over = f"{NAME}.part"
    (airplus.stand_in.home() / "in" / left_over).write_bytes(b"something else")
    fault(airplus, "remove", "refuse")
    Sender(airplus.settings).deliver()
    assert airplus.lying() == {NAME: CONTENT, left_over: b"something else"}


def test_another_size_under_our_name_is_never_overwritten(airplus: DropBoxSite) -> None:
    (airplus.stand_in.home() / "in" / NAME).write_bytes(b"other")
    sender = Sender(airplus.settings)
    for attempt in (sender.deliver, sender.find):
        with pytest.raises(Refused, match="not overwritten") as error:
            attempt()
        assert error.value.code == "REMOTE_CONFLICT"
    assert airplus.lying() == {NAME: b"other"}


def test_our_name_with_foreign_bytes_alarms(airplus: DropBoxSite) -> None:
    foreign = b"?" * len(CONTENT)
    (airplus.stand_in.home() / "in" / NAME).write_bytes(foreign)
    with pytest.raises(NeedsPerson, match="another sender") as error:
        Sender(airplus.settings).deliver()
    assert error.value.code == "SEQUENCE_CONFLICT"
    assert airplus.lying() == {NAME: foreign}


def test_a_rename_whose_answer_was_lost_is_looked_for(airplus: DropBoxSite) -> None:
    sender = Sender(airplus.settings)
    fault(airplus, "rename", "drop-after")
    with pytest.raises(UnknownOutcome):
        sender.deliver()
    assert sender.rename_sent
    airplus.stand_in.calls.clear()
    assert sender.find() == [NAME]
    assert "put" not in airplus.operations()


def test_a_rename_that_never_arrived_is_sent_again(airplus: DropBoxSite) -> None:
    sender = Sender(airplus.settings)
    fault(airplus, "rename", "drop-before")
    with pytest.raises(UnknownOutcome):
        sender.deliver()
    assert sender.find() == []
    assert sender.deliver() == NAME
    assert airplus.lying() == {NAME: CONTENT}


def test_a_rename_that_failed_and_happened_counts_as_happened(airplus: DropBoxSite) -> None:
    fault(airplus, "rename", "error-after")
    assert Sender(airplus.settings).deliver() == NAME
    assert airplus.lying() == {NAME: CONTENT}


def test_both_names_gone_after_a_lost_rename_is_a_case_for_a_person(airplus: DropBoxSite) -> None:
    sender = Sender(airplus.settings)
    fault(airplus, "rename", "drop-after")
    with pytest.raises(UnknownOutcome):
        sender.deliver()
    (airplus.stand_in.home() / "in" / NAME).unlink()
    attempts: list[Callable[[], object]] = [sender.find, sender.deliver]
    for attempt in attempts:
        with pytest.raises(NeedsPerson, match="may have fetched it") as error:
            attempt()
        assert error.value.code == "DELIVERY_UNKNOWN"
    assert airplus.lying() == {}, "nothing may be sent again by itself"


def test_a_file_that_is_fetched_at_once_is_delivered(airplus: DropBoxSite) -> None:
    fault(airplus, "rename", "late")
    assert Sender(airplus.settings).deliver() == NAME


@pytest.mark.parametrize(("kind", "code"), [("refuse", "PERMISSION"), ("error-before", "SPACE")])
def test_missing_rights_and_a_full_disk_are_named(airplus: DropBoxSite, kind: str, code: str) -> None:
    fault(airplus, "put", kind)
    with pytest.raises(Transient) as error:
        Sender(airplus.settings).deliver()
    assert error.value.code == code


def test_a_large_file_survives_the_wire(airplus: DropBoxSite) -> None:
    content = b"".join(f"{number:0400d}\r\n".encode() for number in range(20_000))
    sender = Sender(airplus.settings, content)
    sender.deliver()
    assert airplus.lying()[NAME] == content
    assert sender.beats == sorted(sender.beats)
    assert len(sender.beats) > 3


def test_no_error_says_password_or_content(airplus: DropBoxSite) -> None:
    said: list[str] = []
    for operation, kind in (("put", "error-before"), ("rename", "refuse"), ("connect", "refuse")):
        fault(airplus, operation, kind)
        with pytest.raises(BackOfficeError) as error:
            Sender(airplus.settings).deliver()
        said.append(str(error.value))
    assert all("sandbox-airplus" not in words and "192000000000008" not in words for words in said)
