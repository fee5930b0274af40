"""Rules of money that decide what stands in GIAV, one by one (contracts: money-rules 1.1 to 1.6, 4.2 to 4.5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.giav.client import GiavClient
from activities.giav.office import GiavAccount
from activities.giav.wire import operations
from domain.effects import EffectKey
from domain.errors import Refused
from sandbox.faults import Kind
from tests import stories
from tests.activities.giav.desk import Desk, booking, discount, failure, section
from tests.activities.giav.test_amend import BUS, GUIDE, HOTEL, amended, paid_in_full, reduced
from tests.activities.giav.test_cancel import LINES, cancelled, documents, paid
from tests.activities.giav.test_payments import NAMELESS

ADAPTER = Path(__file__).parents[3] / "activities" / "giav"
MENTION = "Régimen especial de las agencias de viajes"


def days(desk: Desk) -> list[str]:
    return [invoice["FechaEmision"][:10] for invoice in desk.held("Factura")]


def numbers(desk: Desk) -> list[str]:
    return [invoice["Codigo"] for invoice in desk.held("Factura")]


def somebody(desk: Desk) -> GiavClient:
    """Another program with the agency's key."""
    return GiavAccount.open(section(desk.url)).client


# Issuing -------------------------------------------------------------------------------------------------------------


@pytest.mark.covers("1.1.7", "F-C11", "N1", "N2")
def test_money_that_is_posted_in_another_order_than_it_came_gets_numbers_and_days_in_order(desk: Desk) -> None:
    desk.registered()
    desk.activities.record_payment(desk.payment("pay_2", 20000, captured_at="2026-11-21T10:00:00Z"))
    desk.activities.record_payment(desk.payment("pay_1", 10000, captured_at="2026-10-31T10:00:00Z"))
    assert days(desk) == ["2026-11-22", "2026-11-22"], "never back-dated"
    assert numbers(desk) == ["E-2026-000001", "E-2026-000002"]
    held = desk.store.documents.of_booking(stories.AGENCY, "bkg_500")
    assert {each.key: str(each.operation_date) for each in held} == {
        "inv:pay_2": "2026-11-21",
        "inv:pay_1": "2026-10-31",
    }


@pytest.mark.covers("1.1.4", "N4")
def test_the_day_of_a_payment_before_midnight_in_utc_is_the_next_day_in_madrid(desk: Desk) -> None:
    desk.registered()
    desk.activities.record_payment(desk.payment(captured_at="2026-11-20T23:30:00Z"))
    (document,) = desk.store.documents.of_payment(stories.AGENCY, "pay_1001")
    assert str(document.operation_date) == "2026-11-21"
    assert desk.held("Cobro")[0]["FechaCobro"][:10] == "2026-11-21"


@pytest.mark.covers("1.1.6", "1.1.7", "1.3.3", "1.3 the original was simplified", "N3")
def test_full_simplified_and_correcting_invoices_have_a_series_each(desk: Desk) -> None:
    desk.registered(payer=NAMELESS)
    desk.activities.record_payment(desk.payment("pay_1", 10000))
    desk.activities.cancel_booking(cancelled(desk, "none", 0))
    desk.activities.register_booking(desk.booking(id="bkg_501", locator="SECOND"))
    desk.activities.record_payment(desk.payment("pay_2", 10000, booking_id="bkg_501"))
    assert numbers(desk) == ["ES-2026-000001", "ESR-2026-000001", "E-2026-000001"]


@pytest.mark.covers("1.1.5", "N5")
def test_a_full_invoice_names_its_recipient_with_tax_id_and_address(desk: Desk) -> None:
    desk.registered()
    desk.activities.record_payment(desk.payment())
    (invoice,) = desk.held("Factura")
    assert [invoice[name] for name in ("NomCliente", "DocumentoCliente", "DirCliente", "CpCliente", "LocCliente")] == [
        "Ana Prueba Ejemplo",
        "00000000T",
        "Calle Mayor 1",
        "28013",
        "Madrid",
    ]


@pytest.mark.covers("1.2.2", "N5")
@pytest.mark.parametrize(("regime", "mentioned"), [("reav", True), ("general", False), ("mediation", False)])
def test_the_mention_of_the_margin_scheme_stands_on_its_invoices_and_on_no_other(
    desk: Desk, regime: str, mentioned: bool
) -> None:
    desk.activities.open_experience(desk.experience(tax_regime=regime))
    desk.activities.register_booking(desk.booking())
    desk.activities.record_payment(desk.payment("pay_1", 100500))
    desk.activities.amend_booking(reduced(desk))
    sold = [invoice for invoice in desk.held("Factura") if invoice["IdTipo"] == "Normal"]
    assert [MENTION in invoice["Descripcion"] for invoice in sold] == [mentioned, mentioned]


