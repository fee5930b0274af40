"""What a person at the desk does about payments in the demo: the procedure for payments that an ERP did not take, command by
command, through the same Updates as the console and the command line (contracts: payment-sync 4, 5; background of payments)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from domain.payment_sync import SHOWN_AS, UNSYNCHRONISED, CommandOutcome, Kind, State, Verdict
from domain.people import Person, Role
from domain.plan_steps import PlanCommand
from starter.desk import payment_commands, plans
from starter.desk.acting import Acting, BackOffice
from starter.desk.payment_commands import Said
from starter.desk.refusals import DeskError
from store.payment_lists import PaymentFilter
from store.payment_sync import SyncedPayment

WHO = "ana.desk"
BY_HAND = "the receipt in GIAV bears the same reference; the office typed it and forgot to say so here"
TWICE = "paid in cash at the office as well"
ON_THE_TELEPHONE = "the customer said so on the telephone"
WAITING = frozenset({State.RETRY_WAIT, State.UNSYNCED})

Say = Callable[[str], None]


@dataclass
class PlayedDesk:
    """Looks at the list, claims what stands there, reads the evidence, and decides as the procedure says."""

    office: BackOffice
    agency: str
    say: Say
    acting: Acting = field(default_factory=lambda: Acting(Person(WHO, Role.OPERATOR, None), "command"))
    refunding: set[str] = field(default_factory=set)
    _seen: dict[str, int] = field(default_factory=dict)
    """The version of each payment that the last answer told: the list may be a moment behind."""

    async def payments(self, states: frozenset[State] = frozenset(UNSYNCHRONISED)) -> list[SyncedPayment]:
        """As the list shows them, the oldest first."""
        wanted = PaymentFilter(states=states)
        page = await asyncio.to_thread(self.office.store.payment_lists.page, [self.agency], wanted)
        return list(page.payments)

    async def waiting(self, count: int, seconds: float) -> list[SyncedPayment]:
        """Until so many payments are paid and not synchronised; fewer when that took longer."""
        found: list[SyncedPayment] = []
        try:
            async with asyncio.timeout(seconds):
                while len(found := await self.payments(WAITING)) < count:  # noqa: ASYNC110 other processes move them
                    await asyncio.sleep(0.5)
        except TimeoutError:
            pass
        for each in found:
            self.say(f"{SHOWN_AS[each.sync.state]}: {each.sync.payment_id} of {each.booking_id}, {each.sync.amount}")
        return found

    async def clear_the_list(self, done: Callable[[], Awaitable[bool]], seconds: float) -> bool:
        """Work until nothing waits for a person any more and `done` says so; False when that took too long."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    todo = await self.payments(WAITING)
                    for each in todo:
                        await self.settle(each)
                    if not todo and await done():
                        return True
                    await asyncio.sleep(0.5)
        except TimeoutError:
            return False

    async def settle(self, payment: SyncedPayment) -> None:
        """One payment: look at the ERP, and do what the verdict asks for."""
        own = payment.sync.payment_id
        self._seen[own] = max(payment.sync.version, self._seen.get(own, 0))
        claimed = await self.command(own, Kind.CLAIM)
        evidence = claimed.evidence if claimed else None
        if claimed is None or evidence is None:
            return
        self.say(f"{own}: the ERP says {evidence.verdict.value} ({evidence.words})")
        match evidence.verdict:
            case Verdict.UNPAID:
                await self.command(own, Kind.SYNC_NOW)
            case Verdict.SAME_PAYMENT:
                await self.command(own, Kind.SYNC_MANUALLY, BY_HAND)
            case Verdict.PAID_OTHERWISE:
                await self.settle_duplicate(own)
            case _:
                await self.command(own, Kind.RELEASE)

    async def settle_duplicate(self, payment: str) -> None:
        """The customer is asked, and answers: credit where something later is open, else the money back."""
        await self.command(payment, Kind.DECLARE_DUPLICATE, TWICE)
        await self.command(payment, Kind.ASK_CUSTOMER)
        if await self.command(payment, Kind.CHOOSE_CREDIT, ON_THE_TELEPHONE) is None:
            await self.command(payment, Kind.CHOOSE_REFUND, ON_THE_TELEPHONE)
            self.refunding.add(payment)

    async def charge_next(self, booking: str) -> str | None:
        """The next open instalment of a plan now, not on its day; what the plan answers."""
        shown = await asyncio.to_thread(plans.show_plan, self.office, self.acting, self.agency, booking)
        item = next((each for each in shown.instalments if each.open), None)
        if item is None:
            return None
        order = PlanCommand(order="charge_now", by=WHO, why="the customer wants it settled", instalment_id=item.id)
        self.say(f"{booking}: charge {item.id} now, of which {item.open} are open of {item.amount}")
        return (await plans.order(self.office, self.acting, self.agency, booking, order)).answer

    async def command(self, payment: str, kind: Kind, why: str = "") -> CommandOutcome | None:
        """One command; None when it was refused, with the reason said."""
        said = Said(explanation=why, expected_version=self._seen.get(payment))
        try:
            done = await payment_commands.command(self.office, self.acting, self.agency, payment, kind, said)
        except DeskError as refusal:
            self._seen.pop(payment, None)
            self.say(f"{payment}: {kind.value} refused: {refusal}")
            return None
        self._seen[payment] = done.version
        self.say(f"{payment}: {kind.value} → {SHOWN_AS[done.state]}")
        return done
