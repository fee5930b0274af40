"""From an accepted event to the read model: latest revision wins, money facts once (contracts: platform-events 4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import Connection, Row, Table, bindparam, delete, select, update

from domain.checks import discrepancies
from domain.desk import StoreReason
from domain.mailbox import MONEY_STAGES
from domain.money import Money
from domain.platform import Cancellation, EventData, Experience, Instalment, Payment, PaymentPlan
from domain.reporting import cost_of
from store.debts import keep_debts
from store.facts import (
    booking_money,
    bookings,
    chargeback_stages,
    experiences,
    logged_facts,
    payment_failures,
    payment_plans,
    payments,
    plan_instalments,
    refund_failures,
    refunds,
)
from store.supplier_orders import link
from store.tables import insert_for, insert_newest, insert_once

Verdict = Literal["applied", "superseded", "repeated", "parked"]


@dataclass(frozen=True, slots=True)
class Told:
    """One event on its way into the read model."""

    agency: str
    event_id: str
    kind: str
    occurred_at: datetime
    received_at: datetime
    data: EventData


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the event; a parked one has a reason, words for a person, and the money it concerns."""

    verdict: Verdict
    reason: str = ""
    detail: str = ""
    amount: Money | None = None


def project(connection: Connection, told: Told, *, trust_totals: bool = False) -> Outcome:
    """Apply the event in the transaction of `connection`. `trust_totals` is a person's override of a mismatch.

    Money flows whatever snapshot comes with it: its rules read none.
    """
    wrong = [] if trust_totals or told.kind in _MONEY else discrepancies(told.data)
    if wrong and not _came_too_late(connection, told.data, told.agency):
        amount = told.data.booking.totals.total if told.data.booking else None
        return Outcome("parked", StoreReason.TOTALS_MISMATCH, "; ".join(map(str, wrong))[:2000], amount)
    outcome = _RULES[told.kind](connection, told)
    booking_id = _whose_debt(told.data) if outcome.verdict in ("applied", "superseded") else None
    if booking_id is not None:
        keep_debts(connection, told.agency, [booking_id])
    return outcome


def _whose_debt(data: EventData) -> str | None:
    """The booking of which somebody may owe something else now."""
    if data.booking is not None:
        return data.booking.id
    about = data.payment_plan or data.refund or data.chargeback or (None if data.failure else data.payment)
    return None if about is None else about.booking_id


def _came_too_late(connection: Connection, data: EventData, agency: str) -> bool:
    """Whether a newer snapshot of the booking is known: what this one says wrong is then nobody's business any more."""
    if data.booking is None or data.payment_plan is not None:
        return False
    known = connection.scalar(
        select(bookings.c.revision).where(bookings.c.agency == agency, bookings.c.id == data.booking.id)
    )
    return known is not None and known > data.aggregate.revision


def _experience(connection: Connection, told: Told) -> Outcome:
    experience = told.data.experience
    assert experience is not None
    if told.data.cancellation is not None:
        _log(connection, told, told.data.cancellation.id, "experience_cancellation", told.data.cancellation)
    return _snapshot(
        connection, told, experiences, experience, told.data.aggregate.revision, _experience_row(experience)
    )


def _experience_row(experience: Experience) -> dict[str, Any]:
    return {"status": experience.status, "starts_on": experience.starts_on, "ends_on": experience.ends_on}


def _booking(connection: Connection, told: Told) -> Outcome:
    data, booking = told.data, told.data.booking
    assert booking is not None
    if isinstance(data.cancellation, Cancellation):
        _log(connection, told, data.cancellation.id, "cancellation", data.cancellation)
    if data.service_change is not None:
        _log(connection, told, data.service_change.id, "service_change", data.service_change)
    if data.discount is not None:
        _log(connection, told, f"{data.discount.id}:{data.action}", "discount", data.discount)
    if data.payment_plan is not None:
        _plan_snapshot(connection, told, data.payment_plan)
    link(connection, told.agency, booking)
    row = {
        "experience_id": booking.experience_id,
        "locator": booking.locator,
        "status": booking.status,
        "amount": booking.totals.total.amount,
        "currency": booking.currency,
        **{f"cost_{status}": cost_of(booking, status).amount for status in ("estimated", "confirmed", "invoiced")},
        "cancelled_at": booking.cancelled_at,
    }
    return _snapshot(connection, told, bookings, booking, data.aggregate.revision, row)


def _plan(connection: Connection, told: Told) -> Outcome:
    assert told.data.payment_plan is not None
    return _plan_snapshot(connection, told, told.data.payment_plan)


