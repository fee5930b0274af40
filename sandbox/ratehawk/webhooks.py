"""The mid-office's webhook: what ETG sends, how it signs, how often it repeats (contracts: midoffice 2.9, 2.12)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import uuid
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx

from sandbox.trust import authorities

PAUSES = (30, 60, 90, 120, 150, 300, 3600, *[43_200] * 6)
"""Seconds between the repeats after an answer above 299."""


def signed(key: str, now: datetime, token: str | None = None) -> dict[str, Any]:
    """The signature block: HMAC-SHA256 over timestamp and token under the API key."""
    timestamp, token = int(now.timestamp()), token or str(uuid.uuid4())
    digest = hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {"signature": digest, "timestamp": timestamp, "token": token}


class Webhooks:
    """Sends in the order of happening, unless a locator ends in a fault of its own. `pace` scales the pauses.

    `outbox` holds what was not delivered yet; `sent` the newest bodies with the answers' status.
    """

    def __init__(self, url: str | None, key: str, now: Callable[[], datetime], *, pace: float = 1.0) -> None:
        self.url = url
        self._key = key
        self._now = now
        self._pace = pace
        self.sent: deque[dict[str, Any]] = deque(maxlen=1000)
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[dict[str, Any]] = []

    def tell(self, kind: str, order: dict[str, Any]) -> None:
        """Announce a change; needs a running event loop when there is anyone to tell."""
        partner = order["partner_data"]["order_id"]
        if self.url is None or partner.endswith("x_webhook_lost"):
            return
        body = {"type": kind, "agreement_number": order["agreement_number"], "partner_order_id": partner}
        if partner.endswith("x_webhook_reorder") and not self._held:
            self._held.append(body)
            return
        for one in [body, *self._held]:
            block = signed("another key" if partner.endswith("x_webhook_badsig") else self._key, self._now())
            for _ in range(2 if partner.endswith("x_webhook_dup") else 1):
                self._start({**one, "signature": block})
        self._held.clear()

    def _start(self, body: dict[str, Any]) -> None:
        try:
            task = asyncio.get_running_loop().create_task(self._deliver(body))
        except RuntimeError:
            return
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, body: dict[str, Any]) -> None:
        assert self.url is not None
        async with httpx.AsyncClient(timeout=10, verify=authorities()) as http:
            for pause in (*PAUSES, None):
                try:
                    status = (await http.post(self.url, json=body)).status_code
                except httpx.HTTPError:
                    status = 0
                self.sent.append({"body": body, "status": status})
                if 200 <= status <= 299 or pause is None:
                    return
                await asyncio.sleep(pause * self._pace)
