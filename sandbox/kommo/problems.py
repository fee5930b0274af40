"""Errors in Kommo's form: problem+json (contracts: kommo 1 "Error bodies")."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any


class KommoError(Exception):
    """One error answer."""

    def __init__(self, status: int, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.body: dict[str, Any] = {
            "title": HTTPStatus(status).phrase,
            "type": "https://httpstatus.es/" + str(status),
            "status": status,
            "detail": detail,
            **more,
        }


def invalid(code: str, path: str, detail: str, request_id: str = "0") -> KommoError:
    """A validation error: nothing of the request was saved."""
    errors = [{"code": code, "path": path, "detail": detail}]
    more = {"validation-errors": [{"request_id": request_id, "errors": errors}]}
    return KommoError(400, "Request validation failed", **more)


def oauth_refused(hint: str, status: int = 401) -> KommoError:
    """A code or refresh token that is not accepted."""
    error = KommoError(status, hint, hint=hint)
    error.body["type"] = "https://developers.kommo.com/v3/errors/OAuthProblemJson"
    return error