@pytest.mark.covers("1.2.2")
def test_a_simplified_invoice_of_the_margin_scheme_carries_the_mention_and_shows_no_tax(desk: Desk) -> None:
    desk.registered(payer=NAMELESS)
    desk.activities.record_payment(desk.payment(amount=10000))
    (invoice,), (line,) = desk.held("Factura"), desk.held("FacturaLinea")
    assert invoice["EsSimplificada"]
    assert MENTION in invoice["Descripcion"]
    assert line["TipoIva"] == 0


@pytest.mark.covers("1.1.9", "1.1.10", "M4")
def test_every_payment_is_an_invoice_of_its_own_and_together_they_are_the_price(desk: Desk) -> None:
    desk.registered()
    for number, amount in enumerate((30000, 38200, 32300), start=1):
        desk.activities.record_payment(desk.payment(f"pay_{number}", amount))
    assert [amount for _, amount in desk.invoice_lines()] == ["300.00", "382.00", "323.00"]
    assert desk.container()["FacturadoImporte"] == desk.container()["Venta"] == 1005


@pytest.mark.covers("1.6.1", "1.6.2")
@pytest.mark.parametrize("amount", [1, 29, 1010, 33333, 57599, 100499])
def test_no_cent_is_rounded_on_the_way_to_cobro_invoice_and_link(desk: Desk, amount: int) -> None:
    desk.registered()
    desk.activities.record_payment(desk.payment("pay_1", amount))
    desk.activities.record_payment(desk.payment("pay_2", 100500 - amount))
    exact = [f"{cents // 100}.{cents % 100:02d}" for cents in (amount, 100500 - amount)]
    assert [importe for _, importe in desk.money_lines()] == exact
    assert [total for _, total in desk.invoice_lines()] == exact
    assert [f"{link['Amount']:.2f}" for link in desk.held("RelationDueDatePayment")] == exact
    assert [invoice["DatosExternos"]["PendienteCobro"] for invoice in desk.held("Factura")] == [0, 0]


@pytest.mark.covers("1.5.8")
def test_a_payment_in_another_currency_than_euro_is_not_invoiced(desk: Desk) -> None:
    desk.activities.open_experience(desk.experience())
    totals = {name: {"amount": 0, "currency": "USD"} for name in stories.booking()["totals"]}
    with pytest.raises(ApplicationError, match="euros only"):
        desk.activities.register_booking(desk.booking(totals=totals, lines=[]))
    assert (desk.held("Reserva"), desk.held("Factura")) == ([], [])


# Nothing is edited or deleted ----------------------------------------------------------------------------------------


@pytest.mark.covers("1.5.3", "1.5.4", "1.3.1", "N7")
def test_the_client_can_neither_edit_nor_delete_an_invoice(desk: Desk) -> None:
    own = {name for name in operations() if name.split("_")[0] in ("Factura", "Cobro", "Recibo")}
    assert own == {
        "Cobro_DELETE",
        "Cobro_POST",
        "Cobro_SEARCH",
        "Factura_GET",
        "Factura_RECTIFICATION",
        "Factura_REIMBURSEMENT",
        "Factura_SEARCH",
        "Factura_Servicios_POST",
    }
    with pytest.raises(KeyError):
        somebody(desk).call("Factura_DELETE", id=1)


@pytest.mark.covers("1.5.3")
def test_no_line_of_the_adapter_names_a_way_to_change_an_issued_document() -> None:
    texts = [path.read_text(encoding="utf-8") for path in ADAPTER.rglob("*") if path.suffix in (".py", ".yaml")]
    assert len(texts) > 20
    forbidden = ("Factura_DELETE", "Factura_PUT", "Factura_Servicios_PUT", "Cobro_PUT", "Factura_ANUL")
    assert [word for word in forbidden if any(word in text for text in texts)] == []
    # An entry of money is no document: `bounced` takes away that of a refund that failed, `erp` a receipt that is reversed.
    naming = [path.name for path in ADAPTER.rglob("*.py") if "Cobro_DELETE" in path.read_text(encoding="utf-8")]
    assert sorted(naming) == ["bounced.py", "erp.py"]


