"""What Kommo tells us of deals: webhooks, the widget's button, the Salesbot's block (contracts: kommo 2.3, 4).

None of it is believed: each becomes a row that names a deal, committed before the answer, and whoever handles the row reads
the deal itself. Webhooks are unsigned, so a secret in their address stands for the sender; button and bot bring a token.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
from fastapi import Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from domain import naming
from starter.gateway.crm_doors import SYSTEM, Door, Doors
from starter.gateway.problems import Problem
from store import Store
from store.deal_hooks import DealHook
from store.installation import Installation

log = logging.getLogger(__name__)

LARGEST_BODY = 1_048_576
MOST_PAIRS = 20_000
PATIENCE = 1.5
"""Seconds for the store: Kommo waits two."""
LEEWAY = timedelta(seconds=10)
LEAD = 2
"""The entity type of a deal in a bot's token."""
BUCKET = 600
"""Seconds within which the same message of a Digital Pipeline is taken for a repetition: it has no time of its own."""
FORM = "application/x-www-form-urlencoded"
_PAIR = re.compile(
    r"leads\[(status|update|delete|restore)\]\[(\d{1,4})\]\[(id|status_id|old_status_id|last_modified|account_id)\]"
)
_NUMBER = re.compile(r"\d{1,18}")
_SALESBOT = re.compile(r"/api/v4/salesbot/\d+/continue/\d+/?")


@dataclass(frozen=True, slots=True)
class Told:
    """One entity of a webhook."""

    kind: str
    lead_id: int
    old_status: int | None
    status: int | None
    last_modified: int | None


class DealGateway:
    """`nudge` says that rows wait to be handed over."""

    def __init__(
        self, installation: Installation, store: Store, now: Callable[[], datetime], nudge: Callable[[], None]
    ) -> None:
        self._doors = Doors(installation, store)
        self._store = store
        self._now = now
        self._nudge = nudge

    async def webhook(self, agency: str, secret: str, request: Request) -> Response:
        """An account's webhook: the account has to be the right one."""
        door, pairs = await self._entered(agency, secret, request)
        if dict(pairs).get("account[id]") != str(door.account_id):
            raise _nowhere()
        hooks = [_hook(agency, door.account_id, each) for each in entities(pairs)]
        await self._keep(agency, hooks)
        return Response(status_code=200)

    async def pipeline(self, agency: str, secret: str, request: Request) -> Response:
        """A stage's own webhook, which names no account and no time, and may come twice or never."""
        door, pairs = await self._entered(agency, secret, request)
        if dict(pairs).get("account[id]", str(door.account_id)) != str(door.account_id):
            raise _nowhere()
        bucket = int(self._now().timestamp()) // BUCKET
        hooks = [
            DealHook(
                agency,
                SYSTEM,
                each.lead_id,
                "pipeline",
                f"pipeline:{door.account_id}:{each.lead_id}:{each.old_status}:{each.status}:{bucket}",
                each.old_status,
                each.status,
            )
            for each in entities(pairs)
        ]
        await self._keep(agency, hooks)
        return Response(status_code=200)

    async def button(self, agency: str, request: Request) -> Response:
        """Somebody pressed "Create invoice" in a deal; answers with the workflow that does it."""
        door = await self._door(agency)
        raw = await _body(request)
        if door.audience is None:
            raise _unproven()
        claims = _claims(door, request.headers.get("x-auth-token", ""), ("HS256",), audience=door.audience)
        if not isinstance(claims.get("jti"), str):
            raise _unproven()
        lead_id = _lead_named(raw)
        user = claims.get("user_id")
        token = _digest(claims["jti"])
        hook = DealHook(
            agency,
            SYSTEM,
            lead_id,
            "button",
            f"button:{door.account_id}:{token}",
            user_id=user if isinstance(user, int) else None,
        )
        await self._keep_once(hook, token, claims)
        answer = {"workflow_id": naming.deal_workflow(agency, lead_id), "state": "accepted"}
        return JSONResponse(answer, 202, headers=_for_page(door))

    async def preflight(self, agency: str) -> Response:
        """The browser asks whether a page of Kommo may call us."""
        door = await self._door(agency)
        more = {
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "X-Auth-Token, Content-Type",
            "Access-Control-Max-Age": "600",
        }
        return Response(status_code=204, headers=_for_page(door) | more)

    async def salesbot(self, agency: str, request: Request) -> Response:
        """A bot came to our block and waits at `return_url`; the deal is the one of its token."""
        door = await self._door(agency)
        told = _object(await _body(request))
        token = str(told.get("token") or "")
        claims = _claims(door, token, ("HS512", "HS256"), audience=None)
        lead_id = claims.get("entity_id")
        if isinstance(lead_id, str) and _NUMBER.fullmatch(lead_id):
            lead_id = int(lead_id)
        if not isinstance(lead_id, int) or str(claims.get("entity_type")) != str(LEAD):
            raise Problem(400, "no_deal", "the token names no deal")
        return_url = str(told.get("return_url") or "")
        if not _is_own(door, return_url):
            raise Problem(400, "return_url", "return_url is not an address of this account")
        used = _digest(str(claims.get("jti") or token))
        hook = DealHook(
            agency, SYSTEM, lead_id, "salesbot", f"salesbot:{door.account_id}:{used}", return_url=return_url
        )
        await self._keep_once(hook, used, claims)
        return JSONResponse({"status": "ok"})

    # ------------------------------------------------------------------------------------------------------------------

    async def _door(self, agency: str) -> Door:
        door = await asyncio.to_thread(self._doors.of, agency)
        if door is None:
            raise _nowhere()
        return door

    async def _entered(self, agency: str, secret: str, request: Request) -> tuple[Door, list[tuple[str, str]]]:
        """The door that the secret opens, and what came in. Raises `Problem` 404, whatever is wrong with the address."""
        door = await asyncio.to_thread(self._doors.of, agency)
        given = secret.encode()
        opens = False
        # An agency that does not exist takes as long as one whose secret is wrong.
        for known in door.secrets if door is not None and door.secrets else ("x" * 43,):
            opens |= hmac.compare_digest(known.encode(), given)
        if door is None or not door.secrets or not opens:
            raise _nowhere()
        return door, _pairs(await _body(request), request.headers.get("content-type", ""))

    async def _keep(self, agency: str, hooks: Iterable[DealHook]) -> None:
        new = await self._stored(lambda: self._store.deal_hooks.take_in(list(hooks)))
        log.info("Kommo of %s tells of deals: %d new", agency, new)
        if new:
            self._nudge()

    async def _keep_once(self, hook: DealHook, token: str, claims: dict[str, Any]) -> None:
        until = datetime.fromtimestamp(int(claims["exp"]), UTC) + LEEWAY + LEEWAY
        if not await self._stored(lambda: self._store.deal_hooks.take_in_with_token(hook, token, until)):
            raise _unproven()
        self._nudge()

    async def _stored(self, act: Callable[[], int]) -> int:
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.to_thread(act)
        except (SQLAlchemyError, TimeoutError) as error:
            log.error("what Kommo told could not be stored: %s", type(error).__name__)
            raise Problem(503, "not_durable", "it could not be stored; send it again") from None


