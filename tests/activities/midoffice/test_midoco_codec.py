"""MIDOCO's bytes: what we send is compared with golden files, what we get is read or refused (midoffice 4.2 to 4.5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from activities.midoffice.booking import MidOfficePayment
from activities.midoffice.codec import (
    Accepted,
    Announce,
    AnnouncePayment,
    Fault,
    FindBooking,
    Found,
    HeldBooking,
    Meaning,
    OrderContent,
    Question,
    ReadOrder,
    Reply,
    Unreadable,
)
from activities.midoffice.midoco.codec import MidocoCodec, medium
from activities.midoffice.numbering import runs
from tests.activities.midoffice.test_mapping import SETTINGS, mapped, only
from tests.activities.platform import trip

GOLDEN = Path(__file__).parent / "golden"
CODEC = MidocoCodec(SETTINGS)
COMPANY = {
    "id": "cus_88",
    "kind": "company",
    "name": "Colegio Ejemplo, S.L. & Hijos",
    "tax_id": {"type": "VAT", "value": "B00000000", "country": "ES"},
    "phone": "+34 600 000 000",
}
PAYMENT = MidOfficePayment(
    transaction_id="pay_1001",
    method="AIRPLUS",
    amount=Decimal("300.00"),
    currency="EUR",
    value_date=date(2026, 11, 23),
    reference="pi_test_1001",
)
RECORD = only(mapped(trip.booking()))
CANCELLED = only(mapped(trip.cancelled([trip.hotel()], penalty=3000, supplier_fee=1000)))
SENT: dict[str, Question] = {
    "create": Announce(RECORD, "RATEHAWK"),
    "cancel": Announce(CANCELLED.as_message("CANCEL", 2), "RATEHAWK"),
    "company": Announce(only(mapped(trip.booking(payer=COMPANY), tax_regime="mediation")), "RATEHAWK"),
    "payment": AnnouncePayment(replace(RECORD.ref, external_ref="700001"), "RATEHAWK", PAYMENT),
    "search": FindBooking("RATEHAWK", "bkg_500-lin_01"),
    "status": ReadOrder("700001"),
}


@pytest.mark.parametrize("name", SENT)
@pytest.mark.covers("midoffice: format")
def test_request_is_the_golden_file(name: str) -> None:
    tree = etree.fromstring(CODEC.encode(SENT[name]))
    etree.indent(tree)
    assert etree.tostring(tree, encoding="unicode") + "\n" == (GOLDEN / f"{name}.xml").read_text("utf-8")


def test_control_characters_in_a_name_do_not_break_the_message() -> None:
    people = [trip.traveller("trv_1", "Ana\x07", "<Prueba> & \x00Otro", is_payer=True)]
    sent = etree.fromstring(CODEC.encode(Announce(only(mapped(trip.booking(travellers=people))), "RATEHAWK")))
    (person,) = sent.iter("{*}person")
    assert (person.get("forename"), person.get("name")) == ("Ana ", "<Prueba> &  Otro")


@pytest.mark.parametrize(
    ("positions", "text"), [((1, 2, 3), "1-3"), ((1, 3), "1,3"), ((5, 1, 2, 1), "1-2,5"), ((), ""), ((4,), "4")]
)
def test_person_assignment(positions: tuple[int, ...], text: str) -> None:
    assert runs(positions) == text


@pytest.mark.parametrize(
    ("method", "brand", "word"),
    [
        ("CARD", "visa", "VISA"),
        ("CARD", "MasterCard", "MASTERCARD"),
        ("CARD", "unionpay", "BANKCARD"),
        ("AIRPLUS", None, "AIRPLUS"),
        ("DIRECT_DEBIT", None, "BANKCARD"),
        ("TRANSFER", None, "UNKNOWN"),
        ("CASH", None, "UNKNOWN"),
        ("VOUCHER", None, "VOUCHER"),
    ],
)
def test_medium_of_a_payment(method: str, brand: str | None, word: str) -> None:
    assert medium(PAYMENT.model_copy(update={"method": method, "card_brand": brand})) == word


def soap(body: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:m="http://www.midoco.de/booking" xmlns:s="http://www.midoco.de/system">'
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    ).encode()


STATUS_ROW = (
    '<m:bookingStatus supplierId="RATEHAWK" bookingId="bkg_500-lin_01" status="XX" price="30.00" noOfPersons="2" '
    'startTravel="2027-06-20" endTravel="2027-06-23" extId="bkg_500"/>'
)


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        (
            "<m:announceBookingMessageResponse><m:OrderId>700001</m:OrderId><m:OrderNo>26</m:OrderNo>"
            "</m:announceBookingMessageResponse>",
            Accepted("700001", "26"),
        ),
        ('<m:announceBookingMessageResponse OrderId="7" OrderNo="26"/>', Accepted("7", "26")),
        (
            "<m:announceExternalPaymentResponse>"
            '<m:ExternalPaymentResultType transaction_number="pay_1001" result_code="DUPLICATE"/>'
            "</m:announceExternalPaymentResponse>",
            Accepted(warnings=("DUPLICATE",), duplicate=True),
        ),
        ("<m:searchBookingIdResponse/>", Found(())),
        (
            "<m:searchBookingIdResponse><m:itemId>9</m:itemId><m:orderNo>26</m:orderNo><m:orderId>7</m:orderId>"
            "</m:searchBookingIdResponse>",
            Found((Accepted("7", "26"),)),
        ),
        (
            f"<m:getShortOrderStatusResponse>{STATUS_ROW}</m:getShortOrderStatusResponse>",
            OrderContent(
                (
                    HeldBooking(
                        "RATEHAWK",
                        "bkg_500-lin_01",
                        "CANCELLED",
                        Decimal("30.00"),
                        2,
                        date(2027, 6, 20),
                        date(2027, 6, 23),
                        ours="bkg_500",
                    ),
                )
            ),
        ),
        (
            "<soap:Fault><faultcode>soap:Server</faultcode><faultstring>x</faultstring><detail>"
            '<s:MidocoFaultType code="9001" text="business rule" locale="de"/></detail></soap:Fault>',
            Fault("9001", "business rule"),
        ),
        (
            "<soap:Fault><faultcode>soap:Server</faultcode><faultstring>NullPointerException</faultstring></soap:Fault>",
            Fault("", "a SOAP fault without detail", Meaning.INTERNAL),
        ),
    ],
)
@pytest.mark.covers("midoffice: format")
def test_answers_are_read(body: str, reply: Reply) -> None:
    assert CODEC.decode(soap(body)) == reply


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html><body>503</body></html>",
        soap("<m:announceBookingMessageResponse><m:OrderId>700001</m:OrderId>")[:-40],
        soap("<m:announceBookingMessageResponse/>"),
        soap("<m:printOrderInvoiceResponse/>"),
        soap(""),
        soap('<m:getShortOrderStatusResponse><m:bookingStatus status="??"/></m:getShortOrderStatusResponse>'),
        soap(
            '<m:getShortOrderStatusResponse><m:bookingStatus supplierId="R" bookingId="b" status="OK" price="12,50"/>'
            "</m:getShortOrderStatusResponse>"
        ),
    ],
    ids=["empty", "page", "cut", "no id", "other", "bare", "unknown status", "comma amount"],
)
@pytest.mark.covers("midoffice: format")
def test_what_is_not_an_answer_is_unreadable(answer: bytes) -> None:
    with pytest.raises(Unreadable):
        CODEC.decode(answer)


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY secret "&a;&a;&a;&a;">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/evil.dtd">',
    ],
)
@pytest.mark.covers("midoffice: format")
def test_document_types_and_entities_are_refused(declaration: str) -> None:
    body = soap("<m:searchBookingIdResponse><m:orderId>&secret;</m:orderId></m:searchBookingIdResponse>").decode()
    if "ENTITY" not in declaration:
        body = body.replace("&secret;", "7")
    with pytest.raises(Unreadable):
        CODEC.decode(body.replace("?>", f"?>{declaration}", 1).encode())
