"""Standard Webhooks 1.0 signatures, made by hand (contracts: platform-events 2.1, 3.2)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
"""The signing secret of the demo account: the one of the published test vector, so it protects nothing."""
OLD_SECRET = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
WRONG_SECRET = "whsec_QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="


@dataclass
class Signing:
    """How deliveries are signed: with which secrets, in order, and with a clock that is `skew` seconds off."""

    secrets: tuple[str, ...] = (SECRET,)
    skew: float = 0.0


def signature(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """One `v1,…` entry over id, timestamp (Unix seconds) and the exact bytes sent."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{event_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def signed_headers(secrets: Iterable[str], event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of one delivery attempt."""
    return {
        "content-type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(secret, event_id, timestamp, body) for secret in secrets),
    }
