"""The door of one account: one session at a time, and no login after two refusals (contracts: tamara 4.1, 4.4)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from activities.tamara.folder import login_refused
from domain.errors import Unauthorised

TRIES = 2
"""Logins that may be refused until a person mends it: accounts get locked."""


class Door:
    """What all sessions of an account share."""

    def __init__(self) -> None:
        self._one = threading.Lock()
        self._refusals = 0

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Wait for the turn. Raises `Unauthorised` without connecting when the login was refused twice."""
        with self._one:
            if self._refusals >= TRIES:
                raise login_refused()
            try:
                yield
            except Unauthorised as error:
                if error.code == "LOGIN":
                    self._refusals += 1
                raise

    def passed(self) -> None:
        """The login was accepted."""
        self._refusals = 0

    forgive = passed
