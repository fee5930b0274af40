"""Errors of the gateway as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from starter.gateway.metrics import REFUSED

MEDIA_TYPE = "application/problem+json"
SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "For machines; stays the same between versions."},
        "detail": {"type": "string"},
    },
}
"""The body of every error, for the description of the interface."""


class Problem(Exception):
    """Answer the request with a problem; `code` is for machines, `detail` says what to do and never quotes the body."""

    def __init__(self, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})


def problem_response(problem: Problem) -> Response:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
    }
    return JSONResponse(body, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


async def answer_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    REFUSED.labels(error.code).inc()
    return problem_response(error)


async def answer_http_error(_: Request, error: Exception) -> Response:
    """The framework's own refusals (unknown path, wrong method) in the same form."""
    assert isinstance(error, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed"}
    code = codes.get(error.status_code, "refused")
    return problem_response(Problem(error.status_code, code, str(error.detail), headers=error.headers))


async def answer_defect(_: Request, __: Exception) -> Response:
    """A defect of ours: the sender shall come again, and learns nothing of the inside."""
    return problem_response(
        Problem(500, "internal_error", "the event was not taken in; send it again later", headers={"Retry-After": "30"})
    )
