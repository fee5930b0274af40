"""MIDOCO over a real socket: strict in, exact out, the same order for the same booking."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from lxml import etree

from sandbox.midoco.stand_in import MidocoStandIn
from sandbox.running import running

SERVICE = (
    '<b:accomodation-service position="1" service-status="{status}" start-date="2026-05-10" end-date="2026-05-13"'
    ' no-of-nights="3" no-of-services="1" person-assignment="1-2" currency="EUR"/>'
)
MESSAGE = """<b:announceBookingMessage><b:midoco-booking-message message-version="1">
<b:agency-identity agency_no="AG01"/>
<b:customer type="INVOICE" reference-system="ORCHESTRATOR" reference-customer-id="C-991">
<b:private-data><b:forename>Ana</b:forename><b:name>Soler</b:name></b:private-data>
<b:communication type="EMAIL" communication-data="ana@example.test"/></b:customer>
<b:booking supplier="RATEHAWK" position="1" booking-id="{booking}" booking-version="{version}"
 source-ext-system="ORCHESTRATOR" source-ext-id="BK-417" selling-mode="SINGLE_SERVICE_ACCOMODATION" {more}>
<b:person position="1" forename="Ana" name="Soler"/><b:person position="2" salutation="CHD" forename="Leo" name="Soler"
 age="7"/>{services}</b:booking>
<b:prices><b:booking-price position="1" supplier="RATEHAWK" booking-id="{booking}" total-price="{price}"
 original_price="312.40" original_currency="EUR" currency="EUR" payment-type="AGENCY"/></b:prices>
</b:midoco-booking-message></b:announceBookingMessage>"""
ENVELOPE = """<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:s="http://www.midoco.de/system" xmlns:b="http://www.midoco.de/booking"><soap:Header><s:MidocoCredentials>
<s:Login>orchestrator</s:Login><s:Password>{password}</s:Password><s:OrganisationUnit>{unit}</s:OrganisationUnit>
<s:Locale>de</s:Locale></s:MidocoCredentials></soap:Header><soap:Body>{body}</soap:Body></soap:Envelope>"""


def message(
    booking: str = "BK-1",
    version: int = 1,
    status: str = "OK",
    price: str = "362.40",
    services: str = "",
    more: str = "",
) -> str:
    return MESSAGE.format(
        booking=booking, version=version, price=price, services=services or SERVICE.format(status=status), more=more
    )


def payment(number: str = "tx-1", amount: str = "100.00", order: str = "700001", medium: str = "VISA") -> str:
    return (
        f'<b:announceExternalPayment orderId="{order}"><b:ExternalPayment payment-date="2026-03-02" '
        f'transaction-number="{number}" amount="{amount}" currency="EUR" medium="{medium}"/></b:announceExternalPayment>'
    )


class Midoco:
    """A small client: what a test needs to say and to read."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=60)

    def post(
        self, body: str, service: str = "BookingService", unit: str = "AG01", password: str = "sandbox-midoco"
    ) -> httpx.Response:
        return self.http.post(
            f"/ws/services/{service}",
            content=ENVELOPE.format(body=body, unit=unit, password=password).encode(),
            headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"any"'},
        )

    def ask(self, body: str, service: str = "BookingService", unit: str = "AG01") -> etree._Element:
        answer = self.post(body, service, unit)
        assert answer.status_code == 200, answer.text
        return etree.fromstring(answer.content)[0][0]

    def refused(self, body: str, service: str = "BookingService", **who: str) -> tuple[str, str]:
        answer = self.post(body, service, **who)
        assert answer.status_code == 500
        detail = etree.fromstring(answer.content).find(".//{*}MidocoFaultType")
        assert detail is not None
        return detail.get("code") or "", detail.get("text") or ""

    def fault(self, operation: str, kind: str, **more: float) -> None:
        self.http.post("/control/faults", json={"operation": operation, "kind": kind, **more}).raise_for_status()


def value(element: etree._Element, name: str) -> str | None:
    return element.findtext(f"{{*}}{name}")


@pytest.fixture
def stand_in() -> MidocoStandIn:
    return MidocoStandIn(hang_seconds=30)


@pytest.fixture
def midoco(stand_in: MidocoStandIn) -> Iterator[Midoco]:
    with running(stand_in) as url:
        client = Midoco(url)
        yield client
        client.http.close()


def test_a_new_booking_opens_an_order_that_can_be_found_again(midoco: Midoco) -> None:
    created = midoco.ask(message())
    found = midoco.ask('<b:searchBookingId bookingId="BK-1" supplierId="RATEHAWK" checkDates="false"/>')
    assert value(created, "OrderId") == value(found, "orderId") == "700001"
    assert value(created, "OrderNo") == value(found, "orderNo")
    assert value(created, "unitName") == "AG01"
    status = midoco.ask('<b:getShortOrderStatus orderId="700001"/>', "OrderService")[0]
    assert {str(name): str(text) for name, text in status.attrib.items()} == {
        "supplierId": "RATEHAWK", "bookingId": "BK-1", "status": "OK", "price": "362.40", "noOfPersons": "2",
        "startTravel": "2026-05-10", "endTravel": "2026-05-13", "extId": "BK-417",
    }  # fmt: skip


