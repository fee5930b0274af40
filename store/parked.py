"""Parked items and the decisions taken on them: nothing that stops is out of sight (contracts: money-rules P10, O2)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Index,
    Row,
    String,
    Table,
    Text,
    func,
    literal,
    select,
    tuple_,
    update,
)

from domain.desk import Desk
from domain.errors import ContractBroken
from domain.money import Money
from domain.steps import Decision, DecisionTaken, Parked, Parking
from store.clock import Clock
from store.database import Database
from store.tables import Instant, LongId, agency_column, id_column, metadata, money_columns, upsert

OPEN, CLOSED = "open", "closed"
BY_ITSELF = "system"
"""Who decides when the cause of an item is gone; no person may have this name."""

parked_items = Table(
    "parked_items",
    metadata,
    id_column("item_id", primary_key=True),
    agency_column(),
    id_column("workflow_id"),
    id_column("booking_id", nullable=True),
    id_column("experience_id", nullable=True),
    id_column("payment_id", nullable=True),
    id_column("event_id", nullable=True),
    id_column("verb"),
    id_column("reason"),
    Column("detail", Text, nullable=False),
    id_column("fault"),
    Column("effect", String(500), nullable=False),
    *money_columns(nullable=True),
    Column("decisions", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("since", Instant, nullable=False),
    id_column("owner"),
    Column("deadline", Instant, nullable=False),
    Column("closed_at", Instant),
    Index(None, "state", "deadline"),
    Index(None, "state", "closed_at"),
    Index(None, "agency", "booking_id"),
)

decisions_taken = Table(
    "decisions_taken",
    metadata,
    Column("id", LongId, primary_key=True, autoincrement=True),
    Column("item_id", String(200), ForeignKey("parked_items.item_id"), nullable=False, index=True),
    Column("decision", String(20), nullable=False),
    id_column("decided_by"),
    Column("explanation", Text, nullable=False),
    id_column("outside_id", nullable=True),
    Column("decided_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class StoreParking:
    """Something the store parks by itself; owner and deadline come from the agency's desk."""

    item_id: str
    agency: str
    reason: str
    detail: str
    verb: str
    decisions: tuple[Decision, ...]
    booking_id: str | None = None
    experience_id: str | None = None
    payment_id: str | None = None
    event_id: str | None = None
    effect: str = ""
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class DecisionMade:
    """A decision as it was recorded."""

    taken: DecisionTaken
    at: datetime


@dataclass(frozen=True, slots=True)
class ParkedItem:
    """A parked item as it stands. `workflow_id` is empty when no workflow waits: then the inbox carries out the decision."""

    item_id: str
    agency: str
    workflow_id: str
    booking_id: str | None
    experience_id: str | None
    payment_id: str | None
    event_id: str | None
    verb: str
    reason: str
    detail: str
    fault: str
    effect: str
    amount: Money | None
    decisions: tuple[Decision, ...]
    state: str
    since: datetime
    owner: str
    deadline: datetime
    closed_at: datetime | None
    taken: tuple[DecisionMade, ...] = ()


