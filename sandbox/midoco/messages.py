"""Every block of every request, with its required values and enumerations (contracts: midoffice 4.1 to 4.4)."""

from __future__ import annotations

from sandbox.grammar import (
    AMOUNTS,
    ASSIGNMENT,
    COUNT,
    CURRENCY,
    FLAG,
    MONEY,
    NUMBER,
    WHOLE,
    Block,
    Check,
    Child,
    day,
    moment,
    named,
    one_of,
    words,
)

SERVICE_STATUS = one_of("OK", "XX", "RQ")
SALUTATION = one_of("MR", "MS", "MRS", "CHD", "INF")
GENDER = one_of("MALE", "FEMALE", "DIVERS")
SELLING_MODE = one_of(
    "SINGLE_SERVICE",
    "ARRANGEMENT",
    "SELF_ARRANGEMENT",
    "CONNECTED_SERVICE",
    "DAYTRIP",
    "EDUCATIONAL",
    "LOW_VALUE_ADDON",
    "OTHER",
    "SINGLE_SERVICE_TRANSPORT",
    "SINGLE_SERVICE_ACCOMODATION",
    "SINGLE_SERVICE_RENTALCAR",
)
MEDIUM = one_of("VISA", "MASTERCARD", "AMEX", "DINERS", "AIRPLUS", "BANKCARD", "UNKNOWN", "VOUCHER")
VAT_TYPE = one_of("VatOrganic", "ReverseCharge", "VatLiabilityInland", "TaxFreeAbroad", "SmallBusiness")
EXTERNAL_PAYMENT_TYPE = one_of("CASH", "DEBIT", "CC", "FULL_CREDIT", "PAYPAL", "DIRECTEBANKING")
REVENUE_MODE = one_of("Calculated commission", "Commission", "%", "Buying price foreign", "Price")
COMMUNICATION = one_of("FAX", "EMAIL", "PHONE", "MOBILE", "BUSINESS-PHONE", "WEB")
OTHER_SERVICES = frozenset(
    f"{kind}-service"
    for kind in ("generic", "car", "flight", "insurance", "transfer", "bus", "rail", "cruise", "event")
)
"""Known to MIDOCO; not switched on for units that are fed by RateHawk (hotel only)."""


def _texts(*names: str) -> dict[str, Check]:
    return dict.fromkeys(names, words())


