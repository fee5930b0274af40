"""The read model: newest snapshots and money facts as the platform told them (contracts: platform-events 4, 5).

`store.projection` writes it, in the transaction that accepts the event.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    Column,
    Connection,
    Date,
    Index,
    Integer,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    exists,
    func,
    select,
)

from domain.errors import ContractBroken
from domain.platform import (
    Booking,
    Cancellation,
    Chargeback,
    Discount,
    EventData,
    Experience,
    ExperienceCancellation,
    Failure,
    Payment,
    PaymentPlan,
    Refund,
    ServiceChange,
)
from store.database import Database
from store.effect_tables import effects
from store.events import events
from store.parked import OPEN, parked_items
from store.tables import Instant, agency_column, id_column, metadata, money_columns

M = TypeVar("M", bound=BaseModel)


def _fact_table(name: str, *columns: Any) -> Table:
    """A table of facts: key, the event that told it, and the whole fact as JSON in `body`."""
    return Table(
        name,
        metadata,
        agency_column(primary_key=True),
        id_column("id", primary_key=True),
        id_column("event_id"),
        Column("body", Text, nullable=False),
        Column("updated_at", Instant, nullable=False),
        *columns,
    )


experiences = _fact_table(
    "experiences",
    Column("revision", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Index(None, "agency", "starts_on", "id"),
)
bookings = _fact_table(
    "bookings",
    Column("revision", Integer, nullable=False),
    id_column("experience_id"),
    id_column("locator"),
    Column("status", String(20), nullable=False),
    *money_columns(),
    # Minor units of the same currency, by how sure they are: lists add them up without opening a snapshot.
    Column("cost_estimated", BigInteger, nullable=False, server_default="0"),
    Column("cost_confirmed", BigInteger, nullable=False, server_default="0"),
    Column("cost_invoiced", BigInteger, nullable=False, server_default="0"),
    Column("cancelled_at", Instant),
    Index(None, "agency", "experience_id"),
    Index(None, "agency", "updated_at", "id"),
    Index(None, "agency", "status", "updated_at", "id"),
    Index(None, "agency", "locator"),
)
payment_plans = _fact_table(
    "payment_plans",
    Column("revision", Integer, nullable=False),
    id_column("booking_id"),
    Index(None, "agency", "booking_id"),
)
plan_instalments = Table(
    "plan_instalments",
    metadata,
    agency_column(primary_key=True),
    id_column("booking_id", primary_key=True),
    id_column("id", primary_key=True),
    id_column("plan_id"),
    Column("seq", Integer, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("status", String(20), nullable=False),
    *money_columns(),
    Column("settled", Boolean, nullable=False),
    Index(None, "agency", "due_on", "booking_id", "id"),
)
"""The instalments of the newest plan of each booking, as the platform told them; `settled`: it was paid once, whatever became of
that money since."""
booking_money = Table(
    "booking_money",
    metadata,
    agency_column(primary_key=True),
    id_column("booking_id", primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("collected", BigInteger, nullable=False),
    Column("refunded", BigInteger, nullable=False),
    Column("disputed", BigInteger, nullable=False),
)
"""Money of each booking added up: captured, refunds that stand, and what chargebacks took and did not give back."""
payments = _fact_table(
    "payments",
    id_column("booking_id"),
    id_column("processor"),
    id_column("payment_ref"),
    Column("method", String(20), nullable=False),
    *money_columns(),
    Column("captured_at", Instant, nullable=False),
    id_column("instalment_id", nullable=True),
    Index(None, "agency", "booking_id", "currency", "amount"),
    Index(None, "agency", "captured_at"),
    Index(None, "agency", "payment_ref"),
    UniqueConstraint("agency", "processor", "payment_ref"),
)
payment_failures = _fact_table(
    "payment_failures",
    id_column("payment_id"),
    id_column("booking_id"),
    Index(None, "agency", "booking_id"),
)
refunds = _fact_table(
    "refunds",
    id_column("payment_id"),
    id_column("booking_id"),
    Column("status", String(20), nullable=False),
    *money_columns(),
    Index(None, "agency", "booking_id"),
    Index(None, "agency", "payment_id"),
)
refund_failures = _fact_table("refund_failures")
chargeback_stages = _fact_table(
    "chargeback_stages",
    id_column("chargeback_id"),
    Column("stage", String(20), nullable=False),
    Column("revision", Integer, nullable=False),
    id_column("payment_id"),
    id_column("booking_id"),
    *money_columns(),
    Index(None, "agency", "booking_id"),
)
logged_facts = _fact_table(
    "logged_facts",
    Column("kind", String(40), nullable=False),
    Column("revision", Integer, nullable=False),
    id_column("aggregate_id"),
    Index(None, "agency", "aggregate_id"),
)
"""Cancellations, discounts and service changes: kept even when the snapshot they came with was superseded."""


class _Body(BaseModel):
    """The part of a stored event body that facts are read from."""

    model_config = ConfigDict(extra="ignore")

    data: EventData


_PLAN_OF = (
    select(payment_plans.c.id)
    .where(payment_plans.c.agency == bindparam("of_agency"), payment_plans.c.booking_id == bindparam("of_booking"))
    .order_by(payment_plans.c.updated_at.desc(), payment_plans.c.revision.desc())
    .limit(1)
)


def plan_of(connection: Connection, agency: str, booking_id: str) -> str | None:
    """The id of a booking's newest plan, within an open transaction."""
    found: str | None = connection.scalar(_PLAN_OF, {"of_agency": agency, "of_booking": booking_id})
    return found


