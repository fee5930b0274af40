"""Payments in every interesting state, and a stand-in for Temporal that moves them by the real table of moves.

What a payment's workflow does with a command is proven in `tests/workflows`; here people talk to something that answers alike.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.money import Money
from domain.payment_steps import TransitionLog
from domain.payment_sync import (
    Command,
    CommandOutcome,
    Event,
    Evidence,
    Failing,
    Forbidden,
    Kind,
    PaymentSync,
    Receipt,
    Role,
    State,
    Transition,
    Verdict,
    decide,
    possible,
)
from domain.payment_sync.commands import LOOKS_FIRST
from domain.steps import DecisionTaken
from starter.events import take_in
from store import Store
from store.installation import Installation
from tests.starter.agency import booking_created, payment_captured, raw

AMOUNT = 30_000
CODE = "0A-4711"


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


class ErpAndTemporal:
    """Instead of a Temporal client: its payments' workflows look at `shows`, and write their moves into the store."""

    def __init__(self, store: Store, now: Any) -> None:
        self.store, self.now = store, now
        self.shows: dict[str, Verdict] = {}
        self.told: list[tuple[str, str]] = []
        self.away = False

    async def connect(self) -> Any:
        if self.away:
            raise RuntimeError("nobody answers")
        return self

    def get_workflow_handle(self, workflow_id: str) -> _Handle:
        return _Handle(self, workflow_id)

    # -- seeding -------------------------------------------------------------------------------------------------------

    def refused(self, payment: str, text: str = "the series is closed", *, agency: str = "demo", **more: Any) -> None:
        """A payment that the ERP has refused, or failed to take for another cause."""
        failing = more.pop("failing", Failing.BUSINESS)
        self.walk(
            payment, Event(kind=Kind.START, at=self.now()), _failed(failing, text, self.now()), agency=agency, **more
        )

    def seen(self, payment: str, verdict: Verdict, **more: Any) -> None:
        """A payment at which the ERP was looked at, and which waits for a person."""
        self.shows[payment] = verdict
        looked = Event(kind=Kind.PROBED, at=self.now(), evidence=self.evidence(payment))
        self.walk(payment, Event(kind=Kind.START, at=self.now()), looked, **more)

    def walk(
        self,
        payment: str,
        *events: Event,
        agency: str = "demo",
        age: timedelta = timedelta(hours=2),
        amount: int = AMOUNT,
    ) -> None:
        at = self.now() - age
        sync = PaymentSync(payment_id=payment, amount=eur(amount), since=at)
        lines = []
        for event in (Event(kind=Kind.CAPTURED, role=Role.GATEWAY, at=at), *events):
            step = decide(sync, event)
            sync = step.after
            lines.append(Transition.of(step, event))
        self.write(agency, sync, *lines)

    def write(self, agency: str, sync: PaymentSync, *lines: Transition) -> None:
        log = TransitionLog(
            agency=agency,
            lifecycle=f"payment/{agency}/{sync.payment_id}",
            booking_id="bkg_500",
            experience_id="exp_31",
            connector="giav",
            sync=sync,
            lines=lines,
        )
        self.store.payment_sync.moved(log)

    def sold(self, installation: Installation, *payments: str) -> None:
        """The booking of these payments, as the platform told it."""
        told = [booking_created()]
        for number, payment in enumerate(payments, 10):
            event = payment_captured(number, payment, AMOUNT)
            event["data"]["payment"]["processor"]["authorization_code"] = CODE
            told.append(event)
        for event in told:
            take_in(self.store, installation, raw(event).encode(), received_at=self.now())

    # -- the ERP -------------------------------------------------------------------------------------------------------

    def evidence(self, payment: str) -> Evidence:
        """What the ERP shows of a payment now; without anything said it is unpaid there."""
        verdict, at = self.shows.get(payment, Verdict.UNPAID), self.now()
        if verdict is Verdict.UNPAID:
            return Evidence(verdict=verdict, at=at, words="300.00 EUR are open", open_amount=eur(AMOUNT))
        same = verdict is Verdict.SAME_PAYMENT
        receipt = Receipt(
            id="77",
            method="TPV" if same else "Transferencia",
            by_gateway=same,
            auth_code="a4711" if same else "",
            amount=eur(AMOUNT),
            on=at.date(),
            user="marta",
        )
        words = "receipt 77 has the same code" if same else "the receivable is paid by receipt 77 (Transferencia)"
        return Evidence(verdict=verdict, at=at, words=words, receipt_id="77", receipts=(receipt,))

    def obey(self, agency: str, payment: str, kind: Kind, command: Command) -> CommandOutcome:
        """As `workflows.payment_sync` does it. Raises what Temporal's client raises."""
        found = self.store.payment_sync.get(agency, payment)
        if found is None:
            raise RPCError("not found", RPCStatusCode.NOT_FOUND, b"")
        sync = found.sync
        if command.expected_version != sync.version:
            words = f"the payment has moved on meanwhile (version {sync.version}, you saw {command.expected_version})"
            raise WorkflowUpdateFailedError(ApplicationError(words, type="Forbidden"))
        if kind not in possible(sync):
            words = f"{kind.value} is not possible while a payment is {sync.state.value}"
            raise WorkflowUpdateFailedError(ApplicationError(words, type="Forbidden"))
        self.told.append((payment, kind.value))
        evidence = self.evidence(payment) if kind in LOOKS_FIRST else None
        event = Event(
            kind=kind,
            at=self.now(),
            actor=command.actor,
            role=command.role,
            evidence=evidence,
            explanation=command.explanation,
            override=command.override,
            case_id=command.reference or None,
        )
        reason, events = "", [event, *_what_follows(kind, self.now())]
        try:
            for each in events:
                step = decide(sync, each)
                sync = step.after
                self.write(agency, sync, Transition.of(step, each))
        except Forbidden as refusal:
            reason = str(refusal)
        return CommandOutcome(
            command_id=command.command_id,
            accepted=not reason,
            state=sync.state,
            version=sync.version,
            reason=reason,
            evidence=evidence or sync.evidence,
        )

    def state(self, payment: str, agency: str = "demo") -> State:
        found = self.store.payment_sync.get(agency, payment)
        assert found is not None
        return found.sync.state


class _Handle:
    def __init__(self, office: ErpAndTemporal, workflow_id: str) -> None:
        self._office, self._id = office, workflow_id

    async def execute_update(self, name: str, given: Any, *, result_type: Any = None) -> Any:
        if isinstance(given, Command):
            _, agency, payment = self._id.split("/")
            return self._office.obey(agency, payment, Kind(name), given)
        self._office.told.append((self._id, name))
        if isinstance(given, DecisionTaken):
            self._office.store.parked.close(given.item_id, given)
        return f"{name} was heard"


def _failed(failing: Failing, text: str, at: datetime) -> Event:
    return Event(kind=Kind.FAILED, failing=failing, text=text, at=at)


def _what_follows(kind: Kind, at: datetime) -> list[Event]:
    """What the workflow does by itself after a command."""
    posted = Event(kind=Kind.ACKNOWLEDGED, at=at, receipt_id="501")
    if kind is Kind.SYNC_NOW:
        unpaid = Evidence(verdict=Verdict.UNPAID, at=at, words="open")
        return [Event(kind=Kind.PROBED, at=at, evidence=unpaid), posted]
    return [posted] if kind is Kind.CHOOSE_CREDIT else []
