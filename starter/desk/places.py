"""Where a page of a list ended, as text that callers hand back unread: a moment and an id."""

from __future__ import annotations

import base64
import json
from datetime import datetime

from starter.desk.refusals import Unclear


def place_text(at: datetime, own: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), own]).encode()).decode().rstrip("=")


def place_of(text: str) -> tuple[datetime, str]:
    """Raises `Unclear` for what no page of ours ended with."""
    try:
        moment, own = json.loads(base64.urlsafe_b64decode((text + "=" * (-len(text) % 4)).encode("ascii")))
        at = datetime.fromisoformat(moment)
    except (ValueError, TypeError):
        raise Unclear("after: not a place of this list") from None
    if at.tzinfo is None or not isinstance(own, str):
        raise Unclear("after: not a place of this list")
    return at, own
