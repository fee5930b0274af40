"""Errors of the API as `application/problem+json` (RFC 9457), and how the description of the interface tells them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from starter.desk.refusals import Away, DeskError, MovedOn, NotAllowed, NotFound, Refused
from starter.gateway.problems import MEDIA_TYPE

log = logging.getLogger(__name__)

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "For machines; stays the same between versions."},
        "detail": {"type": "string", "description": "For people: what is wrong, and what to do."},
        "errors": {
            "type": "array",
            "description": "With `invalid`: where, and which rule; never the value.",
            "items": {
                "type": "object",
                "properties": {"path": {"type": "string"}, "rule": {"type": "string"}},
            },
        },
        "state": {"type": "string", "description": "With `refused` and `moved_on`: where the payment stands."},
        "version": {"type": "integer", "description": "With `refused` and `moved_on`: its version now."},
        "evidence": {"type": "object", "description": "With `refused`: what the ERP showed."},
    },
}
_EXAMPLES: dict[int, tuple[str, dict[str, Any]]] = {
    400: ("What was asked for makes no sense", {"code": "unclear", "detail": "after: not a place of this list"}),
    401: ("No token, or one that opens nothing", {"code": "token_invalid", "detail": "the token is not acceptable"}),
    403: (
        "The role does not cover it",
        {"code": "not_allowed", "detail": "vera has the role viewer; this needs at least operator"},
    ),
    404: ("There is no such thing, or not for you", {"code": "not_found", "detail": "demo has no payment pay_9"}),
    409: (
        "A rule forbids it now, or somebody was faster",
        {
            "code": "moved_on",
            "detail": "the payment has moved on meanwhile (version 8, you saw 7)",
            "state": "in_review",
            "version": 8,
        },
    ),
    422: (
        "A field is missing or wrong",
        {
            "code": "invalid",
            "detail": "the request does not fit its description",
            "errors": [{"path": "body/explanation", "rule": "string_too_short"}],
        },
    ),
    503: ("Temporal or the store does not answer", {"code": "temporal_away", "detail": "nothing was done; try again"}),
}
_STATUS: tuple[tuple[type[DeskError], int], ...] = (
    (NotFound, 404),
    (NotAllowed, 403),
    (Refused, 409),
    (Away, 503),
    (DeskError, 400),
)
RETRY_AFTER = "10"


def _body(status: int, **told: Any) -> dict[str, Any]:
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, **told}


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem responses of an operation, each with an example."""
    return {
        status: {
            "description": _EXAMPLES[status][0],
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": _body(status, **_EXAMPLES[status][1]),
                }
            },
        }
        for status in statuses
    }


READS = answers(400, 401, 404, 422, 503)
CHANGES = answers(400, 401, 403, 404, 409, 422, 503)


async def answer_desk(_: Request, error: Exception) -> Response:
    assert isinstance(error, DeskError)
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    more: dict[str, Any] = {}
    if isinstance(error, Refused) and error.outcome is not None:
        outcome = error.outcome
        more = {"state": outcome.state.value, "version": outcome.version}
        if outcome.evidence is not None and not isinstance(error, MovedOn):
            more["evidence"] = outcome.evidence.model_dump(mode="json")
    headers = {"Retry-After": RETRY_AFTER} if status == 503 else None
    return _problem(status, error.code, str(error), headers, **more)


async def answer_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [{"path": "/".join(map(str, each["loc"])), "rule": each["type"]} for each in error.errors()]
    return _problem(422, "invalid", "the request does not fit its description", errors=errors)


async def answer_http_error(_: Request, error: Exception) -> Response:
    """The framework's own refusals (unknown path, wrong method), and those of the token."""
    assert isinstance(error, HTTPException)
    codes = {401: "token_invalid", 404: "not_found", 405: "method_not_allowed"}
    return _problem(error.status_code, codes.get(error.status_code, "refused"), str(error.detail), error.headers)


async def answer_unstorable(_: Request, __: Exception) -> Response:
    """A value that the database's types do not have, as text with a NUL."""
    return _problem(422, "invalid", "a value holds characters or digits that nothing here can have")


async def answer_store_away(request: Request, error: Exception) -> Response:
    log.error("%s %s: the store does not answer: %s", request.method, request.url.path, type(error).__name__)
    return _problem(503, "store_away", "the store does not answer; try again", {"Retry-After": RETRY_AFTER})


async def answer_defect(request: Request, error: Exception) -> Response:
    """A defect of ours: the caller learns nothing of the inside."""
    log.error("%s %s", request.method, request.url.path, exc_info=error)
    return _problem(500, "internal_error", "something went wrong here; it is in our log")


def _problem(status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    body = _body(status, code=code, detail=detail, **more)
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)
