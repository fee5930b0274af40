"""For whom a request acts: a bearer token of `bookings user token create` (docs/api.md)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from starter.desk.acting import Acting, BackOffice

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="A token of `bookings user token create`; it acts for its person, with that person's role and agencies.",
)


def office_of(request: Request) -> BackOffice:
    found: BackOffice = request.app.state.office
    return found


def caller(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> Acting:
    """Looked up at every request, so that a lock or another role counts at once."""
    person = office_of(request).store.api_tokens.find(given.credentials) if given is not None else None
    if person is None:
        raise HTTPException(401, "the token is not acceptable", headers={"WWW-Authenticate": "Bearer"})
    return Acting(person, "api")


Office = Annotated[BackOffice, Depends(office_of)]
Caller = Annotated[Acting, Depends(caller)]
