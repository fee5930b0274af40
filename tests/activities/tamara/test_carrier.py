"""Who decides what when a file does not simply arrive: prints, stops, patience, alarms (contracts: tamara 4.1, 4.4)."""

from __future__ import annotations

import datetime as dt

import pytest
from temporalio.testing import ActivityEnvironment

from activities.tamara.carrier import wait_of
from activities.tamara.transport import RetrySettings
from domain.errors import NeedsPerson, Refused, Transient, Unauthorised
from domain.steps import SealedFile
from store import Store
from tests.activities.tamara.night import AGENCY, PARTNER, DropBoxSite, Night, failure, settings_of
from tests.activities.tamara.sender import fault

RETRY = RetrySettings()


@pytest.mark.parametrize(
    ("attempt", "hours", "code", "seconds", "told"),
    [
        (1, 0, "", 30, False),
        (2, 0, "", 60, False),
        (5, 0.2, "", 480, False),
        (6, 0.5, "", 900, False),
        (5000, 11.9, "", 900, False),
        (70, 12, "", 3600, True),
        (1, 0, "SPACE", 900, True),
        (9, 30, "PERMISSION", 900, True),
    ],
)
def test_patience_grows_to_a_quarter_of_an_hour_and_after_twelve_hours_somebody_is_told(
    attempt: int, hours: float, code: str, seconds: float, told: bool
) -> None:
    assert wait_of(RETRY, code, attempt, dt.timedelta(hours=hours)) == (seconds, told)


def in_doubt(night: Night, airplus: DropBoxSite) -> tuple[SealedFile, str]:
    """A file whose rename was sent, whose answer was lost, and which is gone: with the key of its effect."""
    night.sold()
    sealed = night.seal()
    fault(airplus, "rename", "drop-after")
    failure(lambda: night.deliver(sealed))
    (airplus.stand_in.home() / "in" / sealed.name).unlink()
    error = failure(lambda: night.deliver(sealed))
    assert error.details[0]["code"] == "DELIVERY_UNKNOWN"
    return sealed, error.details[0]["effect"]


def test_a_file_in_doubt_that_was_delivered_is_not_sent_again(night: Night, airplus: DropBoxSite) -> None:
    sealed, effect = in_doubt(night, airplus)
    night.store.effects.adopt(effect, sealed.name)
    night.deliver(sealed)
    [file] = night.store.tamara.files_of(AGENCY)
    assert (file.state, file.reprint, airplus.lying()) == ("DELIVERED", 0, {})


def test_a_file_in_doubt_is_sent_again_as_a_reprint_of_its_number(night: Night, airplus: DropBoxSite) -> None:
    sealed, effect = in_doubt(night, airplus)
    before = night.store.tamara.files_of(AGENCY)[0]
    night.now += dt.timedelta(hours=3)
    night.store.effects.rearm(effect)
    done = night.deliver(sealed)
    [file] = night.store.tamara.files_of(AGENCY)
    assert (file.state, file.seq, file.reprint, done.ids["file"]) == ("DELIVERED", before.seq, 1, file.name)
    assert (file.name != sealed.name, file.digest != before.digest) == (True, True)
    [earlier] = night.store.tamara_prints.of(file.key)
    assert (earlier.reprint, earlier.name, earlier.state, earlier.digest) == (
        0, sealed.name, "DELIVERY_UNKNOWN", before.digest,
    )  # fmt: skip
    [content] = airplus.lying().values()
    assert content.splitlines()[0][147:149] == b"01", "the header says which print it is"
    # AirPlus had the first one after all, and knows the second for what it is.
    assert [verdict["status"] for verdict in airplus.stand_in.state()["files"]] == ["A", "D"]
    assert night.store.effects.unsettled(AGENCY)[0].record.reason == "sent again as reprint 1"


def test_a_reprint_that_was_broken_off_goes_on_as_that_reprint(night: Night, airplus: DropBoxSite) -> None:
    sealed, effect = in_doubt(night, airplus)
    night.store.effects.rearm(effect)
    night.now += dt.timedelta(hours=3)
    fault(airplus, "put", "malformed")
    assert failure(lambda: night.deliver(sealed)).type == Transient.__name__
    night.now += dt.timedelta(hours=1)
    night.deliver(sealed)
    [file] = night.store.tamara.files_of(AGENCY)
    assert (file.state, file.reprint, list(airplus.lying())) == ("DELIVERED", 1, [file.name])