def test_the_same_message_again_changes_nothing_and_opens_no_second_order(
    midoco: Midoco, stand_in: MidocoStandIn
) -> None:
    first, second = midoco.ask(message()), midoco.ask(message())
    assert value(first, "OrderId") == value(second, "OrderId")
    state = stand_in.state()
    assert len(state["orders"]) == len(state["bookings"]) == 1
    assert (state["bookings"][0]["announced"], state["bookings"][0]["changes"]) == (2, 0)


def test_a_higher_version_changes_the_booking_and_a_lower_one_is_refused(
    midoco: Midoco, stand_in: MidocoStandIn
) -> None:
    midoco.ask(message(version=2))
    midoco.ask(message(version=3, price="400.00"))
    code, text = midoco.refused(message(version=2, price="1.00"))
    assert code == "4007"
    assert "older" in text
    assert stand_in.state()["bookings"][0]["price"]["total-price"] == "400.00"


def test_services_xx_cancel_the_booking_with_the_fee_as_price(midoco: Midoco, stand_in: MidocoStandIn) -> None:
    midoco.ask(message())
    midoco.ask(message(version=2, status="XX", price="50.00"))
    booking = stand_in.state()["bookings"][0]
    assert (booking["status"], booking["price"]["total-price"]) == ("XX", "50.00")


def test_update_booking_status_cancels_a_known_booking_only(midoco: Midoco, stand_in: MidocoStandIn) -> None:
    midoco.ask(message())
    asked = '<b:updateBookingStatus supplierId="RATEHAWK" bookingId="{}" newStatus="XX"/>'
    assert value(midoco.ask(asked.format("BK-1")), "result") == "OK"
    assert stand_in.state()["bookings"][0]["status"] == "XX"
    assert midoco.refused(asked.format("BK-2"))[0] == "4001"


def test_a_booking_that_refers_to_a_known_one_joins_its_order(midoco: Midoco) -> None:
    first = midoco.ask(message())
    second = midoco.ask(message("BK-2", more='reference-booking-id="BK-1"'))
    assert value(first, "OrderId") == value(second, "OrderId")


def test_units_do_not_see_each_other(midoco: Midoco) -> None:
    midoco.ask(message())
    asked = '<b:searchBookingId bookingId="BK-1" supplierId="RATEHAWK"/>'
    assert value(midoco.ask(asked, unit="AG02"), "orderId") is None
    assert value(midoco.ask(message(), unit="AG02"), "OrderId") == "700002"


def test_a_transaction_number_counts_once(midoco: Midoco, stand_in: MidocoStandIn) -> None:
    midoco.ask(message())
    assert midoco.ask(payment())[0].get("result_code") == "OK"
    again = midoco.ask(payment(), "OrderService")[0]
    assert (again.get("result_code"), again.get("payment_id")) == ("DUPLICATE", "800001")
    assert midoco.refused(payment(amount="100.01"))[0] == "6002"
    assert [held["amount"] for held in stand_in.state()["payments"]] == ["100.00"]


def test_announce_payment_imports_twice_unless_told_not_to(midoco: Midoco) -> None:
    midoco.ask(message())
    body = payment().replace("b:ExternalPayment", "b:AnnounceOrderPayment").replace("announceExternal", "announce")
    assert value(midoco.ask(body, "OrderService"), "totalPayment") == "100.00"
    told = body.replace("orderId=", 'dontImportExistingPayments="true" orderId=')
    assert value(midoco.ask(told, "OrderService"), "totalPayment") == "100.00"
    assert value(midoco.ask(body, "OrderService"), "totalPayment") == "200.00"


def test_invoices_are_written_by_midoco_and_only_read_by_others(midoco: Midoco) -> None:
    midoco.ask(message())
    asked = '<b:getOrderInvoices orderId="700001"/>'
    assert len(midoco.ask(asked, "OrderService")) == 0
    midoco.ask('<b:printOrderInvoice orderId="700001"/>', "OrderService")
    assert [row.get("invoiceAmount") for row in midoco.ask(asked, "OrderService")] == ["362.40"]
    assert midoco.refused('<b:printOrderInvoice orderId="700001"/>', "OrderService")[0] == "5001"


