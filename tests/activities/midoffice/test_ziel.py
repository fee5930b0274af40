"""What only Z.I.E.L. has: files on their way, acknowledgements that come, come late, twice, torn, or not (midoffice 8)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from pydantic import ValidationError
from temporalio.exceptions import ApplicationError

from activities.midoffice.activities import MidOfficeActivities
from activities.midoffice.codec import Announce
from activities.midoffice.idempotency import idem_of
from activities.midoffice.resending import MidOfficeResending
from activities.midoffice.ziel.settings import ZielSettings
from domain.effects import EffectState
from domain.errors import Refused, Transient, Unauthorised, UnknownOutcome
from domain.steps import AnswersStep, BookingQuestion, Done
from sandbox.airplus.running import running_sftp
from sandbox.file_server import Account
from sandbox.ziel.reading import read
from sandbox.ziel.stand_in import PASSWORD, USER, ZielStandIn, page
from store import Store
from tests.activities.midoffice.systems.ziel import ziel
from tests.activities.midoffice.test_ziel_codec import CODEC, IDEM, MADE, SENT, SETTINGS
from tests.activities.midoffice.under_test import UnderTest
from tests.activities.midoffice.written import KEY, changed, created, dearer, paying, record
from tests.activities.platform import trip


@pytest.fixture
def system() -> Iterator[UnderTest]:
    with ziel() as opened:
        yield opened


@pytest.fixture
def cells(store: Store, system: UnderTest) -> MidOfficeActivities:
    trip.tell(store, "experience.created", experience=trip.experience())
    return MidOfficeActivities(store, {trip.AGENCY: system.account})


def stand_in(system: UnderTest) -> ZielStandIn:
    assert isinstance(system.stand_in, ZielStandIn)
    return system.stand_in


def lying(system: UnderTest, folder: str = "in") -> list[str]:
    return sorted(path.name for path in (stand_in(system).home() / folder).iterdir())


def state(store: Store) -> EffectState:
    (one,) = store.effects.of_booking(trip.AGENCY, "bkg_500", "ziel")
    return one.state


def answers(cells: MidOfficeActivities, done: Done, *, chase: bool = False) -> Done:
    return cells.read_answers(AnswersStep(agency=trip.AGENCY, booking_id="bkg_500", effects=done.awaiting, chase=chase))


# --- the way there ---


def test_a_file_appears_under_its_name_only_whole(system: UnderTest) -> None:
    system.stand_in.faults.set({"operation": "put", "kind": "malformed"})
    with pytest.raises(Transient):
        system.account.adapter.push_booking(record(system))
    assert [name for name in lying(system) if not name.endswith(".tmp")] == []
    assert system.account.adapter.push_booking(record(system)).outcome == "QUEUED"
    (name,) = lying(system)
    assert read((stand_in(system).home() / "in" / name).read_bytes())["KOPF"]["aktion"] == "N"


@pytest.mark.parametrize("kind", ["drop-after", "late"])
@pytest.mark.covers("midoffice: register")
def test_a_rename_whose_answer_was_lost_is_found_and_not_repeated(
    kind: str, cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    system.stand_in.faults.set({"operation": "rename", "kind": kind})
    what = created(store)
    with pytest.raises(ApplicationError) as caught:
        cells.register_booking(what)
    assert caught.value.type == "UnknownOutcome"
    (name,) = lying(system)
    done = cells.register_booking(what)
    assert (lying(system), state(store)) == ([name], EffectState.QUEUED)
    assert system.calls("create") == 1
    stand_in(system).run()
    assert not answers(cells, done).awaiting
    assert cells.register_booking(what).ids == {"order": "Z100001"}


@pytest.mark.covers("midoffice: register")
def test_a_process_that_dies_after_the_rename_leaves_one_file(
    cells: MidOfficeActivities, store: Store, system: UnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends between the server's answer and our note of it: nothing is settled in the ledger."""

    class Killed(BaseException):
        pass

    def dies(*_: object) -> None:
        raise Killed

    what = created(store)
    with monkeypatch.context() as patched:
        patched.setattr(store.effects, "queued", dies)
        with pytest.raises(Killed):
            cells.register_booking(what)
    (name,) = lying(system)
    assert state(store) is EffectState.INTENDED
    stand_in(system).run()
    again = MidOfficeActivities(store, {trip.AGENCY: system.opened()})
    assert again.register_booking(what).ids == {"order": "Z100001"}
    assert [one["name"] for one in stand_in(system).state()["files"]] == [name]


