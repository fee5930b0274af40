"""Why a person's wish is not carried out; each way in tells it in its own form."""

from __future__ import annotations

from domain.payment_sync import CommandOutcome
from starter.answers import CommandError


class DeskError(CommandError):
    """The text is for whoever asked; `code` is for machines and stays the same."""

    code = "refused"


class NotFound(DeskError):
    """There is no such thing, or it belongs to an agency that this person may not see: the answer is the same."""

    code = "not_found"


class NotAllowed(DeskError):
    """The person's role does not cover it."""

    code = "not_allowed"


class Unclear(DeskError):
    """What was asked for makes no sense as it was asked."""

    code = "unclear"


class Refused(DeskError):
    """A rule of the trade forbids it now; `outcome` holds what the ERP showed where it was asked."""

    def __init__(self, message: str, outcome: CommandOutcome | None = None) -> None:
        super().__init__(message)
        self.outcome = outcome


class MovedOn(Refused):
    """Somebody or something else was faster: look again before you decide."""

    code = "moved_on"


class Away(DeskError):
    """Temporal does not answer; nothing was done."""

    code = "temporal_away"
