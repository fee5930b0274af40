"""The lifecycles that are disturbed: what came before, undisturbed, and the act whose every call is made to fail once."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from activities.kommo.fields import CODES, definition_of
from domain.books import DealBooks
from domain.effects import EffectState
from domain.steps import TamaraOrder
from domain.tamara_steps import TamaraAnswersOrder
from faults.days import departing
from faults.stage import Doc, Stage
from sandbox.kommo.hooks import KNOWN
from sandbox.kommo.stand_in import KommoStandIn
from sandbox.season import people
from sandbox.season.people import companion
from sandbox.season.script import AIRPLUS_LAST4, AIRPLUS_TOKEN
from starter.collecting.deals import deals_of
from workers.feeds import start_feeds

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
    varies: bool = False
    """It looks again and again until something has come: a late look may be disturbed in one run and not take place in another."""
    gives_up: bool = False
    """Its end is that it is taken back: a refusal before the one that is its own ends it the same, only earlier."""
    after_death: Callable[[Stage], None] = lambda _: None
    """What the other side does when a worker has died."""
    still_open: tuple[str, ...] = ()
    """Invariants at rest that cannot hold before those are answered."""


async def opened(stage: Stage) -> None:
    await stage.do("create-experience", **departing(datetime.now(UTC).date(), stage.day))


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


def refused_again(stage: Stage) -> None:
    """GIAV does not change its mind: a refusal that nobody lived to keep is given once more."""
    nesting = [each.record for each in stage.office.store.effects.unsettled(stage.agency)]
    if any(each.key.operation == "nest" and each.state is EffectState.INTENDED and each.acts for each in nesting):
        for fault in stage.house.giav.faults.faults:
            fault.times = 1 if fault.fired else fault.times


async def card_lodged(stage: Stage) -> None:
    lodged = json.dumps({"number": CARD, "expiry": "1230"})
    stage.office.store.vault.seal(stage.agency, f"card/{AIRPLUS_TOKEN}", lodged)


async def line_to_be_rejected(stage: Stage) -> None:
    url = f"{stage.house.urls['airplus']}/control/rejections"
    (await stage.http.post(url, json={"next": "A006"})).raise_for_status()


async def fed(stage: Stage) -> None:
    """What the supplier holds is read from now on."""
    whole = stage.office.installation
    await start_feeds(
        stage.office.client, whole.model_copy(update={"agencies": {stage.agency: whole.agencies[stage.agency]}})
    )


# Deals ------------------------------------------------------------------------------------------------------------------


async def crm_connected(stage: Stage) -> None:
    """Our fields and our webhook are there."""
    kommo = stage.house.stand_ins["kommo"]
    assert isinstance(kommo, KommoStandIn)
    settings = stage.office.installation.agencies[stage.agency].kommo or {}
    place = f"{settings['gateway_url']}/hooks/kommo/{stage.agency}/{settings['hook_secret']}"

    async def made() -> None:
        kommo._fields.create([definition_of(code, "EUR") for code in CODES])
        kommo._hooks.subscribe(place, sorted(KNOWN))

    await stage.office.street.run(made())


async def deal_asked(stage: Stage) -> None:
    """A person drags a deal to the stage in which a customer is to pay."""
    contact = {"name": "Ana Prueba", "email": "ana@example.test", "phone": "+34 600 000 000"}
    wish = {"name": "Lisboa, 3 noches", "price": 300, "status_id": 31, "contact": contact}
    lead = (await stage.http.post(f"{stage.house.urls['kommo']}/control/leads", json=wish)).json()
    await stage.http.post(f"{stage.house.urls['kommo']}/control/leads/{lead['id']}", json={"status_id": 33})
    await stage.until_or_asked(lambda: deal_shows(stage) == "awaiting_payment", "a link in the deal")


async def deal_paid(stage: Stage) -> None:
    """The customer pays, and closes the browser."""
    await stage.until(lambda: deal_shows(stage) == "awaiting_payment", "a link in the deal")
    deal = deals_there(stage)[0]
    await stage.http.post(f"{stage.house.urls['easycount']}/control/pay", json={"url": deal.link})
    await stage.until_or_asked(lambda: deal_shows(stage) == "paid", "a paid deal")


def deals_there(stage: Stage) -> tuple[DealBooks, ...]:
    state = {name: stage.house.stand_ins[name].state() for name in ("kommo", "easycount")}
    return deals_of(stage.agency, state["kommo"], state["easycount"], {})[0]


def deal_shows(stage: Stage) -> str:
    return next((deal.status for deal in deals_there(stage)), "")


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
            gives_up=True,
            after_death=refused_again,
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
        Scenario(
            "cancel-unpaid",
            "a booking without money is cancelled",
            SALE,
            (does("cancel-booking", cause="withdrawal_14d"),),
        ),
        Scenario(
            "cancel-paid",
            "a paid booking is cancelled for a penalty",
            PAID,
            (does("cancel-booking", cause="customer_choice"),),
        ),
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
        Scenario(
            "life",
            "a booking is made, changed, discounted and paid, as fast as the platform can tell it",
            (),
            (
                *SALE,
                does("modify-booking", travellers=[{"id": "trv_02", "first_name": "Verónica", "last_name": "Soto"}]),
                does("apply-discount", kind="amount", value=eur(50_00), code="AMIGOS"),
                does("change-service", action="added", service_id="svc_72W"),
                pays(),
            ),
        ),
        Scenario("payment-card", "a payment by card", SALE, (pays(last4="5556"),)),
        Scenario("payment-transfer", "a payment by transfer", SALE, (pays(method="transfer"),)),
        Scenario("payment-bizum", "a payment by Bizum", SALE, (pays(method="bizum"),)),
        Scenario(
            "payment-airplus",
            "a payment by AirPlus account",
            (card_lodged, *SALE),
            (pays(**AIRPLUS),),
            frozenset({"airplus"}),
        ),
        Scenario(
            "tamara-export",
            "the night's file goes to AirPlus and is answered",
            (card_lodged, *SALE, rested, pays(**AIRPLUS)),
            (exported, answered),
            frozenset({"airplus"}),
            inbound=False,
        ),
        Scenario(
            "tamara-export-ftps",
            "the same night's file by FTPS",
            (card_lodged, *SALE, rested, pays(**AIRPLUS)),
            (exported, answered),
            frozenset({"airplus", "ftps"}),
            inbound=False,
        ),
        Scenario(
            "tamara-rejected",
            "AirPlus rejects the line of a file",
            (card_lodged, *SALE, rested, pays(**AIRPLUS), line_to_be_rejected),
            (exported, answered),
            frozenset({"airplus"}),
            inbound=False,
            answers=("tamara_rejected",),
            still_open=("T2",),
        ),
        Scenario(
            "cancel-supplied",
            "a booking is cancelled whose hotel RateHawk holds",
            (fed, *SALE),
            (does("cancel-booking", cause="withdrawal_14d"),),
            frozenset({"ratehawk"}),
            varies=True,
        ),
        Scenario(
            "deal",
            "a deal asks for money, is paid, and shows it",
            (crm_connected,),
            (deal_asked, deal_paid),
            frozenset({"kommo"}),
            inbound=False,
            varies=True,
        ),
        Scenario("instalments", "two instalments that are due are charged", SALE, (planned, collected), inbound=False),
    )
}