def test_processed_and_skipped_bookings_are_listed_by_external_id(midoco: Midoco, stand_in: MidocoStandIn) -> None:
    midoco.ask(message())
    midoco.ask(message("BK-9x_skipped"))
    asked = '<b:{} externalSystem="ORCHESTRATOR" externalId="BK-417"/>'
    processed = midoco.ask(asked.format("getProcessedBookings"), "OrderService")
    skipped = midoco.ask(asked.format("getSkippedBookings"), "OrderService")
    assert [row.get("bookingId") for row in processed] == ["BK-1"]
    assert [row.get("bookingId") for row in skipped] == ["BK-9x_skipped"]
    assert len(stand_in.state()["bookings"]) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (message().replace('position="1" booking-id', "booking-id"), "position is required"),
        (message(status="NO"), "service-status is not one of"),
        (message(price="362,40"), "total-price is not a decimal"),
        (message().replace("2026-05-10", "10.05.2026"), "start-date is not a date"),
        (message().replace("2026-05-13", "2026-02-30"), "end-date is not a day of the calendar"),
        (message().replace('no-of-nights="3"', 'no-of-nights="4"'), "no-of-nights does not agree"),
        (message().replace('"1-2"', '"1-3"'), "names person 3"),
        (message().replace("b:agency-identity", "b:agencyIdentity"), "agencyIdentity is not known"),
        (message().replace("<b:person", '<b:person shoe-size="41"'), "shoe-size is not known"),
        (message().replace('salutation="CHD"', 'salutation="KID"'), "salutation is not one of"),
        (message().replace('currency="EUR" payment', "payment"), "currency is required"),
        (message().replace("<b:prices>", "<prices xmlns=''>").replace("</b:prices>", "</prices>"), "wrong namespace"),
        (message().replace("SINGLE_SERVICE_ACCOMODATION", "SINGLE_SERVICE_ACCOMMODATION"), "selling-mode is not one"),
        (message(services='<b:flight-service position="1"/>'), "only accomodation services"),
        (message().replace("<b:prices>", "stray<b:prices>"), "text is not allowed"),
        ("<b:getOrder orderId='1'/>", "has no operation getOrder"),
    ],
)  # fmt: skip
def test_a_message_out_of_shape_is_refused_and_nothing_is_stored(
    midoco: Midoco, stand_in: MidocoStandIn, wrong: str, said: str
) -> None:
    assert said in midoco.refused(wrong)[1]
    assert stand_in.state()["orders"] == []


def test_unknown_media_and_operations_of_the_other_service_are_refused(midoco: Midoco) -> None:
    midoco.ask(message())
    assert "medium" in midoco.refused(payment(medium="MAESTRO"))[1]
    assert midoco.refused('<b:getOrderInvoices orderId="700001"/>', "BookingService")[0] == "1101"


def test_wrong_credentials_are_a_login_fault(midoco: Midoco) -> None:
    assert midoco.refused(message(), password="guess")[0] == "1001"
    assert midoco.refused(message(), unit="")[0] == "1002"


def test_entities_and_document_types_are_refused(midoco: Midoco) -> None:
    answer = midoco.http.post(
        "/ws/services/BookingService",
        content='<!DOCTYPE x [<!ENTITY e "e">]>' + ENVELOPE.format(body=message(), unit="AG01", password="x"),
        headers={"Content-Type": "text/xml", "SOAPAction": ""},
    )
    assert answer.status_code == 500
    assert "document type" in answer.text


@pytest.mark.parametrize(("kind", "stored"), [("error-before", 0), ("error-after", 1)])
def test_a_technical_error_is_a_500_without_a_soap_fault(
    midoco: Midoco, stand_in: MidocoStandIn, kind: str, stored: int
) -> None:
    midoco.fault("announceBookingMessage", kind)
    answer = midoco.post(message())
    assert answer.status_code == 500
    assert b"Fault" not in answer.content
    assert len(stand_in.state()["bookings"]) == stored


def test_a_business_refusal_is_a_fault_with_code_and_nothing_stored(midoco: Midoco, stand_in: MidocoStandIn) -> None:
    midoco.fault("announceBookingMessage", "refuse")
    assert midoco.refused(message())[0] == "9001"
    assert stand_in.state()["bookings"] == []


@pytest.mark.parametrize(("suffix", "stored"), [("x_timeout_applied", 1), ("x_timeout_lost", 0)])
def test_a_magic_booking_never_answers(midoco: Midoco, stand_in: MidocoStandIn, suffix: str, stored: int) -> None:
    midoco.http.timeout = httpx.Timeout(0.3)
    with pytest.raises(httpx.ReadTimeout):
        midoco.post(message(f"BK-1{suffix}"))
    assert len(stand_in.state()["bookings"]) == stored


@pytest.mark.parametrize(("suffix", "code"), [("x_fault", "9001"), ("x_auth", "1001")])
def test_a_magic_booking_is_refused(midoco: Midoco, suffix: str, code: str) -> None:
    assert midoco.refused(message(f"BK-1{suffix}"))[0] == code


def test_orders_survive_a_restart(tmp_path: Path) -> None:
    with running(MidocoStandIn(tmp_path)) as url:
        client = Midoco(url)
        client.ask(message())
        client.ask(payment())
    with running(MidocoStandIn(tmp_path)) as url:
        client = Midoco(url)
        assert client.ask(payment())[0].get("result_code") == "DUPLICATE"
        assert value(client.ask(message("BK-2")), "OrderId") == "700002"