def data_of_body(body: bytes) -> EventData:
    """Parse the `data` of a stored body; raises `ContractBroken` naming the path, never the value."""
    try:
        return _Body.model_validate_json(body).data
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = "/".join(str(part) for part in first["loc"])
        raise ContractBroken(f"event body: {where}: {first['type']}", system="store") from None


_agency: BindParameter[str] = bindparam("of_agency")
_id: BindParameter[str] = bindparam("of_id")
_EVENT_BODY = select(events.c.body).where(events.c.agency == _agency, events.c.event_id == _id)
_LOGGED = (
    select(logged_facts.c.body)
    .where(
        logged_facts.c.agency == _agency,
        logged_facts.c.aggregate_id == _id,
        logged_facts.c.kind == bindparam("of_kind"),
    )
    .order_by(logged_facts.c.revision, logged_facts.c.id)
)
_STANDING_REFUNDS = (
    select(refunds.c.body)
    .where(
        refunds.c.agency == _agency,
        refunds.c.booking_id == _id,
        ~exists().where(refund_failures.c.agency == refunds.c.agency, refund_failures.c.id == refunds.c.id),
    )
    .order_by(refunds.c.updated_at, refunds.c.id)
)
_FAILED_REFUNDS = (
    select(refunds.c.body)
    .where(
        refunds.c.agency == _agency,
        refunds.c.booking_id == _id,
        exists().where(refund_failures.c.agency == refunds.c.agency, refund_failures.c.id == refunds.c.id),
    )
    .order_by(refunds.c.updated_at, refunds.c.id)
)
# Built once, like the two below: building a statement costs more than running it.


@cache
def _body_of(table: Table) -> Select[Any]:
    return select(table.c.body).where(table.c.agency == _agency, table.c.id == _id)


@cache
def _bodies_of_booking(table: Table, *order: Column[Any]) -> Select[Any]:
    return select(table.c.body).where(table.c.agency == _agency, table.c.booking_id == _id).order_by(*order)


_DECLINES = (
    select(events.c.body)
    .join(
        payment_failures,
        (payment_failures.c.agency == events.c.agency) & (payment_failures.c.event_id == events.c.event_id),
    )
    .where(payment_failures.c.agency == _agency, payment_failures.c.booking_id == _id)
    .order_by(payment_failures.c.updated_at, payment_failures.c.id)
)


