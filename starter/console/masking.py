"""Raw bodies for eyes that need not see people: keys, states, amounts and times stay, every other text is covered.

What is shown is listed, not what is hidden: a field that nobody thought of is covered.
"""

from __future__ import annotations

import json
import re
from typing import Any

COVER = "•••"

_SHOWN_KEYS = frozenset(
    {
        "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "partitionkey", "sequence",
        "environment", "planner_id", "currency", "status", "state", "kind", "method", "reason", "role", "code", "mode",
        "treatment", "unit", "locale", "timezone", "product", "category", "schedule",
    }
)  # fmt: skip
_ID = re.compile(r"^[a-z]{2,5}_[A-Za-z0-9]{1,40}$")
_MOMENT = re.compile(r"^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$")
_BIRTH = re.compile(r"birth|expir|issued", re.IGNORECASE)
_DEEP = 40


def covered(body: bytes) -> str:
    """The JSON of `body`, indented, personal texts covered. What is no JSON is covered whole."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return COVER
    return _text(_cover(value))


def laid_out(body: bytes) -> str:
    """The JSON of `body`, indented; the text itself where it is none."""
    try:
        return _text(json.loads(body))
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _cover(value: Any, key: str = "", depth: int = 0) -> Any:
    if depth > _DEEP:
        return COVER
    match value:
        case dict():
            return {name: _cover(each, str(name), depth + 1) for name, each in value.items()}
        case list():
            return [_cover(each, key, depth + 1) for each in value]
        case str():
            return value if _harmless(key, value) else COVER
    return value


def _harmless(key: str, value: str) -> bool:
    if key in _SHOWN_KEYS and len(value) <= 100 and "@" not in value:
        return True
    if _MOMENT.match(value):
        return not _BIRTH.search(key)
    return bool(_ID.match(value))
