"""What people command of a payment: each an Update that bears an id, refused with the reason and what the ERP showed
(contracts: payment-sync 4, 7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.payment_sync import (
        Command,
        CommandOutcome,
        Evidence,
        Forbidden,
        Kind,
        Role,
        SyncView,
        Verdict,
        possible,
    )
    from domain.payment_sync.commands import COMMANDS, LOOKS_FIRST, NEEDS_VERDICT
    from workflows.messages import LifecycleInput
    from workflows.payment_sync import SyncsPayment

Update = Callable[..., Any]


def _command(kind: Kind) -> Update:
    """The Update of one command."""

    async def obey(self: Any, command: Command) -> CommandOutcome:
        done: CommandOutcome = await self.obey(kind, command)
        return done

    def refuse(self: Any, command: Command) -> None:
        self.refuse(kind, command)

    # The SDK takes a first parameter with a type for the first argument.
    del obey.__annotations__["self"], refuse.__annotations__["self"]
    obey.__name__, refuse.__name__ = kind.value, f"refuse_{kind.value}"
    update = workflow.update(name=kind.value, description=f"A person's command: {kind.value}")(obey)
    update.validator(refuse)
    return update


class TakesCommands(SyncsPayment):
    """Every command once by its id, whatever it is given with."""

    def __init__(self, given: LifecycleInput) -> None:
        super().__init__(given)
        self._outcomes: dict[str, CommandOutcome] = {}
        self._being_done: set[str] = set()

    claim = _command(Kind.CLAIM)
    release = _command(Kind.RELEASE)
    sync_now = _command(Kind.SYNC_NOW)
    sync_manually = _command(Kind.SYNC_MANUALLY)
    declare_duplicate = _command(Kind.DECLARE_DUPLICATE)
    ask_customer = _command(Kind.ASK_CUSTOMER)
    choose_credit = _command(Kind.CHOOSE_CREDIT)
    choose_refund = _command(Kind.CHOOSE_REFUND)
    refund_done = _command(Kind.REFUND_DONE)
    retry_refund = _command(Kind.RETRY_REFUND)
    undo_manual = _command(Kind.UNDO_MANUAL)

    @workflow.query(description="The payment on its way into the ERP, and what may be commanded now")
    def view(self) -> SyncView:
        return SyncView.of(self.sync, workflow.now())

    def refuse(self, kind: Kind, command: Command) -> None:
        """What can be said without asking the ERP; a command that was given before passes, to be answered as before."""
        if command.command_id in self._outcomes or command.command_id in self._being_done:
            return
        if command.actor.strip() in ("", "system"):
            raise ApplicationError("say who commands", type="Forbidden")
        if command.role not in (Role.OPERATOR, Role.SUPERVISOR):
            raise ApplicationError("commands are for people", type="Forbidden")
        sync, seen = self.sync, command.expected_version
        if seen is not None and seen != sync.version:
            words = f"the payment has moved on meanwhile (version {sync.version}, you saw {seen})"
            raise ApplicationError(words, sync.evidence, type="Forbidden")
        if kind not in possible(sync):
            words = f"{kind.value} is not possible while a payment is {sync.state.value}"
            raise ApplicationError(words, sync.evidence, type="Forbidden")

    async def obey(self, kind: Kind, command: Command) -> CommandOutcome:
        """Carry a command out, once by its id; refused with the reason and what the ERP showed."""
        own = command.command_id
        if own in self._being_done:
            await workflow.wait_condition(lambda: own in self._outcomes)
        if own not in self._outcomes:
            self._being_done.add(own)
            try:
                self._outcomes[own] = await self._obey(kind, command)
            finally:
                self._being_done.discard(own)
        return self._outcomes[own]

    async def _obey(self, kind: Kind, command: Command) -> CommandOutcome:
        version = self.sync.version
        evidence = await self.look(self.payment_step(known=True)) if kind in LOOKS_FIRST else None
        reason = ""
        try:
            if evidence is not None and evidence.verdict is Verdict.UNVERIFIED and kind in NEEDS_VERDICT:
                raise Forbidden(f"the ERP could not be asked: {evidence.words}")
            if kind is Kind.SYNC_NOW and evidence is not None and evidence.ours and version == self.sync.version:
                # What the person wants is there already.
                self.move(Kind.PROBED, evidence=evidence)
            else:
                self.move(kind, version=version, **await self.told_by(kind, command, evidence))
        except Forbidden as refusal:
            reason = str(refusal)
        return CommandOutcome(
            command_id=command.command_id,
            accepted=not reason,
            state=self.sync.state,
            version=self.sync.version,
            reason=reason,
            evidence=evidence or self.sync.evidence,
        )

    async def told_by(self, kind: Kind, command: Command, evidence: Evidence | None) -> dict[str, Any]:
        """What a command says, and whether what only the workflow can know permits it."""
        told: dict[str, Any] = {
            "role": command.role,
            "actor": command.actor,
            "explanation": command.explanation,
            "override": command.override,
            "evidence": evidence,
        }
        if kind is Kind.SYNC_NOW:
            told |= await self.may_write()
        if kind is Kind.REFUND_DONE:
            told |= {"amount": self.sync.amount, "case_id": command.reference or None}
            if not command.reference:
                told |= {"permitted": False, "because": "name the processor's reference of the refund"}
        return told


assert all(hasattr(TakesCommands, kind.value) for kind in COMMANDS)
