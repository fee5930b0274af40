"""What stands in AirPlus' e-mail or Viewer counts like an answer file once a person has entered it (contracts: tamara 3.11)."""

from __future__ import annotations

import pytest

from activities.tamara.answer_book import AnswerBook
from activities.tamara.hand_told import told_by_hand
from domain.errors import Refused
from store import Store
from store.tamara_answers import Verdict
from tests.activities.tamara.night import AGENCY, CARD, NIGHT, DropBoxSite, Night

HEADING = "file_seq;kind;reference;status;reason;text\n"


@pytest.fixture
def night(store: Store, airplus: DropBoxSite) -> Night:
    """Two lines with AirPlus, which writes no answer file."""
    night = Night(store, airplus.settings)
    night.sold("pay_1001")
    night.sold("pay_1002", 12000)
    night.deliver(night.seal())
    return night


def entered(night: Night, text: str) -> list[Verdict | None]:
    ledger = night.store.tamara
    told = told_by_hand(text, night.settings, NIGHT, ledger.file, ledger.lines_in)
    book = AnswerBook(night.store, AGENCY, night.settings)
    return [book.take_told("entered by ana", each.words.encode(), each.answer) for each in told]


def states(night: Night) -> dict[str | None, str]:
    return {line.invoice_number: line.state for line in night.store.tamara.listing(AGENCY)}


def file_state(night: Night) -> str:
    return night.store.tamara.files_of(AGENCY)[0].state


def test_a_row_without_reference_accepts_the_whole_file(night: Night) -> None:
    assert entered(night, HEADING + "1;MA;;A;;\n") == ["APPLIED"]
    assert (states(night), file_state(night)) == ({"F-1001": "ACCEPTED", "F-1002": "ACCEPTED"}, "ACKED")


def test_a_row_rejects_one_line_by_its_invoice_and_says_nothing_of_the_others(night: Night) -> None:
    assert entered(night, "1;ma;F-1001;r;a006;PR is unknown\n") == ["APPLIED"]
    assert (states(night), file_state(night)) == ({"F-1001": "REJECTED", "F-1002": "SENT"}, "PARTIAL")
    rejected = next(line for line in night.store.tamara.listing(AGENCY) if line.state == "REJECTED")
    [told] = night.store.tamara_answers.of_lines([rejected.id]).values()
    assert (told.reason, "PR is unknown" in (told.text or "")) == ("A006", True)


def test_a_line_is_named_by_its_reference_too(night: Night) -> None:
    [first, second] = night.store.tamara.listing(AGENCY)
    entered(night, f"1;MA;{first.txn_ref};A\n1;MA;{second.txn_ref};H\n")
    assert {line.id: line.state for line in night.store.tamara.listing(AGENCY)} == {
        first.id: "ACCEPTED",
        second.id: "HELD",
    }


def test_entering_the_same_twice_changes_nothing(night: Night) -> None:
    assert entered(night, "1;MA;;A\n") == ["APPLIED"]
    assert entered(night, HEADING + "1;MA;;A;;\n") == [None]
    assert entered(night, "1;MA;F-1001;A\n") == ["DUPLICATE"]
    assert file_state(night) == "ACKED"


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("", "there is no row"),
        ("1;MA;F-1001", "has 3 columns"),
        ("x;MA;;A\n1;MA;;Q", "row 2: status of a whole file is one of A, D, P, R"),
        ("1;XX;;A", "row 1: kind is one of"),
        ("1;MA;F-1001;R", "status R needs a reason"),
        ("1;MA;F-9999;A", "nothing in file MA 1 has"),
        ("7;MA;;A", "there is no file MA 7"),
        ("1;MA;;A\n1;MA;;R;F007", "row 2: file MA 1 has two rows of its own"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_of_it_all_is_applied(night: Night, row: str, complaint: str) -> None:
    with pytest.raises(Refused, match=complaint):
        entered(night, "1;MA;F-1002;A\n" * bool(row) + row if complaint.startswith("nothing") else row)
    assert states(night) == {"F-1001": "SENT", "F-1002": "SENT"}


def test_a_reference_of_several_transactions_is_not_guessed(night: Night) -> None:
    night.document("invoice", "inv:pay_1003", "F-1001", 500, payment_id="pay_1003")
    night.cells.record_payment(night.paid("pay_1003", 500))
    night.deliver(night.seal(NIGHT.date().replace(day=22)))
    with night.store.database.begin() as connection:
        connection.exec_driver_sql("UPDATE tamara_lines SET invoice_number = 'F-1001'")
    with pytest.raises(Refused, match="stands for several transactions"):
        entered(night, "1;MA;F-1001;A\n")


@pytest.mark.parametrize("text", [f"card {CARD} is closed", f"X{CARD}1228", "4000000000000002 is no account"])
def test_a_number_that_airplus_quotes_is_kept_masked(night: Night, text: str) -> None:
    entered(night, f"1;MA;F-1001;R;A001;{text}\n")
    with night.store.database.read() as connection:
        kept = [
            str(row)
            for table in ("tamara_answers", "tamara_answered_lines")
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}")
        ]
    assert len(kept) == 2
    assert not any(CARD in row or "4000000000000002" in row for row in kept)
    assert all("****" in row for row in kept)
