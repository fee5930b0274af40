"""What a person may ask of a payment, what comes back, and the line that every move leaves (payment-sync 4, 7, 8)."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.errors import FAULT_CLASSES, BackOfficeError, ContractBroken, Transient, Unauthorised, UnknownOutcome
from domain.payment_sync.events import Event, Failing, Kind, Role
from domain.payment_sync.guards import WORDS
from domain.payment_sync.machine import decide
from domain.payment_sync.moves import Forbidden, Step
from domain.payment_sync.states import SHOWN_AS, PaymentSync, State
from domain.payment_sync.verdicts import Evidence, Verdict

COMMANDS = (
    Kind.CLAIM,
    Kind.RELEASE,
    Kind.SYNC_NOW,
    Kind.SYNC_MANUALLY,
    Kind.DECLARE_DUPLICATE,
    Kind.ASK_CUSTOMER,
    Kind.CHOOSE_CREDIT,
    Kind.CHOOSE_REFUND,
    Kind.REFUND_DONE,
    Kind.RETRY_REFUND,
    Kind.UNDO_MANUAL,
)
"""What people command; each is an Update of the payment's workflow under its own name."""
LOOKS_FIRST = frozenset({Kind.CLAIM, Kind.SYNC_NOW, Kind.SYNC_MANUALLY, Kind.DECLARE_DUPLICATE, Kind.CHOOSE_CREDIT})
"""Commands that rest on what the ERP says at this minute."""
NEEDS_VERDICT = LOOKS_FIRST - {Kind.CLAIM}
"""Commands that are refused while the ERP cannot be asked."""
ALREADY_PAID = "already_paid"
"""The code of a refusal in which the ERP says that the receivable is settled."""


class Command(BaseModel):
    """A person's command. `expected_version` is the version that the person saw; `reference` the processor's of a refund."""

    model_config = ConfigDict(frozen=True)

    command_id: str
    actor: str
    role: Role = Role.OPERATOR
    expected_version: int | None = None
    explanation: str = ""
    override: str = ""
    reference: str = ""


class CommandOutcome(BaseModel):
    """Whether it was done; if not, why not and what the ERP showed."""

    model_config = ConfigDict(frozen=True)

    command_id: str
    accepted: bool
    state: State
    version: int
    reason: str = ""
    evidence: Evidence | None = None


class Transition(BaseModel):
    """One line of the log: who moved a payment from where to where, by which row of the table, on what evidence."""

    model_config = ConfigDict(frozen=True)

    version: int
    at: datetime
    before: State
    after: State
    event: Kind
    row: int
    actor_type: Role
    actor: str = ""
    reason: str = ""
    explanation: str = ""
    evidence: Evidence | None = None

    @classmethod
    def of(cls, step: Step, event: Event) -> Transition:
        told = [text for text in (event.explanation, event.override) if text]
        return cls(
            version=step.after.version,
            at=event.at,
            before=step.before.state,
            after=step.after.state,
            event=event.kind,
            row=step.number,
            actor_type=event.role,
            actor=event.actor,
            reason=event.text or (event.failing.value if event.failing else "") or step.after.reason,
            explanation=" / ".join(told),
            evidence=event.evidence,
        )


class SyncView(BaseModel):
    """What the console shows of a payment: its state, the words for it, and each command with the reason why it is off."""

    model_config = ConfigDict(frozen=True)

    sync: PaymentSync
    shown_as: str
    offers: dict[str, str]

    @classmethod
    def of(cls, sync: PaymentSync, now: datetime, actor: str = "", role: Role = Role.OPERATOR) -> SyncView:
        return cls(sync=sync, shown_as=SHOWN_AS[sync.state], offers=offers(sync, now, actor, role))


def offers(sync: PaymentSync, now: datetime, actor: str = "", role: Role = Role.OPERATOR) -> dict[str, str]:
    """Every command: empty when it may be given now, else why not. The ERP is taken to say what it said last."""
    seen = sync.evidence.model_copy(update={"at": now}) if sync.evidence else None
    return {kind.value: _why_not(sync, kind, now, actor, role, seen) for kind in COMMANDS}


def _why_not(sync: PaymentSync, kind: Kind, now: datetime, actor: str, role: Role, seen: Evidence | None) -> str:
    if kind in NEEDS_VERDICT and seen is not None and seen.verdict is Verdict.UNVERIFIED:
        return f"the ERP could not be asked: {seen.words}"
    if kind is Kind.SYNC_NOW and seen is None:
        # Nobody has looked yet; the command looks before it writes.
        seen = Evidence(verdict=Verdict.UNPAID, at=now, words="nobody has looked yet")
    words = "w" * WORDS
    override = "o" * WORDS if role is Role.SUPERVISOR else ""
    told = Event(
        kind=kind, role=role, actor=actor or "you", at=now, evidence=seen, explanation=words, override=override
    )
    try:
        decide(sync, told)
    except Forbidden as refusal:
        return str(refusal)
    return ""


def sort_failure(kind: str, code: str = "") -> Failing:
    """The class of a failure (payment-sync 3) from the name of its error class.

    A defect of ours and a demand for a person concern this payment alone, as a business refusal does.
    """
    if code == ALREADY_PAID:
        return Failing.ALREADY_PAID
    if kind == "TimeoutError":
        return Failing.UNKNOWN
    error = FAULT_CLASSES.get(kind, BackOfficeError)
    for family, failing in (
        (Transient, Failing.TRANSIENT),
        (UnknownOutcome, Failing.UNKNOWN),
        (ContractBroken, Failing.CONTRACT),
        (Unauthorised, Failing.AUTH),
    ):
        if issubclass(error, family):
            return failing
    return Failing.BUSINESS
