"""The partner's folder as delivery sees it, whatever protocol is behind it (contracts: tamara 4.1 to 4.4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from activities.tamara.cargo import Cargo
from activities.tamara.transport import Publish
from domain.errors import NeedsPerson, Refused, Transient, Unauthorised

SYSTEM, OPERATION = "tamara", "deliver"
DENIED = frozenset({"SPACE", "PERMISSION"})
"""Codes of what a person at the partner has to mend: tried again slowly, and told at once."""

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes of one answer that are read; a night of ten thousand lines is answered with some two megabytes."""
TOO_LARGE = "TOO_LARGE"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
"""A name that is read: whatever else a server lists (paths, line ends, blanks) is left where it lies."""

Beat = Callable[[int], None]
"""Hears how many bytes of the file are there."""


class Folder(Protocol):
    """An open session inside one folder. Names are plain file names.

    Every method raises `Transient` when the connection breaks or the server is busy, with a code of `DENIED` where space or
    rights are missing. Only `rename` and `move` may raise `UnknownOutcome`: sent, and the answer was lost.
    """

    @property
    def resumes(self) -> bool:
        """Whether the server takes the rest of a file."""

    def size(self, name: str) -> int | None:
        """Bytes of a file, None when there is none."""

    def digest(self, name: str, size: int) -> str | None:
        """SHA-256 of a file of this length in hex, None where it may not be read."""

    def write(self, name: str, cargo: Cargo, offset: int, beat: Beat) -> None:
        """Write `cargo` from `offset` on, after what is there; offset 0 begins the file anew."""

    def delete(self, name: str) -> bool:
        """Whether the file is gone now; False when the server does not allow it."""

    def rename(self, old: str, new: str) -> None:
        """Never over another file: that is an error, and which one is left to the server."""

    def names(self) -> list[str]:
        """The files of the folder, sorted."""

    def read(self, name: str) -> bytes:
        """A whole file. Raises `Transient` for one above `LARGEST_ANSWER`."""

    def move(self, name: str, folder: str) -> None:
        """Put a file into another folder of the account, under its name; never over another."""


class DropBox(Protocol):
    """An account with the partner. Nothing is connected until a session is opened; one session at a time."""

    read_back: bool
    publish: Publish

    def session(self, folder: str | None = None) -> AbstractContextManager[Folder]:
        """A session in the configured folder, or in another one of the account.

        Raises `Unauthorised` (identity, login), `Transient` (not reachable).
        """

    def forgive(self) -> None:
        """A person has mended the login: it may be tried again."""


def unknown_server(words: str, code: str) -> Unauthorised:
    """The server is not the one we know; nothing secret was said."""
    return Unauthorised(words, system=SYSTEM, operation=OPERATION, code=code)


def login_refused() -> Unauthorised:
    return Unauthorised(
        "the server refuses the login; it is not tried again, because accounts get locked",
        system=SYSTEM,
        operation=OPERATION,
        code="LOGIN",
    )


def no_rights(words: str = "the server denies permission; ask the partner to check folder and rights") -> Transient:
    return Transient(words, system=SYSTEM, operation=OPERATION, code="PERMISSION")


def no_space(words: str = "the server answered with a failure (disk full?)") -> Transient:
    return Transient(words, system=SYSTEM, operation=OPERATION, code="SPACE")


def in_the_way(name: str) -> Refused:
    return Refused(
        f"{name} appeared while it was sent; it is not overwritten",
        system=SYSTEM,
        operation=OPERATION,
        code="REMOTE_CONFLICT",
    )


def needs_person(words: str, code: str) -> NeedsPerson:
    return NeedsPerson(words, system=SYSTEM, operation=OPERATION, code=code)


def too_large(name: str) -> Transient:
    return Transient(
        f"{name} has more than {LARGEST_ANSWER} bytes and is not read",
        system=SYSTEM,
        operation=OPERATION,
        code=TOO_LARGE,
    )