_AGENCY = Block(
    {
        **_texts(
            "crs-agency-no", "crs-type", "crs-expedient-code", "midoco-user-id", "subagency", "agent",
            "agent-affiliate", "agency_no", "invoicing_mode",
        ),
        "agency_commission_amount": MONEY,
    },
)  # fmt: skip
_PRIVATE = Block(
    {**_texts("title", "forename", "middleName"), "salutation": SALUTATION, "name": named(), "birthday": day,
     "gender": GENDER},
    frozenset({"name"}),
    loose=True,
)  # fmt: skip
_COMPANY = Block(
    {**_texts("vat-id", "contact-person"), "organisation-name": named(), "vat-type": VAT_TYPE},
    frozenset({"organisation-name"}),
    loose=True,
)
_CUSTOMER = Block(
    {
        **_texts(
            "type", "midoco-customer-id", "midoco-debitor", "reference-customer-id", "reference-system", "language",
            "street", "street-no", "country", "postal-code", "city",
        ),
        "override-existing-order-customer": FLAG,
        "force-debitor-infos": FLAG,
        "vat-type": VAT_TYPE,
    },
    children={
        "private-data": Child(_PRIVATE, at_most=1),
        "company-data": Child(_COMPANY, at_most=1),
        "communication": Child(
            Block(
                {"type": COMMUNICATION, "communication-data": named(), "use-for-mailing": FLAG},
                frozenset({"type", "communication-data"}),
                loose=True,
            )
        ),
    },
    loose=True,
)  # fmt: skip
_PERSON = Block(
    {
        **_texts("title", "forename", "nationality"),
        "position": COUNT,
        "salutation": SALUTATION,
        "name": named(),
        "birthday": day,
        "gender": GENDER,
        "age": COUNT,
        "person-price": MONEY,
    },
    frozenset({"position", "name"}),
)
_HOTEL = Block(
    {
        **_texts(
            "service-code", "service-name", "service-description", "accomodation", "accomodation-description",
            "catering", "catering-description", "location-description", "allocation", "emergency-Number", "chain",
            "category", "street", "postal-code", "city", "country", "address-line-1", "address-line-2",
        ),
        "position": COUNT,
        "no-of-services": COUNT,
        "no-of-nights": COUNT,
        "start-date": day,
        "end-date": day,
        "service-status": SERVICE_STATUS,
        "person-assignment": ASSIGNMENT,
        "total-price": MONEY,
        "currency": CURRENCY,
        "vat-included": NUMBER,
    },
    frozenset({"position", "service-status", "start-date", "end-date"}),
)  # fmt: skip
_REMARK = Block(
    {**_texts("type"), "position": COUNT, "print_allowed": FLAG, "text": words(1000)}, loose=True, text=words(1000)
)
_NAMED_VALUE = Block(_texts("name", "value", "type"), frozenset({"name"}), loose=True, text=words())
_BOOKING = Block(
    {
        **_texts(
            "reference-booking-id", "reference-type", "reference-url", "source-ext-system", "source-ext-id",
            "product-type", "catalog", "category", "settlement-type", "service-description", "location-description",
            "country", "travel_no",
        ),
        "supplier": named(16),
        "position": COUNT,
        "booking-id": named(),
        "booking-version": COUNT,
        "booking-date": moment,
        "creation-date": moment,
        "is-request": FLAG,
        "is-option": FLAG,
        "selling-mode": SELLING_MODE,
    },
    frozenset({"supplier", "position", "booking-id"}),
    children={
        "person": Child(_PERSON),
        "accomodation-service": Child(_HOTEL, at_least=1),
        "remark": Child(_REMARK),
        "attribute": Child(_NAMED_VALUE),
    },
)  # fmt: skip
_BOOKING_PRICE = Block(
    {
        **_texts("supplier", "booking-id", "deposit-payment-type", "reduced_vat_fraction"),
        **AMOUNTS,
        "position": COUNT,
        "currency": CURRENCY,
        "original_currency": CURRENCY,
        "commission-currency": CURRENCY,
        "payment-type": one_of("AGENCY", "SUPPLIER"),
        "extPaymentType": EXTERNAL_PAYMENT_TYPE,
        "deposit-date": day,
        "final-payment-date": day,
        "commission-value": MONEY,
        "commission-percent": NUMBER,
        "supplier_commission_amount": MONEY,
        "supplier_deposit_amount": MONEY,
        "supplier_deposit_date": day,
        "supplier_final_payment_date": day,
        "mode-revenue-calculation": REVENUE_MODE,
        "buy-currency-rate": NUMBER,
        "fee-amount": MONEY,
        "vat-included": NUMBER,
    },
    frozenset({"position", "total-price", "currency"}),
    children={
        "vat_division": Child(
            Block(
                {**_texts("vat_code", "comment"), "ratio": NUMBER, "book_vat": FLAG, "book": FLAG},
                frozenset({"vat_code"}),
                loose=True,
            )
        )
    },
)
_FEE = Block(
    {
        **_texts("fee-code", "fee-description", "supplier-id", "booking-id", "price-ref"),
        "reference-booking": WHOLE,
        "total-price": MONEY,
        "currency": CURRENCY,
        "person-assignment": ASSIGNMENT,
        "vat-free-amount": MONEY,
        "taxable-amount": MONEY,
        "vat-included": NUMBER,
        "status": one_of("OK", "XX"),
        "is-agency-fee": FLAG,
    },
    frozenset({"total-price", "currency"}),
)
_PRICES = Block(
    {"displayed-currency": CURRENCY, "displayed-currency-rate": NUMBER, "booking-currency-rate": NUMBER},
    children={"booking-price": Child(_BOOKING_PRICE, at_least=1), "fee": Child(_FEE)},
)
EXTERNAL_PAYMENT = Block(
    {
        **_texts("transaction-type", "reference-number", "invoice-text", "error-code"),
        "payment-date": moment,
        "transaction-number": named(64),
        "amount": MONEY,
        "currency": CURRENCY,
        "medium": MEDIUM,
        "order-id": WHOLE,
    },
    frozenset({"payment-date", "transaction-number", "amount", "currency", "medium"}),
    loose=True,
)
_TREATMENT = Block(
    {**_texts("preset_order_no", "legalCountry"), "deliveryType": one_of("EMAIL", "PRINT")},
    children={
        "lock": Child(
            Block(dict.fromkeys(("dunning", "documents", "fibu", "payment", "preventAutoInvoice"), FLAG), loose=True),
            at_most=1,
        )
    },
    loose=True,
)
_PAYMENT_INFO = Block(
    _texts("preferred_payment_type"),
    children={
        "advised-payment": Child(Block(_texts("payment_type", "payment_status", "reference_no"), loose=True)),
        "debit-payment": Child(Block(_texts("iban", "swift_bic_code", "mandate_reference"), loose=True)),
    },
    loose=True,
)
_MESSAGE = Block(
    {"message-version": COUNT},
    children={
        "agency-identity": Child(_AGENCY, at_least=1, at_most=1),
        "customer": Child(_CUSTOMER, at_most=2),
        "booking": Child(_BOOKING, at_least=1),
        "prices": Child(_PRICES, at_most=1),
        "payment-info": Child(_PAYMENT_INFO, at_most=1),
        "ExternalPayment": Child(EXTERNAL_PAYMENT),
        "internal-treatment": Child(_TREATMENT, at_most=1),
        "order-remark": Child(_REMARK),
        "CustomerDefinedField": Child(_NAMED_VALUE),
    },
)

