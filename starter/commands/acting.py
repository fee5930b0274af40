"""The desk as commands use it: the store is open, Temporal is connected when it is first needed, people act by `--by`."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from domain.people import Role
from starter import temporal
from starter.desk.acting import Acting, BackOffice, at_the_terminal, written_down
from starter.opening import opened_store
from store import Store
from store.audit_trail import Deed
from store.installation import Installation


@dataclass(frozen=True, slots=True)
class Terminal(BackOffice):
    """A back office with a person at its terminal."""

    def acting(self, by: str, *, supervisor: bool = False, unknown: Role = Role.OPERATOR) -> Acting:
        return at_the_terminal(self.store, by, supervisor=supervisor, unknown=unknown)


By = Annotated[
    str,
    typer.Option(
        "--by",
        envvar="BOOKINGS_BY",
        help="Who does it: a person of 'bookings user list', once there are any; the user of the machine by default.",
    ),
]


def who(by: str) -> str:
    """The name that was given, or the machine's user."""
    try:
        return by.strip() or getpass.getuser()
    except (KeyError, OSError):
        return by.strip()  # a container whose user has no name


@contextmanager
def doing(
    store: Store, by: str, action: str, object_: str, *, agency: str | None = None, why: str = "", needs: Role
) -> Iterator[str]:
    """Do the block if this person may, and write down who did what and how it ended; gives the name.

    Raises `Unclear`, `NotAllowed`, `NotFound`.
    """
    acting = at_the_terminal(store, who(by), unknown=needs)
    with written_down(store, acting, Deed("", action, object_, why=why.strip(), agency=agency), needs=needs):
        yield acting.person.name


def allowed(store: Store, by: str, *, needs: Role, agency: str | None = None) -> str:
    """The name of a person who may, for work that writes its own lines of the audit trail. Raises as `doing`."""
    acting = at_the_terminal(store, who(by), unknown=needs)
    if agency is not None:
        acting.must_see(agency)
    acting.must_be(needs)
    return acting.person.name


@contextmanager
def at_the_desk(installation: Installation) -> Iterator[Terminal]:
    with opened_store(installation) as store:
        yield Terminal(installation, store, lambda: temporal.connect(installation))
