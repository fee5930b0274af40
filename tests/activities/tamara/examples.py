"""The worked example of the contract, rebuilt from canonical parts (contracts: tamara 3.13)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from activities.tamara.card import CardNumber
from activities.tamara.details import Flight, Segment
from activities.tamara.model import (
    AgencyBlock,
    Amount,
    Customer,
    Dbi,
    FileHead,
    Numbered,
    Original,
    TamaraFile,
    Transaction,
    Txn,
    totals_of,
)

SIZE = 3618
DIGEST = "ca902525fb01e90f3dcc9b9851326adf6e96349647d9f7412c282a3479326982"
CARD = "192000000000008"

AGENCY = AgencyBlock(
    tamara_version="v01.32",
    delivery_version=".",
    partner_id="TESTPARTNER1",
    agency_id="TESTPARTNER1",
    name="EXAMPLE TRAVEL",
    country="ES",
    iata_no="99999992",
    acquirer_id="LASG000",
    card_id="TP",
)

SALE = Transaction(
    txn=Txn(
        ref="01JH000000000000000000TST1",
        class_="BSP",
        type="SA",
        dc="D",
        service="FL",
        card=CardNumber(CARD),
        card_expiry="1228",
        invoice=Numbered(number="F2026-000101", date=dt.date(2026, 1, 14)),
        sale_date=dt.date(2026, 1, 14),
        value_date=dt.date(2026, 1, 14),
        amount=Amount(currency="978", decimals=2, net=41250, vat_rate=Decimal(0), vat=0, gross=41250),
        passenger="DOE/JANE",
        customer=Customer(name="EXAMPLE CLIENT SA", place="MADRID"),
        dossier="D-5001",
        pnr="ABC123",
    ),
    dbi=Dbi(PK="4711", KS="CC-0815", PR="P77", profile="TEST"),
    flight=Flight(
        doc_kind="T",
        airline_number="220",
        document_number="1234567890",
        issue_date=dt.date(2026, 1, 14),
        transaction_code="TKTT",
        validating_carrier="LH",
        departure_date=dt.date(2026, 2, 3),
        dom_int="I",
        routing="MAD-FRA",
        system="AMAD",
    ),
    segments=(
        Segment(
            from_="MAD",
            to="FRA",
            carrier="LH",
            flight="1113",
            date=dt.date(2026, 2, 3),
            time="0815",
            booking_class="Y",
            fare_basis="YFLEX",
            coupon=1,
        ),
    ),
)

REFUND = Transaction(
    txn=Txn(
        ref="01JH000000000000000000TST2",
        class_="BSP",
        type="RF",
        dc="C",
        service="FL",
        card=CardNumber(CARD),
        card_expiry="1228",
        invoice=Numbered(number="F2026-000090", date=dt.date(2026, 1, 8)),
        credit_note=Numbered(number="A2026-000007", date=dt.date(2026, 1, 14)),
        sale_date=dt.date(2026, 1, 8),
        value_date=dt.date(2026, 1, 14),
        amount=Amount(currency="978", decimals=2, net=10000, vat_rate=Decimal(0), vat=0, gross=10000),
        passenger="DOE/JOHN",
        customer=Customer(name="EXAMPLE CLIENT SA", place="MADRID"),
        dossier="D-4990",
        pnr="DEF456",
        original=Original(ref="01JG000000000000000000TST9"),
        reason="RF",
    ),
    flight=Flight(
        doc_kind="T",
        airline_number="220",
        document_number="1234567880",
        issue_date=dt.date(2026, 1, 8),
        transaction_code="RFND",
        validating_carrier="LH",
        original_document="2201234567880",
        refund_coupons="0001",
        departure_date=dt.date(2026, 3, 1),
        dom_int="I",
    ),
)


def example(*transactions: Transaction) -> TamaraFile:
    """The example file, or the same header over other transactions."""
    content = transactions or (SALE, REFUND)
    return TamaraFile(
        file=FileHead(
            kind="BSP",
            seq=1,
            created_at=dt.datetime(2026, 1, 15, 2, 30, tzinfo=dt.timezone(dt.timedelta(hours=1))),
            period_from=dt.date(2026, 1, 14),
            period_to=dt.date(2026, 1, 14),
            mode="T",
            software="EXAMPLE 1",
        ),
        agency=AGENCY,
        transactions=content,
        totals=totals_of((t.txn.dc, t.txn.amount.currency, t.txn.amount.gross) for t in content),
    )
