"""What told us that a deal of a CRM may have to be invoiced: webhooks, buttons, bots, our own sweep (contracts: kommo 4).

Each row is a hint and nothing more: whoever handles it reads the deal itself. It waits here until it was handed over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    select,
    update,
)

from store.clock import Clock
from store.database import Database
from store.tables import Instant, LongId, agency_column, id_column, metadata, upsert

deal_hooks = Table(
    "deal_hooks",
    metadata,
    Column("id", LongId, primary_key=True, autoincrement=True),
    agency_column(),
    id_column("system"),
    Column("lead_id", BigInteger, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("fact", String(200), nullable=False),
    Column("old_status", BigInteger),
    Column("status", BigInteger),
    Column("last_modified", BigInteger),
    Column("user_id", BigInteger),
    Column("return_url", String(300), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("handed_over_at", Instant),
    Column("tries", Integer, nullable=False),
    Column("trouble", Text, nullable=False),
    UniqueConstraint("agency", "system", "fact"),
)
Index(
    "ix_deal_hooks_waiting",
    deal_hooks.c.id,
    sqlite_where=deal_hooks.c.handed_over_at.is_(None),
    postgresql_where=deal_hooks.c.handed_over_at.is_(None),
)

used_tokens = Table(
    "used_tokens",
    metadata,
    agency_column(primary_key=True),
    Column("token", String(64), primary_key=True),
    Column("until", Instant, nullable=False),
)

REMEMBERED = timedelta(days=9)
"""How long a row that was handed over is kept: longer than a webhook may be repeated."""


@dataclass(frozen=True, slots=True)
class DealHook:
    """One hint. `fact` names it for ever; `user_id` pressed the button, `return_url` is where a bot waits for an answer."""

    agency: str
    system: str
    lead_id: int
    kind: str
    fact: str
    old_status: int | None = None
    status: int | None = None
    last_modified: int | None = None
    user_id: int | None = None
    return_url: str = ""


@dataclass(frozen=True, slots=True)
class WaitingHook:
    """A hint that was not handed over yet."""

    id: int
    hook: DealHook
    received_at: datetime
    tries: int


class DealHooks:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def take_in(self, hooks: Iterable[DealHook]) -> int:
        """Keep what is new; the number of new ones. After return they are durable."""
        with self._database.begin() as connection:
            return sum(self._insert(connection, hook) for hook in hooks)

    def take_in_with_token(self, hook: DealHook, token: str, until: datetime) -> bool:
        """Keep a hint that came with a one-time token; False when the token was used before, and nothing is kept."""
        moment = self._clock()
        with self._database.begin() as connection:
            connection.execute(delete(used_tokens).where(used_tokens.c.until < moment))
            mark = upsert(connection, used_tokens).values(agency=hook.agency, token=token, until=until)
            if connection.execute(mark.on_conflict_do_nothing()).rowcount != 1:
                return False
            self._insert(connection, hook)
            return True

    def waiting(self, limit: int, after: int = 0) -> list[WaitingHook]:
        """Hints that were not handed over, in the order of their coming."""
        kept = deal_hooks.c
        query = select(deal_hooks).where(kept.handed_over_at.is_(None), kept.id > after).order_by(kept.id).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [
            WaitingHook(
                row.id,
                DealHook(
                    row.agency,
                    row.system,
                    row.lead_id,
                    row.kind,
                    row.fact,
                    row.old_status,
                    row.status,
                    row.last_modified,
                    row.user_id,
                    row.return_url,
                ),
                row.received_at,
                row.tries,
            )
            for row in rows
        ]

    def handed_over(self, ids: Iterable[int]) -> None:
        """Whoever handles these deals knows of them; old rows go."""
        moment = self._clock()
        with self._database.begin() as connection:
            connection.execute(
                update(deal_hooks).where(deal_hooks.c.id.in_(list(ids))).values(handed_over_at=moment, trouble="")
            )
            connection.execute(delete(deal_hooks).where(deal_hooks.c.handed_over_at < moment - REMEMBERED))

    def not_handed_over(self, hook_id: int, trouble: str) -> None:
        """Count a try that failed."""
        with self._database.begin() as connection:
            connection.execute(
                update(deal_hooks)
                .where(deal_hooks.c.id == hook_id)
                .values(tries=deal_hooks.c.tries + 1, trouble=trouble[:500])
            )

    def counts(self, agency: str, system: str) -> dict[str, int]:
        """How many hints of each kind are kept, and how many wait."""
        kept = deal_hooks.c
        mine = (kept.agency == agency) & (kept.system == system)
        with self._database.read() as connection:
            rows = connection.execute(select(kept.kind, func.count()).where(mine).group_by(kept.kind)).all()
            waiting = connection.scalar(select(func.count()).where(mine, kept.handed_over_at.is_(None)))
        return {**{row[0]: row[1] for row in rows}, "waiting": int(waiting or 0)}

    def _insert(self, connection: Connection, hook: DealHook) -> int:
        row: dict[str, Any] = {
            "agency": hook.agency,
            "system": hook.system,
            "lead_id": hook.lead_id,
            "kind": hook.kind,
            "fact": hook.fact,
            "old_status": hook.old_status,
            "status": hook.status,
            "last_modified": hook.last_modified,
            "user_id": hook.user_id,
            "return_url": hook.return_url,
            "received_at": self._clock(),
            "tries": 0,
            "trouble": "",
        }
        inserted = connection.execute(upsert(connection, deal_hooks).values(row).on_conflict_do_nothing())
        return 1 if inserted.rowcount == 1 else 0
