"""Deterministic ids: the same file and line give the same booking, payment and event for ever."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

LENGTH = 20
"""Characters of an id after its prefix: 100 bits."""


def token_of(*parts: str) -> str:
    """Lower-case letters and digits, derived from the parts."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return base64.b32encode(digest).decode()[:LENGTH].lower()


@dataclass(frozen=True, slots=True)
class Identity:
    """The ids of one row, named by the file's digest and the line.

    What several files may share (payers, experiences) is named by the mapping and its own key alone.
    """

    agency: str
    mapping: str
    digest: str
    line: str

    @property
    def token(self) -> str:
        return token_of(self.agency, self.digest, "row", self.line)

    @property
    def booking_id(self) -> str:
        return f"bkg_{self.token}"

    @property
    def locator(self) -> str:
        return self.token[:8].upper()

    def shared(self, kind: str, key: str) -> str:
        """An id that rows with the same key share (a payer, an experience)."""
        return token_of(self.agency, self.mapping, kind, key)

    def event(self, number: int) -> str:
        """The id of the row's event with this number; the event that opens an experience is number 0."""
        return f"evt_{token_of(self.agency, self.digest, 'event', self.line, str(number))}"
