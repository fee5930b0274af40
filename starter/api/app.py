"""The API as an ASGI application, mounted by the console under `/api/v1` (docs/api.md)."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from sqlalchemy.exc import DataError, SQLAlchemyError
from starlette.exceptions import HTTPException

from domain.people import Role
from starter.api import bookings, parked, payments, plans, problems
from starter.api.identity import Caller, Office
from starter.desk.acting import BackOffice
from starter.desk.refusals import DeskError
from starter.serving import UNSEEN

PREFIX = "/api/v1"
VERSION = "1.0.0"
DESCRIPTION = """What people do at the desk of the back office, for programs: payments that are paid and not synchronised, parked
items, payment plans, bookings. A program acts in the name of a person, with that person's role and agencies; each action,
also a refused one, is in the audit trail.

Money is in minor units beside its ISO 4217 currency, moments are UTC. Errors are `application/problem+json` with a `code` for machines.
"""


class Myself(BaseModel):
    """For whom the token acts."""

    name: str
    role: Role
    agencies: tuple[str, ...]


def build_api(office: BackOffice | None = None) -> FastAPI:
    """Without an office it only describes itself."""
    app = FastAPI(
        telemetry=UNSEEN,
        title="Booking orchestrator: API of operators",
        version=VERSION,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        servers=[{"url": PREFIX}],
        root_path_in_servers=False,
    )
    app.state.office = office
    app.add_exception_handler(DeskError, problems.answer_desk)
    app.add_exception_handler(RequestValidationError, problems.answer_invalid)
    app.add_exception_handler(HTTPException, problems.answer_http_error)
    app.add_exception_handler(DataError, problems.answer_unstorable)
    app.add_exception_handler(SQLAlchemyError, problems.answer_store_away)
    app.add_exception_handler(Exception, problems.answer_defect)
    for part in (payments, parked, plans, bookings):
        app.include_router(part.router)

    @app.get("/me", operation_id="showMe", summary="For whom this token acts", tags=["me"],
             responses=problems.answers(401, 503))  # fmt: skip
    def me(office: Office, caller: Caller) -> Myself:
        """The person, the role that the token has, and the agencies that it sees."""
        return Myself(name=caller.person.name, role=caller.person.role, agencies=caller.agencies(office))

    plain = app.openapi

    def described() -> dict[str, Any]:
        told = plain()
        told["components"]["schemas"].setdefault("Problem", problems.SCHEMA)
        for unused in ("HTTPValidationError", "ValidationError"):
            told["components"]["schemas"].pop(unused, None)
        return told

    app.openapi = described  # type: ignore[method-assign]
    return app
