"""The layout of the contract, byte for byte and there and back (contracts: tamara 3.1 to 3.4, 3.13)."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.tamara.card import TEST_NUMBERS, CardNumber
from activities.tamara.details import Event, Hotel, Other, Text
from activities.tamara.layout import our_layout
from activities.tamara.model import (
    Acknowledgement,
    Amount,
    AmountPart,
    Answer,
    AnswerFile,
    Customer,
    Dbi,
    Numbered,
    Transaction,
    Txn,
)
from activities.tamara.parsing import answers_of, file_of, parse
from activities.tamara.rendering import FieldError, render
from tests.activities.tamara.examples import DIGEST, SALE, SIZE, example

LAYOUT = our_layout()


def rendered(*transactions: Transaction) -> bytes:
    return b"".join(render(LAYOUT, example(*transactions)))


def changed(**changes: object) -> Transaction:
    return SALE.model_copy(update={"txn": SALE.txn.model_copy(update=changes)})


def test_the_worked_example_is_reproduced_byte_for_byte() -> None:
    data = rendered()
    assert len(data) == SIZE
    assert hashlib.sha256(data).hexdigest() == DIGEST


def test_the_worked_example_is_read_back_whole() -> None:
    parsed = parse(LAYOUT, rendered())
    assert parsed.findings == []
    read = file_of(parsed)
    meant = example()
    assert (read.file, read.agency, read.transactions, read.totals) == (
        meant.file,
        meant.agency,
        meant.transactions,
        meant.totals,
    )


def test_records_come_while_transactions_are_still_being_read() -> None:
    taken: list[int] = []

    def endless() -> Iterator[Transaction]:
        for number in itertools.count():
            taken.append(number)
            yield SALE

    document = example()
    document.transactions = endless()
    records = list(itertools.islice(render(LAYOUT, document), 1 + 4 * 50))
    assert len(records) == 201
    assert len(taken) == 50, "no more transactions may be held than are written"


def test_an_empty_file_is_header_and_trailer() -> None:
    document = example()
    document.transactions, document.totals = (), ()
    data = b"".join(render(LAYOUT, document))
    assert [row[:3] for row in data.split(b"\r\n")] == [b"200", b"700", b""]
    assert parse(LAYOUT, data).findings == []


words = st.text(st.sampled_from("ABCdefÑñéü€ßŽ '-.0123456789"), min_size=1, max_size=30).map(str.strip).filter(bool)
codes = st.text(st.sampled_from("ABC0123456789-"), min_size=1, max_size=17)
days = st.dates(dt.date(2020, 1, 1), dt.date(2035, 12, 31))
cents = st.integers(1, 9_999_999_999_999)


@st.composite
def transactions(draw: st.DrawFn) -> Transaction:
    gross, day = draw(cents), draw(days)
    detail = draw(
        st.sampled_from(
            [
                {"event": Event(name="X", reference="R", city="C", country="ES", from_=day, to=day)},
                {
                    "hotel": Hotel(
                        name=draw(words),
                        city="PALMA",
                        country="ES",
                        guest=draw(words),
                        checkin=day,
                        checkout=day + dt.timedelta(3),
                        nights=3,
                        rooms=1,
                        confirmation=draw(codes),
                        nightly_rate=draw(st.none() | cents),
                        prepaid="Y",
                    )
                },
                {"other": Other(code="T", text=draw(words), from_=day, quantity=draw(st.integers(0, 99999)))},
            ]
        )
    )
    return Transaction(
        txn=Txn(
            ref=draw(st.text(st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"), min_size=26, max_size=26)),
            version=draw(st.integers(0, 99)),
            class_="BSP",
            type=draw(st.sampled_from(["SA", "RF", "CX"])),
            dc=draw(st.sampled_from(["D", "C"])),
            service="OT",
            card=CardNumber(draw(st.sampled_from(sorted(TEST_NUMBERS)))),
            card_expiry=draw(st.sampled_from(["0128", "1230"])),
            invoice=Numbered(number=draw(codes), date=day),
            sale_date=day,
            value_date=day,
            amount=Amount(
                currency=draw(st.sampled_from(["978", "048", "392"])),
                decimals=2,
                net=gross,
                vat_rate=draw(st.none() | st.integers(0, 99999).map(lambda rate: Decimal(rate) / 100)),
                gross=gross,
            ),
            passenger=draw(words),
            customer=Customer(name=draw(st.none() | words), place="MADRID"),
            pnr=draw(st.none() | codes.map(lambda code: code[:13])),
        ),
        amounts=tuple(
            AmountPart(type="BAS", dc="D", amount=amount, base=base)
            for amount, base in draw(st.lists(st.tuples(cents, st.none() | cents), max_size=20))
        ),
        dbi=draw(st.none() | st.builds(Dbi, PK=codes, IK=st.none() | codes)),
        texts=tuple(Text(qualifier="TXT", text=text) for text in draw(st.lists(words, max_size=12))),
        **detail,
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(transactions(), min_size=1, max_size=4))
def test_what_is_rendered_is_read_back_equal(content: list[Transaction]) -> None:
    document = example()
    document.transactions, document.totals = tuple(content), ()
    data = b"".join(render(LAYOUT, document))
    parsed = parse(LAYOUT, data)
    assert parsed.findings == []
    assert list(file_of(parsed).transactions) == content


@pytest.mark.parametrize(
    ("transaction", "field", "reason"),
    [
        (changed(invoice=Numbered(number="F" * 21, date=dt.date(2026, 1, 14))), "INV_NO", "room for 20"),
        (changed(passenger=None), "PAX", "mandatory"),
        (changed(amount=SALE.txn.amount.model_copy(update={"gross": 10**13})), "GROSS", "room for 13"),
        (changed(amount=SALE.txn.amount.model_copy(update={"net": -1})), "NET", "unsigned"),
        (changed(amount=SALE.txn.amount.model_copy(update={"vat_rate": Decimal("1.005")})), "VAT_RATE", "two decimals"),
    ],
)
def test_a_value_without_room_names_record_and_field(transaction: Transaction, field: str, reason: str) -> None:
    with pytest.raises(FieldError, match=reason) as error:
        rendered(transaction)
    assert (error.value.record, error.value.field) == ("300", field)


def test_names_are_cut_and_transliterated_to_the_charset() -> None:
    [record] = parse(LAYOUT, rendered(changed(passenger="ŁUKASZEWSKI/ŐRS " + "X" * 60))).of("300")
    assert record.values["PAX"] == ("LUKASZEWSKI/ORS " + "X" * 60)[:49]


def broken(data: bytes, line: int, position: int, text: bytes) -> bytes:
    start = (line - 1) * 402 + position - 1
    return data[:start] + text + data[start + len(text) :]


@pytest.mark.parametrize(
    ("line", "position", "text", "rule"),
    [
        (2, 200, b"0000000041251", "V027"),  # GROSS: only the digest notices
        (8, 31, b"000000000041251", "V027"),
        (9, 53, b"0000003", "V027"),  # N_300
        (9, 105, b"000002469135771", "V027"),  # DOC_HASH
        (2, 381, b"03", "V027"),  # N_5XX of a block
        (3, 6, b"0000009", "V028"),  # LINE
        (3, 13, b"0000002", "V028"),  # TXN
        (3, 1, b"600", "V028"),  # order: a text before the detail
        (2, 390, b"X", "V028"),  # filler
        (2, 165, b"9X8", "V028"),  # a number that is none
    ],
)
def test_one_changed_field_is_found(line: int, position: int, text: bytes, rule: str) -> None:
    data = broken(rendered(), line, position, text)
    assert rule in {finding.rule for finding in parse(LAYOUT, data).findings}


def test_a_lost_byte_is_found() -> None:
    data = rendered()
    assert {finding.rule for finding in parse(LAYOUT, data[:500] + data[501:]).findings} >= {"V028"}
    assert {finding.rule for finding in parse(LAYOUT, data[:-1]).findings} == {"V028"}


def test_an_answer_is_read_by_the_same_grammar() -> None:
    meant = AnswerFile(
        ack=Acknowledgement(
            partner_id="TESTPARTNER1",
            kind="MA",
            file_seq=7,
            file_name="TAMARA_TESTPARTNER1_MA_000000007_20260115023000_T.dat",
            file_status="P",
            expected_seq=8,
            received_at=dt.datetime(2026, 1, 15, 3, 0),
            mode="T",
        ),
        answers=(
            Answer(txn_ref="01JH000000000000000000TST1", txn_version=0, status="A", card_tail="0008"),
            Answer(txn_ref="01JH000000000000000000TST2", txn_version=1, status="R", reason="A001", text="closed"),
        ),
    )
    data = b"".join(render(LAYOUT, meant, answer=True))
    parsed = parse(LAYOUT, data, answer=True)
    assert parsed.findings == []
    assert answers_of(parsed) == meant
    assert [parsed.of("990")[0].values[name] for name in ("N_RECORDS", "N_ACCEPTED", "N_REJECTED")] == [
        "000000004",
        "0000001",
        "0000001",
    ]
