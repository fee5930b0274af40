"""What GIAV shows of a payment before it is written, and after (contracts: payment-sync 5; money-rules F-C18, F-C19)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from activities.giav.activities import GiavActivities
from activities.giav.client import GiavClient
from activities.giav.settings import GiavSettings
from domain.payment_steps import ProbeStep
from domain.payment_sync import Evidence, Verdict
from domain.steps import PaymentStep
from sandbox.faults import Kind
from sandbox.giav import seeds
from tests import stories
from tests.activities.giav.desk import Desk, section


def probe(desk: Desk, step: PaymentStep, *, in_ledger: bool = False) -> Evidence:
    activities: GiavActivities = desk.activities
    return activities.probe_payment(ProbeStep(**step.model_dump(), in_ledger=in_ledger))


def typed(desk: Desk, amount: str, document: str = "", method: int = seeds.TRANSFER, notes: str = "") -> None:
    """A cobro that a person typed into the file of the booking, for its payer."""
    client = GiavClient(GiavSettings.model_validate(section(desk.url)))
    container = desk.container()
    request: dict[str, Any] = {
        "idFormaPago": method,
        "idOficina": seeds.OFFICE,
        "idExpediente": container["IdExpediente"],
        "idCliente": container["IdCliente"],
        "idTipoOperacion": "Cobro",
        "concepto": "Pago en la oficina",
        "documento": document,
        "importe": amount,
        "fechaCobro": "2026-11-20",
        "autocompensar": False,
        "notasInternas": notes,
    }
    client.create("Cobro_POST", **request)
    client.close()


def paid(desk: Desk, **changes: Any) -> PaymentStep:
    desk.registered(**changes)
    desk.calls()
    return desk.payment()


@pytest.mark.covers("F-P17")
def test_the_first_look_costs_one_call_and_finds_nothing(desk: Desk) -> None:
    evidence = probe(desk, paid(desk))
    assert (evidence.verdict, evidence.ours) == (Verdict.UNPAID, False)
    assert desk.calls() == ["Cobro_SEARCH"]


def test_what_our_ledger_has_settled_is_ours_without_a_call(desk: Desk) -> None:
    step = paid(desk)
    done = desk.activities.record_payment(step)
    desk.calls()
    for in_ledger in (True, False):
        evidence = probe(desk, step, in_ledger=in_ledger)
        assert (evidence.verdict, evidence.ours) == (Verdict.SAME_PAYMENT, True)
        assert evidence.receipt_id == done.ids["cobro"]
    assert desk.calls() == []


@pytest.mark.covers("F-C9")
def test_our_cobro_whose_answer_was_lost_is_known_by_our_reference(desk: Desk) -> None:
    step = paid(desk)
    desk.fault("Cobro_POST", Kind.DROP_AFTER)
    with pytest.raises(Exception, match="no answer"):
        desk.activities.record_payment(step)
    evidence = probe(desk, step)
    assert (evidence.verdict, evidence.ours) == (Verdict.SAME_PAYMENT, True)
    assert not probe(desk, step, in_ledger=True).ours


@pytest.mark.covers("F-C19")
@pytest.mark.parametrize("method", [seeds.STRIPE, seeds.TRANSFER])
def test_a_cobro_that_a_person_typed_with_the_processors_id_is_the_same_payment(desk: Desk, method: int) -> None:
    step = paid(desk)
    typed(desk, "300.00", "pi_pay_1001", method)
    evidence = probe(desk, step)
    assert (evidence.verdict, evidence.ours) == (Verdict.SAME_PAYMENT, False)


@pytest.mark.covers("F-C18")
def test_a_sale_that_was_paid_in_the_office_is_paid_otherwise(desk: Desk) -> None:
    step = paid(desk)
    sale = f"{desk.container()['VentaComis']:.2f}"
    typed(desk, sale, "caja 17")
    assert probe(desk, step).verdict is Verdict.PAID_OTHERWISE


def test_a_sale_that_was_paid_in_the_office_up_to_less_than_the_payment_is_open_in_part(desk: Desk) -> None:
    step = paid(desk)
    sale = float(desk.container()["VentaComis"])
    typed(desk, f"{sale - 100:.2f}", "caja 18")
    assert probe(desk, step).verdict is Verdict.PARTIAL


def test_an_earlier_payment_of_ours_settles_nothing_else(desk: Desk) -> None:
    desk.registered()
    desk.activities.record_payment(desk.payment("pay_1", ref="pi_1"))
    assert probe(desk, desk.payment("pay_2", ref="pi_2")).verdict is Verdict.UNPAID


def test_money_beyond_the_price_is_booked_all_the_same(desk: Desk) -> None:
    desk.registered()
    sale = int(float(desk.container()["VentaComis"]) * 100)
    desk.activities.record_payment(desk.payment("pay_1", sale, ref="pi_1"))
    assert probe(desk, desk.payment("pay_2", ref="pi_2")).verdict is Verdict.UNPAID


def test_the_cobro_that_an_invoice_makes_is_ours(desk: Desk) -> None:
    desk.configure(payment_variant="one_call")
    step = paid(desk)
    desk.activities.record_payment(step)
    assert probe(desk, step).ours
    assert step.agency == stories.AGENCY


@pytest.mark.covers("F-C18")
@pytest.mark.parametrize(("typed_amount", "verdict"), [("382.00", Verdict.PAID_OTHERWISE), ("100.00", Verdict.PARTIAL)])
def test_an_instalment_that_was_paid_in_the_office_is_paid_although_later_ones_are_open(
    desk: Desk, typed_amount: str, verdict: Verdict
) -> None:
    desk.registered()
    desk.told("payment_plan.created", stories.data("payment_plan/plan_50", payment_plan=plan_of_the_sale(desk)))
    desk.activities.record_payment(desk.payment("pay_1", ref="pi_1", plan_id="plan_50", installment_id="ins_01"))
    twice = desk.payment("pay_2", 38200, ref="pi_2", plan_id="plan_50", installment_id="ins_02")
    assert probe(desk, twice).verdict is Verdict.UNPAID
    typed(desk, typed_amount, "caja 19")
    assert probe(desk, twice).verdict is verdict


@pytest.mark.covers("F-C18")
def test_what_was_typed_for_another_payment_counts_once(desk: Desk) -> None:
    """Paid in cash, which the platform tells as well; a card payment of the rest is no duplicate."""
    desk.registered()
    sale = round(float(desk.container()["VentaComis"]) * 100)
    desk.payment("pay_cash", 30000, ref="csh_1")
    typed(desk, "300.00", "csh_1")
    assert probe(desk, desk.payment("pay_rest", sale - 30000, ref="pi_2")).verdict is Verdict.UNPAID
    assert probe(desk, desk.payment("pay_all", sale, ref="pi_3")).verdict is Verdict.PARTIAL


@pytest.mark.covers("F-C19")
def test_what_the_office_collects_and_invoices_by_hand_is_the_same_payment(desk: Desk) -> None:
    step = paid(desk)
    wish = {
        "act": "collect",
        "reserva": "bkg_500",
        "importe": 300.0,
        "formaPago": seeds.CARD,
        "documento": "pi_pay_1001",
    }
    assert httpx.post(f"{desk.url}/control/people", json=wish).is_success
    assert (desk.money_lines(), desk.invoice_lines()) == ([("Cobro", "300.00")], [("Normal", "300.00")])
    evidence = probe(desk, step)
    assert (evidence.verdict, evidence.ours) == (Verdict.SAME_PAYMENT, False)
    nobody = wish | {"reserva": "bkg_999"}
    assert httpx.post(f"{desk.url}/control/people", json=nobody).status_code == 422


def plan_of_the_sale(desk: Desk) -> dict[str, Any]:
    """300.00, 382.00, and what is left of the sale."""
    sale = round(float(desk.container()["VentaComis"]) * 100)
    told = stories.plan(balance=sale - 68200)
    return told | {"total": stories.eur(sale)}