def entities(pairs: Iterable[tuple[str, str]]) -> list[Told]:
    """The deals of a webhook, which may name several; what is not ours to know is passed over."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for name, value in pairs:
        fits = _PAIR.fullmatch(name)
        if fits and _NUMBER.fullmatch(value):
            found.setdefault((fits[1], fits[2]), {})[fits[3]] = int(value)
    return [
        Told(kind, held["id"], held.get("old_status_id"), held.get("status_id"), held.get("last_modified"))
        for (kind, _), held in found.items()
        if held.get("id")
    ]


def _hook(agency: str, account: int, told: Told) -> DealHook:
    fact = f"{told.kind}:{account}:{told.lead_id}:{told.old_status}:{told.status}:{told.last_modified}"
    return DealHook(agency, SYSTEM, told.lead_id, told.kind, fact, told.old_status, told.status, told.last_modified)


def _claims(door: Door, token: str, algorithms: tuple[str, ...], *, audience: str | None) -> dict[str, Any]:
    """The claims of a one-time token. Raises `Problem` 401 for anything wrong with it, without saying what."""
    if door.client_secret is None or not token:
        raise _unproven()
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            door.client_secret,
            algorithms=list(algorithms),
            audience=audience,
            leeway=LEEWAY,
            options={"require": ["exp", "iss", "account_id"], "verify_aud": audience is not None},
        )
    except jwt.InvalidTokenError as error:
        log.warning("a token was not accepted: %s", type(error).__name__)
        raise _unproven() from None
    if str(claims["account_id"]) != str(door.account_id) or urlsplit(str(claims["iss"])).netloc != door.host:
        raise _unproven()
    return claims


def _is_own(door: Door, place: str) -> bool:
    try:
        parts = urlsplit(place)
    except ValueError:
        return False
    same = (parts.scheme, parts.netloc) == (door.scheme, door.host)
    return same and not parts.query and not parts.fragment and bool(_SALESBOT.fullmatch(parts.path))


def _lead_named(raw: bytes) -> int:
    lead = _object(raw).get("lead_id")
    if isinstance(lead, str) and _NUMBER.fullmatch(lead):
        lead = int(lead)
    if not isinstance(lead, int) or isinstance(lead, bool) or lead < 1:
        raise Problem(400, "no_deal", "lead_id must be the number of a deal")
    return lead


def _object(raw: bytes) -> dict[str, Any]:
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise Problem(400, "body_broken", "the body is not a JSON object")
    return told


def _pairs(raw: bytes, content_type: str) -> list[tuple[str, str]]:
    if content_type.partition(";")[0].strip().lower() != FORM:
        raise Problem(415, "content_type", f"the content type must be {FORM}")
    try:
        return parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_PAIRS)
    except ValueError:
        raise Problem(400, "body_broken", "the form has too many fields") from None


async def _body(request: Request) -> bytes:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LARGEST_BODY:
            raise Problem(413, "body_too_large", f"the body may have at most {LARGEST_BODY} bytes")
    return bytes(raw)


def _for_page(door: Door) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": f"{door.scheme}://{door.host}", "Vary": "Origin"}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _nowhere() -> Problem:
    return Problem(404, "not_found", "Not Found")


def _unproven() -> Problem:
    return Problem(401, "token_invalid", "the token is not acceptable, or it was used before")
