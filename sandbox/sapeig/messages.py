"""Every XFT transaction that Sapeig's stand-in understands, with its required values (contracts: midoffice 6.1, 6.2)."""

from __future__ import annotations

from sandbox.grammar import COUNT, CURRENCY, MONEY, Block, Check, Child, day, moment, named, one_of, pattern, words

XFT = "http://www.exchangefortravel.org/xml/current"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
STATUS = one_of("Request", "Confirmed", "Cancelled")
KEY = pattern(r"[0-9a-f]{32}", "a transaction id of 32 hex digits")
ISO_COUNTRY = one_of("ISO_3166-1-Alpha2")
PERSON_NAME = pattern(r"[^/\x00-\x1f]{1,128}/[^/\x00-\x1f]{0,128}", "a name LAST/FIRST")
COUNTRY_CODE = pattern(r"[A-Z]{2}", "a country code of two letters")
TRAVELLER_ID = pattern(r"T\d{1,4}", "a traveller's id such as T0")


def _upper(check: Check) -> Check:
    return lambda value: check(value) or (None if value == value.upper() else "is not in capitals")


def _once(block: Block) -> Child:
    return Child(block, 1, 1)


def _maybe(block: Block) -> Child:
    return Child(block, 0, 1)


def _value(check: Check) -> Block:
    return Block({"Value": check}, frozenset({"Value"}))


_AGENCY = Block(
    {},
    children={
        "Requester": _once(
            Block(
                {"Owner": named(32), "Pwd": named(64), "Uid": named(32), "Code": one_of("SAPEIG")},
                frozenset({"Owner", "Pwd", "Uid", "Code"}),
            )
        )
    },
)
_CONTROL = Block(
    {},
    children={
        "Requester": _once(
            Block(
                {"Pwd": named(64), "Uid": named(32), "Code": named(32), "Channel": one_of("Extranet")},
                frozenset({"Pwd", "Uid", "Code", "Channel"}),
                {"Agency": _once(_AGENCY)},
            )
        )
    },
)
_ACTION = Block(
    {"Purpose": one_of("Create", "Update", "Cancel", "Retrieve"), "Code": one_of("Booking", "Payment")},
    frozenset({"Purpose", "Code"}),
)
_CODES = Block(
    {}, children={"Code": Child(Block({"Name": named(32), "Value": named()}, frozenset({"Name", "Value"})), 1)}
)
_DESCRIPTIONS = Block(
    {},
    children={
        "Description": Child(
            Block({"Role": one_of("Comment", "Hotel", "Room", "Board")}, frozenset({"Role"}), text=named(1000)), 1
        )
    },
)
_COUNTRY = Block(
    {},
    children={"Code": _once(Block({"Owner": ISO_COUNTRY, "Value": COUNTRY_CODE}, frozenset({"Owner", "Value"})))},
)
_CUSTOMER = Block(
    {"ID": named(64), "Type": one_of("Person", "Company"), "Name": named(), "VatNumber": words(32)},
    frozenset({"ID", "Type", "Name"}),
    {
        "Address": _maybe(
            Block({"Street": words(), "Zip": words(16), "City": words()}, children={"Country": _maybe(_COUNTRY)})
        ),
        "Telephone": _maybe(_value(words(64))),
        "Email": _maybe(_value(words())),
    },
)
_TRAVELLERS = Block(
    {},
    children={
        "Travellers": _once(Block({"Type": one_of("Person"), "Quantity": COUNT}, frozenset({"Type", "Quantity"}))),
        "Traveller": Child(
            Block(
                {
                    "ID": TRAVELLER_ID,
                    "Type": one_of("Adult", "Child", "Infant"),
                    "BirthDate": day,
                    "Age": COUNT,
                    "Name": _upper(PERSON_NAME),
                },
                frozenset({"ID", "Type", "Name"}),
            ),
            1,
        ),
    },
)
_SEGMENT = Block(
    {"Is": words(32), "Status": STATUS, f"{{{XSI}}}type": one_of("SegmentProductType")},
    frozenset({"Is", "Status", f"{{{XSI}}}type"}),
    {
        "Codes": _maybe(_CODES),
        "Begin": _once(_value(day)),
        "End": _once(_value(day)),
        "Descriptions": _once(_DESCRIPTIONS),
        "Place": _maybe(Block({"City": words()}, children={"Country": _maybe(_COUNTRY)})),
        "TravellerRefs": _once(
            Block({}, children={"TravellerRef": Child(Block({"ID": TRAVELLER_ID}, frozenset({"ID"})))})
        ),
    },
)
_PRICE = Block(
    {
        "Role": one_of("Purchase", "Sale", "Commission", "Margin", "Tax", "CancelFee", "Refund"),
        "Value": MONEY,
        "Currency": CURRENCY,
        "TaxScheme": one_of("STANDARD", "MARGIN_SCHEME", "REVERSE_CHARGE", "EXEMPT"),
    },
    frozenset({"Role", "Value", "Currency"}),
)
_PAYMENT = Block(
    {
        "ID": named(64),
        "Direction": one_of("IN", "OUT"),
        "Method": one_of("CASH", "TRANSFER", "DIRECT_DEBIT", "CARD", "AIRPLUS", "DEPOSIT", "VOUCHER"),
        "Date": day,
        "Value": MONEY,
        "Currency": CURRENCY,
        "Reference": words(),
    },
    frozenset({"ID", "Direction", "Method", "Date", "Value", "Currency"}),
)
_FRAME: dict[str, Check] = {
    "Version": words(16),
    "TimeStamp": moment,
    f"{{{XSI}}}type": one_of("TransactionRequestType"),
}
_ALWAYS = frozenset({"Version", f"{{{XSI}}}type"})
_HEAD = {"Control": _once(_CONTROL), "Action": _once(_ACTION)}
_BOOKING = Block(
    {**_FRAME, "ID": KEY},
    _ALWAYS | {"ID", "TimeStamp"},
    {
        **_HEAD,
        "Contract": _once(
            Block(
                {"Status": STATUS},
                frozenset({"Status"}),
                {"Codes": _once(_CODES), "Descriptions": _maybe(_DESCRIPTIONS)},
            )
        ),
        "Customer": _once(_CUSTOMER),
        "Travellers": _once(_TRAVELLERS),
        "Segments": _once(Block({"What": one_of("List")}, frozenset({"What"}), {"Segment": Child(_SEGMENT, 1)})),
        "Prices": _once(Block({}, children={"Price": Child(_PRICE, 1)})),
    },
)
_NAMED = Block({}, children={"Codes": _once(_CODES)})

TRANSACTIONS: dict[str, Block] = {
    "CreateBooking": _BOOKING,
    "UpdateBooking": _BOOKING,
    "CancelBooking": _BOOKING,
    "CreatePayment": Block(
        {**_FRAME, "ID": KEY},
        _ALWAYS | {"ID"},
        {**_HEAD, "Contract": _once(_NAMED), "Payments": _once(Block({}, children={"Payment": _once(_PAYMENT)}))},
    ),
    "RetrieveBooking": Block(_FRAME, _ALWAYS, {**_HEAD, "Contract": _once(_NAMED)}),
}
"""What may stand in the command of each operation."""