def _plan_snapshot(connection: Connection, told: Told, plan: PaymentPlan) -> Outcome:
    outcome = _snapshot(connection, told, payment_plans, plan, plan.revision, {"booking_id": plan.booking_id})
    if outcome.verdict == "applied":
        mine = (plan_instalments.c.agency == told.agency) & (plan_instalments.c.booking_id == plan.booking_id)
        connection.execute(delete(plan_instalments).where(mine))
        paid = set(connection.scalars(_PAID_INSTALMENTS, {"of_agency": told.agency, "of_booking": plan.booking_id}))
        rows = [_instalment_row(told, plan, each, settled=each.id in paid) for each in plan.installments]
        connection.execute(plan_instalments.insert(), rows)
    return outcome


def _instalment_row(told: Told, plan: PaymentPlan, instalment: Instalment, *, settled: bool) -> dict[str, Any]:
    return {
        "agency": told.agency,
        "booking_id": plan.booking_id,
        "id": instalment.id,
        "plan_id": plan.id,
        "seq": instalment.seq,
        "due_on": instalment.due_on,
        "status": instalment.status,
        "amount": instalment.amount.amount,
        "currency": instalment.amount.currency,
        "settled": settled or instalment.status == "paid",
    }


_PAID_INSTALMENTS = select(payments.c.instalment_id).where(
    payments.c.agency == bindparam("of_agency"),
    payments.c.booking_id == bindparam("of_booking"),
    payments.c.instalment_id.is_not(None),
)


@cache
def _more_money(dialect: str) -> Any:
    statement = insert_for(dialect, booking_money)
    return statement.on_conflict_do_update(
        index_elements=["agency", "booking_id", "currency"],
        set_={name: booking_money.c[name] + statement.excluded[name] for name in ("collected", "refunded", "disputed")},
    )


def _count(connection: Connection, told: Told, booking_id: str, kind: str, amount: int, currency: str) -> None:
    """Money of a fact that was inserted just now, and therefore counts once."""
    row: dict[str, Any] = {"agency": told.agency, "booking_id": booking_id, "currency": currency}
    row |= {"collected": 0, "refunded": 0, "disputed": 0, kind: amount}
    connection.execute(_more_money(connection.dialect.name), row)


def _captured(connection: Connection, told: Told) -> Outcome:
    payment = told.data.payment
    assert payment is not None
    if payment.captured_at is None:
        payment = payment.model_copy(update={"captured_at": told.occurred_at})
    row = {
        "booking_id": payment.booking_id,
        "processor": payment.processor.name,
        "payment_ref": payment.processor.payment_ref,
        "amount": payment.amount.amount,
        "currency": payment.amount.currency,
    }
    extra = {
        "method": payment.method,
        "captured_at": payment.captured_at,
        "instalment_id": payment.installment_id,
    }
    outcome = _once(connection, told, payments, payment.id, payment, row | extra, same=row, amount=payment.amount)
    if outcome is not None and outcome.verdict == "applied":
        _count(connection, told, payment.booking_id, "collected", payment.amount.amount, payment.amount.currency)
        if payment.installment_id is not None:
            own = plan_instalments.c
            connection.execute(
                update(plan_instalments)
                .where(
                    own.agency == told.agency, own.booking_id == payment.booking_id, own.id == payment.installment_id
                )
                .values(settled=True)
            )
    return outcome or _clash(connection, told, payment)


def _clash(connection: Connection, told: Told, payment: Payment) -> Outcome:
    """Another payment id has the same processor reference: the same money told twice, or a broken reference."""
    pair = payment.processor
    other = connection.scalar(
        select(payments.c.id).where(
            payments.c.agency == told.agency,
            payments.c.processor == pair.name,
            payments.c.payment_ref == pair.payment_ref,
        )
    )
    detail = f"{payment.id} has the processor reference of {other}: {pair.name} {pair.payment_ref}"
    return Outcome("parked", StoreReason.PAYMENT_REF_CLASH, detail, payment.amount)


def _failed(connection: Connection, told: Told) -> Outcome:
    payment, failure = told.data.payment, told.data.failure
    assert payment is not None
    assert failure is not None
    row = {"payment_id": payment.id, "booking_id": payment.booking_id}
    outcome = _once(connection, told, payment_failures, failure.attempt, failure, row, same=row, amount=payment.amount)
    assert outcome is not None
    return outcome


def _refunded(connection: Connection, told: Told) -> Outcome:
    refund = told.data.refund
    assert refund is not None
    same = {
        "payment_id": refund.payment_id,
        "booking_id": refund.booking_id,
        "amount": refund.amount.amount,
        "currency": refund.amount.currency,
    }
    row = same | {"status": refund.status}
    outcome = _once(connection, told, refunds, refund.id, refund, row, same=same, amount=refund.amount)
    assert outcome is not None
    if outcome.verdict == "applied" and not _known(connection, told, refund_failures, refund.id):
        _count(connection, told, refund.booking_id, "refunded", refund.amount.amount, refund.amount.currency)
    if outcome.verdict == "repeated" and refund.status == "succeeded":
        # What a planner declared is now confirmed by the processor: the same money, better known.
        connection.execute(
            refunds.update()
            .where(refunds.c.agency == told.agency, refunds.c.id == refund.id, refunds.c.status == "declared")
            .values(status=refund.status, body=refund.model_dump_json())
        )
    return outcome


