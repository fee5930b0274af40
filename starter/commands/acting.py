"""The desk as commands use it: the store is open, Temporal is connected when it is first needed, people act by `--by`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from domain.people import Role
from starter import temporal
from starter.desk.acting import Acting, BackOffice, at_the_terminal
from starter.opening import opened_store
from store.installation import Installation


@dataclass(frozen=True, slots=True)
class Terminal(BackOffice):
    """A back office with a person at its terminal."""

    def acting(self, by: str, *, supervisor: bool = False, unknown: Role = Role.OPERATOR) -> Acting:
        return at_the_terminal(self.store, by, supervisor=supervisor, unknown=unknown)


@contextmanager
def at_the_desk(installation: Installation) -> Iterator[Terminal]:
    with opened_store(installation) as store:
        yield Terminal(installation, store, lambda: temporal.connect(installation))
