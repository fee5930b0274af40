"""A person's word on an ERP's breaker and contract: who may, told to the connector's workflow (payment-sync 3, 6.1)."""

from __future__ import annotations

from typing import TypeVar

from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain import naming
from domain.connector_steps import BreakerOrder, Described
from domain.payment_sync.breaker import Breaker
from starter.desk.acting import Acting, BackOffice, recorded
from starter.desk.refusals import Away, Refused
from store.audit_trail import Deed

T = TypeVar("T")


async def open_breaker(office: BackOffice, acting: Acting, agency: str, why: str) -> Breaker:
    """Let no payment pass until somebody closes it again. Raises `NotFound`, `NotAllowed`, `Refused`, `Away`."""
    return await _order(office, acting, agency, "open", "open_breaker", why, Breaker)


async def close_breaker(office: BackOffice, acting: Acting, agency: str, why: str) -> Breaker:
    """Let payments pass again. Raises as `open_breaker`."""
    return await _order(office, acting, agency, "close", "close_breaker", why, Breaker)


async def accept_contract(office: BackOffice, acting: Acting, agency: str, why: str) -> Described:
    """Work by the contract that the ERP shows now. Raises as `open_breaker`."""
    return await _order(office, acting, agency, "accept", "accept_contract", why, Described)


async def _order(
    office: BackOffice, acting: Acting, agency: str, deed: str, update: str, why: str, gives: type[T]
) -> T:
    connector = office.installation.agencies[agency].erp
    own = naming.connector_workflow(agency, connector)

    async def work() -> T:
        client = await office.temporal()
        given = BreakerOrder(by=acting.person.name, why=why)
        try:
            done: T = await client.get_workflow_handle(own).execute_update(update, given, result_type=gives)
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            raise Refused(cause.message if isinstance(cause, ApplicationError) else str(cause)) from None
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise Refused(f"{own} does not run: it is started with the workers ('bookings worker')") from None
            raise Away(f"Temporal answers {error.status.name}: {error.message}") from None
        return done

    told = Deed("", f"breaker.{deed}", f"{agency}/{connector}", why=why, agency=agency)
    return await recorded(office, acting, told, work)