def _refund_failed(connection: Connection, told: Told) -> Outcome:
    refund = told.data.refund
    assert refund is not None
    outcome = _once(connection, told, refund_failures, refund.id, refund, {}, same={}, amount=refund.amount)
    assert outcome is not None
    stood = _known(connection, told, refunds, refund.id) if outcome.verdict == "applied" else None
    if stood is not None:
        _count(connection, told, stood.booking_id, "refunded", -stood.amount, stood.currency)
    return outcome


def _chargeback(connection: Connection, told: Told) -> Outcome:
    chargeback = told.data.chargeback
    assert chargeback is not None
    same = {
        "chargeback_id": chargeback.id,
        "stage": chargeback.stage,
        "payment_id": chargeback.payment_id,
        "booking_id": chargeback.booking_id,
        "amount": chargeback.amount.amount,
        "currency": chargeback.amount.currency,
    }
    row = same | {"revision": told.data.aggregate.revision}
    key = f"{chargeback.id}:{chargeback.stage}"
    outcome = _once(connection, told, chargeback_stages, key, chargeback, row, same=same, amount=chargeback.amount)
    assert outcome is not None
    if outcome.verdict == "applied" and chargeback.stage in MONEY_STAGES:
        amount = -chargeback.amount.amount if chargeback.stage == "won" else chargeback.amount.amount
        _count(connection, told, chargeback.booking_id, "disputed", amount, chargeback.amount.currency)
    return outcome


_MONEY: dict[str, Callable[[Connection, Told], Outcome]] = {
    "payment.captured": _captured,
    "payment.failed": _failed,
    "payment.refunded": _refunded,
    "payment.refund_failed": _refund_failed,
    "payment.chargeback": _chargeback,
}
_RULES: dict[str, Callable[[Connection, Told], Outcome]] = {
    **dict.fromkeys(("experience.created", "experience.updated", "experience.cancelled"), _experience),
    **dict.fromkeys(
        (
            "booking.created",
            "booking.modified",
            "booking.service_changed",
            "booking.discount_applied",
            "booking.cancelled",
        ),
        _booking,
    ),
    **dict.fromkeys(("payment_plan.created", "payment_plan.changed"), _plan),
    **_MONEY,
}


def _snapshot(
    connection: Connection, told: Told, table: Table, snapshot: Any, revision: int, row: dict[str, Any]
) -> Outcome:
    """Latest revision wins, whatever the order of arrival."""
    values = row | _fact_row(told, snapshot.id, snapshot) | {"revision": revision}
    statement = insert_newest(connection.dialect.name, table, tuple(values))
    return Outcome("applied" if connection.execute(statement, values).rowcount == 1 else "superseded")


def _once(
    connection: Connection,
    told: Told,
    table: Table,
    key: str,
    fact: Any,
    row: dict[str, Any],
    *,
    same: dict[str, Any],
    amount: Money,
) -> Outcome | None:
    """A fact by its own id: inserted once; told again it must say the same in the columns `same`.

    None when it is refused by another unique key of the table.
    """
    inserted = connection.execute(insert_once(connection.dialect.name, table), row | _fact_row(told, key, fact))
    if inserted.rowcount == 1:
        return Outcome("applied")
    known = connection.execute(select(table).where(table.c.agency == told.agency, table.c.id == key)).one_or_none()
    if known is None:
        return None
    changed = [name for name, value in same.items() if known._mapping[name] != value]
    if not changed:
        return Outcome("repeated")
    detail = f"{key} was told before by {known.event_id} with another {', '.join(changed)}"
    return Outcome("parked", StoreReason.FACT_CONTRADICTION, detail, amount)


def _known(connection: Connection, told: Told, table: Table, key: str) -> Row[Any] | None:
    return connection.execute(select(table).where(table.c.agency == told.agency, table.c.id == key)).one_or_none()


def _log(connection: Connection, told: Told, key: str, kind: str, fact: Any) -> None:
    """Keep a fact that came with a snapshot; a later revision of it (a penalty decided) replaces it."""
    aggregate = told.data.aggregate
    values = _fact_row(told, key, fact) | {"kind": kind, "revision": aggregate.revision, "aggregate_id": aggregate.id}
    connection.execute(insert_newest(connection.dialect.name, logged_facts, tuple(values)), values)


def _fact_row(told: Told, key: str, fact: Any) -> dict[str, Any]:
    return {
        "agency": told.agency,
        "id": key,
        "event_id": told.event_id,
        "body": fact.model_dump_json(by_alias=True),
        "updated_at": told.received_at,
    }
