"""Parked items: what stopped for a person, and the answer (contracts: money-rules P10)."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from domain.steps import Decision, DecisionTaken
from starter.api.identity import Caller, Office
from starter.api.parameters import ID, After, AnyAgency, Limit, Word
from starter.api.problems import CHANGES, READS
from starter.desk import parked
from starter.desk.parked import Decided, ItemRow, ItemsPage
from store.parked import OPEN

router = APIRouter(prefix="/parked", tags=["parked items"])
ItemId = Annotated[str, Path(description="The item's id.", examples=["prk_a1b2c3"], pattern=ID)]


class Answer(BaseModel):
    """`outside_id` names the record to take over, with `adopt` alone."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"decision": "retry", "explanation": "the series was opened in GIAV"}]},
    )

    decision: Decision
    explanation: Annotated[str, Field(max_length=2000)] = ""
    outside_id: Annotated[str | None, Field(max_length=200)] = None


@router.get("", operation_id="listParked", summary="Parked items, the nearest deadline first", responses=READS)
def list_items(
    office: Office,
    caller: Caller,
    agency: AnyAgency = None,
    state: Annotated[Literal["open", "closed", "all"], Query(description="Which ones.")] = OPEN,  # type: ignore[assignment]
    owner: Word = None,
    reason: Word = None,
    booking: Word = None,
    after: After = None,
    limit: Limit = 50,
) -> ItemsPage:
    """Each with its reason, owner, deadline and the answers that it takes."""
    wanted = None if state == "all" else state
    return parked.list_items(
        office,
        caller,
        agency=agency,
        state=wanted,
        owner=owner,
        reason=reason,
        booking=booking,
        after=after,
        limit=limit,
    )


@router.get("/{item}", operation_id="showParked", summary="One parked item", responses=READS)
def show(office: Office, caller: Caller, item: ItemId) -> ItemRow:
    """With every decision ever taken on it."""
    return parked.show_item(office, caller, item)


@router.post("/{item}/decision", operation_id="decideParked", summary="Answer a parked item", responses=CHANGES)
async def decide(office: Office, caller: Caller, item: ItemId, given: Answer) -> Decided:
    """The work goes on exactly there. Leaving a payment out of the ERP, or taking a record over for it, is a supervisor's."""
    taken = DecisionTaken(item_id=item, by=caller.person.name, **given.model_dump())
    return await parked.decide(office, caller, taken)
