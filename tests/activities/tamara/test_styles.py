"""Other partners' shapes need a layout document and no code: rows with separators, elements (contracts: tamara 3.1, 3.14)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.tamara.card import TEST_NUMBERS, CardNumber
from activities.tamara.details import Event, Text
from activities.tamara.grammar import Layout
from activities.tamara.layout import load_layout
from activities.tamara.model import Amount, AmountPart, Customer, Dbi, Numbered, TamaraFile, Transaction, Txn, totals_of
from activities.tamara.parsing import file_of, parse
from activities.tamara.proof import prove
from activities.tamara.rendering import render
from domain.errors import ContractBroken
from store.tamara_tables import File, Sum
from tests.activities.tamara.examples import AGENCY, example

FOLDER = Path(__file__).parent / "layouts"
LAYOUTS = [load_layout(FOLDER / "delimited.yaml"), load_layout(FOLDER / "elements.yaml")]

words = (
    st.text(st.sampled_from("ABCdefÑñ€Ž漢;\"'<>&-.,0123456789 "), min_size=1, max_size=30).map(str.strip).filter(bool)
)
codes = st.text(st.sampled_from('ABC0123456789-;"<&'), min_size=1, max_size=17)
days = st.dates(dt.date(2020, 1, 1), dt.date(2035, 12, 31))
cents = st.integers(0, 9_999_999_999_999)


@st.composite
def transactions(draw: st.DrawFn) -> Transaction:
    day, gross = draw(days), draw(cents)
    return Transaction(
        txn=Txn(
            ref=draw(st.text(st.sampled_from("0123456789ABCDEFGH"), min_size=26, max_size=26)),
            version=draw(st.integers(0, 99)),
            class_="MA",
            type=draw(st.sampled_from(["SA", "RF"])),
            dc=draw(st.sampled_from(["D", "C"])),
            service="EV",
            card=CardNumber(draw(st.sampled_from(sorted(TEST_NUMBERS)))),
            card_expiry="1230",
            invoice=Numbered(number=draw(codes), date=day),
            sale_date=day,
            value_date=day,
            amount=Amount(
                currency=draw(st.sampled_from(["978", "048"])),
                decimals=2,
                net=gross,
                vat=draw(cents),
                vat_rate=draw(st.none() | st.just(Decimal("21"))),
                gross=gross,
            ),
            passenger=draw(words),
            customer=Customer(name=draw(st.none() | words), place=draw(words)),
            pnr=draw(st.none() | codes),
        ),
        amounts=tuple(
            AmountPart(type="BAS", dc=side, amount=amount, base=base)
            for side, amount, base in draw(
                st.lists(st.tuples(st.sampled_from(["D", "C"]), cents, st.none() | cents), max_size=5)
            )
        ),
        dbi=draw(st.none() | st.builds(Dbi, PK=codes, IK=st.none() | codes)),
        event=Event(name=draw(words), reference=draw(codes), city=draw(words), country="ES", from_=day, to=day),
        texts=tuple(Text(qualifier="TXT", text=text) for text in draw(st.lists(words, max_size=1))),
    )


def file_with(*content: Transaction) -> TamaraFile:
    document = example()
    document.transactions = content
    document.totals = totals_of((t.txn.dc, t.txn.amount.currency, t.txn.amount.gross) for t in content)
    return document


def rendered(layout: Layout, document: TamaraFile) -> bytes:
    return b"".join(render(layout, document))


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.style)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(content=st.lists(transactions(), max_size=3))
def test_what_is_rendered_is_read_back_equal(layout: Layout, content: list[Transaction]) -> None:
    meant = file_with(*content)
    data = rendered(layout, meant)
    parsed = parse(layout, data)
    assert parsed.findings == []
    read = file_of(parsed)
    assert (read.file, read.agency, list(read.transactions), read.totals) == (meant.file, AGENCY, content, meant.totals)
    assert parse(layout, (data[place : place + 7] for place in range(0, len(data), 7))).records == parsed.records


def one() -> Transaction:
    day = dt.date(2026, 1, 14)
    return Transaction(
        txn=Txn(
            ref="01JH000000000000000000TST1",
            class_="MA",
            type="SA",
            dc="D",
            service="EV",
            card=CardNumber("192000000000008"),
            card_expiry="1228",
            invoice=Numbered(number="F-1", date=day),
            sale_date=day,
            value_date=day,
            amount=Amount(currency="978", decimals=2, net=41250, vat_rate=Decimal(0), gross=41250),
            passenger='DOE; "JANE"',
            customer=Customer(place="MADRID"),
        ),
        event=Event(name="A < B", reference="R", city="SEVILLA", country="ES", from_=day, to=day),
    )


def test_rows_have_decimal_commas_own_letters_and_quotes() -> None:
    row = rendered(LAYOUTS[0], file_with(one())).decode().splitlines()[1]
    assert row.startswith("TXN;2;01JH000000000000000000TST1;0;MA;SA;S;EV;192000000000008;1228;F-1;20260114")
    assert ';412,50;0;0+;41250;"DOE; ""JANE""";;MADRID;' in row.replace(";+0", ";0+")


