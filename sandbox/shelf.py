"""What a stand-in keeps: dictionaries in memory, written through to a SQLite file so that it survives a restart."""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Shelf:
    """Records by kind and key. `path=None` keeps them in memory only.

    A record handed out is the kept one: change it and `put` it again. Single calls are safe from several threads.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._kinds: dict[str, dict[str, Record]] = {}
        self._lock = threading.RLock()
        self._file: sqlite3.Connection | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            # A stand-in may lose its last writes when the machine dies, not when its process does.
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=OFF")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS record (kind TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, key))"
            )
            for kind, key, body in self._file.execute("SELECT kind, key, body FROM record ORDER BY rowid"):
                self._kinds.setdefault(kind, {})[key] = json.loads(body)

    def get(self, kind: str, key: str) -> Record | None:
        return self._kinds.get(kind, {}).get(key)

    def all(self, kind: str) -> dict[str, Record]:
        """Every record of `kind` by key, in the order of arrival."""
        with self._lock:
            return dict(self._kinds.get(kind, {}))

    def put(self, kind: str, key: str, record: Record) -> Record:
        with self._lock:
            self._kinds.setdefault(kind, {})[key] = record
            if self._file is not None:
                self._file.execute(
                    "INSERT INTO record (kind, key, body) VALUES (?, ?, ?) "
                    "ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
                    (kind, key, json.dumps(record)),
                )
        return record

    def clear(self) -> None:
        """Forget every record and every counter."""
        with self._lock:
            self._kinds.clear()
            if self._file is not None:
                self._file.execute("DELETE FROM record")

    def next_number(self, name: str, start: int) -> int:
        """The next number of the counter `name`; the first is `start`."""
        with self._lock:
            held = self.get("counter", name)
            number = start if held is None else int(held["last"]) + 1
            self.put("counter", name, {"last": number})
            return number

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