def test_many_bookings_side_by_side_have_a_file_each(system: UnderTest) -> None:
    many = [record(system).model_copy(update={"supplier_booking_id": f"bkg_{number}"}) for number in range(24)]
    start = threading.Barrier(6)

    def send(chunk: list[Any]) -> list[str]:
        start.wait()
        return [system.account.adapter.push_booking(one).external_ref for one in chunk]

    with ThreadPoolExecutor(6) as pool:
        names = [name for chunk in pool.map(send, [many[at::6] for at in range(6)]) for name in chunk]
    assert len(set(names)) == 24
    stand_in(system).run()
    assert len(system.held()) == 24


def test_a_name_that_is_taken_by_another_file_is_left_alone(system: UnderTest) -> None:
    one = record(system)
    message = Announce(one, "RATEHAWK", idem_of("ziel", one))
    taken = stand_in(system).home() / "in" / CODEC.name(message, one.modified_at, 1)
    taken.write_bytes(b"of somebody else")
    queued = system.account.adapter.push_booking(one)
    assert queued.external_ref == CODEC.name(message, one.modified_at, 2)
    assert taken.read_bytes() == b"of somebody else"


@pytest.mark.covers("midoffice: check")
def test_another_host_key_ends_everything_before_the_login(system: UnderTest) -> None:
    stand_in(system).change_host_key()
    with pytest.raises(Unauthorised, match="not pinned"):
        system.opened().adapter.push_booking(record(system))


def test_a_key_logs_in_as_well_as_a_password() -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    public = key.export_public_key().decode()
    other = ZielStandIn(accounts=(Account(USER, None, (public,)),))
    with running_sftp(other) as reach, ziel() as system:
        sftp = {
            "host": reach.host,
            "port": reach.port,
            "username": USER,
            "host_keys": [reach.fingerprint],
            "private_key": key.export_private_key().decode(),
        }
        assert system.opened(sftp=sftp).adapter.push_booking(record(system)).outcome == "QUEUED"
        with pytest.raises(Unauthorised):
            system.opened(sftp={**sftp, "private_key": None, "password": PASSWORD}).adapter.ping()
    other.close()


def test_settings_need_a_pinned_key_and_a_credential() -> None:
    section = SETTINGS.model_dump(mode="json") | {"sftp": {"host": "h", "username": "u", "host_keys": []}}
    with pytest.raises(ValidationError) as caught:
        ZielSettings.model_validate(section)
    assert "host_keys" in str(caught.value)


# --- what is said of it ---


