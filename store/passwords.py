"""Passwords as argon2id hashes; what is compared takes the same time whether the name exists or not."""

from __future__ import annotations

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

HASHER = PasswordHasher()
"""RFC 9106's low-memory profile: 64 MiB, three passes."""
_AT_ONCE = threading.BoundedSemaphore(4)
"""Each hash takes 64 MiB; a flood of sign-ins waits instead of eating the machine's memory."""


def hashed(password: str) -> str:
    with _AT_ONCE:
        return HASHER.hash(password)


def fits(kept: str | None, password: str) -> bool:
    """Whether the password is the one of the hash. Without a hash it costs as much and is False."""
    with _AT_ONCE:
        try:
            right = HASHER.verify(kept or _nobodys(), password)
        except (VerificationError, InvalidHashError):
            return False
    return right and kept is not None


def outdated(kept: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return HASHER.check_needs_rehash(kept)


@cache
def _nobodys() -> str:
    return HASHER.hash("nobody has this password")
