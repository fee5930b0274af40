"""The mailbox of one booking: what was delivered, what runs, what comes next (contracts: platform-events 4, 6).

A pure state object. The workflow around it delivers notices and asks `next_move`; everything that decides order is here.

    state events   latest revision wins; an equal or lower revision is superseded and only remembered
    money facts    each applied once by its own id, in any order, never superseded
    one at a time  a lifecycle that runs blocks the next; one that is parked lets captured payments pass,
                   because money must not wait for a person (money-rules P2), and a parked payment holds back
                   only its own refund
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import BaseModel

from domain import naming
from domain.moves import Ask, Chase, Drop, LifecycleKind, Next, Run, Wait
from domain.notices import EventNotice
from domain.owing import Owing

PATIENCE = timedelta(minutes=10)
"""How long money waits for the booking it belongs to before the platform is asked (platform-events 4)."""
MEMORY = 400
"""How many facts a mailbox remembers; older ones are caught by the effects' own keys."""
OVER_AFTER = timedelta(days=540)
"""A booking is over when no card dispute can move its money any more (money-rules 1.7.8)."""

LIFECYCLES: dict[str, LifecycleKind | None] = {
    "booking.created": "create",
    "booking.modified": "modify",
    "booking.service_changed": "modify",
    "booking.discount_applied": "modify",
    "booking.cancelled": "cancel",
    "payment.captured": "payment",
    "payment.refunded": "refund",
    "payment.refund_failed": "refund",
    "payment.chargeback": "dispute",
    "payment.failed": None,
    "supplier.order_changed": "supplier",
}
"""The lifecycle that answers each event kind; None: remembered, nothing to write."""

MONEY_STAGES = frozenset({"funds_withdrawn", "won"})
"""The stages of a chargeback at which money moves."""
QUIET_STAGES = frozenset({"under_review"})
"""Stages that are remembered and answered by nobody."""