@pytest.mark.parametrize("foreign", [b"other", None], ids=["another size", "the same size"])
def test_a_final_name_that_we_never_reached_stops_both_kinds(
    night: Night, airplus: DropBoxSite, foreign: bytes | None
) -> None:
    sealed = night.seal()
    size = night.store.tamara.files_of(AGENCY)[0].size or 0
    lying = b"?" * size if foreign is None else foreign
    (airplus.stand_in.home() / "in" / sealed.name).write_bytes(lying)
    assert failure(lambda: night.deliver(sealed)).type in (NeedsPerson.__name__, Refused.__name__)
    for kind in ("MA", "BSP"):
        error = failure(lambda kind=kind: night.seal(night.now.date() + dt.timedelta(1), kind))
        assert "another sender uses our numbers" in str(error)
        assert error.details[0]["code"] == "PARTNER_STOPPED"
    assert airplus.lying() == {sealed.name: lying}


def test_a_stopped_partner_goes_on_when_a_person_says_so(night: Night, airplus: DropBoxSite) -> None:
    sealed = night.seal()
    lying = airplus.stand_in.home() / "in" / sealed.name
    lying.write_bytes(b"other")
    effect = failure(lambda: night.deliver(sealed)).details[0]["effect"]
    lying.unlink()
    assert night.store.tamara_stops.release(PARTNER, "T", "ana", "AirPlus took the file back")
    assert not night.store.tamara_stops.release(PARTNER, "T", "ana", "AirPlus took the file back")
    night.store.effects.rearm(effect)
    night.deliver(sealed)
    assert list(airplus.lying()) == [sealed.name]


def test_missing_rights_are_told_at_once_and_tried_slowly_until_they_are_there(
    night: Night, airplus: DropBoxSite
) -> None:
    sealed = night.seal()
    fault(airplus, "put", "refuse", times=2)
    for _ in range(2):
        error = failure(lambda: night.deliver(sealed))
        assert (error.type, error.next_retry_delay) == (Transient.__name__, dt.timedelta(minutes=15))
    [item] = night.store.parked.list(AGENCY)
    assert (item.reason, item.decisions) == ("delivery_delayed", ("skip",))
    assert "permission" in item.detail
    night.deliver(sealed)
    assert night.store.parked.list(AGENCY) == []


def test_a_server_that_is_away_for_half_a_day_is_told_of_and_tried_every_hour(store: Store) -> None:
    night = Night(store, settings_of(9))
    sealed = night.seal()
    environment = ActivityEnvironment()
    environment.info = _since(environment, hours=13)
    error = failure(lambda: environment.run(night.deliver, sealed))
    assert (error.type, error.next_retry_delay) == (Transient.__name__, dt.timedelta(hours=1))
    [item] = store.parked.list(AGENCY)
    assert "is not with AirPlus" in item.detail


def _since(environment: ActivityEnvironment, hours: float):  # type: ignore[no-untyped-def]
    info = environment.info
    return type(info)(
        **{
            **{name: getattr(info, name) for name in info.__dataclass_fields__},
            "scheduled_time": dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours),
        }
    )


def test_two_kinds_with_a_wrong_password_are_two_logins_and_no_more(store: Store, airplus: DropBoxSite) -> None:
    way = airplus.settings.sftp
    assert way is not None
    wrong = settings_of(way.port, way.host_keys[0], sftp={"password": "wrong-horse"})
    night = Night(store, wrong)
    for day in range(4):
        for kind in ("MA", "BSP"):
            sealed = night.seal(night.now.date() + dt.timedelta(day), kind)
            if day == 0:
                assert failure(lambda sealed=sealed: night.deliver(sealed)).type == Unauthorised.__name__
    failure(lambda: night.deliver(sealed))
    assert airplus.operations().count("connect") == 2


def test_a_login_that_a_person_mended_is_tried_again(night: Night, airplus: DropBoxSite) -> None:
    fault(airplus, "connect", "refuse", times=2)
    first, second = night.seal(), night.seal(kind="BSP")
    effects = [failure(lambda each=each: night.deliver(each)).details[0]["effect"] for each in (first, second)]
    for sealed, effect in zip((first, second), effects, strict=True):
        night.store.effects.rearm(effect)
        night.deliver(sealed)
    assert set(airplus.lying()) == {first.name, second.name}
