"""Payment plans: what is due and open, what people ordered, and ordering it (contracts: money-rules 1.6, 1.7)."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Any

from pydantic import Field
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain import naming
from domain.money import Money
from domain.plan_orders import OrderKind, PlanOrder
from domain.plan_steps import PlanCommand
from starter.desk.acting import Acting, BackOffice, recorded
from starter.desk.payments import Shown
from starter.desk.refusals import Away, NotFound, Refused
from store import Store
from store.audit_trail import Deed
from store.plan_pages import PlanAtHand


class InstalmentShown(Shown):
    id: str
    due_on: date
    kind: str
    amount: Money
    open: Money | None = Field(description="What is still wanted of it; null when nothing is.")
    status: str = Field(description="The platform's word.")
    held: PlanOrder | None = Field(description="The order that forbids to collect it.")


class PlanShown(Shown):
    """A plan as it stands after its payments and orders."""

    agency: str
    plan: str
    booking: str
    revision: int
    collection: str
    method: str
    mandate: str | None
    open: Money | None
    next_due: date | None
    paused: PlanOrder | None
    instalments: tuple[InstalmentShown, ...]
    orders: tuple[PlanOrder, ...]
    workflow_page: str

    @property
    def held(self) -> dict[str, PlanOrder]:
        """Orders that hold single instalments, by instalment."""
        return {each.id: each.held for each in self.instalments if each.held is not None}


class PlansPage(Shown):
    items: tuple[PlanShown, ...]
    next: str | None = Field(description="Give it as `after` to get the next page; null on the last.")


class Ordered(Shown):
    plan: str
    order: OrderKind
    at: datetime
    answer: str = Field(description="What the plan said to it.")


def list_plans(
    office: BackOffice, acting: Acting, agency: str, *, held: bool = False, after: str = "", limit: int = 50
) -> PlansPage:
    """Plans that still want money, by booking. `held`: only those that are paused, or hold an instalment.

    A page holds what is left of `limit` plans; it may be empty although others follow.
    """
    acting.agencies(office, agency)
    found = office.store.plan_pages.page(agency, after, limit)
    shown = [_shown(office, agency, each) for each in found]
    wanted = [plan for plan in shown if plan.open and (not held or plan.paused or plan.held)]
    return PlansPage(items=tuple(wanted), next=found[-1].plan.booking_id if len(found) == limit else None)


def show_plan(office: BackOffice, acting: Acting, agency: str, booking: str) -> PlanShown:
    """The plan of one booking. Raises `NotFound`."""
    return _shown(office, agency, _plan(office.store, acting, agency, booking))


async def order(office: BackOffice, acting: Acting, agency: str, booking: str, given: PlanCommand) -> Ordered:
    """Give an order to a plan. Raises `NotFound`, `NotAllowed`, `Refused`, `Away`."""
    given = given.model_copy(update={"by": acting.person.name})

    async def work() -> Ordered:
        plan = await asyncio.to_thread(_plan, office.store, acting, agency, booking)
        said = await _tell(office, agency, booking, given)
        return Ordered(plan=plan.plan.id, order=given.order, at=office.now(), answer=said)

    about = f"{agency}/{booking}" + (f"/{given.instalment_id}" if given.instalment_id else "")
    return await recorded(office, acting, Deed("", f"plan.{given.order}", about, why=given.why, agency=agency), work)


async def _tell(office: BackOffice, agency: str, booking: str, given: PlanCommand) -> str:
    client = await office.temporal()
    handle = client.get_workflow_handle(naming.plan_workflow(agency, booking))
    try:
        answer: Any = await handle.execute_update("order", given, result_type=str)
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        raise Refused(cause.message if isinstance(cause, ApplicationError) else str(cause)) from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise Refused(
                f"the plan of {booking} does not run: everything is paid or cancelled, or its event has not come; "
                f"see 'bookings plan show {agency} {booking}'"
            ) from None
        raise Away(f"Temporal answers {error.status.name}: {error.message}") from None
    return str(answer)


def _plan(store: Store, acting: Acting, agency: str, booking: str) -> PlanAtHand:
    plan = store.plan_pages.of(agency, booking) if acting.person.sees(agency) else None
    if plan is None:
        raise NotFound(f"{agency} has no payment plan of booking {booking}; see 'bookings plan list {agency}'")
    return plan


def _shown(office: BackOffice, agency: str, found: PlanAtHand) -> PlanShown:
    plan, wanted, stands = found.plan, found.open, found.standing
    days = [item.due_on for item in plan.installments if item.id in wanted]
    total = sum((amount.amount for amount in wanted.values()), 0)
    return PlanShown(
        agency=agency,
        plan=plan.id,
        booking=plan.booking_id,
        revision=plan.revision,
        collection=plan.collection,
        method=plan.method,
        mandate=plan.mandate.status if plan.mandate else None,
        open=Money(amount=total, currency=plan.currency) if wanted else None,
        next_due=min(days) if days else None,
        paused=stands.paused,
        instalments=tuple(
            InstalmentShown(
                id=item.id,
                due_on=item.due_on,
                kind=item.kind,
                amount=item.amount,
                open=wanted.get(item.id),
                status=item.status,
                held=stands.held.get(item.id) if item.id in wanted else None,
            )
            for item in plan.installments
        ),
        orders=tuple(found.orders),
        workflow_page=office.workflow_page(naming.plan_workflow(agency, plan.booking_id)),
    )
