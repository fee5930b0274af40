"""Connectors to ERPs: their breakers, the contracts that were accepted, and whose receivable is being written (payment-sync 3, 6, 7)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Column, Integer, Row, String, Table, Text, delete, func, select, update

from domain.connector_steps import BreakerKept, Described, WaitingPayment
from domain.payment_sync import State
from domain.payment_sync.breaker import OUT_OF_REACH, WINDOW, Breaker
from store.clock import Clock
from store.database import Database
from store.payment_sync import SyncedPayment, payment_syncs, payment_transitions, synced_payment
from store.tables import Instant, agency_column, id_column, metadata, upsert

connector_breakers = Table(
    "connector_breakers",
    metadata,
    agency_column(primary_key=True),
    id_column("connector", primary_key=True),
    Column("phase", String(10), nullable=False),
    Column("version", Integer, nullable=False),
    Column("breaker", Text, nullable=False),
    Column("kept_at", Instant, nullable=False),
)
"""One row per connector, as its workflow told it last; `breaker` is the whole of `Breaker` as JSON."""

connector_contracts = Table(
    "connector_contracts",
    metadata,
    agency_column(primary_key=True),
    id_column("connector", primary_key=True),
    Column("accepted", String(64), nullable=False),
    Column("accepted_parts", Text, nullable=False),
    id_column("accepted_by"),
    Column("why", Text, nullable=False),
    Column("accepted_at", Instant, nullable=False),
    Column("seen", String(64), nullable=False),
    Column("seen_parts", Text, nullable=False),
    Column("seen_at", Instant, nullable=False),
)
"""The contract that an ERP showed last, and the one that we work by; `parts` are hashes by the names of its parts."""

receivable_locks = Table(
    "receivable_locks",
    metadata,
    agency_column(primary_key=True),
    id_column("connector", primary_key=True),
    id_column("receivable", primary_key=True),
    id_column("payment_id"),
    Column("since", Instant, nullable=False),
)
"""The payment that is being written on a receivable; no other one may be meanwhile."""

WRITING = (State.SYNCING, State.CREDITING)
"""Where payments stand while their receipt is being written."""
_OF_THE_SYSTEM = (payment_syncs.c.state != State.UNSYNCED.value) | payment_syncs.c.cause.in_(
    [each.value for each in OUT_OF_REACH]
)
"""What a person has to send because of the ERP, not because of the payment."""
WAITING = (State.CAPTURED, State.RETRY_WAIT, State.SYNC_UNKNOWN, State.UNSYNCED)
"""Where payments stand that a breaker holds back, or that failed."""
SETTLES = timedelta(minutes=1)
"""How long a payment that got its receivable may take until its row says that it is being written."""
LONGEST = timedelta(days=1)
"""After this a lock is of a workflow that does not run any more."""


@dataclass(frozen=True, slots=True)
class ContractSeen:
    """The contract of an ERP: what was accepted, by whom and why, and what was seen last."""

    agency: str
    connector: str
    described: Described
    accepted_by: str
    why: str
    accepted_at: datetime
    seen_at: datetime


class Connectors:
    """Each method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    # Breakers ------------------------------------------------------------------------------------------------------

    def keep(self, breaker: Breaker) -> BreakerKept:
        """Keep the breaker unless a newer one is kept, and count who waits behind it."""
        now = self._clock()
        values = {
            "agency": breaker.agency,
            "connector": breaker.connector,
            "phase": breaker.phase.value,
            "version": breaker.version,
            "breaker": breaker.model_dump_json(),
            "kept_at": now,
        }
        with self._database.begin() as connection:
            statement = upsert(connection, connector_breakers).values(values)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["agency", "connector"],
                    set_={name: statement.excluded[name] for name in ("phase", "version", "breaker", "kept_at")},
                    where=connector_breakers.c.version <= statement.excluded.version,
                )
            )
        return self.waiters(breaker.agency, breaker.connector)

    def waiters(self, agency: str, connector: str) -> BreakerKept:
        """Who waits behind the breaker of a connector, and how many payments moved lately."""
        syncs, moves = payment_syncs.c, payment_transitions.c
        waiting = (
            select(syncs.state, syncs.currency, func.count(), func.sum(syncs.amount))
            .where(syncs.agency == agency, syncs.connector == connector)
            .where(syncs.state.in_([state.value for state in WAITING]), _OF_THE_SYSTEM)
            .group_by(syncs.state, syncs.currency)
        )
        at_work = select(func.count(moves.payment_id.distinct())).where(
            moves.agency == agency, moves.at >= self._clock() - WINDOW
        )
        with self._database.read() as connection:
            rows = connection.execute(waiting).all()
            active = connection.scalar(at_work) or 0
        money: dict[str, int] = {}
        for _, currency, _, amount in rows:
            money[currency] = money.get(currency, 0) + int(amount)
        unsynced = sum(number for state, _, number, _ in rows if state == State.UNSYNCED.value)
        return BreakerKept(waiting=sum(row[2] for row in rows), unsynced=unsynced, money=money, at_work=active)

    def breaker(self, agency: str, connector: str) -> Breaker | None:
        query = select(connector_breakers.c.breaker).where(
            connector_breakers.c.agency == agency, connector_breakers.c.connector == connector
        )
        with self._database.read() as connection:
            found = connection.scalar(query)
        return None if found is None else Breaker.model_validate_json(found)

    def breakers(self, agency: str | None = None) -> list[Breaker]:
        query = select(connector_breakers.c.breaker).order_by(
            connector_breakers.c.agency, connector_breakers.c.connector
        )
        if agency is not None:
            query = query.where(connector_breakers.c.agency == agency)
        with self._database.read() as connection:
            return [Breaker.model_validate_json(each) for each in connection.scalars(query)]

    def waiting(self, agency: str, connector: str, states: tuple[State, ...], limit: int) -> list[WaitingPayment]:
        """Payments in these states, the oldest first; of those for a person, whom the ERP's own trouble brought there."""
        syncs = payment_syncs.c
        query = (
            select(syncs.payment_id, syncs.workflow_id, syncs.state)
            .where(syncs.agency == agency, syncs.connector == connector)
            .where(syncs.state.in_([state.value for state in states]), _OF_THE_SYSTEM)
            .order_by(syncs.captured_at, syncs.payment_id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [
                WaitingPayment(payment_id=row.payment_id, workflow_id=row.workflow_id, state=State(row.state))
                for row in connection.execute(query)
            ]

    def unsynchronised(self, agency: str, connector: str, captured_before: datetime) -> list[SyncedPayment]:
        """Payments that are paid and not synchronised for so long, the oldest first."""
        syncs = payment_syncs.c
        query = (
            select(payment_syncs)
            .where(syncs.agency == agency, syncs.connector == connector)
            .where(syncs.settled == 0, syncs.captured_at < captured_before)
            .order_by(syncs.captured_at, syncs.payment_id)
        )
        with self._database.read() as connection:
            return [synced_payment(row) for row in connection.execute(query)]

    def captured(self, agency: str, connector: str, first: date, last: date) -> list[SyncedPayment]:
        """Payments captured from the first to the last of these UTC days, by capture."""
        syncs = payment_syncs.c
        begin = datetime.combine(first, time(), UTC)
        end = datetime.combine(last, time(), UTC) + timedelta(days=1)
        query = (
            select(payment_syncs)
            .where(syncs.agency == agency, syncs.connector == connector)
            .where(syncs.captured_at >= begin, syncs.captured_at < end)
            .order_by(syncs.captured_at, syncs.payment_id)
        )
        with self._database.read() as connection:
            return [synced_payment(row) for row in connection.execute(query)]

    # Receivables ---------------------------------------------------------------------------------------------------

    def take(self, agency: str, connector: str, receivable: str, payment_id: str) -> str | None:
        """The receivable for this payment; otherwise the payment that has it."""
        now, locks = self._clock(), receivable_locks.c
        row = {
            "agency": agency,
            "connector": connector,
            "receivable": receivable,
            "payment_id": payment_id,
            "since": now,
        }
        mine = (locks.agency == agency) & (locks.connector == connector) & (locks.receivable == receivable)
        with self._database.begin() as connection:
            connection.execute(upsert(connection, receivable_locks).values(row).on_conflict_do_nothing())
            held = connection.execute(
                select(locks.payment_id, locks.since, payment_syncs.c.state)
                .select_from(
                    receivable_locks.outerjoin(
                        payment_syncs,
                        (payment_syncs.c.agency == locks.agency) & (payment_syncs.c.payment_id == locks.payment_id),
                    )
                )
                .where(mine)
            ).one()
            if held.payment_id != payment_id:
                if not _is_stale(held.since, held.state, now):
                    return str(held.payment_id)
                connection.execute(update(receivable_locks).where(mine).values(payment_id=payment_id, since=now))
        return None

    def give_back(self, agency: str, payment_id: str) -> None:
        """Whatever this payment has."""
        locks = receivable_locks.c
        with self._database.begin() as connection:
            connection.execute(delete(receivable_locks).where(locks.agency == agency, locks.payment_id == payment_id))

    # Contracts -----------------------------------------------------------------------------------------------------

    def seen(self, agency: str, connector: str, contract: str, parts: Mapping[str, str]) -> Described:
        """Keep what the ERP shows; the first contract that is ever seen counts as accepted."""
        now = self._clock()
        text = json.dumps(dict(sorted(parts.items())))
        first = {
            "agency": agency,
            "connector": connector,
            "accepted": contract,
            "accepted_parts": text,
            "accepted_by": "system",
            "why": "the first that was seen",
            "accepted_at": now,
        }
        last = {"seen": contract, "seen_parts": text, "seen_at": now}
        with self._database.begin() as connection:
            statement = upsert(connection, connector_contracts).values(first | last)
            connection.execute(statement.on_conflict_do_update(index_elements=["agency", "connector"], set_=last))
        found = self.contract(agency, connector)
        assert found is not None
        return found.described

    def accept(self, agency: str, connector: str, by: str, why: str) -> ContractSeen | None:
        """A person accepts the contract that was seen last."""
        contracts = connector_contracts.c
        with self._database.begin() as connection:
            connection.execute(
                update(connector_contracts)
                .where(contracts.agency == agency, contracts.connector == connector)
                .values(
                    accepted=contracts.seen,
                    accepted_parts=contracts.seen_parts,
                    accepted_by=by,
                    why=why,
                    accepted_at=self._clock(),
                )
            )
        return self.contract(agency, connector)

    def contract(self, agency: str, connector: str) -> ContractSeen | None:
        contracts = connector_contracts.c
        query = select(connector_contracts).where(contracts.agency == agency, contracts.connector == connector)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _contract(row)


def _is_stale(since: datetime, state: str | None, now: datetime) -> bool:
    age = now - since
    return age > LONGEST or (age > SETTLES and state not in WRITING)


def _contract(row: Row[Any]) -> ContractSeen:
    accepted, seen = json.loads(row.accepted_parts), json.loads(row.seen_parts)
    differs = [
        *(f"new: {name}" for name in seen if name not in accepted),
        *(f"gone: {name}" for name in accepted if name not in seen),
        *(f"changed: {name}" for name in seen if name in accepted and seen[name] != accepted[name]),
    ]
    return ContractSeen(
        agency=row.agency,
        connector=row.connector,
        described=Described(contract=row.seen, accepted=row.accepted, differs=tuple(differs)),
        accepted_by=row.accepted_by,
        why=row.why,
        accepted_at=row.accepted_at,
        seen_at=row.seen_at,
    )
