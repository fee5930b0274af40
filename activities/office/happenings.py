"""What happens to a payment reaches it, whether its workflow runs or ended long ago (contracts: payment-sync 4, rows 28, 30, 31)."""

from __future__ import annotations

from datetime import UTC, datetime

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.failures import implements_async
from activities.signatures import OFFICE_TELL_PAYMENT
from domain import naming
from domain.connector_steps import Happening, TellPayment
from domain.notices import EventNotice
from domain.payment_steps import TransitionLog
from domain.payment_sync import TERMINAL, Event, Forbidden, Kind, Role, Transition, decide
from domain.steps import Done
from store import Store
from store.payment_sync import SyncedPayment


class Happenings:
    """Speaks to Temporal itself: a payment whose workflow has ended goes on in a new run of it."""

    def __init__(self, store: Store, client: Client) -> None:
        self._store = store
        self._client = client

    @implements_async(OFFICE_TELL_PAYMENT)
    async def tell_payment(self, step: TellPayment) -> Done:
        known = self._store.payment_sync.get(step.agency, step.payment_id)
        if known is None:
            return Done(outcome="skipped", note=f"{step.payment_id} never came to an ERP")
        if await self._signal(known, step.happening):
            return Done()
        moved = _moved(known, step.happening)
        if moved is None:
            return Done(
                outcome="skipped",
                note=f"{step.happening.kind.value} does not concern a payment that is {known.sync.state.value}",
            )
        if moved.sync.state in TERMINAL:
            self._store.payment_sync.moved(moved)
            return Done()
        await self._resume(known, step.happening)
        return Done()

    async def _signal(self, known: SyncedPayment, happening: Happening) -> bool:
        try:
            await self._client.get_workflow_handle(known.workflow_id).signal("happen", happening)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True

    async def _resume(self, known: SyncedPayment, happening: Happening) -> None:
        """The same workflow id: whoever looks for the payment finds it where it was."""
        sync, paid = known.sync, self._store.facts.payment(known.agency, known.sync.payment_id)
        notice = EventNotice(
            agency=known.agency,
            event_id=f"resumed:{sync.payment_id}:{sync.version}",
            kind="payment.captured",
            aggregate_id=known.booking_id,
            revision=0,
            fact_id=sync.payment_id,
            occurred_at=sync.captured_at or sync.since,
            booking_id=known.booking_id,
            experience_id=known.experience_id,
            payment_id=sync.payment_id,
            amount=sync.amount,
            method=paid.method if paid else None,
        )
        given = {
            "notice": notice.model_dump(mode="json"),
            "mailbox": naming.booking_workflow(known.agency, known.booking_id),
            "experience_id": known.experience_id,
            "booking_id": known.booking_id,
            "resumed": sync.model_dump(mode="json"),
        }
        await self._client.start_workflow(
            "RecordPayment",
            given,
            id=known.workflow_id,
            task_queue=naming.Queue.WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal="happen",
            start_signal_args=[happening],
            static_summary=f"payment {sync.payment_id}: {happening.kind.value}",
        )


def _moved(known: SyncedPayment, happening: Happening) -> TransitionLog | None:
    """Where it would stand; None when such a thing does not concern it there."""
    role = Role.GATEWAY if happening.kind is Kind.CHARGEBACK else Role.SYSTEM
    event = Event(
        kind=happening.kind,
        role=role,
        at=datetime.now(UTC),
        text=happening.text,
        case_id=happening.case_id,
        evidence=happening.evidence,
    )
    try:
        step = decide(known.sync, event)
    except Forbidden:
        return None
    return TransitionLog(
        agency=known.agency,
        lifecycle=known.workflow_id,
        booking_id=known.booking_id,
        experience_id=known.experience_id,
        connector=known.connector,
        sync=step.after,
        lines=(Transition.of(step, event),),
    )