@pytest.mark.covers("1.3.1", "1.3.4", "1.3.2", "N7")
def test_an_invoice_stands_word_for_word_after_everything_that_corrects_it(desk: Desk) -> None:
    paid_in_full(desk)
    content = ("Codigo", "FechaEmision", "Descripcion", "total", "DocumentoCliente", "NomCliente")
    before = [{name: invoice[name] for name in content} for invoice in desk.held("Factura")]
    desk.activities.amend_booking(reduced(desk))
    desk.activities.cancel_booking(cancelled(desk, revision=3))
    after = desk.held("Factura")
    assert [{name: invoice[name] for name in content} for invoice in after[:2]] == before
    notes = [invoice for invoice in after if invoice["IdTipo"] == "Reembolso"]
    assert all(note["total"] < 0 for note in notes), "corrections by differences"
    assert {note["FechaEmision"][:10] for note in notes} == {"2026-11-22"}, "on the day on which the cause is known"
    originals = [note["IdFacturaAsociada"] for note in notes]
    assert len(originals) == len(set(originals)), "each names one original, and none twice"


# Changes -------------------------------------------------------------------------------------------------------------


@pytest.mark.covers("1.2.4", "1.3 only the costs change", "F-M14")
def test_a_cost_that_changes_after_invoicing_touches_no_document(desk: Desk) -> None:
    paid_in_full(desk)
    desk.activities.amend_booking(amended(desk, lines=[stories.line("lin_01", "svc_hotel", 41250, 34567), BUS]))
    assert desk.calls() == ["Reservas_SEARCH", "Reserva_Normal_PUT"]
    assert desk.lines()["lin_01"]["CosteComis"] == 691.34
    assert len(desk.held("Factura")) == 2


@pytest.mark.covers("1.3 the price rises")
def test_a_price_that_rises_makes_no_document_until_it_is_paid(desk: Desk) -> None:
    paid_in_full(desk)
    desk.activities.amend_booking(amended(desk, lines=[HOTEL, BUS, GUIDE]))
    assert len(desk.held("Factura")) == 2
    desk.activities.record_payment(desk.payment("pay_3", 2000))
    assert [amount for _, amount in desk.invoice_lines()] == ["300.00", "705.00", "20.00"]


@pytest.mark.covers("1.3 a traveller is replaced", "1.4.7")
def test_another_traveller_with_the_same_payer_makes_no_document(desk: Desk) -> None:
    paid_in_full(desk)
    other = {"id": "trv_9", "first_name": "Marta", "last_name": "Prueba Nueva", "kind": "adult"}
    ana = {"id": "trv_1", "first_name": "Ana", "last_name": "Prueba Ejemplo", "kind": "adult", "is_payer": True}
    desk.activities.amend_booking(amended(desk, travellers=[ana, other]))
    assert len(desk.held("Factura")) == 2


@pytest.mark.covers("F-M6")
def test_a_discount_that_is_told_by_two_events_is_corrected_once(desk: Desk) -> None:
    paid_in_full(desk)
    desk.activities.amend_booking(reduced(desk, 2))
    given = discount(20500, "dsc_2")
    again = desk.booking(3, kind="booking.discount_applied", discounts=[given], discount=given, action="applied")
    desk.activities.amend_booking(again)
    assert [amount for _, amount in desk.invoice_lines()] == ["300.00", "705.00", "-705.00", "500.00"]


@pytest.mark.covers("F-M5", "F-R4", "F-R2")
def test_a_credit_note_stands_although_its_refund_is_refused(desk: Desk) -> None:
    paid_in_full(desk)
    desk.activities.amend_booking(reduced(desk))
    step = desk.refund("ref_1", 20500, payment_id="pay_2", cause="discount")
    desk.fault("Cobro_POST", Kind.REFUSE)
    before = documents(desk)
    with pytest.raises(ApplicationError) as caught:
        desk.activities.record_refund(step)
    assert failure(caught.value) == Refused.__name__
    assert documents(desk) == before
    assert [cobro["DatosExternos"]["Disponible"] for cobro in desk.held("Cobro")] == [0, 205], "the debt to the payer"
    assert desk.store.effects.rearm(caught.value.details[0]["effect"])
    desk.activities.record_refund(step)
    assert desk.money_lines()[-1] == ("Reembolso", "205.00")
    assert documents(desk) == before


