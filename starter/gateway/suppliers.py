"""`POST /suppliers/ratehawk`: RateHawk's webhooks, which say that an order is to be read and nothing else (contracts: midoffice 2.9).

Verify, store, answer, then nudge the feed. A nudge that does not arrive costs no more than the wait for the next sweep.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client
from temporalio.service import RPCError

from domain import naming
from domain.supplier import RATEHAWK
from starter.gateway.problems import Problem
from store import Store
from store.installation import Installation

log = logging.getLogger(__name__)

LARGEST_BODY = 16_384
EARLY, LATE = timedelta(minutes=5), timedelta(days=8)
"""How far a signature's time may lie ahead, and how far back: ETG repeats for a week."""
KINDS = frozenset({"created", "updated", "cancelled"})
SIGNATURE = re.compile(r"[0-9a-fA-F]{64}\Z")
PATIENCE = 5.0
"""Seconds that a nudge may take to reach Temporal."""


@dataclass(frozen=True, slots=True)
class Nudge:
    """What a webhook says: an order of an agency is to be read. `token` names the delivery for ever."""

    kind: str
    partner_order_id: str
    signature: str
    timestamp: int
    token: str

    def signed_with(self, key: str) -> bool:
        message = f"{self.timestamp}{self.token}".encode()
        expected = hmac.new(key.encode(), message, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, self.signature.lower())


class SupplierGateway:
    """The receiver's steps. `connect` gives Temporal's client; without it nobody is nudged."""

    def __init__(
        self,
        installation: Installation,
        store: Store,
        now: Callable[[], datetime],
        connect: Callable[[], Awaitable[Client]] | None,
    ) -> None:
        self._keys = {name: _keys(agency.ratehawk) for name, agency in installation.agencies.items() if agency.ratehawk}
        self._store = store
        self._now = now
        self._connect = connect
        self._client: Client | None = None
        self._nudges: set[asyncio.Task[None]] = set()

    async def receive(self, request: Request) -> Response:
        nudge = read_nudge(await _body(request))
        agencies = self._agencies_of(nudge)
        moment, now = datetime.fromtimestamp(nudge.timestamp, UTC), self._now()
        if not agencies or not now - LATE <= moment <= now + EARLY:
            raise Problem(
                401, "signature_invalid", "no key of an agency fits the signature, or its time is out of bounds"
            )
        for agency in agencies:
            await self._take(agency, nudge)
        return JSONResponse({"status": "ok"})

    async def _take(self, agency: str, nudge: Nudge) -> None:
        """Store the nudge, then tell the feed. Raises `Problem` 500."""
        try:
            is_new = await asyncio.to_thread(
                self._store.supplier_feeds.nudge, agency, RATEHAWK, nudge.token, nudge.kind, nudge.partner_order_id
            )
        except SQLAlchemyError as error:
            log.error("a webhook of RateHawk could not be stored: %s", type(error).__name__)
            raise Problem(500, "not_durable", "the webhook could not be stored; send it again") from None
        log.info("RateHawk names an order of %s: %s", agency, "new" if is_new else "known")
        if is_new and self._connect is not None:
            task = asyncio.create_task(self._tell_feed(agency))
            self._nudges.add(task)
            task.add_done_callback(self._nudges.discard)

    def _agencies_of(self, nudge: Nudge) -> list[str]:
        """Whose key signed: of several keys nobody says which, and agencies whose agreements differ may share one."""
        return [name for name, keys in self._keys.items() if any(nudge.signed_with(key) for key in keys)]

    async def _tell_feed(self, agency: str) -> None:
        assert self._connect is not None
        try:
            async with asyncio.timeout(PATIENCE):
                self._client = self._client or await self._connect()
                await self._client.get_workflow_handle(naming.supplier_feed(agency, RATEHAWK)).signal("nudge")
        except (RPCError, RuntimeError, TimeoutError) as error:
            log.warning(
                "the feed of %s was not nudged (%s); it reads with its next sweep", agency, type(error).__name__
            )


def read_nudge(raw: bytes) -> Nudge:
    """The fields of a webhook, at the top or inside `data`. Raises `Problem` 400."""
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        raise _broken("the body is not JSON") from None
    if not isinstance(told, dict):
        raise _broken("the body is not a JSON object")
    inner = told.get("data")
    fields: Mapping[str, Any] = inner if isinstance(inner, dict) else told
    kind = fields.get("type", told.get("type"))
    if kind is None and fields.get("status") in ("completed", "confirmed", "failed"):
        # The other webhook, of a booking process that ended.
        kind = "created"
    partner = fields.get("partner_order_id")
    block = told.get("signature")
    if kind not in KINDS:
        raise _broken("type must be created, updated or cancelled")
    if not isinstance(partner, str) or not 1 <= len(partner) <= 256:
        raise _broken("partner_order_id must be a text of 1 to 256 characters")
    if not isinstance(block, dict):
        raise _broken("signature must be an object")
    signature, timestamp, token = block.get("signature"), block.get("timestamp"), block.get("token")
    if not isinstance(signature, str) or not SIGNATURE.match(signature):
        raise _broken("signature.signature must be 64 hexadecimal digits")
    if not isinstance(timestamp, int) or isinstance(timestamp, bool) or not 0 <= timestamp < 2**33:
        raise _broken("signature.timestamp must be a Unix time")
    if not isinstance(token, str) or not 1 <= len(token) <= 64:
        raise _broken("signature.token must be a text of 1 to 64 characters")
    return Nudge(kind, partner, signature, timestamp, token)


def _broken(words: str) -> Problem:
    return Problem(400, "webhook_broken", words)


async def _body(request: Request) -> bytes:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LARGEST_BODY:
            raise Problem(413, "body_too_large", f"the body may have at most {LARGEST_BODY} bytes")
    return bytes(raw)


def _keys(section: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys that may sign: that of the settings, and others of the same contract."""
    given = [section.get("api_key"), *section.get("webhook_keys", ())]
    return tuple(key.get_secret_value() if isinstance(key, SecretStr) else str(key) for key in given if key)