class ParkedItems:
    """Opens and closes parked items; both may be repeated without effect."""

    def __init__(self, database: Database, clock: Clock, desks: Mapping[str, Desk]) -> None:
        self._database = database
        self._clock = clock
        self._desks = desks

    def desk(self, agency: str) -> Desk:
        """Who answers for what at this agency."""
        return self._desks.get(agency) or Desk()

    def open(self, parking: Parking, owner: str, deadline: datetime) -> Parked:
        """Open the item. The same stop reported again changes nothing; a later stop under the same id opens it again."""
        values = {
            **parking.model_dump(exclude={"lifecycle", "amount", "decisions"}),
            "amount": parking.amount,
            "decisions": parking.decisions,
            "event_id": None,
            "owner": owner,
            "deadline": deadline,
        }
        with self._database.begin() as connection:
            row = _open(connection, values)
        return Parked(item_id=row.item_id, owner=row.owner, deadline=row.deadline)

    def open_from_store(self, parking: StoreParking, connection: Connection | None = None) -> None:
        """Open an item that no workflow waits for, in the transaction of `connection` if there is one."""
        if connection is None:
            with self._database.begin() as own:
                return self.open_from_store(parking, own)
        since = self._clock()
        owner, deadline = self.desk(parking.agency).assign(since, parking.reason)
        _open(
            connection,
            {
                "item_id": parking.item_id,
                "agency": parking.agency,
                "workflow_id": "",
                "booking_id": parking.booking_id,
                "experience_id": parking.experience_id,
                "payment_id": parking.payment_id,
                "event_id": parking.event_id,
                "verb": parking.verb,
                "reason": str(parking.reason),
                "detail": parking.detail,
                "fault": "",
                "effect": parking.effect,
                "amount": parking.amount,
                "decisions": parking.decisions,
                "since": since,
                "owner": owner,
                "deadline": deadline,
            },
            reopen=False,
        )
        return None

    def close(self, item_id: str, taken: DecisionTaken) -> ParkedItem:
        """Record the decision and close the item; closing a closed item changes nothing.

        Raises `ContractBroken` for an unknown item or a decision that it does not allow.
        """
        with self._database.begin() as connection:
            self.close_in(connection, item_id, taken)
        closed = self.get(item_id)
        assert closed is not None
        return closed

    def close_in(self, connection: Connection, item_id: str, taken: DecisionTaken) -> bool:
        """`close` inside a transaction of the store; False when it was closed already."""
        row = connection.execute(
            select(parked_items).where(parked_items.c.item_id == item_id).with_for_update()
        ).one_or_none()
        if row is None:
            raise ContractBroken(f"no parked item {item_id}", system="store")
        if row.state == CLOSED:
            return False
        # A cause that went away by itself closes an item that a person could only have explained.
        if taken.by != BY_ITSELF and taken.decision not in json.loads(row.decisions):
            raise ContractBroken(f"{item_id} does not allow the decision {taken.decision}", system="store")
        moment = self._clock()
        connection.execute(
            update(parked_items).where(parked_items.c.item_id == item_id).values(state=CLOSED, closed_at=moment)
        )
        connection.execute(
            decisions_taken.insert().values(
                item_id=item_id,
                decision=taken.decision,
                decided_by=taken.by,
                explanation=taken.explanation,
                outside_id=taken.outside_id,
                decided_at=moment,
            )
        )
        return True

    def retell(self, item_id: str, detail: str, amount: Money | None) -> None:
        """What an open item says now; one that is closed stays as it is."""
        values = {
            "detail": detail,
            "amount": amount.amount if amount else None,
            "currency": amount.currency if amount else None,
        }
        with self._database.begin() as connection:
            mine = (parked_items.c.item_id == item_id) & (parked_items.c.state == OPEN)
            connection.execute(update(parked_items).where(mine).values(values))

    def get(self, item_id: str) -> ParkedItem | None:
        """The item with every decision ever taken on it."""
        with self._database.read() as connection:
            row = connection.execute(select(parked_items).where(parked_items.c.item_id == item_id)).one_or_none()
            if row is None:
                return None
            taken = connection.execute(
                select(decisions_taken).where(decisions_taken.c.item_id == item_id).order_by(decisions_taken.c.id)
            ).all()
        return _item(row, tuple(_made(line) for line in taken))

    def answer(
        self, agency: str, effect: str, among: Collection[Decision], since: datetime | None = None
    ) -> Decision | None:
        """The newest answer of `among` that a person gave to a question about `effect`, if it was given at `since` or later."""
        query = (
            select(decisions_taken.c.decision)
            .join(parked_items, parked_items.c.item_id == decisions_taken.c.item_id)
            .where(parked_items.c.agency == agency, parked_items.c.effect == effect)
            .where(decisions_taken.c.decision.in_(among))
            .order_by(decisions_taken.c.id.desc())
            .limit(1)
        )
        if since is not None:
            query = query.where(decisions_taken.c.decided_at >= since)
        with self._database.read() as connection:
            found: Decision | None = connection.scalar(query)
        return found

    def last_closed(self, agencies: Collection[str], limit: int) -> Iterable[ParkedItem]:
        """The items that were closed last, the newest first; decisions come with `get`."""
        own = parked_items.c
        query = select(parked_items).where(own.agency.in_(agencies), own.state == CLOSED, own.closed_at.is_not(None))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(own.closed_at.desc()).limit(limit)).all()
        return [_item(row) for row in rows]

    def list(
        self,
        agency: str | None = None,
        state: str | None = OPEN,
        *,
        booking_id: str | None = None,
        owner: str | None = None,
        reason: str | None = None,
        reasons: Collection[str] | None = None,
        agencies: Collection[str] | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int = 500,
    ) -> list[ParkedItem]:
        """Items by deadline, nearest first; `state=None` for open and closed. Decisions come with `get`.

        `agencies` are those that may be shown; `after` is deadline and id of the last item before.
        """
        query = select(parked_items).order_by(parked_items.c.deadline, parked_items.c.item_id).limit(limit)
        if agencies is not None:
            query = query.where(parked_items.c.agency.in_(agencies))
        if reasons is not None:
            query = query.where(parked_items.c.reason.in_(reasons))
        if after is not None:
            place = tuple_(literal(after[0], Instant), literal(after[1], String))
            query = query.where(tuple_(parked_items.c.deadline, parked_items.c.item_id) > place)
        wanted = {"agency": agency, "state": state, "booking_id": booking_id, "owner": owner, "reason": reason}
        for column, value in wanted.items():
            if value is not None:
                query = query.where(parked_items.c[column] == value)
        with self._database.read() as connection:
            return [_item(row) for row in connection.execute(query)]

    def counts(self, agency: str | None = None) -> dict[str, int]:
        """How many items are open, by reason."""
        query = (
            select(parked_items.c.reason, func.count())
            .where(parked_items.c.state == OPEN)
            .group_by(parked_items.c.reason)
        )
        if agency is not None:
            query = query.where(parked_items.c.agency == agency)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}


