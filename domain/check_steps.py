"""What the checks of an ERP's files and invoices take and give (contracts: giav 4 "nightly check"; money-rules 1.1.3)."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.steps import Step


class CheckOrder(Step):
    """What to check: every file, or only whether invoices are late."""

    what: Literal["files", "invoices"] = "files"


class FilesCheck(Step):
    """The next files after `after`, in the order of the experiences' ids; only one when `experience_id` names it."""

    after: str = ""
    experience_id: str | None = None


class FilesChecked(BaseModel):
    """`after` is where the next step goes on, None at the end; `left_out` are files of which something is still on its way."""

    model_config = ConfigDict(frozen=True)

    after: str | None = None
    compared: int = 0
    left_out: int = 0
    differing: int = 0


class InvoicesCheck(Step):
    """Whether every captured payment has its invoice in time."""


class InvoicesChecked(BaseModel):
    model_config = ConfigDict(frozen=True)

    late: int = 0
