"""RequestPayment: a deal of the CRM is asked for, paid, put into the books and shown in the deal (contracts: kommo 5; easycount 3, 4)."""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.signatures import (
        CRM_ANSWER_BOT,
        CRM_READ_DEAL,
        EASYCOUNT_STANDING,
    )
    from domain.deal_steps import (
        BotStep,
        DealCommand,
        DealPayment,
        DealReading,
        DealState,
        DealStep,
        DealView,
        LinksSeen,
        Standing,
    )
    from domain.deals import OPEN, SETTLED, UNWANTED, RequestState
    from workflows.deal_asking import DealAsking
    from workflows.deal_money import DealMoney
    from workflows.deal_pages import DealPages
    from workflows.renewing import Renewable, must_renew, renew
    from workflows.showing_deals import DealTeller
    from workflows.stepping import Fault, Stepping


@workflow.defn
class RequestPayment(Stepping, Renewable):
    """One deal. Reading and asking, looking at pages, following payments and showing the deal go side by side, so that none of
    them waits for a person who is asked about another.

    It ends when nothing is outstanding; what comes later starts it anew, and everything it has to know is in the store.
    """

    @workflow.init
    def __init__(self, given: DealState) -> None:
        super().__init__()
        self._given = given
        self.agency, self.deal_id = given.agency, given.deal_id
        self.base: RequestState = "none"
        """Where the request stands apart from payments that are on their way, or waiting for a person."""
        self.stage = given.stage
        self.standing: Standing | None = None
        self._nudged = True
        self._wanted = given.wanted
        self._bots: list[str] = list(given.bots)
        self._commands: list[DealCommand] = []
        self._done_keys = set(given.orders)
        self._following: dict[str, asyncio.Task[None]] = {}
        self._busy = True
        self.teller = DealTeller(self)
        self.money = DealMoney(self)
        self.asking = DealAsking(self)
        self.pages = DealPages(self)

    # -- what reaches it -----------------------------------------------------------------------------------------------

    @workflow.signal(description="The deal changed, or somebody pressed the button: read it")
    def changed(self, given: DealState) -> None:
        self._nudged = True
        self._wanted = self._wanted or given.wanted
        self._bots += given.bots

    @workflow.signal(description="A customer came back from a page: look whether it was paid")
    def look(self) -> None:
        self.pages.wanted = True

    @workflow.update(description="A person asks for the money, cancels, refunds, or wants the pages looked at")
    async def order(self, command: DealCommand) -> str:
        """Accepted when it is carried out in its turn; refused in words when it makes no sense as things stand."""
        await workflow.wait_condition(lambda: self.standing is not None)
        if command.key in self._done_keys:
            return f"{command.order}: accepted before"
        refusal = self._refusal(command)
        if refusal:
            raise ApplicationError(refusal, type="NotAllowed", non_retryable=True)
        self._done_keys.add(command.key)
        self._commands.append(command)
        return f"{command.order}: accepted"

    @order.validator
    def refuse_order(self, command: DealCommand) -> None:
        if command.by.strip() in ("", "system"):
            raise ApplicationError("say who asks for it", type="NotAllowed")
        if command.order in ("cancel", "refund") and len(command.explanation.strip()) < 10:
            raise ApplicationError("explain it in at least 10 characters", type="NotAllowed")
        if command.order == "refund" and not command.reference.strip():
            words = "money goes back in EasyCount's back office; name the reference of that refund"
            raise ApplicationError(words, type="NotAllowed")

    def _refusal(self, command: DealCommand) -> str:
        """Why it makes no sense now; empty when it does."""
        if command.order == "cancel" and self.state not in (*OPEN, "failed"):
            return f"the request is {self.state}: only one that is open can be cancelled; refund what was paid"
        if command.order == "refund":
            return self.money.refund_refusal(command)
        return ""

    @workflow.query(description="How the request stands: keys, states and money")
    def view(self) -> DealView:
        standing = self.standing or Standing()
        waits = "a person" if self._open else "the customer" if self.pages.next_look() else "nothing"
        return DealView(
            state=self.state,
            revision=standing.revision,
            amount=standing.amount,
            links=len(standing.links),
            payments=len(standing.payments),
            waits_for=waits,
        )

    # -- its life ------------------------------------------------------------------------------------------------------

    @workflow.run
    async def run(self, given: DealState) -> DealState:
        await self._recall()
        beside = [asyncio.create_task(self.teller.run()), asyncio.create_task(self.pages.watch())]
        while True:
            self._busy = True
            for task in (*beside, *self._following.values()):
                if task.done():
                    # Nobody else would hear of a defect there.
                    task.result()
            while self._nudged or self._commands:
                await self._next_thing()
            self._busy = False
            if self._is_over():
                await workflow.wait_condition(workflow.all_handlers_finished)
                # What was accepted in the meantime is still to be carried out.
                if self._is_over():
                    break
                continue
            if self._must_renew():
                orders = tuple(sorted(self._done_keys))
                await renew(DealState(agency=self.agency, deal_id=self.deal_id, stage=self.stage, orders=orders))
            await workflow.wait_condition(
                lambda: (
                    self._nudged
                    or bool(self._commands)
                    or self._is_over()
                    or self._must_renew()
                    or any(_has_failed(task) for task in (*beside, *self._following.values()))
                )
            )
        for task in beside:
            task.cancel()
        return DealState(agency=self.agency, deal_id=self.deal_id, stage=self.stage)

    async def _recall(self) -> None:
        """What the store knows; payments that nobody followed to their end are followed now."""
        standing = await self.step(EASYCOUNT_STANDING, self.own_step(), about="what do we know", decisions=("retry",))
        assert standing is not None
        self.base = _without_payments(standing)
        self.stage = self.stage if self.stage is not None else standing.stage
        self.standing = standing
        # Nobody looked while there was no run.
        self.pages.wanted = self.pages.next_look() is not None
        self._follow()

    async def _next_thing(self) -> None:
        if self._commands:
            await self._carry_out(self._commands[0])
            self._commands.pop(0)
            return
        wanted, self._nudged, self._wanted = self._wanted, False, False
        bots, self._bots = self._bots, []
        known = self._issued
        await self._read(wanted=wanted, anew=wanted and self._has_lapsed())
        for return_url in bots:
            await self._answer(return_url, "created" if self._issued != known else "exists")

    def _has_lapsed(self) -> bool:
        """It was asked for, and is not any more."""
        assert self.standing is not None
        return self.state in ("cancelled", "failed", "refunded") and self.standing.revision in self.standing.issued

    def _is_over(self) -> bool:
        idle = not (self._busy or self._nudged or self._commands or self.pages.is_busy or self._open)
        following = any(not task.done() for task in self._following.values())
        return idle and not following and self.teller.is_idle and self.pages.next_look() is None

    def _must_renew(self) -> bool:
        following = any(not task.done() for task in self._following.values())
        quiet = not (self._busy or self._nudged or self._commands or self._open or following)
        return must_renew() and quiet and self.teller.is_idle

    # -- asking for money ----------------------------------------------------------------------------------------------

    async def _read(self, *, wanted: bool, anew: bool = False) -> None:
        """What the deal says now decides; whatever made us read it was a hint."""
        reading = DealReading(
            **self.own_step().model_dump(), wanted=wanted, anew=anew, state=self.state, stage=self.stage
        )
        told = await self.step(CRM_READ_DEAL, reading, about="read the deal", decisions=("retry", "skip"))
        if told is None or told.gone:
            # Whoever deletes a deal does not unpay it: its pages are watched on.
            self.teller.gone = told is not None
            return
        self.teller.gone = False
        if told.lost and self.state in (*OPEN, "failed"):
            await self.asking.withdraw(told.stage, "the deal was lost")
        elif told.changed:
            self._ask_about_change()
        elif told.faults:
            self.asking.fail(told)
        elif told.asks and told.revision not in self._issued:
            await self.asking.ask(told)

    @property
    def _issued(self) -> tuple[int, ...]:
        return self.standing.issued if self.standing is not None else ()

    async def _answer(self, return_url: str, status: str) -> None:
        """A bot waits, and says in its own words what became of it."""
        told = "failed" if self.state == "failed" else "rejected" if not self._issued else status
        step = BotStep.model_validate({**self.own_step().model_dump(), "return_url": return_url, "status": told})
        await self.step(CRM_ANSWER_BOT, step, about="let the bot go on", decisions=("retry", "skip"))

    def _ask_about_change(self) -> None:
        """Paid, and the deal asks by now for something else: a person says whether that is another request."""
        if "changed" not in self._following or self._following["changed"].done():
            self._following["changed"] = asyncio.create_task(self._changed_after_payment())

    async def _changed_after_payment(self) -> None:
        words = "the deal was paid and asks for another amount now; approve to ask for that too, decline to leave it"
        fault = Fault(kind="NeedsPerson", words=words, code="deal_changed_after_payment")
        taken = await self.park(CRM_READ_DEAL.name, self.own_step(), fault, decisions=("approve", "decline"))
        if taken.decision == "approve":
            key = f"change:{taken.item_id}"
            self._commands.append(DealCommand(key=key, order="request", by=taken.by, explanation=taken.explanation))

    # -- what people order ---------------------------------------------------------------------------------------------

    async def _carry_out(self, command: DealCommand) -> None:
        match command.order:
            case "request":
                # Whoever asks again wants a new document only if the old request is over.
                await self._read(wanted=True, anew=self.state in SETTLED or self._has_lapsed())
            case "cancel" if self.state in (*OPEN, "failed"):
                await self.asking.withdraw(None, command.explanation)
            case "refund" if not self.money.refund_refusal(command):
                await self.money.refund(command)
            case "poll":
                self.pages.wanted = True
            case _:
                self.notes.append(f"{command.order} came too late: the request is {self.state}")

    # -- payments ------------------------------------------------------------------------------------------------------

    def saw(self, seen: LinksSeen) -> None:
        assert self.standing is not None
        self.standing = self.standing.model_copy(update={"links": seen.links, "payments": seen.payments})
        self._follow()

    def _follow(self) -> None:
        """Every payment that is not in the books goes its own way there."""
        assert self.standing is not None
        for payment in self.standing.payments:
            if not payment.handled and payment.payment_id not in self._following:
                self._following[payment.payment_id] = asyncio.create_task(self._followed(payment))

    async def _followed(self, payment: DealPayment) -> None:
        await self.money.follow(payment)
        self.mark_handled(payment.payment_id)

    def mark_handled(self, payment_id: str) -> None:
        assert self.standing is not None
        payments = tuple(
            p.model_copy(update={"handled": True}) if p.payment_id == payment_id else p for p in self.standing.payments
        )
        self.standing = self.standing.model_copy(update={"payments": payments})

    # ------------------------------------------------------------------------------------------------------------------

    def become(
        self, state: RequestState, step: str, text: str = "", *, task: bool = False, move_to: str | None = None
    ) -> None:
        self.base = state
        self.show(step, text, task=task, move_to=move_to)

    def show(self, step: str, text: str, *, task: bool = False, move_to: str | None = None) -> None:
        """Let the deal show where the request stands by now."""
        self.teller.show(self.state, step, text, task=task, move_to=move_to)

    @property
    def state(self) -> RequestState:
        return self.money.over(self.base)

    def own_step(self) -> DealStep:
        return DealStep(agency=self.agency, lifecycle=workflow.info().workflow_id, deal_id=self.deal_id)


def _without_payments(standing: Standing) -> RequestState:
    """A run that was broken off left payments on their way; they are followed anew, and this is what they find."""
    if standing.state not in ("paid_unsynced", "review"):
        return standing.state
    counted = any(p.handled and p.role not in UNWANTED for p in standing.payments)
    return "paid" if counted else "awaiting_payment"


def _has_failed(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is not None
