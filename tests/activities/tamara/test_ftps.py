"""FTPS as servers differ in it: TLS modes, identities, sessions, passive ways, missing commands (contracts: tamara 4.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from pydantic import ValidationError

from activities.tamara.drop_box import drop_box_of
from activities.tamara.ftps_line import FtpsLine
from domain.errors import Transient, Unauthorised
from sandbox.airplus.manners import Manners
from sandbox.airplus.running import running_ftps
from sandbox.airplus.stand_in import AirplusStandIn
from tests.activities.tamara.night import NO_HOST, DropBoxSite, ftps_settings_of
from tests.activities.tamara.sender import CONTENT, NAME, Sender, fault

Place = Callable[..., AbstractContextManager[DropBoxSite]]


@pytest.fixture
def place() -> Place:
    """A server with these manners, reached with these settings."""

    @contextmanager
    def opened(manners: Manners | None = None, **ftps: Any) -> Iterator[DropBoxSite]:
        stand_in = AirplusStandIn()
        with running_ftps(stand_in, manners=manners) as reach:
            given = {name: value(stand_in) if callable(value) else value for name, value in ftps.items()}
            yield DropBoxSite(stand_in, ftps_settings_of(reach.port, reach.fingerprint, ftps=given))
        stand_in.close()

    return opened


@pytest.mark.parametrize(
    ("manners", "ftps"),
    [
        (Manners(implicit=True), {"mode": "implicit"}),
        (Manners(extended=False, passive_host="10.9.8.7"), {}),
        (Manners(resumes=False), {}),
        (Manners(lists=False), {}),
        (Manners(sizes=False), {}),
        (Manners(tickets=0), {"newest_tls": "1.2"}),
        (Manners(demands_reuse=False), {}),
    ],
    ids=["implicit", "PASV names a private address", "no REST", "no MLSD", "no SIZE", "TLS 1.2", "reuse not demanded"],
)
def test_a_file_arrives_at_every_kind_of_server(place: Place, manners: Manners, ftps: dict[str, Any]) -> None:
    with place(manners, **ftps) as site:
        sender = Sender(site.settings)
        assert sender.deliver() == NAME
        assert sender.find() == [NAME]
        assert site.lying() == {NAME: CONTENT}


def test_a_server_that_cannot_resume_under_tls_1_3_is_met_with_1_2_once_and_for_all(place: Place) -> None:
    with place(Manners(tickets=0)) as site:
        with pytest.raises(Transient) as error:
            Sender(site.settings).deliver()
        assert error.value.code == "TLS_1_2"
        assert Sender(site.settings).deliver() == NAME
        assert site.lying() == {NAME: CONTENT}


def test_without_resuming_uploads_a_torn_file_is_sent_anew(place: Place) -> None:
    with place(Manners(resumes=False)) as site:
        (site.stand_in.home() / "in" / f"{NAME}.part").write_bytes(CONTENT[:1000])
        sender = Sender(site.settings)
        sender.deliver()
        assert site.lying() == {NAME: CONTENT}
        assert sender.beats[0] == 0


def test_a_server_that_does_not_cover_data_gets_neither_file_nor_name(place: Place) -> None:
    with place(Manners(covers_data=False)) as site:
        with pytest.raises(Unauthorised, match="PROT P") as error:
            Sender(site.settings).deliver()
        assert error.value.code == "PROT_P"
        assert site.lying() == {}


@pytest.mark.parametrize("mode", ["explicit", "implicit"])
def test_an_unknown_key_ends_the_session_before_the_login(place: Place, mode: str) -> None:
    with place(Manners(implicit=mode == "implicit"), mode=mode, pins=[NO_HOST]) as site:
        with pytest.raises(Unauthorised, match=r"shows the key SHA256:.* not pinned") as error:
            Sender(site.settings).deliver()
        assert error.value.code == "CERTIFICATE"


def test_a_ca_and_the_name_make_a_server_known(place: Place) -> None:
    by_ca = {"pins": [], "ca": lambda stand_in: stand_in.papers.ca}
    with place(**by_ca, server_name="airplus.example") as site:
        assert Sender(site.settings).deliver() == NAME


@pytest.mark.parametrize(
    "wrong",
    [{"ca": "system"}, {"ca": lambda stand_in: stand_in.papers.ca, "server_name": "other.example"}],
    ids=["another CA", "another name"],
)
def test_a_certificate_of_somebody_else_is_refused_before_the_login(place: Place, wrong: dict[str, Any]) -> None:
    with place(pins=[], **wrong) as site:
        with pytest.raises(Unauthorised, match="certificate") as error:
            Sender(site.settings).deliver()
        assert error.value.code == "CERTIFICATE"


def test_one_of_two_pins_is_enough_while_keys_rotate(place: Place) -> None:
    with place(pins=lambda stand_in: [NO_HOST, stand_in.papers.pin]) as site:
        assert Sender(site.settings).deliver() == NAME


def test_a_server_is_never_trusted_unseen() -> None:
    with pytest.raises(ValidationError, match="never trusted unseen"):
        ftps_settings_of(990, NO_HOST, ftps={"pins": []})


def test_a_login_is_refused_twice_and_then_not_tried_until_a_person_says_so(place: Place) -> None:
    with place(password="wrong-horse") as site:
        for _ in range(4):
            with pytest.raises(Unauthorised, match="login") as error:
                Sender(site.settings).deliver()
            assert error.value.code == "LOGIN"
            assert "wrong-horse" not in str(error.value)
        assert site.operations().count("connect") == 2
        drop_box_of(site.settings).forgive()
        with pytest.raises(Unauthorised):
            Sender(site.settings).deliver()
        assert site.operations().count("connect") == 3


def test_a_transfer_without_the_end_of_tls_counts_as_cut_off(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with place() as site:
        monkeypatch.setattr("activities.tamara.ftps.end", lambda data: data.close())
        with pytest.raises(Transient, match="426"):
            Sender(site.settings).deliver()
        assert NAME not in site.lying()


def test_data_channels_resume_the_control_channels_session(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    resumed = []
    opened = FtpsLine.channel

    def channel(line: FtpsLine, command: str, rest: int = 0) -> Any:
        data = opened(line, command, rest)
        resumed.append(data.session_reused)
        return data

    monkeypatch.setattr(FtpsLine, "channel", channel)
    with place(Manners(demands_reuse=False)) as site:
        Sender(site.settings).deliver()
    assert resumed
    assert all(resumed)


@pytest.mark.parametrize(("kind", "code"), [("refuse", "PERMISSION"), ("error-before", "SPACE")])
def test_what_the_server_says_of_space_and_rights_is_told(place: Place, kind: str, code: str) -> None:
    with place() as site:
        fault(site, "put", kind)
        with pytest.raises(Transient, match="the server answers 55") as error:
            Sender(site.settings).deliver()
        assert error.value.code == code
