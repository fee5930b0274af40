"""What the platform holds: records, the event log and the deliveries still owed, in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.platform.amounts import Doc

TABLES = """
CREATE TABLE IF NOT EXISTS records (
  place INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, updated_at TEXT NOT NULL, body TEXT NOT NULL,
  UNIQUE (kind, id));
CREATE TABLE IF NOT EXISTS events (
  sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, partition TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
  id INTEGER PRIMARY KEY, event_id TEXT NOT NULL, partition TEXT NOT NULL, body BLOB, state TEXT NOT NULL,
  not_before REAL NOT NULL DEFAULT 0, behind INTEGER NOT NULL DEFAULT 0, waits_for TEXT,
  attempts INTEGER NOT NULL DEFAULT 0, status INTEGER, error TEXT);
CREATE INDEX IF NOT EXISTS deliveries_open ON deliveries (state, partition);
CREATE INDEX IF NOT EXISTS deliveries_waiting ON deliveries (waits_for) WHERE waits_for IS NOT NULL;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, body TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Delivery:
    """One copy of an event that is owed to the gateway; `not_before` is Unix time."""

    id: int
    event_id: str
    partition: str
    body: bytes
    not_before: float
    attempts: int


class Storage:
    """One connection behind a lock. `path=None` keeps everything in memory."""

    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._sql = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        # A stand-in may lose its last writes when the machine dies, not when its process does.
        self._sql.execute("PRAGMA journal_mode=WAL")
        self._sql.execute("PRAGMA synchronous=OFF")
        self._sql.executescript(TABLES)
        self._fresh: list[Delivery] = []
        self.on_deliveries: Callable[[list[Delivery]], None] = lambda _: None
        """Told, after each transaction, which deliveries became due."""

    def close(self) -> None:
        with self._lock:
            self._sql.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; deliveries made inside are announced after the end."""
        with self._lock:
            self._sql.execute("BEGIN IMMEDIATE")
            self._fresh = []
            try:
                yield
            except BaseException:
                self._sql.execute("ROLLBACK")
                raise
            self._sql.execute("COMMIT")
            fresh, self._fresh = self._fresh, []
            if fresh:
                self.on_deliveries(fresh)

    def _rows(self, query: str, *values: object) -> list[Any]:
        with self._lock:
            return self._sql.execute(query, values).fetchall()

    # Records

    def find(self, kind: str, record_id: str) -> Doc | None:
        rows = self._rows("SELECT body FROM records WHERE kind = ? AND id = ?", kind, record_id)
        return _doc(rows[0][0]) if rows else None

    def put(self, kind: str, record_id: str, body: Doc, updated_at: str) -> None:
        self._rows(
            "INSERT INTO records (kind, id, updated_at, body) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at",
            kind, record_id, updated_at, json.dumps(body, ensure_ascii=False),
        )  # fmt: skip

    def page(self, kind: str, after: int = 0, limit: int = 200, since: str = "") -> list[tuple[int, Doc]]:
        """Records after a place, in the order of arrival, changed at or after `since`."""
        rows = self._rows(
            "SELECT place, body FROM records WHERE kind = ? AND place > ? AND updated_at >= ? ORDER BY place LIMIT ?",
            kind, after, since, limit,
        )  # fmt: skip
        return [(int(place), _doc(body)) for place, body in rows]

    def every(self, kind: str) -> list[Doc]:
        return [body for _, body in self.page(kind, limit=-1)]

    def next_number(self, name: str, start: int = 1) -> int:
        row = self._rows(
            "INSERT INTO counters (name, value) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            name, start,
        )  # fmt: skip
        return int(row[0][0])

    def answer(self, key: str) -> Doc | None:
        """What was answered to the request with this idempotency key."""
        rows = self._rows("SELECT body FROM answers WHERE key = ?", key)
        return _doc(rows[0][0]) if rows else None

    def keep_answer(self, key: str, body: Doc) -> None:
        self._rows("INSERT INTO answers (key, body) VALUES (?, ?)", key, json.dumps(body, ensure_ascii=False))

    # Event log

    def log(self, sequence: int, event_id: str, kind: str, partition: str, body: bytes) -> None:
        self._rows("INSERT INTO events VALUES (?, ?, ?, ?, ?)", sequence, event_id, kind, partition, body)

    def event(self, event_id: str) -> tuple[str, bytes] | None:
        """Partition and exact body of an event."""
        rows = self._rows("SELECT partition, body FROM events WHERE id = ?", event_id)
        return (str(rows[0][0]), bytes(rows[0][1])) if rows else None

    def events_after(self, sequence: int, limit: int) -> list[bytes]:
        rows = self._rows("SELECT body FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?", sequence, limit)
        return [bytes(row[0]) for row in rows]

    # Deliveries

    def owe(
        self,
        event_id: str,
        partition: str,
        body: bytes,
        *,
        held: bool = False,
        behind: bool = False,
        not_before: float = 0.0,
        other_body: bool = False,
    ) -> None:
        """Owe one delivery: at once, not before a time, held until released, or behind the partition's next event."""
        state = "held" if held or behind else "pending"
        row = self._rows(
            "INSERT INTO deliveries (event_id, partition, body, state, not_before, behind) "
            "VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
            event_id, partition, body if other_body else None, state, not_before, int(behind),
        )  # fmt: skip
        if state == "pending":
            self._fresh.append(Delivery(int(row[0][0]), event_id, partition, body, not_before, 0))

    def let_behind_wait_for(self, event_id: str, partition: str) -> None:
        """The event that deliveries held `behind` were waiting to be overtaken by has come into being."""
        self._rows(
            "UPDATE deliveries SET waits_for = ? "
            "WHERE state = 'held' AND partition = ? AND behind = 1 AND waits_for IS NULL",
            event_id, partition,
        )  # fmt: skip

    def release(self, *, overtaken_by: str | None = None, event_id: str | None = None) -> int:
        """Make held deliveries due: those that an event has overtaken, those of one event, or all. Answers how many."""
        if overtaken_by is not None:
            rows = self._rows("SELECT id FROM deliveries WHERE state = 'held' AND waits_for = ?", overtaken_by)
        elif event_id is not None:
            rows = self._rows("SELECT id FROM deliveries WHERE state = 'held' AND event_id = ?", event_id)
        else:
            rows = self._rows("SELECT id FROM deliveries WHERE state = 'held'")
        for (delivery_id,) in rows:
            self._rows("UPDATE deliveries SET state = 'pending' WHERE id = ?", delivery_id)
            self._fresh.extend(self.owed(delivery_id))
        return len(rows)

    def owed(self, delivery_id: int | None = None) -> list[Delivery]:
        """Deliveries that are due, oldest first; or one of them."""
        rows = self._rows(
            "SELECT d.id, d.event_id, d.partition, coalesce(d.body, e.body), d.not_before, d.attempts "
            "FROM deliveries d LEFT JOIN events e ON e.id = d.event_id "
            "WHERE d.state = 'pending' AND (? IS NULL OR d.id = ?) ORDER BY d.id",
            delivery_id, delivery_id,
        )  # fmt: skip
        return [Delivery(i, event, part, bytes(body), wait, tries) for i, event, part, body, wait, tries in rows]

    def attempted(self, delivery_id: int, attempts: int, state: str, status: int | None, error: str | None) -> None:
        self._rows(
            "UPDATE deliveries SET attempts = ?, state = ?, status = ?, error = ? WHERE id = ?",
            attempts, state, status, error, delivery_id,
        )  # fmt: skip

    def deliveries_summary(self) -> Doc:
        """How many deliveries are in which state, and the oldest that fail."""
        counts = dict(self._rows("SELECT state, count(*) FROM deliveries GROUP BY state"))
        failing = self._rows(
            "SELECT event_id, attempts, status, error FROM deliveries "
            "WHERE state IN ('pending', 'gone') AND attempts > 0 ORDER BY id LIMIT 20"
        )
        return {
            **{state: int(counts.get(state, 0)) for state in ("pending", "held", "delivered", "gone")},
            "failing": [dict(zip(("event_id", "attempts", "status", "error"), row, strict=True)) for row in failing],
        }


def _doc(text: str) -> Doc:
    body: Doc = json.loads(text)
    return body
