"""Writing to a file that was closed: opened, written, closed again (contracts: giav 2.4, 3.3)."""

from __future__ import annotations

import re
from collections.abc import Callable

from activities.giav.expedientes import is_closed
from activities.giav.office import Office
from domain.effects import EffectKey
from domain.errors import BackOfficeError, Refused
from domain.steps import Done

CLOSED = re.compile(r"cerrad[oa]", re.IGNORECASE)
MOST = 5
"""How often one step opens a file that somebody closes under its hands."""


def in_open_file(office: Office, booking_id: str, fact: str, verb: Callable[[], Done]) -> Done:
    """Run a verb; if GIAV refuses a write because the file is closed, open it, run the verb on, and close it again.

    `fact` is what the verb answers: under its id the opening is recorded, so that a crash in between closes it all the same.
    """
    file = _File(office, booking_id, fact)
    for _ in range(MOST):
        try:
            done = verb()
        except Refused as refused:
            if CLOSED.search(refused.message) and file.open():
                office.store.effects.rearm(refused.effect)
                continue
            file.close_again()
            raise
        except BackOfficeError as error:
            if not error.automatic_retry:
                # A person is asked now, and until the answer nobody writes.
                file.close_again()
            raise
        note = "; ".join(part for part in (done.note, file.close_again()) if part)
        return done.model_copy(update={"note": note})
    raise Refused("the file is closed again and again", system="giav", operation="Expediente_OPEN")


class _File:
    """The file of a booking's experience, and what one step did to its state."""

    def __init__(self, office: Office, booking_id: str, fact: str) -> None:
        self._office = office
        self._booking_id = booking_id
        self._business_id = f"{booking_id}/{fact}"
        self._looked = False

    def open(self) -> bool:
        """Open the file; false when it is not closed, and the refusal means something else."""
        own = self._office.expediente(self._office.booking(self._booking_id).experience_id)
        turn = next(each for each in range(MOST + 1) if self._office.made(self._key("open", each)) is None)
        begun = self._office.store.effects.get(self._key("open", turn)) is not None
        if not begun and not is_closed(self._office, own):
            # Somebody opened it just now, or it is not the file that is closed: tried once more, not for ever.
            first, self._looked = not self._looked, True
            return first
        self._office.change(
            self._key("open", turn),
            "Expediente_OPEN",
            {"id": own},
            own,
            self._booking_id,
            reached=lambda: not is_closed(self._office, own),
        )
        return True

    def close_again(self) -> str:
        """Close what this step, or an earlier attempt of it, opened; answers what stands against it."""
        for turn in range(MOST + 1):
            own = self._office.made(self._key("open", turn))
            if own is None:
                break
            try:
                self._office.change(
                    self._key("close", turn),
                    "Expediente_CLOSE",
                    {"id": own},
                    own,
                    self._booking_id,
                    reached=lambda own=own: is_closed(self._office, own),  # type: ignore[misc]
                )
            except Refused as refused:
                return f"the file was closed before and is left open: {refused.message}"
        return ""

    def _key(self, operation: str, turn: int) -> EffectKey:
        return self._office.key("closed expediente", self._business_id, operation, turn)
