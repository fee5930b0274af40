"""MIDOCO's wire format: what we get back (contracts: midoffice 4.1, 4.5).

Answers are read by local name, whether a value comes as attribute or as element, because the public sources do not
settle which.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from lxml import etree

from activities.midoffice.booking import Status
from activities.midoffice.codec import Accepted, Fault, Found, HeldBooking, OrderContent, Reply, Unreadable

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
LARGEST_ANSWER = 5_000_000
"""Bytes; an order with its status rows is some kilobytes."""
HELD_STATUS: dict[str, Status] = {"RQ": "REQUESTED", "OK": "CONFIRMED", "XX": "CANCELLED"}


def read_answer(answer: bytes) -> Reply:
    """What an answer says; raises `Unreadable` if it is none of ours."""
    first = _first_in_body(answer)
    name = etree.QName(first).localname
    if name == "Fault":
        return _fault(first)
    reader = ANSWERS.get(name.removesuffix("Response"))
    if reader is None:
        raise Unreadable("an answer to another operation")
    return reader(first)


def _first_in_body(answer: bytes) -> etree._Element:
    if len(answer) > LARGEST_ANSWER:
        raise Unreadable("the answer is too large")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(answer, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise Unreadable("the answer is not well-formed XML") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable("the answer declares a document type")
    body = root.find(f"{{{SOAP}}}Body")
    if root.tag != f"{{{SOAP}}}Envelope" or body is None or len(body) != 1 or not isinstance(body[0].tag, str):
        raise Unreadable("the answer is not a SOAP 1.1 envelope with one body element")
    return body[0]


def _values(element: etree._Element) -> dict[str, str]:
    """Attributes and leaf children by local name."""
    found = {str(name): str(value) for name, value in element.attrib.items()}
    for child in element:
        if isinstance(child.tag, str) and len(child) == 0:
            found.setdefault(etree.QName(child).localname, child.text or "")
    return found


def _children(element: etree._Element) -> Sequence[etree._Element]:
    return [child for child in element if isinstance(child.tag, str)]


def _fault(fault: etree._Element) -> Fault:
    """A business answer if a `MidocoFaultType` is in it, else only the fault's own words, with no code."""
    for detail in fault.iter():
        if isinstance(detail.tag, str) and etree.QName(detail).localname == "MidocoFaultType":
            values = _values(detail)
            return Fault(values.get("code", "") or "0", values.get("text", ""))
    return Fault("", _values(fault).get("faultstring", ""))


def _accepted(answer: etree._Element) -> Accepted:
    values = _values(answer)
    if not values.get("OrderId"):
        raise Unreadable("an announced booking without OrderId")
    return Accepted(values["OrderId"], values.get("OrderNo", ""))


def _payment_taken(answer: etree._Element) -> Accepted:
    results = [_values(child) for child in _children(answer)]
    return Accepted(warnings=tuple(result["result_code"] for result in results if result.get("result_code")))


def _found(answer: etree._Element) -> Found:
    """One order as the answer's own values, or one per row."""
    rows = [_values(answer), *(_values(child) for child in _children(answer))]
    return Found(tuple(Accepted(row["orderId"], row.get("orderNo", "")) for row in rows if row.get("orderId")))


def _order_content(answer: etree._Element) -> OrderContent:
    held = []
    for child in _children(answer):
        row = _values(child)
        if etree.QName(child).localname != "bookingStatus" or row.get("status") not in HELD_STATUS:
            raise Unreadable("an order status with an unknown row")
        try:
            held.append(
                HeldBooking(
                    creditor=row["supplierId"],
                    booking_id=row["bookingId"],
                    status=HELD_STATUS[row["status"]],
                    price=Decimal(row["price"]) if row.get("price") else None,
                    persons=int(row["noOfPersons"]) if row.get("noOfPersons") else None,
                    start=date.fromisoformat(row["startTravel"]) if row.get("startTravel") else None,
                    end=date.fromisoformat(row["endTravel"]) if row.get("endTravel") else None,
                    ours=row.get("extId", ""),
                )
            )
        except (KeyError, ValueError, InvalidOperation):
            raise Unreadable("an order status row that cannot be read") from None
    return OrderContent(tuple(held))


ANSWERS: dict[str, Callable[[etree._Element], Reply]] = {
    "announceBookingMessage": _accepted,
    "announceExternalPayment": _payment_taken,
    "searchBookingId": _found,
    "getShortOrderStatus": _order_content,
}
"""Who reads which answer."""
