"""I11: nobody's data and no secret in what is written for operators: histories, search screens, reasons, notes, error texts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Connection, select
from temporalio.client import Client

from faults.houses import EASYCOUNT_KEY, HOOK_SECRET, KOMMO_SECRET, KOMMO_TOKEN
from faults.office import MASTER_KEY, Office
from faults.scenarios import CARD
from sandbox.platform.signature import SECRET
from sandbox.platform.stand_in import TOKEN
from sandbox.season import people
from store import Store
from store.audit_trail import audit_trail
from store.deal_hooks import deal_hooks
from store.effect_tables import effects
from store.events import events, outbox
from store.integrations import integration_steps
from store.journal_tables import journal_entries
from store.lifecycles import lifecycles
from store.parked import decisions_taken, parked_items
from store.payment_sync import payment_syncs, payment_transitions
from store.supplier_feeds import supplier_nudges
from store.tamara_tables import lines as tamara_lines
from store.transfers import transfers

OF_PEOPLE = ("last_name", "email", "phone", "line1")
"""Members of the platform's snapshots that tell who somebody is; first names alone are also words."""
WORDS_FOR_PEOPLE = {
    audit_trail: ("object", "why"),
    decisions_taken: ("explanation",),
    deal_hooks: ("trouble",),
    effects: ("reason", "key"),
    events: ("problem", "notice"),
    integration_steps: ("detail",),
    journal_entries: ("text", "key"),
    lifecycles: ("notes",),
    outbox: ("notice", "last_reason"),
    parked_items: ("detail", "effect", "fault"),
    payment_syncs: ("reason", "sync"),
    payment_transitions: ("line",),
    supplier_nudges: ("outcome",),
    tamara_lines: ("refused_text",),
    transfers: ("reason",),
}
"""What operators, the console and reports show without asking for anybody's data: reasons, notes, states, error texts."""


def personal(data: object) -> Iterator[str]:
    """What a snapshot says about people: names, tax ids, addresses, ways to reach them."""
    if isinstance(data, list):
        for item in data:
            yield from personal(item)
    if isinstance(data, dict):
        yield from (data[name] for name in OF_PEOPLE if data.get(name))
        if data.get("kind") in ("person", "company"):
            yield data["name"]
            yield from filter(None, [(data.get("tax_id") or {}).get("value")])
        for value in data.values():
            yield from personal(value)


BUYERS = (people.LUCIA, people.JAVIER, people.ELENA)
SOMEBODY = frozenset(personal([each.party for each in BUYERS])) | {
    *("Alonso Ferrer", "Verónica", "Soto Blanco"),
    *("Ana Prueba", "ana@example.test", "+34 600 000 000"),
}
"""Everybody of the scenarios and of the seasons in bad weather."""
SECRETS = frozenset(
    {
        *(CARD, SECRET, TOKEN, MASTER_KEY, EASYCOUNT_KEY, KOMMO_SECRET, KOMMO_TOKEN, HOOK_SECRET),
        *("sandbox-giav-key", "sandbox-midoco", "sandbox-airplus"),
    }
)
"""Every card number, key and password with which the scenarios are played."""
WORDS = SOMEBODY | SECRETS


def found_in(content: bytes, words: frozenset[str]) -> list[str]:
    return sorted(word for word in words if any(form in content for form in _forms(word)))


def _forms(word: str) -> set[bytes]:
    """A word as it would stand in a payload: as it is, or escaped by JSON."""
    return {word.encode(), json.dumps(word)[1:-1].encode()}


@dataclass
class Searched:
    """`places` are histories and columns with something in them; `found` says where a word stood that may not stand there."""

    places: int = 0
    found: list[str] = field(default_factory=list)


async def searched(office: Office) -> Searched:
    """Everything that an office wrote for operators."""
    written = await exported(office.client) | texts(office.store)
    leaks = [f"{name}: {words}" for name, content in written.items() if (words := found_in(content, WORDS))]
    return Searched(sum(1 for content in written.values() if content), leaks)


async def exported(client: Client) -> dict[str, bytes]:
    """Workflow → every event of its history and everything on its line of the search screen, payloads in clear."""
    found = {}
    async for seen in client.list_workflows():
        history = await client.get_workflow_handle(seen.id, run_id=seen.run_id).fetch_history()
        told = b"".join(event.SerializeToString() for event in history.events)
        found[f"{seen.id} {seen.run_id}"] = seen.raw_info.SerializeToString() + told
    return found


def texts(store: Store) -> dict[str, bytes]:
    """Column → everything in it, of the columns whose words are for people."""
    with store.database.read() as connection:
        return {
            f"{table.name}.{name}": _all(connection, table.c[name])
            for table, names in WORDS_FOR_PEOPLE.items()
            for name in names
        }


def _all(connection: Connection, column: Column[Any]) -> bytes:
    return "\n".join(str(value) for value in connection.scalars(select(column)) if value is not None).encode()