@pytest.mark.covers("midoffice: answers")
def test_silence_keeps_the_booking_open_and_sends_nothing_more(
    cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    what = created(store)
    done = cells.register_booking(what)
    for _ in range(3):
        assert answers(cells, done).awaiting == done.awaiting
    assert cells.register_booking(what).awaiting == done.awaiting
    assert len(lying(system)) == 1
    assert [one.state for one in store.transfers.list(trip.AGENCY, "ziel", "bkg_500")] == ["queued", "not_transferred"]


@pytest.mark.covers("midoffice: answers")
def test_a_lost_acknowledgement_is_made_good_by_asking_what_they_hold(
    cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    system.stand_in.faults.set({"operation": "ack", "kind": "drop-after"})
    what = created(store)
    done = cells.register_booking(what)
    stand_in(system).run()
    assert answers(cells, done).awaiting
    assert answers(cells, done, chase=True).awaiting
    stand_in(system).run()
    assert not answers(cells, done, chase=True).awaiting
    assert cells.register_booking(what).ids == {"order": "Z100001"}
    assert list(system.held()) == [KEY]


@pytest.mark.covers("midoffice: answers")
def test_a_lost_file_stays_open_until_a_person_has_it_sent_again(
    cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    system.stand_in.faults.set({"operation": "ack", "kind": "drop-before"})
    what = created(store)
    done = cells.register_booking(what)
    stand_in(system).run()
    assert answers(cells, done, chase=True).awaiting
    stand_in(system).run()
    assert answers(cells, done, chase=True).awaiting
    store.effects.rearm(done.awaiting[0])
    system.insist(lambda: cells.register_booking(what))
    assert list(system.held()) == [KEY]


@pytest.mark.covers("midoffice: answers")
def test_an_acknowledgement_that_is_torn_is_waited_for(
    cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    system.stand_in.faults.set({"operation": "ack", "kind": "malformed"})
    done = cells.register_booking(created(store))
    stand_in(system).run()
    assert answers(cells, done).awaiting == done.awaiting
    (name,) = lying(system, "ack")
    (stand_in(system).home() / "ack" / name).write_text(";OK;Z100001;;\r\n")
    assert not answers(cells, done).awaiting


@pytest.mark.covers("midoffice: answers")
def test_an_acknowledgement_of_another_message_under_our_name_is_a_persons_business(
    cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    done = cells.register_booking(created(store))
    (name,) = lying(system)
    (stand_in(system).home() / "ack" / f"{name}.ack").write_text(f"{'f' * 32};OK;Z666;;\r\n")
    with pytest.raises(ApplicationError, match="names another message") as caught:
        answers(cells, done)
    assert caught.value.type == "ContractBroken"
    assert state(store) is EffectState.REFUSED


@pytest.mark.covers("midoffice: answers")
def test_acknowledgements_of_files_that_are_not_ours_change_nothing(
    cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    done = cells.register_booking(created(store))
    for name in ("ZIEL_AG99_20260302101520_000001_9f2c0000.csv.ack", "notes.txt"):
        (stand_in(system).home() / "ack" / name).write_text(f"{IDEM};OK;Z666;;\r\n")
    assert answers(cells, done).awaiting == done.awaiting
    stand_in(system).run()
    assert not answers(cells, done).awaiting
    assert cells.read_answers(AnswersStep(agency=trip.AGENCY, booking_id="bkg_500", effects=done.awaiting)) == Done()


@pytest.mark.parametrize("code", ["E11", "E90"])
def test_what_passes_by_itself_is_sent_again_under_another_name(
    code: str, cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    stand_in(system).wish(code)
    what = created(store)
    system.insist(lambda: cells.register_booking(what))
    assert [one["code"] for one in stand_in(system).state()["files"]] == [code, ""]
    assert list(system.held()) == [KEY]


def test_a_checksum_that_is_wrong_twice_is_a_persons_business(
    cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    stand_in(system).wish("E11", 2)
    what = created(store)
    with pytest.raises(ApplicationError, match="E11") as caught:
        system.insist(lambda: cells.register_booking(what))
    assert caught.value.type == "Refused"
    assert len(stand_in(system).state()["files"]) == 2


@pytest.mark.parametrize(
    ("code", "kind"),
    [("E10", "Refused"), ("E20", "Unauthorised"), ("E30", "Refused"), ("E31", "Refused"), ("E50", "Refused")],
)
def test_a_no_is_the_error_that_its_code_means_and_keeps_the_effect_to_retry(
    code: str, kind: str, cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    stand_in(system).wish(code)
    done = cells.register_booking(created(store))
    stand_in(system).run()
    with pytest.raises(ApplicationError, match=code) as caught:
        answers(cells, done)
    assert (caught.value.type, caught.value.details[0]["effect"]) == (kind, done.awaiting[0])
    assert state(store) is EffectState.REFUSED


def test_a_refused_value_is_named_by_record_and_field(system: UnderTest) -> None:
    one = record(system)
    customer = one.customer.model_copy(update={"email": "no address"})
    queued = system.account.adapter.push_booking(one.model_copy(update={"customer": customer}))
    stand_in(system).run()
    answer = system.account.adapter.read_answer(queued.external_ref)
    assert isinstance(answer, Refused)
    assert "E32: KUND[1].email: is not of its form" in str(answer)


@pytest.mark.covers("midoffice: refuse")
def test_a_status_without_a_word_is_refused_before_the_network(system: UnderTest) -> None:
    with pytest.raises(Refused, match="status: REQUESTED has no word here"):
        system.account.adapter.push_booking(record(system).model_copy(update={"status": "REQUESTED"}))
    assert not system.calls()


@pytest.mark.covers("midoffice: amend")
def test_a_newer_message_overtakes_one_that_was_never_acknowledged(
    cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    system.stand_in.faults.set({"operation": "ack", "kind": "drop-after"})
    cells.register_booking(created(store))
    stand_in(system).run()
    what = changed(store, trip.booking([trip.hotel(price=40000), trip.bus()]))
    system.insist(lambda: cells.amend_booking(what))
    assert system.held()[KEY].price == Decimal("800.00")
    assert {one.state for one in store.effects.of_booking(trip.AGENCY, "bkg_500", "ziel")} == {EffectState.DONE}


@pytest.mark.covers("midoffice: pay")
def test_a_payment_is_acknowledged_like_a_booking(cells: MidOfficeActivities, store: Store, system: UnderTest) -> None:
    what = created(store)
    system.insist(lambda: cells.register_booking(what))
    trip.tell(store, "payment.captured", payment=trip.payment())
    done = cells.record_payment(paying())
    assert done.awaiting
    assert not system.paid()
    stand_in(system).run()
    assert not answers(cells, done).awaiting
    assert cells.record_payment(paying()).ids == {"order": "Z100001", "transaction": "pay_1001"}


def test_two_sales_of_one_revision_are_told_apart_by_what_they_are(system: UnderTest) -> None:
    """A change they do not hold goes again as a new booking, under a key and a name of its own."""
    change = dearer(record(system)).as_message("CHANGE", 2)
    names = set()
    for _ in range(2):
        names.add(system.account.adapter.push_booking(change).external_ref)
        stand_in(system).run()
    assert len(names) == 2
    assert system.account.adapter.push_booking(change).external_ref == "Z100001"


def test_a_broken_line_after_the_rename_is_an_unknown_outcome(system: UnderTest) -> None:
    system.stand_in.faults.set({"operation": "rename", "kind": "drop-after"})
    with pytest.raises(UnknownOutcome):
        system.account.adapter.push_booking(record(system))


# --- the stand-in ---


def test_the_stand_in_keeps_its_books_over_a_restart(tmp_path: Path) -> None:
    content = CODEC.encode(SENT["create"], MADE)
    name = CODEC.name(SENT["create"], MADE, 1)
    for _ in range(2):
        there = ZielStandIn(tmp_path, answers_at_once=False)
        (there.home() / "in" / name).write_bytes(content)
        there.run()
        results = [one["result"] for one in there.state()["files"]]
        there.close()
    assert results == ["OK", "DUP"]


def test_the_page_shows_what_arrived_and_no_markup_of_ours() -> None:
    there = ZielStandIn(answers_at_once=False)
    (there.home() / "in" / "<b>.csv").write_bytes(b"x")
    there.run()
    shown = page(there.state())
    there.close()
    assert "&lt;b&gt;.csv" in shown
    assert "<b>" not in shown


def test_refs_of_two_suppliers_are_two_bookings(system: UnderTest) -> None:
    one = record(system)
    other = one.model_copy(update={"supplier_code": "sup_direct"})
    for each in (one, other):
        system.account.adapter.push_booking(each)
    stand_in(system).run()
    assert len(stand_in(system).state()["bookings"]) == 2
    ref = replace(one.ref, supplier_code="sup_direct")
    (held,) = system.insist(lambda: system.account.adapter.read_status(ref))
    assert held.external_ref == "Z100002"


@pytest.mark.covers("midoffice: resend")
def test_a_booking_is_sent_again_on_request_only_if_they_refused_it_or_miss_something(
    cells: MidOfficeActivities, store: Store, system: UnderTest
) -> None:
    again = MidOfficeResending(store, {trip.AGENCY: system.account})
    question = BookingQuestion(agency=trip.AGENCY, booking_id="bkg_500")
    stand_in(system).wish("E30")
    done = cells.register_booking(created(store))
    stand_in(system).run()
    with pytest.raises(ApplicationError):
        answers(cells, done)
    assert system.insist(lambda: again.resend(question)).ids == {"order": "Z100001"}
    before = system.calls("create")
    assert again.resend(question).ids == {"order": "Z100001"}
    assert system.calls("create") == before