def _open(connection: Connection, values: dict[str, Any], *, reopen: bool = True) -> Row[Any]:
    amount: Money | None = values["amount"]
    row = {
        **values,
        "amount": amount.amount if amount else None,
        "currency": amount.currency if amount else None,
        "decisions": json.dumps(values["decisions"]),
        "state": OPEN,
        "closed_at": None,
    }
    statement = upsert(connection, parked_items).values(row)
    if reopen:
        statement = statement.on_conflict_do_update(
            index_elements=["item_id"],
            set_={name: statement.excluded[name] for name in row if name != "item_id"},
            where=(parked_items.c.state == CLOSED) & (parked_items.c.since < statement.excluded.since),
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=["item_id"])
    connection.execute(statement)
    return connection.execute(select(parked_items).where(parked_items.c.item_id == row["item_id"])).one()


def _item(row: Row[Any], taken: tuple[DecisionMade, ...] = ()) -> ParkedItem:
    return ParkedItem(
        item_id=row.item_id,
        agency=row.agency,
        workflow_id=row.workflow_id,
        booking_id=row.booking_id,
        experience_id=row.experience_id,
        payment_id=row.payment_id,
        event_id=row.event_id,
        verb=row.verb,
        reason=row.reason,
        detail=row.detail,
        fault=row.fault,
        effect=row.effect,
        amount=None if row.amount is None else Money(amount=row.amount, currency=row.currency),
        decisions=tuple(json.loads(row.decisions)),
        state=row.state,
        since=row.since,
        owner=row.owner,
        deadline=row.deadline,
        closed_at=row.closed_at,
        taken=taken,
    )


def _made(row: Row[Any]) -> DecisionMade:
    return DecisionMade(
        DecisionTaken(
            item_id=row.item_id,
            decision=row.decision,
            by=row.decided_by,
            explanation=row.explanation,
            outside_id=row.outside_id,
        ),
        row.decided_at,
    )
