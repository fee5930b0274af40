"""MIDOCO's wire format: what we get back (contracts: midoffice 4.1, 4.5).

Answers are read by local name, whether a value comes as attribute or as element, because the public sources do not
settle which.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation

from lxml import etree

from activities.midoffice.booking import Status
from activities.midoffice.codec import Accepted, Fault, Found, HeldBooking, Meaning, OrderContent, Reply, Unreadable
from activities.midoffice.soap import children, first_in_body, local, values

LOGIN_WORDS = re.compile(
    r"log[- ]?in\b|session|password|credential|organi[sz]ation ?unit.*\b(?:not|unknown|invalid)\b", re.IGNORECASE
)
"""A fault whose text speaks of these is about the caller, not about the booking."""
OLDER_WORDS = re.compile(r"booking-?version\b.*\b(?:older|lower|outdated)\b", re.IGNORECASE)
"""A fault whose text says this knows a later version. There is no public list of codes, so the words must do."""
HELD_STATUS: dict[str, Status] = {"RQ": "REQUESTED", "OK": "CONFIRMED", "XX": "CANCELLED"}


def read_answer(answer: bytes) -> Reply:
    """What an answer says; raises `Unreadable` if it is none of ours."""
    first = first_in_body(answer)
    name = local(first)
    if name == "Fault":
        return _fault(first)
    reader = ANSWERS.get(name.removesuffix("Response"))
    if reader is None:
        raise Unreadable("an answer to another operation")
    return reader(first)


def _fault(fault: etree._Element) -> Fault:
    """A business answer if a `MidocoFaultType` is in it."""
    for detail in fault.iter():
        if isinstance(detail.tag, str) and local(detail) == "MidocoFaultType":
            said = values(detail)
            return Fault(said.get("code", "") or "0", said.get("text", ""), _meaning(said.get("text", "")))
    # A fault without MIDOCO's own detail is its server speaking, not its business.
    return Fault("", "a SOAP fault without detail", Meaning.INTERNAL)


def _meaning(text: str) -> Meaning:
    if LOGIN_WORDS.search(text):
        return Meaning.UNAUTHORISED
    return Meaning.STALE if OLDER_WORDS.search(text) else Meaning.REFUSED


def _accepted(answer: etree._Element) -> Accepted:
    taken = values(answer)
    if not taken.get("OrderId"):
        raise Unreadable("an announced booking without OrderId")
    return Accepted(taken["OrderId"], taken.get("OrderNo", ""))


def _payment_taken(answer: etree._Element) -> Accepted:
    results = [values(child) for child in children(answer)]
    codes = tuple(result["result_code"] for result in results if result.get("result_code"))
    return Accepted(warnings=codes, duplicate="DUPLICATE" in codes)


def _found(answer: etree._Element) -> Found:
    """One order as the answer's own values, or one per row."""
    rows = [values(answer), *(values(child) for child in children(answer))]
    return Found(tuple(Accepted(row["orderId"], row.get("orderNo", "")) for row in rows if row.get("orderId")))


def _order_content(answer: etree._Element) -> OrderContent:
    held = []
    for child in children(answer):
        row = values(child)
        if local(child) != "bookingStatus" or row.get("status") not in HELD_STATUS:
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
