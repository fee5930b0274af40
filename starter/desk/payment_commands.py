"""A person's command about a payment: who may, told to its workflow with the version that was seen (payment-sync 4, 7, 8)."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass

from pydantic import Field
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain import naming
from domain.payment_sync import Command, CommandOutcome, Kind, State
from domain.payment_sync.commands import COMMANDS
from domain.people import Role
from starter.desk.acting import Acting, BackOffice, recorded
from starter.desk.payments import Shown, find
from starter.desk.refusals import Away, MovedOn, Refused, Unclear
from store.audit_trail import Deed
from store.payment_lists import PaymentFilter
from store.payment_sync import SyncedPayment

BATCH = 200
"""Payments of one batch at most; each is looked up in the ERP by itself, one after the other."""
READY = frozenset({State.UNSYNCED, State.RETRY_WAIT})
"""States from which a batch may synchronise."""
FASTER = "moved on meanwhile"
"""How the machine of payments says that the version does not fit any more."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a person adds to a command. The same `command_id` again is the same command, answered as before."""

    explanation: str = ""
    override: str = ""
    reference: str = ""
    expected_version: int | None = None
    command_id: str | None = None


class BatchLine(Shown):
    """What became of one payment of a batch."""

    payment: str
    accepted: bool
    state: State
    reason: str = Field(description="Why it was refused; empty when it was accepted.")


async def command(
    office: BackOffice, acting: Acting, agency: str, payment: str, kind: Kind, said: Said
) -> CommandOutcome:
    """Carry a command out. Raises `NotFound`, `NotAllowed`, `MovedOn`, `Refused` with the evidence, `Away`."""
    if kind not in COMMANDS:
        raise Unclear(f"{kind.value} is no command")

    async def work() -> CommandOutcome:
        found = await asyncio.to_thread(find, office, acting, agency, payment)
        return await _tell(await office.temporal(), found, acting, kind, said)

    needs = Role.SUPERVISOR if kind is Kind.UNDO_MANUAL or said.override else Role.OPERATOR
    why = " / ".join(text for text in (said.explanation, said.override, said.reference) if text)
    deed = Deed("", f"payment.{kind.value}", f"{agency}/{payment}", why=why, agency=agency)
    return await recorded(office, acting, deed, work, needs=needs)


async def batch(office: BackOffice, acting: Acting, agency: str, cause: str, *, limit: int = BATCH) -> list[BatchLine]:
    """`sync_now` for everything that waits for one reason, the oldest first, each with its own look at the ERP."""
    acting.must_see(agency)
    acting.must_be(Role.OPERATOR)
    wanted = PaymentFilter(states=READY, causes=frozenset({cause}))
    page = await asyncio.to_thread(office.store.payment_lists.page, [agency], wanted, limit=limit)
    lines = []
    for each in page.payments:
        sync = each.sync
        try:
            done = await command(office, acting, agency, sync.payment_id, Kind.SYNC_NOW, Said())
            lines.append(BatchLine(payment=sync.payment_id, accepted=True, state=done.state, reason=""))
        except Refused as refusal:
            state = refusal.outcome.state if refusal.outcome else sync.state
            lines.append(BatchLine(payment=sync.payment_id, accepted=False, state=state, reason=str(refusal)))
    return lines


async def _tell(client: Client, found: SyncedPayment, acting: Acting, kind: Kind, said: Said) -> CommandOutcome:
    sync = found.sync
    given = Command(
        command_id=said.command_id or uuid.uuid4().hex,
        actor=acting.person.name,
        role=acting.payment_role,
        expected_version=sync.version if said.expected_version is None else said.expected_version,
        explanation=said.explanation,
        override=said.override,
        reference=said.reference,
    )
    handle = client.get_workflow_handle(naming.payment_workflow(found.agency, sync.payment_id))
    try:
        done: CommandOutcome = await handle.execute_update(kind.value, given, result_type=CommandOutcome)
    except WorkflowUpdateFailedError as error:
        words = error.cause.message if isinstance(error.cause, ApplicationError) else str(error.cause)
        done = _refused(given, found, words)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise Away(f"Temporal answers {error.status.name}: {error.message}") from None
        done = _refused(given, found, "its workflow does not run any more: the payment has come to its end")
    if not done.accepted:
        raise (MovedOn if FASTER in done.reason else Refused)(done.reason, done)
    return done


def _refused(given: Command, found: SyncedPayment, words: str) -> CommandOutcome:
    sync = found.sync
    return CommandOutcome(
        command_id=given.command_id,
        accepted=False,
        state=sync.state,
        version=sync.version,
        reason=words,
        evidence=sync.evidence,
    )
