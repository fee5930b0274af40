"""The receiver trusts nothing: every count, total, digest and rule is worked out again (contracts: tamara 3.4 to 3.11)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from sandbox.airplus.answer import render
from sandbox.airplus.receiver import Receiver
from sandbox.shelf import Record, Shelf
from tests.sandbox.tamara_files import CARD, GOLDEN_NAME, GOLDEN_SHA256, File, Sale, golden


def receive(receiver: Receiver, file: File) -> Record:
    return receiver.receive(file.name, file.raw())


@pytest.fixture
def receiver() -> Receiver:
    return Receiver(Shelf())


def test_the_worked_example_of_the_contract_is_read_to_the_last_byte(receiver: Receiver) -> None:
    raw = golden()
    assert hashlib.sha256(raw).hexdigest() == GOLDEN_SHA256
    verdict = receiver.receive(GOLDEN_NAME, raw)
    assert verdict["problems"] == []
    assert verdict["totals"]["978"] == {"D_COUNT": 1, "D_TOTAL": 41250, "C_COUNT": 1, "C_TOTAL": 10000, "DEC": 2}
    # Its refund names a sale of which this receiver has never heard.
    assert [(entry["status"], entry["reason"]) for entry in verdict["transactions"]] == [("A", ""), ("R", "V021")]


def test_a_good_file_is_accepted_with_its_transactions(receiver: Receiver) -> None:
    verdict = receive(receiver, File())
    assert (verdict["status"], verdict["records"], verdict["expected"]) == ("A", 5, 2)
    sold = verdict["transactions"][0]
    assert (sold["inv_no"], sold["type"], sold["dc"], sold["gross"], sold["card_tail"]) == (
        "F-1", "SA", "D", 36240, "0008",
    )  # fmt: skip


def test_an_empty_file_is_accepted(receiver: Receiver) -> None:
    verdict = receive(receiver, File(sales=[]))
    assert (verdict["status"], verdict["records"], verdict["transactions"]) == ("A", 2, [])


def test_no_card_number_is_kept(receiver: Receiver) -> None:
    assert CARD not in json.dumps(receive(receiver, File()))
    assert CARD not in json.dumps(receiver.transactions())


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"0000000036240SOLER", b"0000000036241SOLER", "F007"),
        (b"HOTEL PRUEBA", b"HOTEL PRUEBO", "F007"),
        (b"300000000002", b"300000000003", "F005"),
        (b"SOLER/ANA ", b"SOLER/ANA", "F005"),
        (b"MADRID", b"\x09ADRID", "F005"),
        (b"v01.32", b"v09.99", "F006"),
        (b"20260114978", b"20260230978", "F005"),
    ],
)
def test_one_changed_byte_refuses_the_whole_file(receiver: Receiver, old: bytes, new: bytes, reason: str) -> None:
    raw = File().raw()
    assert old in raw
    verdict = receiver.receive(File().name, raw.replace(old, new, 1))
    assert (verdict["status"], verdict["reason"], verdict["expected"]) == ("R", reason, 1)


def test_a_torn_file_is_refused(receiver: Receiver) -> None:
    assert receiver.receive(File().name, File().raw()[:-500])["reason"] == "F005"
    assert receiver.receive(File().name, b"")["reason"] == "F005"


def test_a_name_that_disagrees_with_the_header_is_refused(receiver: Receiver) -> None:
    assert receiver.receive(File(seq=2).name, File().raw())["reason"] == "F005"


def test_numbers_begin_at_one_and_leave_no_gap(receiver: Receiver) -> None:
    assert receive(receiver, File(seq=2))["reason"] == "F003"
    assert receive(receiver, File(seq=1))["status"] == "A"
    later = File(seq=3, sales=[])
    assert (receive(receiver, later)["reason"], receive(receiver, later)["expected"]) == ("F003", 2)


def test_the_same_number_again_is_a_duplicate_only_with_the_same_content(receiver: Receiver) -> None:
    receive(receiver, File())
    assert (receive(receiver, File())["status"], receive(receiver, File())["reason"]) == ("D", "F001")
    assert receive(receiver, File(reprint=1, time="20260116023000"))["reason"] == "F001"
    other = File(sales=[Sale(gross=1)])
    assert (receive(receiver, other)["status"], receive(receiver, other)["reason"]) == ("R", "F002")


@pytest.mark.parametrize(
    ("sale", "reason"),
    [
        (Sale(card="192000000000009"), "V001"),
        (Sale(card="192000000000016"), "V033"),
        (Sale(type="RF", dc="C"), "V005"),
        (Sale(passenger=""), "V009"),
        (Sale(place=""), "V010"),
        (Sale(net=1), "V012"),
        (Sale(dc="C"), "V015"),
        (Sale(nights=4), "V018"),
        (Sale(version=1), "V020"),
        (Sale(type="CX", dc="C", credit_note="A-1"), "V021"),
    ],
)
def test_a_transaction_that_breaks_a_rule_is_rejected_alone(receiver: Receiver, sale: Sale, reason: str) -> None:
    good = Sale(ref="01JH000000000000000000GOOD", invoice="F-0")
    verdict = receive(receiver, File(sales=[good, sale]))
    assert verdict["status"] == "P"
    assert [entry["reason"] for entry in verdict["transactions"]] == ["", reason]


def test_credits_never_exceed_the_sale(receiver: Receiver) -> None:
    sale = Sale()
    back = Sale(ref="01JH0000000000000000000RF1", type="RF", dc="C", gross=30000, credit_note="A-1", original=sale.ref)
    more = Sale(ref="01JH0000000000000000000RF2", type="RF", dc="C", gross=6241, credit_note="A-2", original=sale.ref)
    whole = Sale(ref="01JH0000000000000000000CX1", type="CX", dc="C", credit_note="A-3", original=sale.ref)
    verdict = receive(receiver, File(sales=[sale, back, more, whole]))
    assert [entry["reason"] for entry in verdict["transactions"]] == ["", "", "V022", "V021"]


def test_a_rejected_transaction_may_come_again_with_the_next_version_only(receiver: Receiver) -> None:
    receiver.wishes["F-1"] = "A001"
    assert receive(receiver, File())["transactions"][0]["reason"] == "A001"
    receiver.wishes.clear()
    verdict = receive(receiver, File(seq=2, sales=[Sale(), Sale(version=1)]))
    assert [entry["reason"] for entry in verdict["transactions"]] == ["V020", ""]
    assert receive(receiver, File(seq=3, sales=[Sale(version=2)]))["transactions"][0]["reason"] == "V020"


def test_the_answer_has_one_line_per_transaction_in_the_same_grammar(receiver: Receiver) -> None:
    receiver.wishes["F-1"] = "A002"
    lines = render(receive(receiver, File())).decode("iso8859-15").split("\r\n")
    assert [len(line) for line in lines] == [400, 400, 400, 0]
    assert lines[0][:19] == "9000000000010000000"
    assert (lines[0][107], lines[0][112:121], lines[0][43:107].strip()) == ("P", "000000002", File().name)
    assert (lines[1][19:45], lines[1][47:52]) == ("01JH000000000000000000TST1", "RA002")
    assert lines[2][19:49] == "000000003" + "0000000" + "0000001" + "0000000"


def test_what_was_received_survives_a_restart(tmp_path: Path) -> None:
    receive(Receiver(Shelf(tmp_path / "a.sqlite")), File())
    again = Receiver(Shelf(tmp_path / "a.sqlite"))
    assert receive(again, File())["reason"] == "F001"
    assert receive(again, File(seq=2, sales=[]))["status"] == "A"
