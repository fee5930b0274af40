"""A gateway for tests of the platform's sender: verifies, remembers, and answers as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.platform.signature import SECRET
from sandbox.serving import StandIn

PATIENCE = 120.0


class Gateway(StandIn):
    """Answers each genuine delivery with the next of `answers`, then 202; others with 401.

    `received` holds (event, status) of the genuine ones in order, `rejected` counts the others.
    """

    name = "gateway"

    def __init__(self, *answers: int, secret: str = SECRET) -> None:
        super().__init__()
        self._answers = list(answers)
        self._webhook = Webhook(secret)
        self._news = threading.Condition()
        self.received: list[tuple[dict[str, Any], int]] = []
        self.headers: list[dict[str, str]] = []
        self.rejected = 0

    def routes(self) -> list[BaseRoute]:
        return [Route("/events", self._take, methods=["POST"])]

    def state(self) -> dict[str, Any]:
        return {"received": len(self.received)}

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        with self._news:
            try:
                self._webhook.verify(body, dict(request.headers))  # by the reference library
            except WebhookVerificationError:
                self.rejected += 1
                self._news.notify_all()
                return Response(status_code=401)
            status = self._answers.pop(0) if self._answers else 202
            self.received.append((json.loads(body), status))
            self.headers.append(dict(request.headers))
            self._news.notify_all()
        return Response(status_code=status)

    def wait_for(self, enough: Callable[[list[tuple[dict[str, Any], int]]], bool]) -> None:
        """Until `enough` of what was received; fails after PATIENCE seconds."""
        with self._news:
            assert self._news.wait_for(lambda: enough(self.received), PATIENCE), self.kinds()

    def wait_for_count(self, count: int) -> None:
        self.wait_for(lambda received: len(received) >= count)

    def wait_for_rejection(self) -> None:
        self.wait_for(lambda _: self.rejected > 0)

    def kinds(self) -> list[str]:
        """Kinds in the order of delivery."""
        return [event["type"].removeprefix("example.planner.").removesuffix(".v1") for event, _ in self.received]
