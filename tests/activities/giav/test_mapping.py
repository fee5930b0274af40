"""What the contract's booking looks like on GIAV's wire, request by request, against golden files (contracts: giav 2)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from activities.giav.mapping import money, parties, reservas
from activities.giav.mapping.expediente import content, expediente
from activities.giav.mapping.values import At, Request, day_of, euros, local_day
from activities.giav.settings import GiavSettings
from activities.giav.wire import operations
from domain.errors import NeedsPerson
from domain.money import Money
from domain.platform import Booking, Chargeback, Experience, Party, Payment, Refund, Traveller
from tests import stories
from tests.activities.giav.desk import SERVICES, TRAVELLERS, booking, discount, section

GOLDEN = Path(__file__).parent / "golden"
SETTINGS = GiavSettings.model_validate(section("http://giav.test"))
AT = At(7, 55, "ORQ-ABCDEFGHIJKLMNOPQRSTUVWXYZ", SETTINGS)
EXPERIENCE = Experience.model_validate(stories.experience(services=SERVICES))
BOOKING = Booking.model_validate(booking(discounts=[discount(5000)]))
CANCELLED = Booking.model_validate(booking(status="cancelled", lines=[], penalty=3000))
PAYER = BOOKING.payer
COMPANY = Party.model_validate(
    stories.PAYER
    | {"id": "cus_9", "kind": "company", "name": "Colegio Ejemplo SL"}
    | {"tax_id": {"type": "VAT", "value": "pt 500 000 000", "country": "PT"}, "email": "ap@colegio.example"}
    | {"address": {"line1": "Rua 1", "line2": "2.º", "postcode": "1000-001", "city": "Lisboa", "country": "PT"}}
)
TRAVELLER = Traveller.model_validate(TRAVELLERS[0])
PAYMENT = Payment.model_validate(
    stories.payment(
        processor={"name": "stripe", "payment_ref": "pi_1", "authorization_code": "A1B2", "merchant_ref": "m-1"}
    )
)
REFUND = Refund.model_validate(stories.refund())
WITHDRAWN = Chargeback.model_validate(stories.chargeback() | {"evidence_due_by": "2027-02-20T00:00:00Z"})
DAY = date(2026, 11, 22)
SALE = money.Sale(
    12, PAYMENT.amount, money.payment_words(EXPERIENCE, BOOKING, PAYMENT, date(2026, 11, 20), AT.reference)
)
CONTAINER = reservas.container(BOOKING, EXPERIENCE, AT)
LINE = reservas.cost_line(BOOKING, BOOKING.lines[0], EXPERIENCE, AT)

REQUESTS: dict[str, tuple[str, Request]] = {
    "cliente_person": ("Cliente_POST", parties.cliente(PAYER, AT.reference, 2001)),
    "cliente_company": ("Cliente_POST", parties.cliente(COMPANY, AT.reference, None)),
    "pasajero": ("Pasajero_POST", parties.pasajero(TRAVELLER, AT.reference, 2006, 7)),
    "pasajero_put": (
        "Pasajero_PUT",
        parties.pasajero_change(4, parties.pasajero(TRAVELLER, AT.reference, 2006, 7)),
    ),
    "expediente": ("Expediente_POST", expediente(EXPERIENCE, 1, DAY, AT.reference, SETTINGS)),
    "expediente_put": ("Expediente_PUT", {"idExpediente": 55, **content(EXPERIENCE, 1, AT.reference, SETTINGS)}),
    "container": ("Reserva_Normal_POST", {**CONTAINER, "idsPasajeros": [4, 5]}),
    "container_cancelled": (
        "Reserva_Normal_PUT",
        reservas.as_change(12, reservas.container(CANCELLED, EXPERIENCE, AT)),
    ),
    "cost_line": ("Reserva_Normal_POST", LINE),
    "cost_line_without_cost": ("Reserva_Normal_PUT", reservas.as_change(13, reservas.without_cost(LINE))),
    "cobro": ("Cobro_POST", money.cobro(PAYMENT, BOOKING, AT, 14, date(2026, 11, 20))),
    "reembolso": ("Cobro_POST", money.reembolso(REFUND, BOOKING, AT, 14)),
    "chargeback": ("Cobro_POST", money.disputed(WITHDRAWN, BOOKING, AT, 14, DAY)),
    "chargeback_task": ("Activity_POST", money.chargeback_task(WITHDRAWN, BOOKING, 55, DAY, AT.reference)),
    "factura": ("Factura_Servicios_POST", money.factura(SALE, PAYER, AT, "Especial", False, DAY)),
    "credit_note": ("Factura_REIMBURSEMENT", money.credit_note(31, DAY, AT.reference, SETTINGS)),
}


def lines_of(xml: str) -> str:
    """One element a line, for eyes."""
    return xml.replace("><", ">\n<") + "\n"


@pytest.mark.parametrize("name", REQUESTS)
def test_the_request_is_the_golden_one(name: str) -> None:
    operation, request = REQUESTS[name]
    written = operations()[operation].envelope("the-key", request).decode()
    assert lines_of(written) == (GOLDEN / f"{name}.xml").read_text("utf-8")


@pytest.mark.parametrize(
    ("kind", "tipo", "subtipo"),
    [
        ("hotel", "HT", None),
        ("transport", "BU", None),
        ("flight", "OT", "Otros"),
        ("activity", "OT", "Excursiones"),
        ("insurance", "SG", None),
        ("guide", "OT", "GuíasTurísticos"),
        ("fee", "OT", "Otros"),
        ("other", "OT", "Otros"),
    ],
)
def test_every_kind_of_service_has_its_type(kind: str, tipo: str, subtipo: str | None) -> None:
    experience = Experience.model_validate(stories.experience(services=[SERVICES[0] | {"kind": kind, "area": "EU"}]))
    line = reservas.cost_line(BOOKING, BOOKING.lines[0], experience, AT)
    assert (line["tipoReserva"], line["subtipoReserva"]) == (tipo, subtipo)
    assert line["destinationIdCountryZone"] == "ES_UnionEuropea"


def test_a_supplier_nobody_mapped_is_the_generic_one() -> None:
    unmapped = AT._replace(settings=SETTINGS.model_copy(update={"suppliers": {}}))
    line = reservas.cost_line(BOOKING, BOOKING.lines[0], EXPERIENCE, unmapped)
    assert line["idProveedor"] == SETTINGS.default_supplier_id


@pytest.mark.parametrize(
    ("changes", "different"),
    [
        ({}, False),
        ({"ventacomis": "955.01"}, True),
        ({"localizador": None}, True),
        ({"idExpediente": 56}, False),
        ({"tipoReserva": "CI"}, False),
    ],
)
def test_only_what_a_put_can_say_is_a_difference(changes: dict[str, Any], different: bool) -> None:
    assert reservas.differs(CONTAINER, CONTAINER | changes) is different
    assert reservas.differs(reservas.as_change(12, CONTAINER), CONTAINER | changes) is different


@pytest.mark.covers("1.5.8")
def test_other_currencies_are_never_sent() -> None:
    with pytest.raises(NeedsPerson, match="USD"):
        euros(Money(amount=1, currency="USD"))


def test_the_day_of_an_instant_is_that_of_madrid() -> None:
    late = PAYMENT.model_copy(update={"captured_at": REFUND.requested_at.replace(hour=23, minute=30)}).captured_at
    assert late is not None
    assert local_day(late) == date(2027, 3, 3)
    assert day_of("2026-11-22T00:00:00") == DAY


@pytest.mark.parametrize(
    ("nombre", "apellidos", "same"),
    [("Ana", "Prueba Ejemplo", True), ("PRUEBA EJEMPLO", "ana", True), ("Ana", "Prueba", False), (None, None, False)],
)
def test_a_name_is_the_same_in_any_order_and_case(nombre: str | None, apellidos: str | None, same: bool) -> None:
    assert parties.same_name(PAYER, nombre, apellidos) is same
