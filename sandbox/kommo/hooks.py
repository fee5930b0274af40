"""Webhooks as Kommo sends them: form-encoded in v2 naming, unsigned, repeated, disabled when refused (contracts: kommo 4.1)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from sandbox.shelf import Record, Shelf
from sandbox.trust import authorities

TIMEOUT = 2.0
PAUSES = (300.0, 900.0)
MORE_PAUSES = (900.0, 3600.0)
"""Only after 499 and 5xx."""
MOST_INVALID = 100
INVALID_WITHIN = 2 * 3600.0
KINDS = {"status": "status_lead", "update": "update_lead", "delete": "delete_lead", "restore": "restore_lead"}
KNOWN = {"add_lead", "note_lead", "responsible_lead", "add_contact", "update_contact", "add_task", *KINDS.values()}

KNOBS: dict[str, Any] = {"lose": 0, "duplicate": 0, "reorder": False, "batch": False, "time_scale": 1.0}
"""How many of the next webhooks are lost or come twice; two that change places; two in one call; seconds per second."""


def encoded(lead: Mapping[str, Any], kind: str, account: Mapping[str, Any], place: int = 0) -> list[tuple[str, str]]:
    """The pairs of one deal, all of them strings."""
    base = f"leads[{kind}][{place}]"
    pairs = [
        (f"{base}[{name}]", str(lead[held]))
        for name, held in (
            ("id", "id"),
            ("name", "name"),
            ("status_id", "status_id"),
            ("old_status_id", "old_status_id"),
            ("price", "price"),
            ("responsible_user_id", "responsible_user_id"),
            ("last_modified", "updated_at"),
            ("modified_user_id", "updated_by"),
            ("created_user_id", "created_by"),
            ("date_create", "created_at"),
            ("pipeline_id", "pipeline_id"),
            ("account_id", "account_id"),
        )
        if lead.get(held) is not None
    ]
    for number, field in enumerate(lead.get("custom_fields_values") or ()):
        inside = f"{base}[custom_fields][{number}]"
        pairs += [(f"{inside}[id]", str(field["field_id"])), (f"{inside}[name]", str(field["field_name"]))]
        for each, value in enumerate(field["values"]):
            pairs.append((f"{inside}[values][{each}][value]", str(value.get("value"))))
            if value.get("enum_id"):
                pairs.append((f"{inside}[values][{each}][enum]", str(value["enum_id"])))
    return [*pairs, *account_pairs(account)] if place == 0 else pairs


def account_pairs(account: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("account[id]", str(account["id"])),
        ("account[subdomain]", str(account["subdomain"])),
        ("account[_links][self]", str(account["url"])),
    ]


class Hooks:
    """The account's subscriptions and their deliveries. `sent` holds the newest tries with the answers' status."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime], account: Callable[[], Mapping[str, Any]]) -> None:
        self._shelf = shelf
        self._clock = clock
        self._account = account
        self.knobs: dict[str, Any] = dict(KNOBS)
        self.sent: deque[dict[str, Any]] = deque(maxlen=1000)
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: dict[str, list[tuple[str, Record]]] = {}
        self._invalid: dict[str, list[float]] = {}

    def all(self) -> list[Record]:
        return [one for one in self._shelf.all("hook").values() if not one["removed"]]

    def subscribe(self, destination: str, settings: Iterable[str]) -> Record:
        known = self._shelf.get("hook", destination)
        number = known["id"] if known else self._shelf.next_number("hook", 1)
        now = int(self._clock().timestamp())
        record = {
            "id": number,
            "destination": destination,
            "created_at": now,
            "updated_at": now,
            "created_by": 7001,
            "sort": 1,
            "disabled": False,
            "settings": list(settings),
            "removed": False,
        }
        self._invalid.pop(destination, None)
        return self._shelf.put("hook", destination, record)

    def remove(self, destination: str) -> bool:
        held = self._shelf.get("hook", destination)
        if held is None or held["removed"]:
            return False
        self._shelf.put("hook", destination, held | {"removed": True})
        return True

    def disable(self, destination: str) -> None:
        held = self._shelf.get("hook", destination)
        if held is not None:
            self._shelf.put("hook", destination, held | {"disabled": True})

    def tell(self, kind: str, lead: Record) -> None:
        """Announce a change of a deal; needs a running event loop when there is anybody to tell."""
        for hook in self.all():
            if KINDS[kind] in hook["settings"] and not hook["disabled"]:
                for body in self._shaped(hook["destination"], kind, dict(lead)):
                    self._start(hook["destination"], body)

    def forget(self) -> None:
        self.knobs = dict(KNOBS)
        self.sent.clear()
        self._held.clear()
        self._invalid.clear()

    def _shaped(self, destination: str, kind: str, lead: Record) -> Iterator[list[tuple[str, str]]]:
        """What goes out now, after loss, batching, reordering and duplicates."""
        if self.knobs["lose"] > 0:
            self.knobs["lose"] -= 1
            return
        held = self._held.setdefault(destination, [])
        held.append((kind, lead))
        if (self.knobs["batch"] or self.knobs["reorder"]) and len(held) < 2:
            return
        both, held[:] = list(held), []
        if self.knobs["batch"]:
            account = self._account()
            pairs = encoded(both[0][1], both[0][0], account)
            # Entities of one kind are numbered through.
            place = 1 if both[1][0] == both[0][0] else 0
            yield pairs + [pair for pair in encoded(both[1][1], both[1][0], account, place) if pair not in pairs]
            return
        for each_kind, each in reversed(both) if self.knobs["reorder"] else both:
            times = 1
            if self.knobs["duplicate"] > 0:
                self.knobs["duplicate"] -= 1
                times = 2
            for _ in range(times):
                yield encoded(each, each_kind, self._account())

    def _start(self, destination: str, pairs: list[tuple[str, str]]) -> None:
        try:
            task = asyncio.get_running_loop().create_task(self._deliver(destination, pairs))
        except RuntimeError:
            return
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, destination: str, pairs: list[tuple[str, str]]) -> None:
        raw = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "amoCRM-Webhooks/3.0"}
        attempt = 0
        async with httpx.AsyncClient(timeout=TIMEOUT, verify=authorities()) as http:
            while True:
                attempt += 1
                try:
                    status = (await http.post(destination, content=raw, headers=headers)).status_code
                except (httpx.HTTPError, httpx.InvalidURL):
                    status = 0
                self.sent.append({"to": destination, "body": dict(pairs), "status": status, "attempt": attempt})
                if 200 <= status <= 299:
                    return
                self._count_invalid(destination)
                ladder = PAUSES + (MORE_PAUSES if status == 499 or status >= 500 else ())
                if attempt > len(ladder):
                    return
                await asyncio.sleep(ladder[attempt - 1] * self.knobs["time_scale"])

    def _count_invalid(self, destination: str) -> None:
        now = self._clock().timestamp()
        within = INVALID_WITHIN * self.knobs["time_scale"]
        recent = [at for at in self._invalid.get(destination, []) if now - at <= within] + [now]
        self._invalid[destination] = recent
        if len(recent) > MOST_INVALID:
            self.disable(destination)
