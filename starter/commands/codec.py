"""`codec new-key`, `codec keys`: sealing payloads, and when a retired key is needed no more (docs/security.md)."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections import Counter
from collections.abc import Iterator
from typing import Any

import typer
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload

from starter.answers import as_json, as_table, say
from starter.opening import AsJson, SettingsFile, connected, read_settings
from store.installation import Installation
from workers.codec import ENCODING, KEY_ID, SealingCodec, codec_of

app = typer.Typer(no_args_is_help=True, help="Sealed payloads in Temporal.")
CLEAR = "in clear"


@app.callback()
def codec() -> None:
    """Sealed payloads in Temporal."""


@app.command("new-key")
def new_key() -> None:
    """Print a new key for temporal.codec.key. Keep it where the master key is kept; without it no history opens."""
    say(base64.b64encode(secrets.token_bytes(32)).decode())


@app.command()
def keys(settings: SettingsFile, json_out: AsJson = False) -> None:
    """Which keys the histories that Temporal still keeps were sealed with. Reads all of them, so it takes its time.

    A retired key that no history needs may leave the settings. Ends with 1 when a key is needed that the settings lack.
    """
    installation = read_settings(settings)
    present = codec_of(installation.temporal.codec)
    running, closed = asyncio.run(_counted(installation))
    known = present.known_keys if present else frozenset()
    rows = [
        {"key": key, "is": _role(key, present), "running": running[key], "ended": closed[key]}
        for key in sorted({*running, *closed, *known})
    ]
    lacking = [row["key"] for row in rows if row["is"] == "missing"]
    if json_out:
        as_json({"keys": rows, "missing": lacking})
    else:
        columns = ("key", "is", "running", "ended")
        as_table("Workflows by key", columns, [[row[name] for name in columns] for row in rows], right=columns[2:])
        for row in rows:
            if row["is"] == "retired" and not row["running"] and not row["ended"]:
                say(f"nothing needs key {row['key']} any more; take it out of temporal.codec.retired_keys")
        for key in lacking:
            say(f"key {key} is needed and missing: add it to temporal.codec.retired_keys")
    if lacking:
        raise typer.Exit(1)


def _role(key: str, codec: SealingCodec | None) -> str:
    if key == CLEAR:
        return ""
    if codec is None or key not in codec.known_keys:
        return "missing"
    return "sealing" if key == codec.sealing_key else "retired"


async def _counted(installation: Installation) -> tuple[Counter[str], Counter[str]]:
    """Workflows by the keys in their histories: running, and ended but still kept."""
    client = await connected(installation)
    running: Counter[str] = Counter()
    closed: Counter[str] = Counter()
    async for seen in client.list_workflows():
        history = await client.get_workflow_handle(seen.id, run_id=seen.run_id).fetch_history()
        found = {key for event in history.events for key in keys_in(event)}
        (running if seen.close_time is None else closed).update(found)
    return running, closed


def keys_in(message: Message) -> Iterator[str]:
    """The keys of every payload inside a message, or that it is in clear."""
    if isinstance(message, Payload):
        sealed = message.metadata.get("encoding") == ENCODING
        yield message.metadata.get(KEY_ID, b"?").decode("ascii", "replace") if sealed else CLEAR
        return
    for field, value in message.ListFields():
        if field.message_type is None or field.name == "search_attributes":
            continue
        for each in _values(field, value):
            if isinstance(each, Message):
                yield from keys_in(each)


def _values(field: Any, value: Any) -> Iterator[Any]:
    if field.message_type.GetOptions().map_entry:
        yield from value.values()
    elif isinstance(value, Message):
        yield value
    else:
        yield from value
