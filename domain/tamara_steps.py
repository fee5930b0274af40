"""What reading AirPlus' answers takes and gives, and what it leaves for a person (contracts: tamara 3.11, 3.12)."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.steps import Decision, Step


class TamaraAnswersOrder(Step):
    """An order to read an agency's answers."""


class TamaraTrouble(BaseModel):
    """Something about a file, its lines or an answer that a person has to see to; `key` names it within its agency.

    `automatic`: it is tried once without asking (contracts: tamara 3.10, F007).
    """

    model_config = ConfigDict(frozen=True)

    key: str
    about: Literal["unanswered", "refused", "rejected", "lines", "answer"]
    reason: str
    detail: str
    decisions: tuple[Decision, ...]
    partner_id: str = ""
    kind: Literal["BSP", "MA"] | None = None
    seq: int | None = None
    answer_id: int | None = None
    automatic: bool = False


class TamaraAnswersRead(BaseModel):
    """How many answers were new, how many of them changed something, and every trouble that is open."""

    model_config = ConfigDict(frozen=True)

    read: int = 0
    applied: int = 0
    troubles: tuple[TamaraTrouble, ...] = ()


class TamaraTroubleStep(Step):
    """One trouble."""

    trouble: TamaraTrouble


class TamaraSettlement(TamaraTroubleStep):
    """What a person (or the rule for it) decided about a trouble."""

    decision: Decision
    by: str
    explanation: str = ""
