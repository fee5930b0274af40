"""RateHawk's envelope and its errors (contracts: midoffice 2.2, 2.4)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.responses import JSONResponse, Response

DOOR = {
    "incorrect_credentials": 401,
    "no_auth_header": 403,
    "invalid_auth_header": 403,
    "endpoint_not_found": 403,
    "invalid_params": 400,
    "decoding_json": 400,
    "body_must_be_json_object": 400,
    "unexpected_method": 400,
    "overdue_debt": 402,
    "endpoint_exceeded_limit": 429,
    "lock": 429,
}
"""HTTP status of the transport's codes; business codes are answered with 200."""


class RateHawkError(Exception):
    """A refusal by its code; `words` explain an `invalid_params`."""

    def __init__(self, code: str, words: str = "", http: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.words = words
        self.http = http or DOOR.get(code, 200)


def ok(data: Any, *, status: str = "ok", debug: Mapping[str, Any] | None = None) -> Response:
    return JSONResponse({"data": data, "debug": dict(debug or {}) or None, "error": None, "status": status})


def refused(problem: RateHawkError, headers: Mapping[str, str] | None = None) -> Response:
    debug = {"request_id": uuid.uuid4().hex, "validation_error": problem.words or None}
    body = {"data": None, "debug": debug, "error": problem.code, "status": "error"}
    return JSONResponse(body, status_code=problem.http, headers=dict(headers or {}))


def moment(instant: datetime) -> str:
    """A moment as the API writes it: UTC, without a zone."""
    return instant.strftime("%Y-%m-%dT%H:%M:%S")


CONTRACT = {
    "agreement_number": "B2B-12345/1",
    "agreement_date": "2025-01-15",
    "active_from": "2025-01-15",
    "terminated_at": None,
    "kind": "agency",
    "closing_documents_issuance_type": "monthly",
    "legal_entity": {
        "name": "Viajes Ejemplo SL",
        "address_actual": "",
        "address_legal": "",
        "taxpayer_id": "B12345674",
    },
}
"""The one contract of the sandbox's key."""
