"""Payment plans: what is due, and orders about it (contracts: money-rules 1.6, 1.7)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from domain.money import Money
from domain.plan_orders import OrderKind
from domain.plan_steps import PlanCommand
from starter.api.identity import Caller, Office
from starter.api.parameters import BookingId, InAgency, Limit, OfAgency
from starter.api.problems import CHANGES, READS
from starter.desk import plans
from starter.desk.plans import Ordered, PlanShown, PlansPage

router = APIRouter(prefix="/plans", tags=["payment plans"])
Instalment = Annotated[str, Field(min_length=1, max_length=200, description="The instalment's id.")]


class Reason(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"why": "the payer asked for time until Monday"}]}
    )

    why: Annotated[str, Field(min_length=10, max_length=2000, description="The reason, in your words.")]


class Resumed(Reason):
    instalment: Annotated[str | None, Field(max_length=200, description="Only this one, which is held.")] = None


class Skipped(Reason):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"why": "a transfer is on its way", "instalment": "ins_502"}]},
    )

    instalment: Instalment


class Charged(Skipped):
    amount: Annotated[Money | None, Field(description="Less than all that is open.")] = None


@router.get("", operation_id="listPlans", summary="Plans that still want money", responses=READS)
def list_plans(
    office: Office,
    caller: Caller,
    agency: OfAgency,
    held: Annotated[bool, Query(description="Only those that are paused, or hold an instalment.")] = False,
    after: Annotated[str, Query(description="`next` of the page before.", max_length=200)] = "",
    limit: Limit = 50,
) -> PlansPage:
    """By booking. A page may hold fewer than `limit`, or none, although others follow: go on while `next` is given."""
    return plans.list_plans(office, caller, agency, held=held, after=after, limit=limit)


@router.get("/{agency}/{booking}", operation_id="showPlan", summary="The plan of one booking", responses=READS)
def show(office: Office, caller: Caller, agency: InAgency, booking: BookingId) -> PlanShown:
    """Its instalments, what is open of each, and every order with who gave it and why."""
    return plans.show_plan(office, caller, agency, booking)


@router.post("/{agency}/{booking}/pause", operation_id="pausePlan", summary="Collect nothing", responses=CHANGES)
async def pause(office: Office, caller: Caller, agency: InAgency, booking: BookingId, given: Reason) -> Ordered:
    """Until it is resumed; also attempts that are under way wait."""
    return await _order(office, caller, agency, booking, "pause", given)


@router.post("/{agency}/{booking}/resume", operation_id="resumePlan", summary="Go on", responses=CHANGES)
async def resume(office: Office, caller: Caller, agency: InAgency, booking: BookingId, given: Resumed) -> Ordered:
    """With the plan, or with one instalment; what fell due meanwhile is collected at once."""
    return await _order(office, caller, agency, booking, "resume", given, given.instalment)


@router.post("/{agency}/{booking}/skip", operation_id="skipInstalment", summary="Leave one out", responses=CHANGES)
async def skip(office: Office, caller: Caller, agency: InAgency, booking: BookingId, given: Skipped) -> Ordered:
    """One instalment is not collected; it stays open on the platform."""
    return await _order(office, caller, agency, booking, "skip", given, given.instalment)


@router.post("/{agency}/{booking}/charge-now", operation_id="chargeNow", summary="Charge one now", responses=CHANGES)
async def charge_now(office: Office, caller: Caller, agency: InAgency, booking: BookingId, given: Charged) -> Ordered:
    """Before its day, or after it was given up; the limits of mandate and networks hold."""
    return await _order(office, caller, agency, booking, "charge_now", given, given.instalment, given.amount)


async def _order(
    office: Office,
    caller: Caller,
    agency: str,
    booking: str,
    kind: OrderKind,
    given: Reason,
    instalment: str | None = None,
    amount: Money | None = None,
) -> Ordered:
    command = PlanCommand(order=kind, by=caller.person.name, why=given.why, instalment_id=instalment, amount=amount)
    return await plans.order(office, caller, agency, booking, command)
