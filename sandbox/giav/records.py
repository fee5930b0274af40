"""GIAV's tables: dictionaries with indexes, written through to one SQLite file, with one unit of work per call."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Record = dict[str, Any]

CUSTOM = "CustomDataValues"
"""The index on custom data holds (key, value) pairs."""


class _Table:
    def __init__(self, indexed: Iterable[str]) -> None:
        self.rows: dict[int, Record] = {}
        self.last = 0
        self.indexes: dict[str, dict[Any, dict[int, None]]] = {name: {} for name in indexed}

    def keep(self, record: Record) -> None:
        id_ = record["Id"]
        self.drop(id_)
        self.rows[id_] = record
        self.last = max(self.last, id_)
        for name, index in self.indexes.items():
            for value in _index_values(record, name):
                index.setdefault(value, {})[id_] = None

    def drop(self, id_: int) -> Record | None:
        record = self.rows.pop(id_, None)
        if record is not None:
            for name, index in self.indexes.items():
                for value in _index_values(record, name):
                    index.get(value, {}).pop(id_, None)
        return record


def _index_values(record: Record, name: str) -> list[Any]:
    value = record.get(name)
    if value is None:
        return []
    if name == CUSTOM:
        return list({(item["Key"], item.get("Value", "")) for item in value})
    return list(dict.fromkeys(value)) if isinstance(value, list) else [value]


class Records:
    """Every entity's records by id. Records handed out are never changed in place: `replace` them.

    Ids grow per entity and are never given twice, deleted ones leave a mark. Changes become durable with `commit`;
    `rollback` takes back all since the last one.
    """

    def __init__(self, indexed: Mapping[str, tuple[str, ...]], path: Path | None = None) -> None:
        self._tables = {entity: _Table(names) for entity, names in indexed.items()}
        self._undo: list[tuple[str, int, Record | None]] = []
        self._file: sqlite3.Connection | None = None
        if path is not None:
            self._open(path)

    def _open(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # One writer at a time is the caller's promise; the server and its tests live in different threads.
        self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA journal_mode=WAL")
        # A stand-in may lose its last writes when the machine dies, not when its process does.
        self._file.execute("PRAGMA synchronous=OFF")
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS record (entity TEXT, id INTEGER, json TEXT, PRIMARY KEY (entity, id)) WITHOUT ROWID"
        )
        for entity, id_, body in self._file.execute("SELECT entity, id, json FROM record ORDER BY entity, id"):
            table = self._tables[entity]
            table.last = max(table.last, id_)
            if body is not None:
                table.keep(json.loads(body))

    @property
    def entities(self) -> list[str]:
        return list(self._tables)

    def get(self, entity: str, id_: int | None) -> Record | None:
        return None if id_ is None else self._tables[entity].rows.get(id_)

    def all(self, entity: str) -> list[Record]:
        return list(self._tables[entity].rows.values())

    def having(self, entity: str, field: str, *values: Any) -> list[Record]:
        """Records whose indexed `field` has one of `values`, by id. Raises KeyError if the field has no index."""
        table = self._tables[entity]
        index = table.indexes[field]
        ids = {id_ for value in values for id_ in index.get(value, ())}
        return [table.rows[id_] for id_ in sorted(ids)]

    def is_indexed(self, entity: str, field: str) -> bool:
        return field in self._tables[entity].indexes

    def add(self, entity: str, record: Record) -> int:
        """Keep a new record under the next id and return the id; a given `Id` is respected (seeds)."""
        id_ = int(record.get("Id") or self._tables[entity].last + 1)
        self._put(entity, {"Id": id_, **record})
        return id_

    def replace(self, entity: str, record: Record) -> None:
        self._put(entity, record)

    def change(self, entity: str, record: Record, **changes: Any) -> Record:
        """The record with `changes`, kept."""
        made = {**record, **changes}
        self._put(entity, made)
        return made

    def remove(self, entity: str, id_: int) -> None:
        self._undo.append((entity, id_, self._tables[entity].drop(id_)))

    def _put(self, entity: str, record: Record) -> None:
        table = self._tables[entity]
        self._undo.append((entity, record["Id"], table.rows.get(record["Id"])))
        table.keep(record)

    def commit(self) -> None:
        """Make everything since the last commit durable, as one transaction."""
        changed = dict.fromkeys((entity, id_) for entity, id_, _ in self._undo)
        self._undo.clear()
        if self._file is None or not changed:
            return
        self._file.execute("BEGIN")
        self._file.executemany(
            "INSERT OR REPLACE INTO record (entity, id, json) VALUES (?, ?, ?)",
            [(entity, id_, self._body(entity, id_)) for entity, id_ in changed],
        )
        self._file.execute("COMMIT")

    def rollback(self) -> None:
        """Forget everything since the last commit."""
        for entity, id_, before in reversed(self._undo):
            table = self._tables[entity]
            if before is None:
                table.drop(id_)
            else:
                table.keep(before)
        self._undo.clear()

    def _body(self, entity: str, id_: int) -> str | None:
        record = self._tables[entity].rows.get(id_)
        return None if record is None else json.dumps(record, ensure_ascii=False)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
