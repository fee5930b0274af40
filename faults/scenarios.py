"""The lifecycles that are disturbed: what came before, undisturbed, and the act whose every call is made to fail once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from domain.steps import TamaraOrder
from domain.tamara_steps import TamaraAnswersOrder
from sandbox.season import people
from sandbox.season.catalogue import granada
from sandbox.season.people import companion
from sandbox.season.script import AIRPLUS_LAST4, AIRPLUS_TOKEN

from faults.stage import Doc, Stage

Act = Callable[[Stage], Awaitable[None]]
EXPERIENCE, BOOKING = "exp_72", "bkg_1"
SERVICES = ("svc_72H", "svc_72B")
"""A hotel, which the mid-office and RateHawk know, and a coach, which they do not."""
CARD = "192000000000008"


def eur(amount: int) -> Doc:
    return {"amount": amount, "currency": "EUR"}


@dataclass(frozen=True)
class Scenario:
    """`systems`: those beside ERP, mid-office, platform and journal. `before` is played without faults."""

    name: str
    words: str
    before: tuple[Act, ...]
    act: tuple[Act, ...]
    systems: frozenset[str] = frozenset()
    inbound: bool = True
    """Whether its events may also come twice and in another order."""
    answers: tuple[str, ...] = ()
    """Reasons for which it stops by itself, without any fault."""


async def opened(stage: Stage) -> None:
    await stage.do("create-experience", **granada(datetime.now(UTC).date()))


async def sold(stage: Stage) -> None:
    payer = people.LUCIA
    await stage.do(
        "create-booking",
        id=BOOKING,
        locator="GRX4LF",
        experience_id=EXPERIENCE,
        payer=payer.party,
        travellers=[payer.traveller, companion("Diego", "Alonso Ferrer")],
        lines=[{"service_id": service} for service in SERVICES],
    )


def pays(payment: str = "pay_1", **more: Any) -> Act:
    async def paid(stage: Stage) -> None:
        await stage.do("capture-payment", booking_id=BOOKING, id=payment, **more)

    return paid


def does(verb: str, **wish: Any) -> Act:
    async def done(stage: Stage) -> None:
        await stage.do(verb, booking_id=BOOKING, **wish)

    return done


async def given_back(stage: Stage) -> None:
    """What the last cancellation leaves to the payer."""
    booking = stage.house.platform.platform.storage.find("booking", BOOKING)
    assert booking is not None
    cancelled = booking["cancellations"][-1]["id"]
    await stage.do("refund", booking_id=BOOKING, cause="cancellation", cancellation_id=cancelled)


async def failed_again(stage: Stage) -> None:
    (refund,) = stage.house.platform.platform.storage.every("payment")[0]["refunds"]
    await stage.do("fail-refund", payment_id="pay_1", refund_id=refund["id"])


def disputed(*stages: str) -> Act:
    async def told(stage: Stage) -> None:
        opened = (await stage.do("chargeback", payment_id="pay_1", stage="opened"))["chargebacks"][-1]["id"]
        for each in stages:
            await stage.rest()
            await stage.do("chargeback", payment_id="pay_1", chargeback_id=opened, stage=each, fee=eur(20_00))

    return told


async def refused_once(stage: Stage) -> None:
    """GIAV will refuse the second nested line, when half of the booking stands there."""
    stage.house.giav.faults.set({"operation": "Reserva_Anidamiento_PUT", "kind": "refuse", "skip": 1})


async def card_lodged(stage: Stage) -> None:
    stage.office.store.vault.seal(stage.agency, f"card/{AIRPLUS_TOKEN}", "")


async def exported(stage: Stage) -> None:
    order = TamaraOrder(agency=stage.agency, kind="MA", day=datetime.now(UTC).date())
    await stage.start("ExportTamara", order, f"tamara/{stage.agency}/MA/{order.day}")


async def answered(stage: Stage) -> None:
    await stage.start("ReadTamaraAnswers", TamaraAnswersOrder(agency=stage.agency), f"tamara-answers/{stage.agency}")


async def rested(stage: Stage) -> None:
    await stage.rest()


async def planned(stage: Stage) -> None:
    await stage.do("create-plan", booking_id=BOOKING, id="plan_1")
    await stage.do("capture-payment", booking_id=BOOKING, id="pay_1", instalment_id="ins_11", last4="1881")


async def collected(stage: Stage) -> None:
    def paid() -> bool:
        return all(each["status"] == "paid" for each in stage.house.platform.platform.plan("plan_1")["installments"])

    await stage.until(paid, "all instalments are paid")


SALE = (opened, sold)
PAID = (*SALE, rested, pays())
AIRPLUS = {"method": "airplus", "last4": AIRPLUS_LAST4, "airplus_account_token": AIRPLUS_TOKEN}

SCENARIOS: dict[str, Scenario] = {
    each.name: each
    for each in (
        Scenario("create", "an experience goes on sale, a booking is made", (), SALE),
        Scenario(
            "create-undone",
            "a booking that GIAV refuses before money came is taken back",
            (refused_once,),
            SALE,
            answers=("booking_undone",),
        ),
        Scenario(
            "modify-travellers",
            "a traveller is replaced",
            SALE,
            (does("modify-booking", travellers=[{"id": "trv_02", "first_name": "Verónica", "last_name": "Soto"}]),),
        ),
        Scenario(
            "discount",
            "a discount after the payment: credit note, new invoice, refund",
            PAID,
            (
                does("apply-discount", kind="amount", value=eur(50_00), code="TARDE"),
                rested,
                does("refund", cause="discount"),
            ),
        ),
        Scenario(
            "service-added",
            "a service is added and paid",
            PAID,
            (does("change-service", action="added", service_id="svc_72W"), rested, pays("pay_2")),
        ),
        Scenario(
            "service-removed",
            "a service is given up after the payment; its price goes back",
            PAID,
            (
                does("change-service", action="removed", line_id="lin_02"),
                rested,
                does("refund", cause="service_change"),
            ),
        ),
        Scenario("cancel-unpaid", "a booking without money is cancelled", SALE, (does("cancel-booking", cause="withdrawal_14d"),)),
        Scenario("cancel-paid", "a paid booking is cancelled for a penalty", PAID, (does("cancel-booking", cause="customer_choice"),)),
        Scenario(
            "refund",
            "what a cancellation leaves goes back",
            (*PAID, rested, does("cancel-booking", cause="customer_choice")),
            (given_back,),
        ),
        Scenario(
            "refund-failed",
            "a refund that was told fails afterwards",
            (*PAID, rested, does("cancel-booking", cause="customer_choice"), rested, given_back),
            (failed_again,),
            answers=("refund_failed",),
        ),
        Scenario(
            "chargeback",
            "a dispute is opened, takes the money, and is won",
            PAID,
            (disputed("funds_withdrawn", "won"),),
            inbound=False,
        ),
        Scenario("payment-card", "a payment by card", SALE, (pays(last4="5556"),)),
        Scenario("payment-transfer", "a payment by transfer", SALE, (pays(method="transfer"),)),
        Scenario("payment-bizum", "a payment by Bizum", SALE, (pays(method="bizum"),)),
        Scenario("instalments", "two instalments that are due are charged", SALE, (planned, collected), inbound=False),
    )
}
