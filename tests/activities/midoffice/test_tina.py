"""TINA's bytes, and the mode in which it is only read (midoffice 5)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import httpx
import pytest

from activities.midoffice.accounts import MidOfficeAccount
from activities.midoffice.booking import MidOfficeBooking
from activities.midoffice.codec import Accepted, Fault, HeldBooking, Meaning, OrderContent, Reply, Unreadable
from activities.midoffice.tina.adapter import Verifying, open_tina
from activities.midoffice.tina.codec import CODES, NAMESPACE, TinaCodec
from activities.midoffice.tina.settings import TinaSettings
from domain.errors import NeedsPerson, Refused, Transient
from tests.activities.midoffice.systems.tina import tina
from tests.activities.midoffice.under_test import UnderTest
from tests.activities.midoffice.wire import HOSTILE, PAYMENT, RECORD, golden, pretty, questions, soap

SETTINGS = TinaSettings.model_validate(
    {
        "url": "https://tina.example",
        "username": "orchestrator",
        "password": "not-a-password",
        "reseller_code": "AG01",
        "supplier_numbers": {"sup_rh": "RATEHAWK"},
    }
)
CODEC = TinaCodec(SETTINGS)


@pytest.mark.parametrize("name", questions("tina"))
@pytest.mark.covers("midoffice: format")
def test_request_is_the_golden_file(name: str) -> None:
    assert pretty(CODEC.encode(questions("tina")[name])) == golden("tina", name)


def rs(operation: str, body: str) -> bytes:
    return soap(f'<t:TINA_{operation}RS xmlns:t="{NAMESPACE}">{body}</t:TINA_{operation}RS>')


TAKEN = '<t:Reservation ID="50001" Code="TN50001" Revision="1"/>'
HELD = (
    '<t:Success/><t:Reservation ID="50001" Code="TN50001" ExternalID="b-1" Status="XX" Revision="3" PaymentStatus="PR">'
    '<t:Price Amount="30.00" CurrencyCode="EUR"/></t:Reservation>'
)


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        (rs("BookingImport", f"<t:Success/>{TAKEN}"), Accepted("50001", "TN50001")),
        (
            rs("BookingImport", f'<t:Success/><t:Warnings><t:Warning Code="W1P0001"/></t:Warnings>{TAKEN}'),
            Accepted("50001", "TN50001", ("W1P0001",), duplicate=True),
        ),
        (
            rs("ReservationDetails", HELD),
            OrderContent((HeldBooking("", "b-1", "CANCELLED", Decimal("30.00"), revision=3, order_id="50001"),)),
        ),
        (
            rs(
                "BookingImport",
                '<t:Errors><t:Error Code="E2P0422"><t:Message>Price@Amount</t:Message></t:Error></t:Errors>',
            ),
            Fault("E2P0422", "Price@Amount", Meaning.REFUSED),
        ),
        (rs("BookingImport", '<t:Errors><t:Error Code="E3H0999"/></t:Errors>'), Fault("E3H0999", "", Meaning.INTERNAL)),
        (soap("<soap:Fault><faultstring>x</faultstring></soap:Fault>"), Fault("", "a SOAP fault", Meaning.INTERNAL)),
    ],
    ids=["taken", "repeated", "held", "refused", "broken", "fault"],
)
@pytest.mark.covers("midoffice: format")
def test_answers_are_read(answer: bytes, reply: Reply) -> None:
    assert CODEC.decode(answer) == reply


@pytest.mark.parametrize("code", CODES)
def test_every_code_of_the_contract_has_its_meaning(code: str) -> None:
    reply = CODEC.decode(rs("BookingImport", f'<t:Errors><t:Error Code="{code}"/></t:Errors>'))
    assert isinstance(reply, Fault)
    assert reply.meaning is CODES[code]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html><body>503</body></html>",
        rs("BookingImport", "<t:Success/>"),
        rs("BookingImport", TAKEN),
        rs("BookingImport", '<t:Success/><t:Reservation Code="TN1"/>'),
        rs("ReservationDetails", HELD.replace("XX", "??")),
        rs("ReservationDetails", HELD.replace("30.00", "30,00")),
        rs("BookingImport", "<t:Errors/>"),
        rs("BookingImport", f"<t:Success/>{TAKEN}")[:-30],
        *(soap("<x>&secret;</x>".replace("&secret;", "" if "ENTITY" not in each else "&secret;"), declaration=each) for each in HOSTILE),
    ],
)  # fmt: skip
@pytest.mark.covers("midoffice: format")
def test_what_is_not_an_answer_is_unreadable(answer: bytes) -> None:
    with pytest.raises(Unreadable):
        CODEC.decode(answer)


# --- only read ---


@pytest.fixture
def reading() -> Iterator[UnderTest]:
    with tina() as opened:
        yield opened


class Hours:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def fetched(system: UnderTest, record: MidOfficeBooking) -> str:
    """TINA fetches the booking by itself."""
    return system.account.adapter.push_booking(record).external_ref


@pytest.mark.covers("midoffice: register")
def test_in_verify_mode_nothing_is_pushed_and_what_tina_fetched_counts(reading: UnderTest) -> None:
    verifying = reading.opened(mode="verify").adapter
    with pytest.raises(Transient, match="TINA does not hold it"):
        verifying.push_booking(RECORD)
    assert reading.calls("create") == 0
    order = fetched(reading, RECORD)
    assert verifying.push_booking(RECORD).external_ref == order


@pytest.mark.covers("midoffice: register")
def test_in_verify_mode_another_price_is_named_and_goes_to_a_person_in_the_end(reading: UnderTest) -> None:
    fetched(reading, RECORD)
    price = RECORD.price.model_copy(update={"sell_gross": Decimal("900.00"), "margin": Decimal("240.00")})
    clock = Hours()
    account = MidOfficeAccount.open({**reading.section, "mode": "verify"})
    settings = TinaSettings.model_validate({**reading.section, "mode": "verify"})
    opened = open_tina(settings)
    assert isinstance(opened, Verifying)
    opened._now = clock
    dearer = RECORD.model_copy(update={"price": price})
    with pytest.raises(Transient, match=r"holds it at 825\.00, sold at 900\.00 EUR"):
        opened.push_booking(dearer)
    clock.seconds = 25 * 3600.0
    with pytest.raises(NeedsPerson, match=r"900\.00"):
        opened.push_booking(dearer)
    assert account.adapter.capabilities.payment is False
    with pytest.raises(Refused):
        account.adapter.push_payment(RECORD.ref, PAYMENT)


@pytest.mark.covers("midoffice: cancel")
def test_in_verify_mode_a_cancellation_waits_until_tina_has_it(reading: UnderTest) -> None:
    fetched(reading, RECORD)
    verifying = reading.opened(mode="verify").adapter
    cancelled = RECORD.model_copy(update={"status": "CANCELLED"}).as_message("CANCEL", 2)
    with pytest.raises(Transient, match="TINA holds it as confirmed"):
        verifying.cancel_booking(cancelled)


def test_a_closed_reservation_goes_to_a_person(reading: UnderTest) -> None:
    closed = RECORD.model_copy(update={"supplier_booking_id": "b_x_closed"})
    reading.account.adapter.push_booking(closed)
    with pytest.raises(Refused, match="E2P0423"):
        reading.account.adapter.push_booking(closed.as_message("CHANGE", 2))


def test_the_page_lists_what_arrived(reading: UnderTest) -> None:
    fetched(reading, RECORD)
    reading.account.adapter.push_payment(RECORD.ref, PAYMENT)
    page = httpx.get(reading.section["url"]).text
    assert "bkg_500-lin_01" in page
    assert "pay_1001" in page


def test_the_stand_in_is_strict(reading: UnderTest) -> None:
    sent = CODEC.encode(questions("tina")["create"]).replace(b'Status="OK"', b'Status="YES"')
    action = {"Content-Type": "text/xml", "SOAPAction": '"http://tina.dcsplus.net/ws/BookingImport"'}
    answer = httpx.post(f"{reading.section['url']}/ws/import", content=sent, headers=action)
    assert "E1P0001" in answer.text
    assert not reading.held()