class Facts:
    """Reads the read model. Absence is None or an empty list, except where an event is named."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def experience(self, agency: str, experience_id: str) -> Experience | None:
        return self._one(Experience, experiences, agency, experience_id)

    def booking(self, agency: str, booking_id: str) -> Booking | None:
        """The newest revision."""
        return self._one(Booking, bookings, agency, booking_id)

    def booking_revision(self, agency: str, booking_id: str) -> int:
        """The revision of `booking`, 0 when it is unknown."""
        with self._database.read() as connection:
            revision = connection.scalar(
                select(bookings.c.revision).where(bookings.c.agency == agency, bookings.c.id == booking_id)
            )
        return int(revision or 0)

    def event_data(self, agency: str, event_id: str) -> EventData:
        """What an event said; raises `ContractBroken` when it is unknown or unusable."""
        with self._database.read() as connection:
            body = connection.scalar(_EVENT_BODY, {"of_agency": agency, "of_id": event_id})
        if body is None:
            raise ContractBroken(f"no event {event_id}", system="store")
        return data_of_body(body)

    def booking_in(self, agency: str, event_id: str) -> Booking:
        """The booking as that event told it; raises `ContractBroken` when the event carries none."""
        booking = self.event_data(agency, event_id).booking
        if booking is None:
            raise ContractBroken(f"event {event_id} carries no booking", system="store")
        return booking

    def payment(self, agency: str, payment_id: str) -> Payment | None:
        """A captured payment; attempts that failed are in `failures_of`."""
        return self._one(Payment, payments, agency, payment_id)

    def payments_of(self, agency: str, booking_id: str) -> list[Payment]:
        """Captured payments by time of capture."""
        return self._of_booking(Payment, payments, agency, booking_id, payments.c.captured_at, payments.c.id)

    def failures_of(self, agency: str, booking_id: str) -> list[Failure]:
        return self._of_booking(Failure, payment_failures, agency, booking_id, payment_failures.c.updated_at)

    def declines_of(self, agency: str, booking_id: str) -> list[tuple[Payment, Failure]]:
        """Attempts that failed with what was said of them, oldest first."""
        told = [data_of_body(body) for body in self._bodies(_DECLINES, of_agency=agency, of_id=booking_id)]
        return [(data.payment, data.failure) for data in told if data.payment is not None and data.failure is not None]

    def wants_consent(self, agency: str, plan: PaymentPlan) -> bool:
        """Whether the newest change beyond what the payer had agreed to came after the mandate was signed (1.7.2)."""
        signed_at = plan.mandate.signed_at if plan.mandate else None
        query = (
            select(events.c.occurred_at, events.c.body)
            .where(events.c.agency == agency, events.c.booking_id == plan.booking_id)
            .where(events.c.aggregate_id == plan.id, events.c.kind == "payment_plan.changed")
        )
        with self._database.read() as connection:
            told = connection.execute(query).all()
        return any(data_of_body(body).sca_required for at, body in told if signed_at is None or at > signed_at)

    def refund(self, agency: str, refund_id: str) -> Refund | None:
        """A refund, also one that failed after it was announced."""
        return self._one(Refund, refunds, agency, refund_id)

    def refund_failed(self, agency: str, refund_id: str) -> bool:
        return self._one(Refund, refund_failures, agency, refund_id) is not None

    def refund_failure_event(self, agency: str, refund_id: str) -> str | None:
        """The event that told the failure of a refund."""
        with self._database.read() as connection:
            found: str | None = connection.scalar(
                select(refund_failures.c.event_id).where(
                    refund_failures.c.agency == agency, refund_failures.c.id == refund_id
                )
            )
        return found

    def failed_refunds_of(self, agency: str, booking_id: str) -> list[Refund]:
        """Refunds that were announced and then failed."""
        return self._all(Refund, _FAILED_REFUNDS, of_agency=agency, of_id=booking_id)

    def refunds_of(self, agency: str, booking_id: str) -> list[Refund]:
        """Refunds that stand: announced and not failed afterwards."""
        return self._all(Refund, _STANDING_REFUNDS, of_agency=agency, of_id=booking_id)

    def chargebacks_of(self, agency: str, booking_id: str) -> list[Chargeback]:
        """Every stage that was told, in the order of revisions."""
        columns = chargeback_stages.c
        return self._of_booking(
            Chargeback, chargeback_stages, agency, booking_id, columns.chargeback_id, columns.revision
        )

    def chargeback(self, agency: str, chargeback_id: str, stage: str) -> Chargeback | None:
        return self._one(Chargeback, chargeback_stages, agency, f"{chargeback_id}:{stage}")

    def cancellations_of(self, agency: str, booking_id: str) -> list[Cancellation]:
        return self._logged(Cancellation, "cancellation", agency, booking_id)

    def cancellation(self, agency: str, cancellation_id: str) -> Cancellation | None:
        return self._one(Cancellation, logged_facts, agency, cancellation_id)

    def experience_cancellation(self, agency: str, experience_id: str) -> ExperienceCancellation | None:
        found = self._logged(ExperienceCancellation, "experience_cancellation", agency, experience_id)
        return found[-1] if found else None

    def discounts_of(self, agency: str, booking_id: str) -> list[Discount]:
        """Discounts as they were applied; a revoked one is listed once more, see `logged_facts`."""
        return self._logged(Discount, "discount", agency, booking_id)

    def service_changes_of(self, agency: str, booking_id: str) -> list[ServiceChange]:
        return self._logged(ServiceChange, "service_change", agency, booking_id)

    def plan(self, agency: str, booking_id: str) -> PaymentPlan | None:
        """The newest plan of a booking."""
        found = self._of_booking(
            PaymentPlan, payment_plans, agency, booking_id, payment_plans.c.updated_at, payment_plans.c.revision
        )
        return found[-1] if found else None

    def plan_told_at(self, agency: str, plan: PaymentPlan) -> datetime:
        """When the platform told the plan as it stands, by its own clock."""
        query = (
            select(events.c.occurred_at)
            .join(
                payment_plans,
                (payment_plans.c.agency == events.c.agency) & (payment_plans.c.event_id == events.c.event_id),
            )
            .where(payment_plans.c.agency == agency, payment_plans.c.id == plan.id)
        )
        with self._database.read() as connection:
            told_at: datetime = connection.execute(query).scalar_one()
        return told_at

    def experiences(self, agency: str) -> list[Experience]:
        """All experiences, by start."""
        query = select(experiences.c.body).where(experiences.c.agency == agency)
        return self._all(Experience, query.order_by(experiences.c.starts_on, experiences.c.id))

    def bookings(self, agency: str, experience_id: str | None = None) -> list[Booking]:
        """All bookings, or those of one experience, by id."""
        query = select(bookings.c.body).where(bookings.c.agency == agency).order_by(bookings.c.id)
        if experience_id is not None:
            query = query.where(bookings.c.experience_id == experience_id)
        return self._all(Booking, query)

    def bookings_after(self, agency: str, booking_id: str, limit: int) -> list[Booking]:
        """The next bookings by id, behind that one; an empty id begins."""
        query = select(bookings.c.body).where(bookings.c.agency == agency, bookings.c.id > booking_id)
        return self._all(Booking, query.order_by(bookings.c.id).limit(limit))

    def not_begun(self, agency: str, system: str) -> int:
        """How many bookings a system has not begun with, without those of which a person is asked already."""
        begun = exists().where(
            effects.c.agency == bookings.c.agency, effects.c.booking_id == bookings.c.id, effects.c.system == system
        )
        asked = exists().where(
            parked_items.c.agency == bookings.c.agency,
            parked_items.c.booking_id == bookings.c.id,
            parked_items.c.state == OPEN,
        )
        query = select(func.count()).select_from(bookings).where(bookings.c.agency == agency, ~begun, ~asked)
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def _one(self, kind: type[M], table: Table, agency: str, key: str) -> M | None:
        with self._database.read() as connection:
            body = connection.scalar(_body_of(table), {"of_agency": agency, "of_id": key})
        return None if body is None else kind.model_validate_json(body)

    def _of_booking(self, kind: type[M], table: Table, agency: str, booking_id: str, *order: Any) -> list[M]:
        return self._all(kind, _bodies_of_booking(table, *order), of_agency=agency, of_id=booking_id)

    def _logged(self, model: type[M], kind: str, agency: str, aggregate_id: str) -> list[M]:
        return self._all(model, _LOGGED, of_agency=agency, of_id=aggregate_id, of_kind=kind)

    def _all(self, kind: type[M], query: Select[Any], **wanted: str) -> list[M]:
        return [kind.model_validate_json(body) for body in self._bodies(query, **wanted)]

    def _bodies(self, query: Select[Any], **wanted: str) -> Sequence[Any]:
        with self._database.read() as connection:
            return connection.scalars(query, wanted).all()
