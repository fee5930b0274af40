"""A direct debit that came back: tried once more, or its plan stopped and a person asked, by the bank's code
(contracts: money-rules 1.7.5, F-P9)."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.signatures import OFFICE_JUDGE_RETURN, OFFICE_ORDER_PLAN, OFFICE_TELL_PAYER
    from domain import naming
    from domain.plan_orders import BY_ITSELF, OrderKind
    from domain.plan_steps import Occasion, PlanOrderStep, ReturnVerdict, TellStep
    from domain.steps import ChargebackStep, DueInstalment, PlanStep
    from workflows.payment_plan import pursue
    from workflows.stepping import FORWARD, Fault, Stepping


async def follow_return(lifecycle: Stepping, step: ChargebackStep) -> None:
    """The receivable is open again whatever the code says, and no document is rectified (1.7.10)."""
    verdict = await lifecycle.step(
        OFFICE_JUDGE_RETURN, step, about=f"why {step.payment_id} came back", decisions=FORWARD
    )
    if verdict is None:
        return
    await _open_again(step)
    if verdict.answer == "retry" and verdict.retry_on is not None:
        await _try_again(lifecycle, step, verdict)
        return
    if verdict.plan_id:
        await _hold(lifecycle, step, verdict)
    if verdict.instalment_id:
        await _tell(lifecycle, step, verdict, "returned")
    words = (
        f"{step.chargeback_id}: the bank took {step.payment_id} back ({verdict.code}: {verdict.words}); "
        f"{'the plan is paused; ' if verdict.answer == 'stop' else ''}ask the payer for the money another way"
    )
    taken = await lifecycle.park(
        "lifecycle.dispute",
        step,
        Fault(kind="debit_returned", words=words),
        amount=step.amount,
        decisions=("skip",),
    )
    lifecycle.notes.append(f"{step.chargeback_id}: {taken.explanation}")


async def _open_again(step: ChargebackStep) -> None:
    """The plan counts the instalment among the open ones again; a plan that is over stays so."""
    plan = naming.plan_workflow(step.agency, step.booking_id)
    try:
        await workflow.get_external_workflow_handle(plan).signal("collected")
    except ApplicationError:
        workflow.logger.info("%s is over", plan)


async def _try_again(lifecycle: Stepping, step: ChargebackStep, verdict: ReturnVerdict) -> None:
    """Once, on a day that the payer is told of. Another return of the same instalment is a person's."""
    assert verdict.retry_on is not None
    plan = PlanStep(
        agency=step.agency, plan_id=verdict.plan_id, booking_id=step.booking_id, event_id=step.event_id, revision=0
    )
    due = DueInstalment(
        instalment_id=verdict.instalment_id,
        due_on=verdict.retry_on.date(),
        amount=step.amount,
        next_attempt=verdict.attempt,
    )
    # It goes its own way from here: the booking's mailbox does not wait for it.
    await pursue(plan, due, not_before=verdict.retry_on)
    await _tell(lifecycle, step, verdict, "retried")


async def _hold(lifecycle: Stepping, step: ChargebackStep, verdict: ReturnVerdict) -> None:
    """An account that is closed, or a mandate that is gone, ends the plan's debits; else only this instalment waits."""
    whole = verdict.answer == "stop"
    order: OrderKind = "pause" if whole else "stop"
    if not whole and not verdict.instalment_id:
        return
    await lifecycle.step(
        OFFICE_ORDER_PLAN,
        PlanOrderStep(
            agency=step.agency,
            lifecycle=step.lifecycle,
            plan_id=verdict.plan_id,
            booking_id=step.booking_id,
            order_id=f"{step.chargeback_id}/{order}",
            order=order,
            by=BY_ITSELF,
            why=f"{verdict.code}: {verdict.words}",
            instalment_id=None if whole else verdict.instalment_id,
        ),
        about=f"{verdict.code}: no more debits",
        decisions=FORWARD,
    )


async def _tell(lifecycle: Stepping, step: ChargebackStep, verdict: ReturnVerdict, occasion: Occasion) -> None:
    letter = TellStep(
        agency=step.agency,
        lifecycle=step.lifecycle,
        plan_id=verdict.plan_id,
        booking_id=step.booking_id,
        instalment_id=verdict.instalment_id,
        occasion=occasion,
        number=verdict.attempt,
        amount=step.amount,
        on=verdict.retry_on.date() if verdict.retry_on else None,
        code=verdict.code,
    )
    await lifecycle.step(OFFICE_TELL_PAYER, letter, about=f"tell: {occasion}", decisions=("retry", "adopt", "skip"))
