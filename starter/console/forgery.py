"""Changes come from our own pages only: origin, fetch metadata, and a token that other sites cannot read (DESIGN 7)."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

from fastapi import Request

from starter.console.refusals import Forged
from starter.console.visiting import cookie_name, here, token_of

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FIELD, HEADER = "csrf", "x-csrf-token"


def visit_of(request: Request) -> str | None:
    """A random word of this browser, for forms before anybody has signed in."""
    return request.cookies.get(cookie_name(here(request).installation, "visit"))


def proof(secret: str | None) -> str:
    """What a form carries: made of the cookie's secret, which no other site knows."""
    return hmac.new((secret or "").encode(), b"console form", hashlib.sha256).hexdigest() if secret else ""


def proof_for(request: Request) -> str:
    return proof(token_of(request) or getattr(request.state, "visit", None) or visit_of(request))


async def from_our_pages(request: Request) -> None:
    """Raises `Forged`. Stands before every route of the console."""
    if request.method in SAFE:
        return
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forged
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Forged
    given = request.headers.get(HEADER)
    if given is None:
        form = await request.form()
        field = form.get(FIELD)
        given = field if isinstance(field, str) else ""
    expected = proof(token_of(request) or visit_of(request))
    if not expected or not hmac.compare_digest(expected.encode(), given.encode()):
        raise Forged