@pytest.mark.covers("F-M11")
@pytest.mark.parametrize("operation", ["Cobro_POST", "Factura_Servicios_POST", "RelationDueDatePayment_POST"])
def test_a_change_between_two_attempts_of_a_payment_leaves_one_cobro_and_one_invoice(
    desk: Desk, operation: str
) -> None:
    desk.registered()
    step = desk.payment()
    desk.fault(operation, Kind.DROP_AFTER)
    with pytest.raises(ApplicationError):
        desk.activities.record_payment(step)
    desk.activities.amend_booking(amended(desk, lines=[HOTEL, GUIDE]))
    desk.insist(desk.activities.record_payment, step)
    assert (desk.money_lines(), desk.invoice_lines()) == ([("Cobro", "300.00")], [("Normal", "300.00")])
    assert desk.container()["Venta"] == 845


# Money first ---------------------------------------------------------------------------------------------------------


@pytest.mark.covers("F-C8", "1.1.1")
def test_a_cobro_that_giav_refuses_leaves_nothing_behind_and_comes_before_its_invoice(desk: Desk) -> None:
    desk.registered()
    step = desk.payment()
    desk.fault("Cobro_POST", Kind.REFUSE)
    with pytest.raises(ApplicationError) as caught:
        desk.activities.record_payment(step)
    assert failure(caught.value) == "Refused"
    assert (desk.held("Cobro"), desk.held("Factura")) == ([], []), "so that no invoice ever stands without its money"
    assert desk.store.effects.rearm(caught.value.details[0]["effect"])
    desk.activities.record_payment(step)
    assert (len(desk.held("Cobro")), len(desk.held("Factura"))) == (1, 1)


@pytest.mark.covers("F-P6", "F-C1")
def test_an_instalment_captured_while_giav_is_away_is_posted_with_its_own_day_when_it_is_back(desk: Desk) -> None:
    desk.registered()
    step = desk.payment(initiation="mit")
    desk.stand_in.faults.set({"operation": "*", "kind": Kind.PAGE_503.value, "times": 5})
    desk.insist(desk.activities.record_payment, step)
    assert [fault.fired for fault in desk.stand_in.faults.faults] == [5]
    assert (desk.money_lines(), desk.invoice_lines()) == ([("Cobro", "300.00")], [("Normal", "300.00")])
    assert (desk.held("Cobro")[0]["FechaCobro"][:10], days(desk)) == ("2026-11-20", ["2026-11-22"])


@pytest.mark.covers("F-C10", "1.5.4")
def test_two_invoices_under_one_reference_are_for_a_person_and_the_first_is_kept(desk: Desk) -> None:
    desk.registered()
    step = desk.payment()
    desk.fault("Factura_Servicios_POST", Kind.DROP_AFTER)
    with pytest.raises(ApplicationError) as caught:
        desk.activities.record_payment(step)
    key = EffectKey(stories.AGENCY, "giav", "factura", step.payment_id, "create")
    assert str(key) == caught.value.details[0]["effect"]
    (second,) = somebody(desk).call("Factura_Servicios_POST", **(desk.store.effects.last_request(key) or {}))
    first = desk.held("Factura")[0]
    done = desk.insist(desk.activities.record_payment, step)
    assert done.ids["invoice"] == str(first["Id"])
    (item,) = desk.store.parked.list(stories.AGENCY)
    assert item.reason == "twins"
    assert f"{first['Id']} (kept) and {second}" in item.detail
    assert len(desk.held("Factura")) == 2, "nothing is deleted"


# Cancelling ----------------------------------------------------------------------------------------------------------


@pytest.mark.covers("1.4.2", "1.4.3", "1.4.6", "F-C6b")
@pytest.mark.parametrize(
    ("cause", "by"),
    [
        ("unavoidable_circumstances", "customer"),
        ("withdrawal_14d", "customer"),
        ("min_travellers", "planner"),
        ("significant_change_refused", "customer"),
        ("error", "supplier"),
    ],
)
def test_a_cancellation_free_of_charge_credits_all_and_bills_nothing(desk: Desk, cause: str, by: str) -> None:
    paid(desk, 30000)
    told = stories.cancellation("none") | {
        "cause": cause,
        "initiated_by": by,
        "penalty": {"amount": stories.eur(0), "treatment": "none"},
    }
    snapshot = booking(status="cancelled", lines=LINES, penalty=0)
    desk.activities.cancel_booking(desk.cancellation(2, snapshot, told))
    desk.activities.record_refund(desk.refund(amount=30000, payment_id="pay_1"))
    assert [amount for _, amount in desk.invoice_lines()] == ["300.00", "-300.00"]
    assert desk.money_lines() == [("Cobro", "300.00"), ("Reembolso", "300.00")]
    assert desk.container()["Venta"] == 0


