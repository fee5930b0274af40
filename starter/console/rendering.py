"""From a template to an answer: language, formats, navigation and messages around every page (docs/console.md)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from domain.people import Role
from starter.console import labels, reasons
from starter.console.areas import navigation
from starter.console.assets import asset
from starter.console.charts import bars, ring
from starter.console.forgery import proof_for
from starter.console.formats import Formats
from starter.console.languages import LANGUAGES, speaker, translations
from starter.console.pages.effects_words import happened
from starter.console.pages.payments_words import in_words
from starter.console.pages.trail_words import action_words
from starter.console.visiting import here, language_of, visitor_or_none

TEMPLATES = Path(__file__).parent / "templates"
FLASH = "flash"
LONGEST_FLASH = 600

Tone = Literal["good", "bad", "plain"]


@cache
def environment(language: str) -> Environment:
    """Templates that speak and format one language. Everything is escaped; what is undefined is an error."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    catalogue, formats = translations(language), Formats(language)
    made.install_gettext_callables(catalogue.gettext, catalogue.ngettext, newstyle=True)  # type: ignore[attr-defined]
    say = speaker(language)

    @pass_context
    def moment(context: Context, value: datetime | None, agency: str | None = None) -> str:
        return formats.moment(value, context["here"].zone(agency))

    made.filters |= {
        "money": formats.money,
        "number": formats.number,
        "percent": formats.percent,
        "day": formats.day,
        "moment": moment,
        "lasting": formats.lasting,
        "label": lambda value, kind: say(labels.label(kind, value)),
        "reason": lambda value: ": ".join(say(part) for part in reasons.parts(value)),
        "happened": lambda value: ": ".join(say(part) for part in happened(value)),
        "action": lambda value: ": ".join(say(part) for part in action_words(value)),
        "told": lambda value: in_words(value, say),
        "say": say,
    }
    made.globals |= {"asset": asset, "languages": LANGUAGES, "until": formats.until, "bars": bars, "ring": ring}
    return made


def page(request: Request, template: str, status: int = 200, /, **values: Any) -> HTMLResponse:
    """A whole page in the visitor's language. A request of htmx gets the same page and takes the part that it asked for."""
    surroundings, visitor = here(request), visitor_or_none(request)
    language = visitor.language if visitor else language_of(request)
    asked_by_timer = "hx-request" in request.headers
    messages = [] if asked_by_timer else _messages(request)
    role = visitor.person.role if visitor else None
    text = (
        environment(language)
        .get_template(template)
        .render(
            here=surroundings,
            request=request,
            visitor=visitor,
            language=language,
            now=surroundings.now(),
            csrf=proof_for(request),
            messages=messages,
            navigation=navigation(surroundings.areas, role) if role else [],
            link_to=_link_to(request),
            roles=tuple(Role),
            **values,
        )
    )
    answer = HTMLResponse(text, status)
    if messages:
        answer.delete_cookie(FLASH, path="/")
    return answer


def back_to(path: str, *messages: tuple[Tone, str]) -> Response:
    """After a change: to the page that shows it, with what there is to say about it."""
    answer = RedirectResponse(local(path), 303)
    if messages:
        kept = json.dumps([[tone, text[:LONGEST_FLASH]] for tone, text in messages[:4]])
        answer.set_cookie(
            FLASH, base64.urlsafe_b64encode(kept.encode()).decode(), max_age=60, httponly=True, samesite="lax", path="/"
        )
    return answer


def local(path: str | None) -> str:
    """A path of this console, `/` for anything that would lead elsewhere."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or "\\" in path or not path.isprintable():
        return "/"
    parts = urlsplit(path)
    return path if not parts.scheme and not parts.netloc else "/"


def _messages(request: Request) -> list[tuple[str, str]]:
    """Of the last change. The cookie is the visitor's own and escaped like everything."""
    try:
        kept = json.loads(base64.urlsafe_b64decode(request.cookies.get(FLASH, "")[:8_000]))
        return [(str(tone), str(text)) for tone, text in kept]
    except (binascii.Error, ValueError, TypeError):
        return []


def _link_to(request: Request) -> Any:
    """`link_to(page=2)`: this address with some of its query changed; None takes a word out."""

    def link(path: str | None = None, **changes: Any) -> str:
        query: dict[str, str | Sequence[str]] = dict(request.query_params)
        for name, value in changes.items():
            query.pop(name, None)
            if value is not None:
                query[name] = str(value)
        target = path or request.url.path
        return f"{target}?{urlencode(query)}" if query else target

    return link
