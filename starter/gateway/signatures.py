"""Who sent it: headers, clock and HMAC of Standard Webhooks (contracts: platform-events 3.1 steps 3 to 5, 2.1)."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from standardwebhooks.webhooks import Webhook

from starter.gateway.problems import Problem
from store.installation import PlatformSettings, WebhookSecret

TOLERANCE = 300
"""Seconds that the sender's clock may differ from ours, both ways."""
MOST_SIGNATURES = 10
"""Entries looked at in one `webhook-signature` header; a rotation needs two."""

_ID = re.compile(r"evt_[0-9A-Za-z]{10,40}")
_TIMESTAMP = re.compile(r"\d{1,11}")


@dataclass(frozen=True, slots=True)
class Delivery:
    """The `webhook-*` headers of one attempt, in their right form and within the tolerance."""

    id: str
    timestamp: int
    signatures: tuple[str, ...]

    def signed_by_any(self, secrets: Iterable[WebhookSecret], body: str) -> bool:
        """Whether one `v1` entry fits one secret in use. Every pair is compared, in constant time each."""
        moment = datetime.fromtimestamp(self.timestamp, UTC)
        fits = False
        for secret in secrets:
            expected = Webhook(secret.value.get_secret_value()).sign(self.id, moment, body).encode()
            for signature in self.signatures:
                fits |= hmac.compare_digest(expected, signature.encode())
        return fits


def read_headers(headers: Mapping[str, str], now: datetime) -> Delivery:
    """The three headers. Raises `Problem` 400 when one is absent, malformed or out of time."""
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        if name not in headers:
            raise Problem(400, "header_missing", f"the header {name} is missing")
    if not _ID.fullmatch(headers["webhook-id"]):
        raise Problem(400, "header_malformed", "webhook-id must be evt_ and 10 to 40 letters or digits")
    if not _TIMESTAMP.fullmatch(headers["webhook-timestamp"]) or not headers["webhook-timestamp"].isascii():
        raise Problem(400, "header_malformed", "webhook-timestamp must be whole Unix seconds")
    timestamp = int(headers["webhook-timestamp"])
    if abs(now.timestamp() - timestamp) > TOLERANCE:
        raise Problem(
            400,
            "timestamp_out_of_tolerance",
            f"webhook-timestamp differs from the receiver's clock by more than {TOLERANCE} s",
        )
    entries = islice(headers["webhook-signature"].split(" "), MOST_SIGNATURES)
    v1 = tuple(entry for entry in entries if entry.startswith("v1,"))
    return Delivery(headers["webhook-id"], timestamp, v1)


def secrets_in_use(platform: PlatformSettings) -> tuple[WebhookSecret, ...]:
    """Active and retiring secrets; revoked ones never verify."""
    return tuple(secret for secret in platform.webhook_secrets if secret.state != "revoked")


def sign(secret: str, event_id: str, timestamp: int, body: str) -> dict[str, str]:
    """The headers of a signed delivery, as a sender makes them."""
    signature = Webhook(secret).sign(event_id, datetime.fromtimestamp(timestamp, UTC), body)
    return {"webhook-id": event_id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}
