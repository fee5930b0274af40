"""What the codec tests of the SOAP mid-offices have in common: questions worth a golden file, and hostile answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from lxml import etree

from activities.midoffice.booking import Board, CancellationPolicy, CancellationTerms, MidOfficePayment
from activities.midoffice.codec import Announce, AnnouncePayment, FindBooking, Question
from activities.midoffice.idempotency import idem_of, payment_idem
from tests.activities.midoffice.test_mapping import mapped, only
from tests.activities.platform import trip

GOLDEN = Path(__file__).parent / "golden"
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
FULL = RECORD.model_copy(
    update={
        "supplier_confirmation": "HX-77810",
        "supplier_order_id": 440012345,
        "services": (
            RECORD.services[0].model_copy(
                update={
                    "hotel": RECORD.services[0].hotel.model_copy(
                        update={"hid": 10004834, "city": "Palma", "country": "ES"}
                    ),
                    "board": Board(code="BB", text="breakfast"),
                }
            ),
        ),
        "cancellation": CancellationTerms(
            policies=(CancellationPolicy(starts_at=datetime(2027, 6, 1, 21, 59, tzinfo=UTC), fee=Decimal("660.00")),)
        ),
    }
)
HOSTILE = [
    '<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/hostname">]>',
    '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY secret "&a;&a;&a;&a;">]>',
    '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/evil.dtd">',
]


def questions(system: str) -> dict[str, Question]:
    """Every kind of message by the name of its golden file."""

    def announce(record: object, action: str, revision: int) -> Announce:
        message = record.as_message(action, revision)  # type: ignore[attr-defined]
        return Announce(message, "RATEHAWK", idem_of(system, message))

    ref = replace(RECORD.ref, external_ref="50001")
    return {
        "create": announce(RECORD, "CREATE", 1),
        "change": announce(FULL, "CHANGE", 2),
        "cancel": announce(CANCELLED, "CANCEL", 3),
        "company": announce(only(mapped(trip.booking(payer=COMPANY), tax_regime="mediation")), "CREATE", 1),
        "payment": AnnouncePayment(ref, "RATEHAWK", PAYMENT, payment_idem(system, ref, PAYMENT)),
        "find": FindBooking("RATEHAWK", "bkg_500-lin_01"),
    }


def pretty(document: bytes | str) -> str:
    tree = etree.fromstring(document)
    etree.indent(tree)
    return etree.tostring(tree, encoding="unicode") + "\n"


def golden(system: str, name: str) -> str:
    return (GOLDEN / system / f"{name}.xml").read_text("utf-8")


def soap(body: str, *, declaration: str = "") -> bytes:
    return (
        f'{declaration}<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    ).encode()
