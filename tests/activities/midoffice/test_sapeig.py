"""Sapeig's bytes: an XFT transaction as text in SOAP (midoffice 6)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from xml.sax.saxutils import escape

import httpx
import pytest

from activities.midoffice.codec import Accepted, Fault, HeldBooking, Meaning, OrderContent, Reply, Unreadable
from activities.midoffice.sapeig.codec import CODES, OPERATIONS, XFT, SapeigCodec, slashed
from activities.midoffice.sapeig.settings import SapeigSettings
from activities.midoffice.soap import as_bytes
from domain.errors import Refused
from tests.activities.midoffice.systems.sapeig import sapeig
from tests.activities.midoffice.under_test import UnderTest
from tests.activities.midoffice.wire import HOSTILE, PAYMENT, RECORD, golden, pretty, questions, soap

SETTINGS = SapeigSettings.model_validate(
    {
        "url": "https://sapeig.example",
        "uid": "orchestrator",
        "password": "not-a-password",
        "owner": "AG01",
        "supplier_numbers": {"sup_rh": "RATEHAWK"},
    }
)
CODEC = SapeigCodec(SETTINGS)


@pytest.fixture
def system() -> Iterator[UnderTest]:
    with sapeig() as opened:
        yield opened


@pytest.mark.parametrize("name", questions("sapeig"))
@pytest.mark.covers("midoffice: format")
def test_transaction_is_the_golden_file(name: str) -> None:
    assert pretty(as_bytes(CODEC.transaction(questions("sapeig")[name]))) == golden("sapeig", name)


def test_the_transaction_travels_as_text_in_a_command() -> None:
    sent = CODEC.encode(questions("sapeig")["find"]).decode()
    assert "<s:RetrieveBooking><s:Command>&lt;Transaction" in sent


@pytest.mark.parametrize(
    ("last", "first", "name"),
    [("Soler", "Ana", "SOLER/ANA"), ("Prüba Muñoz", "", "PRÜBA MUÑOZ/"), ("A/B", "C / D", "A B/C D")],
)
def test_names_are_in_capitals_with_their_accents(last: str, first: str, name: str) -> None:
    assert slashed(last, first) == name


def answered(operation: str, inside: str, *, declaration: str = "") -> bytes:
    command = escape(f'{declaration}<Transaction xmlns="{XFT}">{inside}</Transaction>')
    return soap(
        f'<m:{operation}Response xmlns:m="{OPERATIONS}"><m:Command>{command}</m:Command></m:{operation}Response>'
    )


def status(severity: str, code: str = "", text: str = "") -> str:
    return f'<Action><Status Severity="{severity}" Code="{code}">{text}</Status></Action>'


BOOKING = (
    '<Bookings><Booking ID="80001" Status="Cancelled"><Codes><Code Name="ContractID" Value="SP-80001"/>'
    '<Code Name="SupplierBookingID" Value="b-1"/><Code Name="Revision" Value="3"/><Code Name="SupplierCode" Value="RH"/>'
    '<Code Name="Source" Value="bkg_1"/></Codes><Prices><Price Role="Sale" Value="30.00" Currency="EUR"/></Prices>'
    "</Booking></Bookings>"
)


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        (answered("CreateBooking", status("Success") + BOOKING), Accepted("80001", "SP-80001")),
        (
            answered("CreateBooking", status("Warning", "DUPLICATE") + BOOKING),
            Accepted("80001", "SP-80001", ("DUPLICATE",), duplicate=True),
        ),
        (
            answered("RetrieveBooking", status("Success") + BOOKING),
            OrderContent(
                (HeldBooking("RH", "b-1", "CANCELLED", Decimal("30.00"), revision=3, ours="bkg_1", order_id="80001"),)
            ),
        ),
        (answered("CreateBooking", status("Error", "VALUE", "Prices")), Fault("VALUE", "Prices", Meaning.REFUSED)),
        (soap("<soap:Fault><faultstring>x</faultstring></soap:Fault>"), Fault("", "a SOAP fault", Meaning.INTERNAL)),
    ],
    ids=["taken", "repeated", "held", "refused", "fault"],
)
@pytest.mark.covers("midoffice: format")
def test_answers_are_read(answer: bytes, reply: Reply) -> None:
    assert CODEC.decode(answer) == reply


@pytest.mark.parametrize("code", CODES)
def test_every_code_of_the_contract_has_its_meaning(code: str) -> None:
    reply = CODEC.decode(answered("CreateBooking", status("Error", code)))
    assert isinstance(reply, Fault)
    assert reply.meaning is CODES[code]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html><body>503</body></html>",
        soap(f'<m:CreateBookingResponse xmlns:m="{OPERATIONS}"/>'),
        answered("CreateBooking", BOOKING),
        answered("CreateBooking", status("Success")),
        answered("CreateBooking", status("Perhaps") + BOOKING),
        answered("RetrieveBooking", status("Success") + BOOKING.replace("Cancelled", "??")),
        answered("RetrieveBooking", status("Success") + BOOKING.replace("30.00", "30,00")),
        answered("CreateBooking", status("Success") + BOOKING)[:-40],
        *(answered("CreateBooking", status("Success") + BOOKING, declaration=each) for each in HOSTILE),
        *(soap("<x/>", declaration=each) for each in HOSTILE),
    ],
)
@pytest.mark.covers("midoffice: format")
def test_what_is_not_an_answer_is_unreadable(answer: bytes) -> None:
    with pytest.raises(Unreadable):
        CODEC.decode(answer)


@pytest.mark.covers("midoffice: amend")
def test_a_closed_booking_goes_to_a_person(system: UnderTest) -> None:
    closed = RECORD.model_copy(update={"supplier_booking_id": "b_x_closed"})
    system.account.adapter.push_booking(closed)
    with pytest.raises(Refused, match="CLOSED"):
        system.account.adapter.push_booking(closed.as_message("CHANGE", 2))


def test_a_booking_id_of_another_source_is_not_taken_over(system: UnderTest) -> None:
    system.account.adapter.push_booking(RECORD)
    other = RECORD.model_copy(update={"booking_key": "bkg_501"})
    with pytest.raises(Refused, match="another source"):
        system.account.adapter.read_status(other.ref)


def test_the_page_lists_what_arrived(system: UnderTest) -> None:
    system.account.adapter.push_booking(RECORD)
    system.account.adapter.push_payment(RECORD.ref, PAYMENT)
    page = httpx.get(system.section["url"]).text
    assert "bkg_500-lin_01" in page
    assert "pay_1001" in page


def test_the_stand_in_is_strict(system: UnderTest) -> None:
    sent = CODEC.encode(questions("sapeig")["create"]).replace(b'Is="Hotel"', b'Is="Flight"')
    headers = {"Content-Type": "text/xml", "SOAPAction": f'"{OPERATIONS}#CreateBooking"'}
    answer = httpx.post(f"{system.section['url']}/ws/xft", content=sent, headers=headers)
    assert "AUTH" in answer.text
    assert not system.held()