_ORDER_ID = Block({"orderId": WHOLE}, frozenset({"orderId"}), loose=True)
_FEED = Block({**_texts("externalSystem", "externalId"), "timestamp": moment}, loose=True)

OPERATIONS: dict[str, Block] = {
    "announceBookingMessage": Block({}, children={"midoco-booking-message": Child(_MESSAGE, 1, 1)}),
    "updateBookingStatus": Block(
        {
            "supplierId": named(16),
            "bookingId": named(),
            "newStatus": SERVICE_STATUS,
            "newBookingId": named(),
            "newReferenceBookingId": named(),
        },
        frozenset({"supplierId", "bookingId", "newStatus"}),
        loose=True,
    ),
    "announceExternalPayment": Block(
        {"orderId": WHOLE}, frozenset({"orderId"}), {"ExternalPayment": Child(EXTERNAL_PAYMENT, 1)}, loose=True
    ),
    "announcePayment": Block(
        {
            "orderId": WHOLE,
            "orderNo": WHOLE,
            "supplierId": named(16),
            "bookingId": named(),
            "dontImportExistingPayments": FLAG,
        },
        children={"AnnounceOrderPayment": Child(EXTERNAL_PAYMENT, 1)},
        loose=True,
    ),
    "searchBookingId": Block(
        {"bookingId": named(), "supplierId": named(16), "startTravel": day, "endTravel": day, "checkDates": FLAG},
        frozenset({"bookingId"}),
        loose=True,
    ),
    "getShortOrderStatus": _ORDER_ID,
    "printOrderInvoice": _ORDER_ID,
    "getOrderInvoices": _ORDER_ID,
    "getProcessedBookings": _FEED,
    "getSkippedBookings": _FEED,
}

ORDER_SERVICE_ONLY = frozenset({"announcePayment", "printOrderInvoice", "getOrderInvoices"})
BOOKING_SERVICE_ONLY = frozenset({"announceBookingMessage"})
