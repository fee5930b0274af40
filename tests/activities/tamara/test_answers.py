"""What AirPlus answers is applied once, whatever comes twice, late, torn or contradictory (contracts: tamara 3.10 to 3.12)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from activities.tamara.answering import TamaraAnswerActivities, working_days_after
from activities.tamara.layout import our_layout
from activities.tamara.model import Acknowledgement, Answer, AnswerFile
from activities.tamara.rendering import render
from activities.tamara.retention import retire
from activities.tamara.staging import Staging
from domain.errors import Refused
from domain.steps import SealedFile
from domain.tamara_steps import (
    TamaraAnswersOrder,
    TamaraAnswersRead,
    TamaraSettlement,
    TamaraTrouble,
    TamaraTroubleStep,
)
from store import Store
from store.tamara_tables import Line
from tests.activities.tamara.night import AGENCY, BOOKING, CARD, DAY, PARTNER, DropBoxSite, Night

UTC = ZoneInfo("UTC")
NEXT = DAY + dt.timedelta(1)


class Morning(Night):
    """A night whose answers are read."""

    def __init__(self, store: Store, airplus: DropBoxSite, **changes: Any) -> None:
        settings = airplus.settings.model_copy(update=changes)
        super().__init__(store, settings)
        store.tamara._clock = lambda: self.now
        self.airplus = airplus
        self.reader = TamaraAnswerActivities(store, {AGENCY: settings}, clock=lambda: self.now)
        self.out = airplus.stand_in.home() / "out"

    def sent(self, day: dt.date = DAY) -> SealedFile:
        sealed = self.seal(day)
        self.deliver(sealed)
        return sealed

    def read(self) -> TamaraAnswersRead:
        return self.reader.read_answers(TamaraAnswersOrder(agency=AGENCY))

    def told(self, sealed: SealedFile, status: str, *answers: Answer, **changes: Any) -> bytes:
        """An answer of our own making."""
        ack = {
            "partner_id": PARTNER,
            "kind": sealed.kind,
            "file_seq": sealed.seq,
            "file_name": sealed.name,
            "file_status": status,
            "expected_seq": sealed.seq + 1,
            "received_at": dt.datetime(2026, 11, 21, 3, 0),
            "mode": "T",
            **changes,
        }
        file = AnswerFile(ack=Acknowledgement.model_validate(ack), answers=answers)
        return b"".join(render(our_layout(), file, answer=True))

    def lay(self, data: bytes, name: str = "other.ack") -> None:
        (self.out / name).write_bytes(data)

    def clear(self) -> None:
        """Take away what the stand-in itself answered."""
        for path in self.out.iterdir():
            path.unlink()

    def line(self) -> Line:
        return max(self.store.tamara.lines_of(AGENCY, BOOKING), key=lambda line: line.version)

    def staging(self) -> Staging:
        return Staging(self.store, AGENCY, self.settings, self.now.date())

    def settle(self, trouble: TamaraTrouble, decision: str) -> None:
        wish = {"agency": AGENCY, "trouble": trouble, "decision": decision, "by": "ana", "explanation": "asked AirPlus"}
        self.reader.settle(TamaraSettlement.model_validate(wish))

    @property
    def file_state(self) -> str:
        return self.store.tamara.files_of(AGENCY)[0].state


@pytest.fixture
def morning(store: Store, airplus: DropBoxSite) -> Morning:
    return Morning(store, airplus)


def answer(line: Line, status: str, **more: Any) -> Answer:
    return Answer.model_validate({"txn_ref": line.txn_ref, "txn_version": line.version, "status": status, **more})


def test_an_accepted_file_closes_its_lines_and_the_answer_is_put_away(morning: Morning) -> None:
    morning.sold()
    morning.sent()
    read = morning.read()
    assert (read.read, read.applied, read.troubles) == (1, 1, ())
    assert (morning.states(), morning.file_state) == ({"sale": "ACCEPTED"}, "ACKED")
    assert list(morning.out.iterdir()) == []
    assert morning.read() == TamaraAnswersRead()


def test_an_answer_that_could_not_be_put_away_is_not_applied_twice(morning: Morning) -> None:
    morning.sold()
    morning.sent()
    [path] = morning.out.iterdir()
    data = path.read_bytes()
    morning.read()
    morning.lay(data, path.name)
    assert morning.read().read == 0
    assert [each.verdict for each in morning.store.tamara_answers.list(AGENCY)] == ["APPLIED"]


def test_the_same_answer_in_other_bytes_is_a_duplicate(morning: Morning) -> None:
    morning.sold()
    sealed = morning.sent()
    morning.read()
    morning.lay(morning.told(sealed, "A", answer(morning.line(), "A")))
    read = morning.read()
    assert (read.applied, read.troubles) == (0, ())
    assert [each.verdict for each in morning.store.tamara_answers.list(AGENCY)] == ["DUPLICATE", "APPLIED"]


@pytest.mark.covers("F-C16")
def test_a_rejected_line_is_listed_mended_and_goes_with_the_next_file(morning: Morning) -> None:
    morning.sold()
    morning.airplus.stand_in.reject({"F-1001": "A006"})
    morning.sent()
    read = morning.read()
    assert (morning.states(), morning.file_state) == ({"sale": "REJECTED"}, "PARTIAL")
    [trouble] = read.troubles
    assert (trouble.about, "A006" in trouble.detail) == ("rejected", True)
    rejected = morning.line()
    [told] = morning.store.tamara_answers.of_lines([rejected.id]).values()
    assert (told.reason, "ask for the right value" in (told.text or "")) == ("A006", True)

    morning.store.tamara_answers.set_fields(rejected.txn_ref, {"dbi.PR": "P-77"}, "ana")
    mended = morning.staging().resubmit(rejected)
    assert (mended.version, mended.state, mended.txn_ref) == (1, "STAGED", rejected.txn_ref)
    assert mended.content["dbi"]["PR"] == "P-77"
    assert morning.store.tamara_answers.versions(rejected.txn_ref)[0].state == "CORRECTED"
    step = TamaraTroubleStep(agency=AGENCY, trouble=trouble)
    assert morning.reader.examine(step).troubles == (), "nothing is left to do for a person"

    morning.airplus.stand_in._receiver.wishes.clear()
    morning.sent(NEXT)
    morning.read()
    assert morning.line().state == "ACCEPTED"
    [held] = morning.airplus.stand_in.state()["transactions"]
    assert (held["txn_ver"], held["status"], held["gross"]) == (1, "A", 30000)


def test_an_open_line_keeps_what_a_person_set_when_it_is_judged_again(morning: Morning) -> None:
    morning.document("invoice", "inv:pay_1001", "F" * 21, 30000, payment_id="pay_1001")
    morning.cells.record_payment(morning.paid())
    line = morning.line()
    morning.store.tamara_answers.set_fields(line.txn_ref, {"dbi.PR": "P-77"}, "ana")
    for _ in range(2):
        morning.staging().rejudge(morning.line())
    assert morning.line().content["dbi"]["PR"] == "P-77"


def test_a_rejected_sale_of_a_cancelled_booking_is_not_sent_again(morning: Morning) -> None:
    morning.sold()
    morning.airplus.stand_in.reject({"F-1001": "A001"})
    morning.sent()
    morning.read()
    morning.credited()
    morning.cancel()
    assert morning.states() == {"sale": "ABANDONED"}
    assert morning.seal(NEXT).lines == 0


def _torn(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _wrong_totals(data: bytes) -> bytes:
    start = data.rindex(b"990") + 28
    return data[:start] + b"0000009" + data[start + 7 :]


@pytest.mark.parametrize("damage", [_torn, _wrong_totals])
def test_a_damaged_answer_changes_nothing_until_a_whole_one_comes(
    morning: Morning, damage: Callable[[bytes], bytes]
) -> None:
    morning.sold()
    morning.sent()
    [path] = morning.out.iterdir()
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    [trouble] = morning.read().troubles
    assert (trouble.about, morning.states(), morning.file_state) == ("answer", {"sale": "SENT"}, "DELIVERED")
    morning.lay(whole, path.name)
    assert morning.read().troubles == ()
    assert morning.states() == {"sale": "ACCEPTED"}


def test_an_answer_to_a_file_we_never_sent_is_kept_and_shown(morning: Morning) -> None:
    stranger = SealedFile(partner_id=PARTNER, kind="MA", seq=77, name="TAMARA_X.dat", lines=0)
    morning.lay(morning.told(stranger, "A"))
    [trouble] = morning.read().troubles
    assert (trouble.about, "which we never sent" in trouble.detail) == ("answer", True)
    morning.settle(trouble, "skip")
    assert morning.read().troubles == ()


def test_what_is_clear_in_a_contradictory_answer_is_applied(morning: Morning) -> None:
    morning.sold()
    sealed = morning.sent()
    morning.clear()
    unknown = Answer(txn_ref="0" * 26, txn_version=0, status="R", reason="A001")
    morning.lay(morning.told(sealed, "P", answer(morning.line(), "A"), unknown))
    [trouble] = morning.read().troubles
    assert "is not in this file" in trouble.detail
    assert morning.states() == {"sale": "ACCEPTED"}


def test_an_answer_that_takes_an_acceptance_back_is_shown_and_not_applied(morning: Morning) -> None:
    morning.sold()
    sealed = morning.sent()
    morning.read()
    morning.lay(morning.told(sealed, "P", answer(morning.line(), "R", reason="A003")))
    [trouble] = morning.read().troubles
    assert "is ACCEPTED, and this answer says R" in trouble.detail
    assert morning.states() == {"sale": "ACCEPTED"}


def test_in_a_partly_accepted_file_silence_means_nothing(morning: Morning) -> None:
    morning.sold("pay_1001")
    morning.sold("pay_1002", 12000)
    sealed = morning.sent()
    morning.clear()
    first, _ = morning.store.tamara.lines_of(AGENCY, BOOKING)
    morning.lay(morning.told(sealed, "P", answer(first, "R", reason="A001")))
    morning.read()
    assert [line.state for line in morning.store.tamara.lines_of(AGENCY, BOOKING)] == ["REJECTED", "SENT"]


def test_a_line_may_be_held_and_matched_later(morning: Morning) -> None:
    morning.sold()
    sealed = morning.sent()
    morning.clear()
    for status, state in (("H", "HELD"), ("M", "MATCHED")):
        morning.lay(morning.told(sealed, "A", answer(morning.line(), status)))
        assert morning.read().troubles == ()
        assert morning.states() == {"sale": state}


def test_a_file_without_an_answer_is_chased_after_two_working_days(morning: Morning) -> None:
    morning.sold()
    morning.sent()
    morning.clear()
    assert morning.read().troubles == ()
    morning.now += dt.timedelta(days=5)
    [trouble] = morning.read().troubles
    assert (trouble.about, trouble.reason, morning.file_state) == ("unanswered", "tamara_unanswered", "UNCONFIRMED")
    morning.settle(trouble, "adopt")
    assert (morning.states(), morning.file_state, morning.read().troubles) == ({"sale": "ACCEPTED"}, "ACKED", ())


def test_a_late_answer_settles_what_was_chased(morning: Morning) -> None:
    morning.sold()
    sealed = morning.sent()
    morning.clear()
    morning.now += dt.timedelta(days=5)
    morning.read()
    morning.lay(morning.told(sealed, "A"))
    assert morning.read().troubles == ()
    assert (morning.states(), morning.file_state) == ({"sale": "ACCEPTED"}, "ACKED")


def test_an_answered_file_closes_when_nothing_of_it_is_open_and_still_learns_of_matches(morning: Morning) -> None:
    morning.sold("pay_1001")
    morning.airplus.stand_in.reject({"F-1001": "A001"})
    sealed = morning.sent()
    morning.read()
    month = dt.timedelta(days=30)
    retire(morning.store, AGENCY, morning.now + month)
    assert morning.file_state == "PARTIAL", "a rejected line is still to be mended or given up"
    [trouble] = morning.read().troubles
    morning.settle(trouble, "skip")
    retire(morning.store, AGENCY, morning.now + month - dt.timedelta(seconds=1))
    assert morning.file_state == "PARTIAL"
    retire(morning.store, AGENCY, dt.datetime.now(dt.UTC) + month)
    assert (morning.file_state, morning.states()) == ("CLOSED", {"sale": "ABANDONED"})
    morning.lay(morning.told(sealed, "P"))
    assert (morning.read().troubles, morning.file_state) == ((), "CLOSED")


def test_what_is_given_up_is_told_to_accounting_once_and_the_booking_shows_it(morning: Morning) -> None:
    morning.sold()
    morning.airplus.stand_in.reject({"F-1001": "A003"})
    morning.sent()
    [trouble] = morning.read().troubles
    morning.settle(trouble, "skip")
    morning.settle(trouble, "skip")
    [item] = morning.store.parked.list(AGENCY)
    assert (item.reason, item.owner, item.booking_id) == ("airplus_unpaid", "accounting", BOOKING)
    assert "AirPlus does not pay invoice F-1001: 300.00 EUR are open again" in item.detail
    assert "asked AirPlus (ana)" in item.detail


def test_a_line_is_not_sent_for_ever(morning: Morning) -> None:
    morning.airplus.stand_in.reject({"F-1001": "A006"})
    morning.sold()
    for version in range(5):
        morning.sent(DAY + dt.timedelta(version))
        morning.read()
        assert (morning.line().version, morning.line().state) == (version, "REJECTED")
        if version < 4:
            morning.staging().resubmit(morning.line())
    with pytest.raises(Refused, match=r"has had line \d+ 5 times"):
        morning.staging().resubmit(morning.line())


def test_a_file_that_was_refused_whole_goes_out_again_with_the_same_bytes(morning: Morning) -> None:
    morning.sold()
    sealed = morning.sent()
    morning.clear()
    lying = morning.airplus.stand_in.home() / "in" / sealed.name
    first = lying.read_bytes()
    lying.unlink()
    morning.lay(morning.told(sealed, "R", file_reason="F007"))
    [trouble] = morning.read().troubles
    assert (trouble.about, trouble.automatic, morning.file_state) == ("refused", True, "REFUSED")
    morning.settle(trouble, "retry")
    assert morning.states() == {"sale": "SEALED"}
    morning.deliver(sealed)
    assert lying.read_bytes() == first
    assert (morning.states(), morning.file_state) == ({"sale": "SENT"}, "DELIVERED")


def test_an_answer_proves_that_a_doubtful_file_arrived(morning: Morning) -> None:
    morning.sold()
    sealed = morning.sent()
    key = morning.store.tamara.files_of(AGENCY)[0].key
    with morning.store.database.begin() as connection:
        connection.exec_driver_sql("UPDATE tamara_files SET state = 'DELIVERY_UNKNOWN'")
        connection.exec_driver_sql("UPDATE tamara_lines SET state = 'SEALED'")
    morning.read()
    file = morning.store.tamara.file(key)
    assert (file is not None and file.state, morning.states()) == ("ACKED", {"sale": "ACCEPTED"})
    assert morning.deliver(sealed).ids == {"file": sealed.name}


@pytest.mark.parametrize(
    ("moment", "due"),
    [("2026-11-20T10:00", "2026-11-24T10:00"), ("2026-11-16T02:31", "2026-11-18T02:31")],
)
def test_weekends_do_not_count_as_working_days(moment: str, due: str) -> None:
    assert working_days_after(dt.datetime.fromisoformat(moment + "+00:00"), 2, UTC) == dt.datetime.fromisoformat(
        due + "+00:00"
    )


@pytest.mark.parametrize("damage", [bytes, _torn], ids=["whole", "torn"])
def test_of_an_answer_only_a_copy_without_numbers_is_kept(
    morning: Morning, damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    morning.sold()
    sealed = morning.sent()
    morning.clear()
    told = {"reason": "A001", "text": f"card {CARD} exp 1228 unknown", "document": CARD, "invoice": CARD}
    data = damage(morning.told(sealed, "P", answer(morning.line(), "R", **told)))
    morning.lay(data)
    read = morning.read()
    assert CARD.encode() in data
    with morning.store.database.read() as connection:
        tables = [row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [str(row) for name in tables for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"')]
    assert not [row for row in (*rows, read.model_dump_json(), caplog.text) if CARD in row]
    assert any("192000*****0008" in row for row in rows)


@pytest.mark.parametrize("kind", ["malformed", "error-after"])
def test_what_airplus_writes_wrongly_is_not_applied(morning: Morning, kind: str) -> None:
    morning.airplus.stand_in.faults.set({"operation": "answer", "kind": kind})
    morning.sold()
    morning.sent()
    [trouble] = morning.read().troubles
    assert (trouble.about, morning.states()) == ("answer", {"sale": "SENT"})


def test_an_answer_that_comes_late_or_never_loses_nothing(morning: Morning) -> None:
    for day, kind in ((DAY, "late"), (NEXT, "refuse")):
        morning.airplus.stand_in.faults.set({"operation": "answer", "kind": kind})
        morning.sent(day)
    assert morning.read() == TamaraAnswersRead()
    assert len(morning.airplus.stand_in.write_answers()) == 1
    morning.read()
    morning.now += dt.timedelta(days=5)
    [trouble] = morning.read().troubles
    assert (trouble.about, trouble.seq) == ("unanswered", 2)


def test_the_nth_line_of_a_file_can_be_rejected(morning: Morning) -> None:
    morning.airplus.stand_in.reject({"#2": "A003"})
    morning.sold("pay_1001")
    morning.sold("pay_1002", 12000)
    morning.sent()
    morning.read()
    states = {line.invoice_number: line.state for line in morning.store.tamara.lines_of(AGENCY, BOOKING)}
    assert states == {"F-1001": "ACCEPTED", "F-1002": "REJECTED"}
