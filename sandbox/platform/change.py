"""One change on the platform: records read and written, events emitted, all in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.platform import events
from sandbox.platform.amounts import Conflict, Doc, Unknown, Wrong
from sandbox.platform.storage import Storage
from sandbox.platform.totals import Moved, totals_of

ID_PREFIX = {"experience": "exp", "booking": "bkg", "payment": "pay", "payment_plan": "plan", "refund": "ref"}


@dataclass
class Change:
    """The hands of a verb. `delivery` says, by event kind, how the events of this change travel."""

    storage: Storage
    account: events.Account
    now: datetime
    delivery: dict[str, Doc]

    @property
    def moment(self) -> str:
        return events.instant(self.now)

    def find(self, kind: str, record_id: str) -> Doc | None:
        return self.storage.find(kind, record_id)

    def get(self, kind: str, record_id: str) -> Doc:
        """A copy to work on; raises Unknown."""
        record = self.storage.find(kind, str(record_id))
        if record is None:
            raise Unknown(f"no {kind} {record_id}")
        return record

    def put(self, kind: str, record: Doc) -> Doc:
        self.storage.put(kind, record["id"], record, self.moment)
        return record

    def fresh_id(self, kind: str, wished: str | None = None, prefix: str | None = None) -> str:
        """The wished id if nothing has it, else the next number; raises Conflict."""
        if wished is None:
            wished = f"{prefix or ID_PREFIX[kind]}_{self.storage.next_number(kind, 1001)}"
        if self.storage.find(kind, wished) is not None:
            raise Conflict(f"{kind} {wished} exists already")
        return wished

    def bump(self, record: Doc) -> int:
        record["revision"] += 1
        return int(record["revision"])

    def emit(self, kind: str, *, about: str, record: Doc, partition: str, actor: str, **members: Any) -> str:
        """Log an event about `record` (an aggregate of type `about`) and owe its delivery. Answers the event id."""
        how = self.delivery.get(kind, {})
        data: Doc = {
            "schema_version": 1,
            "environment": self.account.environment,
            "planner_id": self.account.planner_id,
            "aggregate": {"type": about, "id": record["id"], "revision": record["revision"]},
            "actor": {"type": actor},
            "reason": how.get("reason"),
            **members,
        }
        if how.get("cents_off"):
            data["booking"]["totals"]["total"]["amount"] += int(how["cents_off"])
        return self.send(kind, partition, data, how)

    def send(self, kind: str, partition: str, data: Doc, how: Doc) -> str:
        """Number, log and owe an event with this `data`; `how` holds the delivery options."""
        unknown = set(how) - {"twice", "hold", "behind", "delay", "cents_off", "size", "reason"}
        if unknown:
            raise Wrong(f"unknown delivery options: {', '.join(sorted(unknown))}")
        new_id = events.event_id(self.now)
        sequence = self.storage.next_number("sequence")
        event = events.envelope(
            self.account, new_id=new_id, kind=kind, now=self.now, sequence=sequence, partition=partition, data=data
        )
        body = events.encoded(event)
        if how.get("size"):
            # Room for `,"padding":""` and as many bytes as are missing.
            event["data"]["padding"] = "x" * (int(how["size"]) - len(body) - len(',"padding":""'))
            body = events.encoded(event)
        self.storage.log(sequence, new_id, kind, partition, body)
        self.storage.let_behind_wait_for(new_id, partition)
        later = self.now + timedelta(seconds=float(how["delay"])) if how.get("delay") else None
        for _ in range(2 if how.get("twice") else 1):
            self.storage.owe(
                new_id,
                partition,
                body,
                held=bool(how.get("hold")),
                behind=bool(how.get("behind")),
                not_before=later.timestamp() if later else 0.0,
            )
        return new_id

    def moved(self, booking: Doc) -> Moved:
        """Money that moved for a booking record so far."""
        payments = [self.get("payment", payment_id) for payment_id in booking["payment_ids"]]
        return Moved(
            captured=sum(int(record["payment"]["amount"]["amount"]) for record in payments),
            refunded=sum(refunded_total(record) for record in payments),
            disputed=sum(withdrawn_total(record) for record in payments),
        )

    def retotal(self, booking: Doc) -> Doc:
        """Set the totals of a booking record from its lines, discounts, cancellations and payments."""
        snapshot = booking["snapshot"]
        snapshot["totals"] = totals_of(snapshot, booking["cancellations"], self.moved(booking), booking["currency"])
        return booking


Verb = Callable[[Change, Doc], Doc]
"""A simulation verb: takes its wish, changes records, emits events, answers what came out."""


def refunded_total(payment: Doc) -> int:
    """Minor units given back for a payment record; a refund that failed gave nothing back."""
    return sum(int(refund["amount"]["amount"]) for refund in payment["refunds"] if not refund.get("failed"))


def withdrawn_total(payment: Doc) -> int:
    """Minor units that disputes hold back from a payment record at present."""
    return sum(
        int(dispute["amount"]["amount"])
        for dispute in payment["chargebacks"]
        if dispute["withdrawn"] and dispute["stage"] != "won"
    )


def payment_ref(payment: Doc) -> Doc:
    amount = payment["payment"]["amount"]
    refunded = {"amount": refunded_total(payment), "currency": amount["currency"]}
    return {"id": payment["id"], "amount": amount, "refunded_total": refunded}
