"""Who looks at a page: the session of the request, what the person may do, whose things they may see (DESIGN 7).

A page asks for what it needs by type: `Viewer`, `Operator`, `Supervisor` or `Administrator` as the type of its parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, Query, Request

from domain.people import Person, Role
from starter.console.areas import Area
from starter.console.languages import LANGUAGES, preferred, speaker
from starter.console.refusals import NotAllowed, NotHere, SignInNeeded
from starter.desk.acting import Acting, BackOffice
from store.audit_trail import Deed, Outcome
from store.installation import Installation
from store.people_sessions import Session


@dataclass(frozen=True, slots=True)
class Surroundings(BackOffice):
    """What pages work with: the back office, and the areas of the console."""

    areas: tuple[Area, ...] = ()

    def zone(self, agency: str | None) -> ZoneInfo:
        """The time zone of an agency, of the first one when it is None."""
        agencies = self.installation.agencies
        return ZoneInfo(agencies[agency or min(agencies)].timezone)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody signed in. `agencies` are those of the installation that they may see."""

    person: Person
    session: Session
    agencies: tuple[str, ...]
    language: str
    here: Surroundings = field(repr=False)

    @property
    def name(self) -> str:
        return self.person.name

    @property
    def acting(self) -> Acting:
        """As the desk knows the visitor; what the desk does, it writes down itself."""
        return Acting(self.person, "console")

    def may(self, role: str) -> bool:
        return self.person.may(Role(role))

    def must_see(self, agency: str | None) -> None:
        """Raises `NotHere` for an agency that does not exist and for one that is not the visitor's: nobody learns which."""
        if agency not in self.agencies:
            raise NotHere

    def say(self, text: str, **values: Any) -> str:
        """A marked Spanish text in the visitor's language."""
        return speaker(self.language)(text, **values)

    def did(
        self, action: str, object_: str, *, agency: str | None = None, outcome: Outcome = "done", why: str = ""
    ) -> None:
        """One line of the audit trail. Every action writes one, also a refused one, unless the desk does it (`acting`)."""
        self.here.store.audit_trail.write(Deed(self.name, action, object_, outcome, why, agency))


def here(request: Request) -> Surroundings:
    found: Surroundings = request.app.state.surroundings
    return found


def cookie_name(installation: Installation, what: str = "console") -> str:
    """Cookies know no ports, so the name does; over https the browser guards name, host and path (`__Host-`)."""
    console = installation.console
    return f"__Host-{what}" if console.over_https else f"{what}_{console.port}"


def token_of(request: Request) -> str | None:
    return request.cookies.get(cookie_name(here(request).installation))


def language_of(request: Request, person: Person | None = None) -> str:
    """What the person chose, else what this browser chose, else what it prefers."""
    for chosen in (person.language if person else None, request.cookies.get("language")):
        if chosen in LANGUAGES:
            return chosen
    return preferred(request.headers.get("accept-language", ""))


def visitor_or_none(request: Request) -> Visitor | None:
    """The visitor, None when nobody is signed in. Looked up once per request."""
    if hasattr(request.state, "visitor"):
        known: Visitor | None = request.state.visitor
        return known
    surroundings, token = here(request), token_of(request)
    console = surroundings.installation.console
    found = surroundings.store.sessions.find(token, idle=console.idle, longest=console.longest) if token else None
    if found is None:
        request.state.visitor = None
        return None
    session, person = found
    visitor = Visitor(
        person=person,
        session=session,
        agencies=person.visible(surroundings.installation.agencies),
        language=language_of(request, person),
        here=surroundings,
    )
    request.state.visitor = visitor
    return visitor


def _needs(role: Role) -> Callable[[Request], Visitor]:
    def visitor(request: Request) -> Visitor:
        found = visitor_or_none(request)
        if found is None:
            raise SignInNeeded
        if not found.person.may(role):
            raise NotAllowed
        return found

    return visitor


def chosen_agencies(request: Request, agency: Annotated[str | None, Query(max_length=100)] = None) -> tuple[str, ...]:
    """The agencies that a list is about: the one of `?agency=`, or all that the visitor may see."""
    visitor = _needs(Role.VIEWER)(request)
    if not agency:
        return visitor.agencies
    visitor.must_see(agency)
    return (agency,)


Here = Annotated[Surroundings, Depends(here)]
Viewer = Annotated[Visitor, Depends(_needs(Role.VIEWER))]
Operator = Annotated[Visitor, Depends(_needs(Role.OPERATOR))]
Supervisor = Annotated[Visitor, Depends(_needs(Role.SUPERVISOR))]
Administrator = Annotated[Visitor, Depends(_needs(Role.ADMINISTRATOR))]
ChosenAgencies = Annotated[tuple[str, ...], Depends(chosen_agencies)]
