"""A short season of one agency in bad weather, and the judgement when the sun is out again."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from faults import picture
from faults.scenarios import EXPERIENCE, SERVICES, eur, opened
from faults.stage import Stage, Stuck, Told
from faults.weather import Way, Weather
from sandbox.season import people
from sandbox.season.people import companion

BUYERS = (people.LUCIA, people.JAVIER, people.ELENA)
ROUNDS = 8
"""How often people go through their list before what is left on it is left."""
ANSWERS = ("retry", "approve", "take_ours", "claim", "skip")


@dataclass
class Survived:
    """How a season ended. `violations` is what must never be; `waiting` what a person has to settle."""

    seed: int
    violations: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    answered: int = 0
    struck: int = 0
    died: int = 0
    told: int = 0
    verbs: int = 0
    seconds: float = 0.0

    def plain(self) -> dict[str, Any]:
        return asdict(self)


class Carrier:
    """Carries events as the weather has it."""

    def __init__(self, stage: Stage, ways: Iterator[Way]) -> None:
        self._stage, self._ways = stage, ways
        self._behind: list[Told] = []
        self._late: set[asyncio.Task[int]] = set()

    async def carry(self) -> None:
        await self._stage.carry()
        for told in list(self._stage.waiting):
            if told not in self._behind:
                await self._carry(told)

    async def _carry(self, told: Told) -> None:
        way = next(self._ways)
        if way == "after the next":
            self._behind.append(told)
            return
        behind, self._behind = self._behind, []
        if way == "late":
            task = asyncio.create_task(self._later(told))
            self._late.add(task)
        else:
            await self._stage.tell(told)
        if way == "twice":
            await self._stage.tell(told)
        for each in behind:
            await self._stage.tell(each)

    async def _later(self, told: Told) -> int:
        self._stage.waiting.remove(told)
        await asyncio.sleep(1.0)
        return await self._stage.tell(told)

    async def finish(self) -> None:
        await self.carry()
        for told in self._behind:
            await self._stage.tell(told)
        self._behind = []
        await asyncio.gather(*self._late)


async def survive(stage: Stage, weather: Weather) -> Survived:
    """Play it; never raises for what the product does."""
    survived, began = Survived(weather.seed), time.monotonic()
    try:
        await _played(stage, weather, survived)
    except Stuck as stuck:
        survived.violations.append(f"stuck: {stuck}")
    except Exception as error:  # noqa: BLE001 one season's end must not take the others with it
        survived.violations.append(f"the season itself failed: {type(error).__name__}: {error}")
    survived.seconds = round(time.monotonic() - began, 1)
    return survived


async def _played(stage: Stage, weather: Weather, survived: Survived) -> None:
    stage.skew, stage.held = weather.skew, True
    carrier = Carrier(stage, itertools.cycle(weather.ways))
    deaths = stage.office.cemetery.of(stage.agency)
    deaths.numbers, deaths.sick = frozenset(weather.deaths), range(*weather.full_disk)
    deaths.begin()
    faults = [stage.house.stand_ins[each.system].faults.set(each.wish) for each in weather.strikes]
    await opened(stage)
    await carrier.carry()
    for step in itertools.zip_longest(*weather.lives):
        for number, verb in enumerate(step, start=1):
            if verb is not None:
                survived.verbs += await _live(stage, number, verb)
        await carrier.carry()
        if not weather.hurry:
            await asyncio.sleep(0.8)
            await _always(stage, survived)
    await carrier.finish()
    await _always(stage, survived)
    for stand_in in stage.house.stand_ins.values():
        stand_in.faults.clear()
    stage.held = False
    await _sun(stage, survived)
    survived.struck = sum(fault.fired for fault in faults)
    survived.died, survived.told = deaths.died, len(stage.told)


async def _live(stage: Stage, number: int, verb: str) -> int:
    """One verb of a booking's life; what the platform itself refuses does not happen."""
    own = f"bkg_{number}"
    platform = stage.house.platform.platform
    try:
        if platform.storage.find("booking", own) is None:
            buyer = BUYERS[number - 1]
            await stage.do(
                "create-booking",
                id=own,
                locator=f"GRX{number}",
                experience_id=EXPERIENCE,
                payer=buyer.party,
                travellers=[buyer.traveller, companion("Diego", "Alonso Ferrer")],
                lines=[{"service_id": service} for service in SERVICES],
            )
        await _act(stage, own, verb)
    except Stuck:
        return 0
    return 1


async def _act(stage: Stage, own: str, verb: str) -> None:
    match verb:
        case "travellers":
            person = {"id": "trv_02", "first_name": "Verónica", "last_name": "Soto Blanco"}
            await stage.do("modify-booking", booking_id=own, travellers=[person])
        case "discount":
            await stage.do("apply-discount", booking_id=own, kind="amount", value=eur(20_00), code="AMIGOS")
        case "added":
            await stage.do("change-service", booking_id=own, action="added", service_id="svc_72W")
        case "removed":
            await stage.do("change-service", booking_id=own, action="removed", line_id="lin_02")
        case "pay":
            await stage.do("capture-payment", booking_id=own)
        case "pay by transfer" | "pay by bizum":
            await stage.do("capture-payment", booking_id=own, method=verb.removeprefix("pay by "))
        case "cancel":
            await stage.do("cancel-booking", booking_id=own, cause="withdrawal_14d")
        case "refund":
            booking = stage.house.platform.platform.storage.find("booking", own)
            cancelled = (booking or {}).get("cancellations") or []
            if cancelled:
                await stage.do("refund", booking_id=own, cause="cancellation", cancellation_id=cancelled[-1]["id"])
            else:
                await stage.do("refund", booking_id=own, cause="overpayment")
        case "dispute":
            booking = stage.house.platform.platform.storage.find("booking", own)
            payments = (booking or {}).get("payment_ids") or []
            if payments and not (booking or {}).get("cancellations"):
                made = await stage.do("chargeback", payment_id=payments[0], stage="opened")
                disputed = made["chargebacks"][-1]["id"]
                for each in ("funds_withdrawn", "won"):
                    await stage.do(
                        "chargeback", payment_id=payments[0], chargeback_id=disputed, stage=each, fee=eur(20_00)
                    )


async def _always(stage: Stage, survived: Survived) -> None:
    books = await asyncio.to_thread(picture.read_books, stage)
    survived.violations += [f"meanwhile: {each}" for each in picture.broken(books, only_always=True)]


async def _sun(stage: Stage, survived: Survived) -> None:
    """Nothing breaks any more; people go through their list. What then holds not is a violation."""
    for _ in range(ROUNDS):
        await stage.rest()
        items = [item for item in stage.items() if item.workflow_id]
        if not items:
            break
        for item in items:
            decision = next((each for each in ANSWERS if each in item.decisions), item.decisions[0])
            survived.answered += await stage.answer(item, decision)
    await stage.rest()
    await asyncio.sleep(1.5)
    await stage.rest()
    books = await asyncio.to_thread(picture.read_books, stage)
    survived.violations += picture.broken(books) + await asyncio.to_thread(picture.misremembered, stage)
    survived.waiting = [f"{item.reason} at {item.verb}: {item.detail[:120]}" for item in stage.items()]