@pytest.mark.covers("1.4.9", "M1", "M3", "giav 4: cancellation with money", "giav 4: refund")
@pytest.mark.parametrize(
    ("setting", "lines", "net", "penalties"),
    [
        ("rectify_everything", ["300.00", "-300.00", "30.00"], 0, 3000),
        ("rectify_refunded_part", ["300.00", "-300.00", "30.00"], 3000, 0),
    ],
)
def test_the_worked_case_ends_with_documents_for_what_was_kept(
    desk: Desk, setting: str, lines: list[str], net: int, penalties: int
) -> None:
    desk.configure(penalty=setting)
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk))
    desk.activities.record_refund(desk.refund(payment_id="pay_1"))
    assert [amount for _, amount in desk.invoice_lines()] == lines
    held = desk.store.documents.of_booking(stories.AGENCY, "bkg_500")
    assert sum(each.amount.amount for each in held if each.kind != "penalty") == net
    assert sum(each.amount.amount for each in held if each.kind == "penalty") == penalties
    assert desk.money_lines() == [("Cobro", "300.00"), ("Reembolso", "270.00")]
    assert desk.held("Cobro")[0]["DatosExternos"]["Compensado"] == 30


@pytest.mark.covers("1.4.9", "C2")
@pytest.mark.parametrize(
    ("treatment", "kinds"),
    [
        ("indemnity_not_subject", ["credit_note", "invoice", "penalty"]),
        ("taxable_fee", ["credit_note", "invoice", "penalty"]),
        ("no_show_consideration", ["invoice"]),
    ],
)
@pytest.mark.parametrize("setting", ["rectify_everything", "rectify_refunded_part"])
def test_each_treatment_of_a_penalty_has_its_documents_under_either_setting(
    desk: Desk, treatment: str, kinds: list[str], setting: str
) -> None:
    desk.configure(penalty=setting)
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk, treatment, 30000 if "no_show" in treatment else 3000))
    found = sorted(each.kind for each in desk.store.documents.of_booking(stories.AGENCY, "bkg_500"))
    if setting == "rectify_refunded_part" and len(kinds) > 1:
        kinds = ["credit_note", "invoice", "invoice"]
    assert found == kinds


@pytest.mark.covers("F-X9")
def test_who_was_cancelled_by_mistake_comes_back_as_a_new_booking_with_new_invoices(desk: Desk) -> None:
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk, "none", 0))
    before = documents(desk)
    desk.activities.register_booking(desk.booking(id="bkg_501", locator="AGAIN"))
    desk.activities.record_payment(desk.payment("pay_2", 30000, booking_id="bkg_501"))
    assert documents(desk) == before, "what was credited stays credited"
    again = desk.store.documents.of_booking(stories.AGENCY, "bkg_501")
    assert [(each.key, each.amount.amount, each.refers_to) for each in again] == [("inv:pay_2", 30000, None)]


@pytest.mark.covers("F-X12")
def test_a_penalty_that_nothing_was_paid_for_stays_receivable(desk: Desk) -> None:
    paid(desk)
    desk.activities.cancel_booking(cancelled(desk))
    (document,) = desk.held("Factura")
    assert (document["total"], document["DatosExternos"]["PendienteCobro"]) == (30, 30)
    assert desk.held("Cobro") == []


# Refunds -------------------------------------------------------------------------------------------------------------


@pytest.mark.covers("F-R7")
@pytest.mark.parametrize("amount", [25000, 28000])
def test_a_refund_of_another_amount_than_was_decided_is_booked_as_it_happened(desk: Desk, amount: int) -> None:
    paid(desk, 30000)
    desk.activities.cancel_booking(cancelled(desk))
    desk.activities.record_refund(desk.refund(amount=amount, payment_id="pay_1"))
    assert desk.money_lines()[-1] == ("Reembolso", f"{amount / 100:.2f}")
    assert [total for _, total in desk.invoice_lines()] == ["300.00", "-300.00", "30.00"]


@pytest.mark.covers("1.7.10", "giav 4: chargeback")
def test_a_chargeback_touches_neither_the_invoice_nor_what_is_sold(desk: Desk) -> None:
    desk.registered()
    desk.activities.record_payment(desk.payment())
    before: list[dict[str, Any]] = desk.held("Factura")
    desk.activities.record_chargeback(desk.chargeback("funds_withdrawn"))
    assert desk.held("Factura") == before
    assert desk.container()["Venta"] == 1005
