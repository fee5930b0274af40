"""A year of a monthly plan: both clock changes, outages, declines, orders, a price change, and its end (money-rules 4.6)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr
from temporalio.client import WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from activities.platform.settings import PlatformAccount
from domain.plan_letters import MailSettings
from domain.steps import DecisionTaken
from domain.superseding import PlanState
from sandbox.platform.stand_in import TOKEN, PlatformStandIn
from sandbox.running import running
from store import Store
from store.installation import PlatformSettings
from tests.activities.platform.world import SERVICES, World
from tests.databases import migrated_url
from tests.workflows.office import Office, working
from tests.workflows.plan_year import MADRID, Clock, PlanYear, Sink

EUR = "EUR"


@pytest.fixture
def sink() -> Iterator[tuple[Sink, MailSettings]]:
    handler = Sink()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield (
        handler,
        MailSettings(
            host="127.0.0.1",
            port=port,
            security="none",
            sender="Viajes Ejemplo <pagos@viajes.example>",
            payment_url="https://viajes.example/pagar/{locator}/{instalment}",
        ),
    )
    controller.stop()


@pytest.fixture
async def year(
    tmp_path: Path, skipping: WorkflowEnvironment, office: Office, sink: tuple[Sink, MailSettings]
) -> AsyncIterator[PlanYear]:
    clock = Clock(await skipping.get_current_time())
    store = Store.open(migrated_url("sqlite", tmp_path), clock=clock)
    stand_in = PlatformStandIn(now=clock)
    with running(stand_in) as url:
        account = stand_in.platform.account
        settings = PlatformSettings(source=account.source, event_prefix=account.prefix, url=url, token=SecretStr(TOKEN))
        world = World(stand_in, store, settings, PlatformAccount.open(settings, "test"))
        yield PlanYear(world, skipping, office, clock, sink[1])
    stand_in.close()
    store.close()


def month_ends(after: date, count: int = 12) -> list[date]:
    """Irregular days: the last of each month, and in March and October the Sunday on which the clock changes."""
    days, month = [], date(after.year, after.month, 1)
    while len(days) < count:
        following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
        last = following - timedelta(days=1)
        if month.month in (3, 10):
            last -= timedelta(days=(last.weekday() + 1) % 7)
        if last > after + timedelta(days=3):
            days.append(last)
        month = following
    return days


def sell(world: World, days: list[date]) -> None:
    """Twelve times 100.00 EUR."""
    template = [
        {"seq": at, "due": {"on": day.isoformat()}, "kind": "fixed", "amount": {"amount": 10000, "currency": EUR}}
        for at, day in enumerate(days, start=1)
    ]
    template[-1] = {"seq": len(days), "due": {"on": days[-1].isoformat()}, "kind": "balance"}
    starts = days[-1] + timedelta(days=40)
    world.do(
        "create-experience",
        id="exp_31",
        title="Vuelta al mundo",
        sales_mode="seat_b2c",
        starts_on=starts.isoformat(),
        ends_on=(starts + timedelta(days=9)).isoformat(),
        services=[{**SERVICES[0], "price": {"amount": 10000 * len(days) // 2, "currency": EUR}}],
        cancellation_policy={"basis": "total", "tiers": []},
        payment_plan_template=template,
    )
    person = {"first_name": "Ana", "last_name": "Prueba"}
    payer = {"id": "cus_77", "kind": "person", "name": "Ana Prueba", "email": "ana@mail.example", "language": "es-ES"}
    world.do(
        "create-booking",
        id="bkg_500",
        experience_id="exp_31",
        payer=payer,
        travellers=[{**person, "is_payer": True}, person],
        lines=[{"service_id": "svc_hotel"}],
    )
    world.do("create-plan", booking_id="bkg_500", id="plan_50")


def ins(at: int) -> str:
    return f"ins_50{at}"


def local(year: PlanYear) -> dict[str, datetime]:
    return {own: moment.astimezone(MADRID) for own, _, moment in year.charged()}


@pytest.mark.covers("F-P1", "F-P2", "F-P7", "F-P8", "F-M8", "1.7.7", "M8")
async def test_a_year_of_a_monthly_plan(year: PlanYear, office: Office, sink: tuple[Sink, MailSettings]) -> None:
    days = month_ends(year.clock.moment.date())
    sell(year.world, days)
    async with working(year.environment.client, office):
        await year.post()

        await year.until(days[0])  # a plain month
        assert ins(1) in local(year)
        assert year.tables.updates == 0, "a collected instalment changes nothing of the days that are to come"

        await year.until(days[1] - timedelta(days=1))  # no worker on the due day, back two days later
        year.down = True
        await year.until(days[1] + timedelta(days=2))
        assert ins(2) not in local(year)
        year.down = False
        await year.until(days[1] + timedelta(days=2), hour=13)
        assert local(year)[ins(2)].date() == days[1] + timedelta(days=2), "late, and charged unasked"

        year.world.do("script-charges", target=ins(3), outcomes=["soft", "soft"])
        await year.until(days[2] + timedelta(days=5))
        assert local(year)[ins(3)].date() == days[2] + timedelta(days=4), "recovered after one and three days"
        assert sink[0].subjects() == ["No hemos podido cobrar 100,00 EUR"] * 2

        year.down = True  # no worker from the fourth due day until the eve of the fifth
        await year.until(days[4] - timedelta(days=1), hour=10)
        year.down = False
        await year.until(days[4] - timedelta(days=1))
        asked = office.parked[-1]
        assert asked.reason == "instalment_late"
        assert ins(4) not in local(year)
        taken = DecisionTaken(item_id=asked.item_id, decision="approve", by="ana", explanation="the payer agrees")
        await year.environment.client.get_workflow_handle(asked.workflow_id).execute_update("decide", taken)
        await year.until(days[4])
        assert {ins(4), ins(5)} <= set(local(year))

        year.world.do("script-charges", target=ins(6), outcomes=["hard"])
        await year.until(days[5] + timedelta(days=1))
        assert office.parked[-1].reason == "instalment_declined"
        assert sink[0].subjects()[-1] == "Necesitamos otro medio de pago"
        assert "https://viajes.example/pagar/" in sink[0].letters[-1].get_content()
        year.world.do("capture-payment", booking_id="bkg_500", instalment_id=ins(6), method="transfer")
        await year.until(days[5] + timedelta(days=2))
        assert [each.taken.by for each in office.unparked[-1:]] == ["system"], "the payment answers the item"

        value = {"amount": 5000, "currency": EUR}
        year.world.do("apply-discount", booking_id="bkg_500", kind="amount", value=value)
        # A new mandate after the card that may never be tried again.
        year.world.do("change-plan", plan_id="plan_50", sign_mandate=True)
        await year.until(days[6])
        assert {own: cents for own, cents, _ in year.charged()}[ins(7)] == 10000, "only the balance moves"

        await year.order("pause")
        await year.until(days[7] + timedelta(days=2))
        assert ins(8) not in local(year)
        with pytest.raises(WorkflowUpdateFailedError):
            await year.order("pause")
        await year.order("resume")
        await year.until(days[7] + timedelta(days=2), hour=14)
        assert local(year)[ins(8)].date() == days[7] + timedelta(days=2), "what fell due is collected at once"

        await year.order("skip", ins(9))
        await year.until(days[8] + timedelta(days=2))
        assert ins(9) not in local(year)
        await year.order("charge_now", ins(9))
        await year.until(days[8] + timedelta(days=2), hour=14)
        assert ins(9) in local(year)

        await year.until(days[11] + timedelta(days=3))
        ended = PlanState.model_validate(await asyncio.wait_for(year.plan.result(), 180))
        assert ended.over
    assert year.tables.schedule is None, "no due day is left"
    captured = {own: cents for own, cents, _ in year.charged()}
    assert captured == {ins(at): 10000 for at in range(1, 12) if at != 6} | {ins(12): 5000}
    assert len(year.charged()) == 11, "nothing is charged twice"
    times = local(year)
    punctual = (1, 5, 7, 10, 11, 12)
    assert {times[ins(at)].hour for at in punctual} == {9}, "nine o'clock in Madrid, whatever the clock changes"
    assert [times[ins(at)].date() for at in punctual] == [days[at - 1] for at in punctual]


@pytest.mark.covers("F-P2", "F-P16")
async def test_a_transfer_without_a_name_answers_for_the_instalment_that_it_pays(
    year: PlanYear, office: Office, sink: tuple[Sink, MailSettings]
) -> None:
    days = month_ends(year.clock.moment.date(), 2)
    sell(year.world, days)
    year.world.do("script-charges", target=ins(1), outcomes=["hard"])
    async with working(year.environment.client, office):
        await year.post()
        await year.until(days[0] + timedelta(days=1))
        assert [item.reason for item in office.parked] == ["instalment_declined"]
        value = {"amount": 10000, "currency": EUR}
        year.world.do("capture-payment", booking_id="bkg_500", amount=value, method="transfer")
        await year.until(days[0] + timedelta(days=2))
        assert [each.taken.by for each in office.unparked] == ["system"]
        assert list(PlanState.model_validate(await year.plan.query("view")).open) == [ins(2)]
    assert year.charged() == []


@pytest.mark.covers("F-P16")
async def test_a_part_that_is_charged_now_leaves_the_rest_to_its_day(year: PlanYear, office: Office) -> None:
    days = month_ends(year.clock.moment.date(), 2)
    sell(year.world, days)
    async with working(year.environment.client, office):
        await year.post()
        await year.until(days[0] - timedelta(days=2))
        await year.order("charge_now", ins(1), amount={"amount": 4000, "currency": EUR})
        for wrong in ({"amount": 6001, "currency": EUR}, {"amount": 100, "currency": "USD"}):
            with pytest.raises(WorkflowUpdateFailedError):
                await year.order("charge_now", ins(1), amount=wrong)
        await year.until(days[0])
    assert [(own, cents) for own, cents, _ in year.charged()] == [(ins(1), 4000), (ins(1), 6000)]
    assert office.parked == []