class BookingState(BaseModel):
    """Everything a booking's mailbox knows; carried whole through continue-as-new, so fields are only ever added."""

    schema_version: int = 1
    agency: str
    booking_id: str
    experience_id: str | None = None
    queue: list[EventNotice] = []
    seen: list[str] = []
    revision: int = 0
    registered: bool = False
    abandoned: bool = False
    asked: bool = False
    running: str | None = None
    parked: list[str] = []
    payments: dict[str, int] = {}
    refunds: dict[str, int] = {}
    waiting_since: datetime | None = None
    last_event_at: datetime | None = None
    done: list[str] = []
    owing: Owing = Owing()

    @property
    def owed(self) -> int:
        """Minor units that are held and not sold; negative while the payer owes. Nothing before the sale is known."""
        return 0 if self.owing.sale is None else self.captured - self.refunded - self.owing.sale

    @property
    def captured(self) -> int:
        """Minor units captured so far."""
        return sum(self.payments.values())

    @property
    def refunded(self) -> int:
        """Minor units given back so far (chargebacks won count negative)."""
        return sum(self.refunds.values())

    def deliver(self, notice: EventNotice, now: datetime) -> bool:
        """Take a notice in; False when this fact was delivered before."""
        if notice.fact_id in self.seen:
            return False
        self.seen = [*self.seen[-(MEMORY - 1) :], notice.fact_id]
        self.queue.append(notice)
        self.last_event_at = now
        self.experience_id = self.experience_id or notice.experience_id
        self.waiting_since = self.waiting_since or now
        return True

    def next_move(self, now: datetime) -> Next:
        """What to do now: the oldest happening that may be answered; never more than one lifecycle at a time."""
        if self.running is not None:
            return Wait()
        out_of_patience = now >= self._patience_ends(now) or self.abandoned
        waiting = False
        for notice in sorted(self.queue, key=lambda n: (n.occurred_at, n.revision)):
            is_state = notice.kind.startswith("booking.")
            move = self._answer_state(notice) if is_state else self._answer_fact(notice, out_of_patience)
            if move is not None:
                return move
            waiting = waiting or not is_state
        if waiting and not out_of_patience:
            return Wait(self._patience_ends(now))
        return self._watch(now)

    def _watch(self, now: datetime) -> Next:
        """The clocks of money that is owed, once nothing else is to be answered."""
        confirm, chase = self.owing.confirm_at(), self.owing.chase_at(self.owed)
        if confirm is not None and now >= confirm[0]:
            return Chase(confirm[1], confirm=True)
        about = self.owing.ended or self.owing.cause
        if chase is not None and now >= chase and about is not None:
            return Chase(about)
        clocks = [*([confirm[0]] if confirm else ()), *([chase] if chase else ())]
        return Wait(min(clocks, default=None))

    def _patience_ends(self, now: datetime) -> datetime:
        return (self.waiting_since or now) + PATIENCE

    def _answer_state(self, notice: EventNotice) -> Next | None:
        """Snapshots in the order of their revisions; None while a parked change holds them back."""
        if self._change_is_parked or any(n.revision < notice.revision for n in self._snapshots()):
            return None
        if self.abandoned:
            return Drop(notice, "the booking was given up")
        if not self.registered:
            return Run("create", notice, keep=notice.kind == "booking.cancelled")
        if notice.revision <= self.revision:
            return Drop(notice, f"superseded by revision {self.revision}")
        kind = LIFECYCLES.get(notice.kind)
        return Run(kind, notice) if kind else Drop(notice, "nothing to write")

    def _snapshots(self) -> list[EventNotice]:
        return [notice for notice in self.queue if notice.kind.startswith("booking.")]

    def _answer_fact(self, notice: EventNotice, out_of_patience: bool) -> Next | None:
        """Money once its booking is there, or once patience is over; None while it waits."""
        kind = LIFECYCLES.get(notice.kind)
        if kind is None or notice.stage in QUIET_STAGES:
            return Drop(notice, "remembered; no money moves")
        if kind == "payment":
            if self.registered or (out_of_patience and (self.asked or self.abandoned)):
                return Run(kind, notice)
            return Ask(notice) if out_of_patience else None
        if kind == "supplier":
            return self._answer_supplier(notice)
        # A dispute is the bank's, which waits for no parked change.
        if (self._change_is_parked and kind != "dispute") or self._payment_is_parked(notice):
            return None
        if notice.payment_id in self.payments or (out_of_patience and self.asked):
            return Run(kind, notice)
        return Ask(notice) if out_of_patience else None

    def _answer_supplier(self, notice: EventNotice) -> Next | None:
        """An order's change once its booking stands, and after every change of the booking that came before it."""
        if self.abandoned:
            return Drop(notice, "the booking was given up")
        return Run("supplier", notice) if self.registered and not self._change_is_parked else None

    @property
    def _change_is_parked(self) -> bool:
        return any(_holds_others_back(workflow_id) for workflow_id in self.parked)

    def _payment_is_parked(self, notice: EventNotice) -> bool:
        return naming.payment_workflow(self.agency, notice.payment_id or "") in self.parked

    def start(self, move: Run, workflow_id: str) -> None:
        """A lifecycle begins."""
        self.running = workflow_id
        if not move.keep:
            self._answered(move.notice)

    def finish(self, move: Run, *, outcome: str, now: datetime, registered: bool = False) -> None:
        """The running lifecycle ended, or stopped for a person (`parked`), perhaps with the booking in the ERP by then."""
        notice, workflow_id = move.notice, self.running or ""
        self.running = None
        if outcome == "parked":
            self.parked.append(workflow_id)
        if move.kind == "create" and registered:
            self.registered = True
        self._apply(move.kind, notice, outcome, workflow_id)
        if move.kind != "supplier":
            self.owing.look(self.owed, notice, now)
        self.done = [*self.done[-49:], f"{move.kind} {notice.fact_id}: {outcome}"]

    def settle(self, workflow_id: str, *, kind: LifecycleKind, outcome: str, now: datetime) -> None:
        """A parked lifecycle went on and ended."""
        if workflow_id in self.parked:
            self.parked.remove(workflow_id)
        if kind == "create":
            self._registered(outcome)
        voucher = self.owing.vouchers.pop(workflow_id, None)
        if voucher is not None and outcome == "done":
            self.refunds[voucher.fact_id] = voucher.amount.amount if voucher.amount else 0
            self.owing.look(self.owed, voucher, now)
        self.done = [*self.done[-49:], f"{kind} {workflow_id}: {outcome}"]

    def chasing(self, workflow_id: str) -> None:
        """Somebody is being asked for the refund that is owed."""
        self.owing.chaser = workflow_id

    def chased(self, outcome: str) -> None:
        """The asking ended: the money went back (`done`), or a person says that none is due."""
        self.owing.chaser, self.owing.let_go = None, outcome != "done" and self.owed > 0
        self.done = [*self.done[-49:], f"chase: {outcome}"]

    def confirming(self, notice: EventNotice) -> None:
        """The processor is asked about a declared refund, once."""
        self.owing.unconfirmed.pop(notice.fact_id, None)

    def drop(self, notice: EventNotice, why: str) -> None:
        if notice.kind == "payment.chargeback":
            self.owing.disputed(notice)
        self._answered(notice)
        self.done = [*self.done[-49:], f"{notice.kind} {notice.fact_id}: {why}"]

    def _answered(self, notice: EventNotice) -> None:
        self.queue.remove(notice)
        if not self.queue:
            self.waiting_since, self.asked = None, False

    def is_over(self, now: datetime) -> bool:
        """Nothing runs, nothing waits, nothing is parked, and nothing more can come."""
        idle = not self.queue and not self.parked and self.running is None
        return idle and self.last_event_at is not None and now >= self.last_event_at + OVER_AFTER

    def over_at(self) -> datetime | None:
        return None if self.last_event_at is None else self.last_event_at + OVER_AFTER

    def _apply(self, kind: LifecycleKind, notice: EventNotice, outcome: str, workflow_id: str) -> None:
        amount = notice.amount.amount if notice.amount else 0
        match kind:
            case "create":
                self.revision = max(self.revision, notice.revision if notice.kind != "booking.cancelled" else 0)
                self.owing.sold(notice)
                if outcome != "parked":
                    self._registered(outcome)
            case "modify" | "cancel":
                if notice.revision >= self.revision:
                    self.owing.sold(notice)
                self.revision = max(self.revision, notice.revision)
            case "payment":
                self.payments[notice.payment_id or notice.fact_id] = amount
            case "dispute":
                self.owing.disputed(notice)
                if notice.stage in MONEY_STAGES:
                    self.refunds[notice.fact_id] = -amount if notice.stage == "won" else amount
            case "refund" if notice.kind == "payment.refund_failed":
                self._failed(notice.fact_id.partition(":")[0])
            case "refund":
                self._given_back(notice, amount, outcome, workflow_id)

    def _given_back(self, notice: EventNotice, amount: int, outcome: str, workflow_id: str) -> None:
        """Money went back; a voucher only once the traveller has accepted it, a refund that failed never did."""
        if notice.fact_id in self.owing.failed:
            return
        if notice.destination == "voucher" and outcome != "done":
            if outcome == "parked":
                self.owing.vouchers[workflow_id] = notice
            return
        self.refunds[notice.fact_id] = amount
        if notice.refund_status == "declared" and notice.destination == "original_method":
            self.owing.unconfirmed[notice.fact_id] = notice

    def _failed(self, refund_id: str) -> None:
        """The duty to refund is open again."""
        self.refunds.pop(refund_id, None)
        self.owing.unconfirmed.pop(refund_id, None)
        self.owing.failed = [*self.owing.failed[-49:], refund_id]
        self.owing.let_go = False

    def _registered(self, outcome: str) -> None:
        self.registered = outcome in ("done", "partial")
        self.abandoned = not self.registered


def _holds_others_back(workflow_id: str) -> bool:
    """A parked change or refund; not a payment, a dispute, a supplier's order, or a refund that failed: they wait beside what
    comes next."""
    beside = ("/dispute/", "/supplier/")
    waits_beside = workflow_id.startswith("payment/") or any(kind in workflow_id for kind in beside)
    return not (waits_beside or workflow_id.endswith(":failed"))
