"""`GET /paid/{token}`: a customer's browser comes back from a payment page (contracts: easycount 3).

It proves nothing: the page is looked at, and the customer goes on to the agency's own words of thanks.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client
from temporalio.service import RPCError

from starter import deals
from starter.gateway.problems import Problem
from store import Store
from store.installation import Installation

log = logging.getLogger(__name__)

EASYCOUNT = "easycount"
TOKEN = re.compile(r"[A-Z2-7]{26}")
PATIENCE = 5.0
THANKS = "<!DOCTYPE html><title>✓</title><p>Gracias · תודה · Thank you</p>"


class PaidPages:
    """`connect` gives Temporal's client; without it the page is looked at by the clock alone."""

    def __init__(
        self, installation: Installation, store: Store, connect: Callable[[], Awaitable[Client]] | None
    ) -> None:
        self._sections = {
            name: agency.easycount for name, agency in installation.agencies.items() if agency.easycount is not None
        }
        self._store = store
        self._connect = connect
        self._client: Client | None = None
        self._looking: set[asyncio.Task[None]] = set()

    async def returned(self, token: str) -> Response:
        if not TOKEN.fullmatch(token):
            raise Problem(404, "not_found", "Not Found")
        try:
            found = await asyncio.to_thread(self._whose, token)
        except SQLAlchemyError:
            # The customer has paid: whatever our trouble is, it is not theirs.
            return HTMLResponse(THANKS)
        if found is None:
            raise Problem(404, "not_found", "Not Found")
        agency, deal_id, thanks = found
        if self._connect is not None:
            task = asyncio.create_task(self._look(agency, deal_id))
            self._looking.add(task)
            task.add_done_callback(self._looking.discard)
        return RedirectResponse(thanks, 303) if thanks else HTMLResponse(THANKS)

    def _whose(self, token: str) -> tuple[str, int, str] | None:
        """Agency and deal of a page, and where its customers go on to: by the settings file, or by what was activated."""
        found = self._store.payment_pages.deal_of(token)
        if found is None:
            return None
        agency, deal_id = found
        section: Mapping[str, Any] | None = self._sections.get(agency)
        if section is None:
            integration = self._store.integrations.get(agency, EASYCOUNT)
            section = {} if integration is None else integration.settings
        return agency, deal_id, str(section.get("success_url") or "")

    async def _look(self, agency: str, deal_id: int) -> None:
        assert self._connect is not None
        try:
            async with asyncio.timeout(PATIENCE):
                self._client = self._client or await self._connect()
                await deals.look(self._client, agency, deal_id)
        except (RPCError, RuntimeError, TimeoutError) as error:
            log.warning("deal %s of %s is looked at by the clock (%s)", deal_id, agency, type(error).__name__)
