"""Every request that TINA's stand-in understands, with its required values and enumerations (contracts: midoffice 5.2)."""

from __future__ import annotations

from sandbox.grammar import (
    COUNT,
    CURRENCY,
    FLAG,
    MONEY,
    Block,
    Check,
    Child,
    day,
    moment,
    named,
    one_of,
    pattern,
    words,
)

NAMESPACE = "http://tina.dcsplus.net/ws/2010"
RESERVATION_STATUS = one_of("RQ", "OK", "XX", "AM")
COUNTRY = pattern(r"[A-Z]{2}", "a country code of two letters")
KEY = pattern(r"[0-9a-f]{32}", "a transaction identifier of 32 hex digits")


def not_negative(value: str) -> str | None:
    return MONEY(value) or ("is below zero" if value.startswith("-") else None)


def _text(check: Check, **values: Check) -> Block:
    return Block(values, text=check)


def _once(block: Block) -> Child:
    return Child(block, 1, 1)


def _maybe(block: Block) -> Child:
    return Child(block, 0, 1)


_AUTH = Block(
    {"Lang": pattern(r"[a-z]{2}", "a language of two letters")},
    children={
        "Username": _once(_text(named(64))),
        "Password": _once(_text(named(64))),
        "ResellerCode": _once(_text(named(32))),
        "System": _maybe(Block({"Name": words(64)})),
    },
)
_PERSON = Block(
    {"NamePrefix": words(10)}, children={"FirstName": _maybe(_text(words())), "LastName": _once(_text(named()))}
)
_ADDRESS = Block(
    {},
    children={
        "StreetNmbr": _maybe(_text(words())),
        "CityName": _maybe(_text(words())),
        "PostalCode": _maybe(_text(words(16))),
        "CountryCode": _maybe(_text(COUNTRY)),
    },
)
_CUSTOMER = Block(
    {"ExternalID": named(64)},
    frozenset({"ExternalID"}),
    {
        "PersonName": _maybe(_PERSON),
        "Company": _maybe(_text(named(), VatID=words(32))),
        "Address": _maybe(_ADDRESS),
        "Email": _maybe(_text(words())),
        "Phone": _maybe(_text(words(64))),
    },
)
_TRAVELLER = Block({"RPH": COUNT, "Age": COUNT}, frozenset({"RPH"}), {"PersonName": _once(_PERSON)})
_STAY = Block(
    {"RPH": COUNT, "Status": RESERVATION_STATUS, "ECN": words(64)},
    frozenset({"RPH", "Status"}),
    {
        "DateRange": _once(Block({"Start": day, "End": day}, frozenset({"Start", "End"}))),
        "Hotel": _once(
            Block({"Code": words(64), "Name": named(), "City": words(), "CountryCode": COUNTRY}, frozenset({"Name"}))
        ),
        "Room": _maybe(_text(named(), Quantity=COUNT)),
        "Board": _maybe(_text(words(), Code=one_of("RO", "BB", "HB", "FB", "AI", "OT"))),
        "TravellerRPH": Child(_text(COUNT)),
    },
)
_SUM = Block({"Amount": not_negative, "CurrencyCode": CURRENCY}, frozenset({"Amount", "CurrencyCode"}))
_PRICE = Block(
    {"Amount": not_negative, "CurrencyCode": CURRENCY},
    frozenset({"Amount", "CurrencyCode"}),
    {
        "SupplierPrice": _once(_SUM),
        "Commission": _maybe(Block({"Amount": MONEY, "CurrencyCode": CURRENCY}, frozenset({"Amount"}))),
        "Tax": _maybe(
            Block(
                {
                    "Scheme": one_of("STANDARD", "MARGIN_SCHEME", "REVERSE_CHARGE", "EXEMPT"),
                    "Amount": not_negative,
                    "CurrencyCode": CURRENCY,
                },
                frozenset({"Scheme"}),
            )
        ),
    },
)
_PENALTY = Block(
    {"Start": moment, "Amount": not_negative, "CurrencyCode": CURRENCY}, frozenset({"Amount", "CurrencyCode"})
)
_REMARKS = Block({}, children={"Remark": Child(_text(named(1000), Internal=FLAG), 1)})
_RESERVATION = Block(
    {"ExternalID": named(), "Revision": COUNT, "Status": RESERVATION_STATUS, "PaymentStatus": one_of("OK", "PR")},
    frozenset({"ExternalID", "Revision", "Status", "PaymentStatus"}),
    {
        "Supplier": _once(Block({"Code": named(16)}, frozenset({"Code"}))),
        "Customer": _once(_CUSTOMER),
        "Travellers": _once(Block({}, children={"Traveller": Child(_TRAVELLER, 1)})),
        "AccommodationComponent": _once(Block({}, children={"ResService": Child(_STAY, 1)})),
        "Price": _once(_PRICE),
        "CancelPenalties": _maybe(Block({}, children={"CancelPenalty": Child(_PENALTY, 1)})),
        "Remarks": _maybe(_REMARKS),
    },
)
_PAYMENT = Block(
    {
        "TransactionID": named(64),
        "Direction": one_of("IN", "OUT"),
        "Method": one_of("CASH", "TRANSFER", "DIRECT_DEBIT", "CARD", "AIRPLUS", "DEPOSIT", "VOUCHER"),
        "Amount": not_negative,
        "CurrencyCode": CURRENCY,
        "Date": day,
        "Reference": words(),
    },
    frozenset({"TransactionID", "Direction", "Method", "Amount", "CurrencyCode", "Date"}),
)
_COMMON: dict[str, Check] = {"Version": words(8), "TimeStamp": moment}
_STAMPED: dict[str, Check] = {**_COMMON, "TransactionIdentifier": KEY}

MESSAGES: dict[str, Block] = {
    "BookingImport": Block(
        {**_STAMPED, "Action": one_of("New", "Modify")},
        frozenset({"Version", "TimeStamp", "TransactionIdentifier", "Action"}),
        {"AuthHeader": _once(_AUTH), "Reservation": _once(_RESERVATION)},
    ),
    "BookingCancel": Block(
        _STAMPED,
        frozenset({"Version", "TimeStamp", "TransactionIdentifier"}),
        {
            "AuthHeader": _once(_AUTH),
            "Reservation": _once(
                Block({"ExternalID": named(), "Revision": COUNT}, frozenset({"ExternalID", "Revision"}))
            ),
            "CancelType": _once(_text(one_of("Initiate", "Cancel"))),
            "Fee": _once(
                Block(
                    {"Amount": not_negative, "CurrencyCode": CURRENCY},
                    frozenset({"Amount", "CurrencyCode"}),
                    {"SupplierPrice": _maybe(_SUM)},
                )
            ),
            "Refund": _maybe(_SUM),
            "Remarks": _maybe(_REMARKS),
        },
    ),
    "PaymentImport": Block(
        _STAMPED,
        frozenset({"Version", "TransactionIdentifier"}),
        {
            "AuthHeader": _once(_AUTH),
            "Reservation": _once(Block({"ExternalID": named()}, frozenset({"ExternalID"}))),
            "Payment": _once(_PAYMENT),
        },
    ),
    "ReservationDetails": Block(
        _COMMON,
        frozenset({"Version"}),
        {
            "AuthHeader": _once(_AUTH),
            "Reservation": _once(Block({"ExternalID": named()}, frozenset({"ExternalID"}))),
        },
    ),
}
"""What may stand in `TINA_<name>RQ`."""
