"""Rows that say something of a person, whatever the table, and the same rows without it (docs/privacy.md).

No table is named here but those that are append-only or sealed: what is added later is searched, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import JSON, Connection, LargeBinary, Row, String, Table, Text, and_, select

from domain.privacy import Scrubber, without_parties
from store.events import event_conflicts
from store.parked import decisions_taken
from store.tables import metadata

SEALED_OR_FIXED = frozenset(
    {
        *(
            "audit_trail",
            "integration_steps",
            "journal_balances",
            "journal_entries",
            "journal_periods",
            "journal_postings",
        ),
        *("people", "people_sessions", "sealed_secrets", "tamara_parts", "erasures", "erased_parties", "restores"),
    }
)
"""Tables that hold keys and money alone by their own rule, or what is sealed and has its own end."""
OURS = ("agency", "state", "kind", "system", "entity", "operation", "currency", "event_id", "source", "digest")
"""Columns that never hold a word about a person, or that others point to."""


def rows_of(connection: Connection, agency: str) -> Iterator[tuple[Table, Row[Any]]]:
    for table in metadata.sorted_tables:
        if table.name in SEALED_OR_FIXED:
            continue
        query = select(table)
        if "agency" in table.c:
            query = query.where(table.c.agency == agency)
        for row in connection.execute(query):
            yield table, row


def changes(
    table: Table, row: Row[Any], scrub: Scrubber, *, by_name: bool, parties: dict[str, bool] | None = None
) -> dict[str, Any]:
    """Columns that say something of the person, with what they say without."""
    found = {}
    for column in table.columns:
        value = row._mapping[column]
        if value is None or column.primary_key or column.name in OURS or column.foreign_keys:
            continue
        if isinstance(column.type, (String, Text, JSON, LargeBinary)):
            new = _without(value, scrub, by_name=by_name, parties=parties)
            if new != value:
                found[column.name] = new
    return found


def _without(value: Any, scrub: Scrubber, *, by_name: bool, parties: dict[str, bool] | None) -> Any:
    if isinstance(value, (dict, list)):
        return scrub.tree(value, by_name=by_name)
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    tree = as_tree(text)
    if tree is None:
        scrubbed = scrub.text(text, by_name=by_name)
    else:
        # Snapshots first: what is unknown to the identity goes with the party that it belongs to.
        emptied = _without_snapshots(tree, parties) if parties else tree
        cleared = scrub.tree(emptied, by_name=by_name)
        scrubbed = text if cleared == tree else json.dumps(cleared, ensure_ascii=False, separators=(",", ":"))
    if scrubbed == text:
        return value
    return scrubbed.encode() if isinstance(value, bytes) else scrubbed


def _without_snapshots(tree: Any, parties: dict[str, bool]) -> Any:
    if not isinstance(tree, dict):
        return tree
    if "payer" in tree and "travellers" in tree:
        return without_parties(tree, parties)
    data = tree.get("data")
    if isinstance(data, dict) and isinstance(data.get("booking"), dict):
        return {**tree, "data": {**data, "booking": without_parties(data["booking"], parties)}}
    return tree


def is_related(table: Table, row: Row[Any], related: frozenset[str]) -> bool:
    if "deal_id" in table.c and f"deal_id={row._mapping['deal_id']}" in related:
        return True
    if table in (event_conflicts, decisions_taken):
        body = row._mapping.get("body")
        parts = re.findall(rb"[a-z]{2,4}_[0-9A-Za-z]+", bytes(body)) if body is not None else [b""]
        return row._mapping.get("item_id") in related or any(part.decode() in related for part in parts)
    values = [value for value in row._mapping.values() if isinstance(value, str) and len(value) <= 500]
    return any(value in related or not related.isdisjoint(re.split(r"[/:#]", value)) for value in values)


def is_row(table: Table, row: Row[Any]) -> Any:
    return and_(*(column == row._mapping[column] for column in table.primary_key))


def key_of(table: Table, row: Row[Any]) -> dict[str, Any]:
    return {column.name: row._mapping[column] for column in table.primary_key}


def as_tree(raw: Any) -> Any:
    """A tree of JSON, None for anything else."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    if text[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
