"""Seeded bugs: what the product would be like without one of its cares. Each must be caught by some case."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Bug:
    name: str
    words: str
    cases: tuple[str, ...]


BUGS: dict[str, Bug] = {}


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """The process works with this bug while the block runs."""
    yield