def test_elements_stand_in_their_paths_and_around_their_transaction() -> None:
    text = rendered(LAYOUTS[1], file_with(one())).decode()
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<Tamara xmlns="urn:test:tamara">\n<File>')
    assert '<Transaction>\n<Head ref="01JH000000000000000000TST1" version="0">' in text
    assert "<Amount><Net>412,50</Net><Rate>0</Rate>" in text
    assert "<Event><Name>A &lt; B</Name></Event>" in text


@pytest.mark.parametrize(
    ("layout", "old", "new", "rule"),
    [
        (LAYOUTS[0], b";41250;", b";41251;", "V027"),
        (LAYOUTS[0], b"\nSUM;", b"\nSUN;", "V028"),
        (LAYOUTS[0], b";MADRID;", b";MADRID", "V028"),
        (LAYOUTS[0], b"END;4;", b"END;5;", "V028"),
        (LAYOUTS[1], b"<PLACE>MADRID</PLACE>", b"", "V028"),
        (LAYOUTS[1], b"<ROWS>4<", b"<ROWS>5<", "V027"),
        (LAYOUTS[1], b"</Tamara>", b"", "V028"),
        (LAYOUTS[1], b"<PLACE>", b"<PLACE><X>1</X>", "V028"),
        (LAYOUTS[1], b"<Tamara ", b"<!DOCTYPE Tamara><Tamara ", "V028"),
        (LAYOUTS[1], b"urn:test:tamara", b"urn:other", "V028"),
    ],
)
def test_a_changed_file_is_noticed(layout: Layout, old: bytes, new: bytes, rule: str) -> None:
    data = rendered(layout, file_with(one()))
    assert data.count(old) >= 1
    assert rule in {finding.rule for finding in parse(layout, data.replace(old, new, 1)).findings}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.style)
def test_totals_are_proven_before_sending_whatever_the_shape(layout: Layout) -> None:
    """T1: what is sealed, what the lines say and what the totals say are one."""
    document = file_with(one())
    file = File(
        agency="sol", partner_id="TESTPARTNER1", kind="BSP", mode="T", seq=1, day=dt.date(2026, 1, 15), name="n",
        state="SEALED", layout_id=layout.id, sealed_at=document.file.created_at, period_from=dt.date(2026, 1, 14),
        period_to=dt.date(2026, 1, 14), head={}, sums=[Sum(currency="EUR", dc="D", count=1, gross=41250)], lines=1,
    )  # fmt: skip
    prove(layout, rendered(layout, document), file)
    with pytest.raises(ContractBroken, match="V027"):
        prove(layout, rendered(layout, document), file.model_copy(update={"sums": []}))
    document.totals = ()
    with pytest.raises(ContractBroken, match="V027"):
        prove(layout, rendered(layout, document), file)
