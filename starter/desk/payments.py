"""Payments as people look for them, and one of them with both sides and what may be done (contracts: payment-sync 5, 8)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from domain.money import Money
from domain.payment_sync import (
    CAUSES,
    SHOWN_AS,
    UNSYNCHRONISED,
    Evidence,
    Kind,
    PaymentSync,
    State,
    Transition,
    cause_of,
    offers,
)
from domain.payment_sync.commands import COMMANDS
from domain.payment_sync.verdicts import NEAR, same_code
from domain.people import Role
from domain.platform import Payment
from starter.desk.acting import Acting, BackOffice
from starter.desk.refusals import NotFound, Unclear
from store.audit_trail import Deed
from store.payment_lists import BrokenPlace, Face, Order, PaymentFilter, Place
from store.payment_sync import SyncedPayment

AT_A_TIME = 500
"""Payments read at once for an export."""
UNSYNCHRONISED_WORDS = SHOWN_AS[State.UNSYNCED]
COLUMNS = ("agency", "payment", "booking", "locator", "customer", "invoice", "authorisation", "reference", "amount",
           "currency", "status", "state", "cause", "reason", "claimed by", "captured", "since", "age hours",
           "suggested")  # fmt: skip


class Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class PaymentRow(Shown):
    """One payment of a list."""

    agency: str
    payment: str
    booking: str
    locator: str = Field(description="The booking's short name for people.")
    customer: str = Field(description="The payer's name; masked for viewers.")
    invoices: tuple[str, ...] = Field(description="Numbers of the ERP's invoices for this payment.")
    authorisation: str
    reference: str = Field(description="The processor's reference of the payment.")
    method: str
    amount: Money
    connector: str = Field(description="The ERP.")
    state: State
    shown_as: str = Field(description="The state in the words of the people who look at payments.")
    unsynchronised: bool = Field(description="Whether it is paid and not synchronised.")
    cause: str = Field(description="Why it waits, in one word; empty when nothing is wrong.")
    reason: str = Field(description="Why it waits, in the ERP's words.")
    suggestion: str = Field(description="The command that is proposed; empty when none is.")
    claimed_by: str | None
    claimed_until: datetime | None
    captured_at: datetime
    since: datetime = Field(description="Since when it stands in this state.")
    age_seconds: int = Field(description="Since it was captured.")
    version: int = Field(description="Grows with every move; a command names the version that the person saw.")
    workflow_id: str
    workflow_page: str = Field(description="The workflow in Temporal UI.")


class PaymentsPage(Shown):
    items: tuple[PaymentRow, ...]
    next: str | None = Field(description="Give it as `after` to get the next page; null on the last.")


class WaitingCause(Shown):
    """How many payments wait for the same reason."""

    cause: str
    number: int
    oldest: datetime


class Side(Shown):
    """One receipt of the ERP beside the payment; `same` names the fields that say the same on both sides."""

    id: str
    amount: Money
    reference: str
    authorisation: str
    method: str
    day: str
    user: str
    ours: bool = Field(description="It carries our own key.")
    same: tuple[str, ...]


class Ours(Shown):
    """The payment's side of the comparison."""

    amount: Money
    reference: str
    authorisation: str
    method: str
    processor: str
    card: str
    day: str


class Allowed(Shown):
    """A command, and the reason why it is off; empty when it may be given now."""

    command: Kind
    why_not: str


class Failed(Shown):
    """The last answer of the ERP that was an error, in full."""

    at: datetime
    words: str


class PaymentDetail(PaymentRow):
    """A payment with the evidence on both sides, its way so far, and what may be done now."""

    ours: Ours
    receipts: tuple[Side, ...]
    evidence: Evidence | None = Field(description="The last look at the ERP, with its verdict.")
    last_error: Failed | None
    timeline: tuple[Transition, ...]
    actions: tuple[Allowed, ...]


def list_payments(
    office: BackOffice,
    acting: Acting,
    wanted: PaymentFilter,
    *,
    agency: str | None = None,
    order: Order = "urgent",
    after: str | None = None,
    limit: int = 50,
) -> PaymentsPage:
    """One page. Raises `NotFound` for an agency, `Unclear` for an unknown cause or a broken `after`."""
    _check(wanted)
    try:
        place = None if after is None else Place.parse(after)
    except BrokenPlace as error:
        raise Unclear(f"after: {error}") from None
    agencies = acting.agencies(office, agency)
    page = office.store.payment_lists.page(agencies, wanted, order=order, after=place, limit=limit)
    return PaymentsPage(items=_rows(office, acting, page.payments), next=None if page.next is None else str(page.next))


def waiting(office: BackOffice, acting: Acting, agency: str | None = None) -> list[WaitingCause]:
    """What is paid and not synchronised, counted by cause; the cause of the oldest first."""
    found = office.store.payment_lists.waiting(acting.agencies(office, agency))
    return [WaitingCause(cause=each.cause, number=each.number, oldest=each.oldest) for each in found]


def show_payment(office: BackOffice, acting: Acting, agency: str, payment: str) -> PaymentDetail:
    """Everything about one payment. Raises `NotFound`."""
    found = find(office, acting, agency, payment)
    (row,) = _rows(office, acting, [found])
    paid = office.store.facts.payment(agency, payment)
    lines = office.store.payment_sync.transitions(agency, payment)
    failed = next((line for line in reversed(lines) if line.event is Kind.FAILED), None)
    ours, evidence = _ours(found.sync, paid), found.sync.evidence
    return PaymentDetail(
        **dict(row),
        ours=ours,
        receipts=_sides(row.captured_at, ours, evidence),
        evidence=evidence,
        last_error=None if failed is None else Failed(at=failed.at, words=failed.reason),
        timeline=tuple(lines),
        actions=_allowed(found.sync, acting, office.now()),
    )


def with_evidence(found: PaymentDetail, evidence: Evidence) -> PaymentDetail:
    """The same payment beside another, newer look at the ERP."""
    captured = found.captured_at
    return found.model_copy(update={"evidence": evidence, "receipts": _sides(captured, found.ours, evidence)})


def exported(
    office: BackOffice, acting: Acting, wanted: PaymentFilter, *, agency: str | None = None, order: Order = "urgent"
) -> Iterator[tuple[object, ...]]:
    """Every payment that fits, as rows under `COLUMNS`; read page by page while it is written. In the audit trail.

    What is wrong with the question is said at once, as by `list_payments`.
    """
    first = list_payments(office, acting, wanted, agency=agency, order=order, limit=AT_A_TIME)
    asked = wanted.model_dump_json(exclude_defaults=True)
    deed = Deed(acting.person.name, "payment.export", "payments", why=asked, agency=agency, way=acting.way)
    office.store.audit_trail.write(deed)

    def rows() -> Iterator[tuple[object, ...]]:
        page = first
        while True:
            yield from (as_cells(row) for row in page.items)
            if page.next is None:
                return
            page = list_payments(office, acting, wanted, agency=agency, order=order, after=page.next, limit=AT_A_TIME)

    return rows()


def as_cells(row: PaymentRow) -> tuple[object, ...]:
    """Under `COLUMNS`."""
    return (
        row.agency,
        row.payment,
        row.booking,
        row.locator,
        row.customer,
        " ".join(row.invoices),
        row.authorisation,
        row.reference,
        row.amount.decimal,
        row.amount.currency,
        row.shown_as,
        row.state.value,
        row.cause,
        row.reason,
        row.claimed_by or "",
        f"{row.captured_at:%Y-%m-%d %H:%M}",
        f"{row.since:%Y-%m-%d %H:%M}",
        f"{row.age_seconds / 3600:.1f}",
        row.suggestion.replace("_", "-"),
    )


def find(office: BackOffice, acting: Acting, agency: str, payment: str) -> SyncedPayment:
    """Raises `NotFound`."""
    found = office.store.payment_sync.get(agency, payment) if acting.person.sees(agency) else None
    if found is None:
        raise NotFound(f"{agency} has no payment {payment}; see 'bookings payment list'")
    return found


def states_called(words: str | None) -> frozenset[State]:
    """States by their code, or by a part of the words shown; "Pagado sin sincronizar" is a view of nine. Raises `Unclear`."""
    if not words:
        return frozenset()
    sought = words.strip().lower()
    if sought in (UNSYNCHRONISED_WORDS.lower(), "unsynchronised"):
        return UNSYNCHRONISED
    found = frozenset(state for state in State if sought == state.value or sought in SHOWN_AS[state].lower())
    if not found:
        raise Unclear(f"no status is called '{words}'; try '{UNSYNCHRONISED_WORDS}', 'Pagado' or 'Devuelto'")
    return found


def masked(name: str, acting: Acting) -> str:
    """A viewer sees initials of people."""
    if acting.person.may(Role.OPERATOR):
        return name
    return " ".join(f"{part[0]}." for part in name.split())


def _check(wanted: PaymentFilter) -> None:
    unknown = wanted.causes - set(CAUSES)
    if unknown:
        raise Unclear(f"no reason is called '{min(unknown)}'; reasons are: {', '.join(CAUSES)}")


def _rows(office: BackOffice, acting: Acting, found: list[SyncedPayment]) -> tuple[PaymentRow, ...]:
    faces, now = office.store.payment_lists.faces(found), office.now()
    return tuple(
        PaymentRow(**_row(office, acting, each, faces[each.agency, each.sync.payment_id], now)) for each in found
    )


def _row(office: BackOffice, acting: Acting, found: SyncedPayment, face: Face, now: datetime) -> dict[str, Any]:
    sync, paid = found.sync, face.payment
    captured = sync.captured_at or sync.since
    return {
        "agency": found.agency,
        "payment": sync.payment_id,
        "booking": found.booking_id,
        "locator": face.locator,
        "customer": masked(face.customer, acting),
        "invoices": face.invoices,
        "authorisation": (paid.processor.authorization_code or "") if paid else "",
        "reference": paid.processor.payment_ref if paid else "",
        "method": paid.method if paid else "",
        "amount": sync.amount,
        "connector": found.connector,
        "state": sync.state,
        "shown_as": SHOWN_AS[sync.state],
        "unsynchronised": sync.state in UNSYNCHRONISED,
        "cause": cause_of(sync),
        "reason": sync.reason,
        "suggestion": sync.suggestion,
        "claimed_by": sync.claimed_by,
        "claimed_until": sync.claimed_until,
        "captured_at": captured,
        "since": sync.since,
        "age_seconds": max(0, int((now - captured).total_seconds())),
        "version": sync.version,
        "workflow_id": found.workflow_id,
        "workflow_page": office.workflow_page(found.workflow_id),
    }


def _ours(sync: PaymentSync, paid: Payment | None) -> Ours:
    return Ours(
        amount=sync.amount,
        reference=paid.processor.payment_ref if paid else "",
        authorisation=(paid.processor.authorization_code or "") if paid else "",
        method=paid.method if paid else "",
        processor=paid.processor.name if paid else "",
        card=f"…{paid.card.last4}" if paid and paid.card else "",
        day=f"{sync.captured_at:%Y-%m-%d}" if sync.captured_at else "",
    )


def _sides(captured_at: datetime, ours: Ours, evidence: Evidence | None) -> tuple[Side, ...]:
    found = []
    for receipt in evidence.receipts if evidence else ():
        same = {
            "amount": receipt.amount == ours.amount,
            "reference": same_code(receipt.reference, ours.reference),
            "authorisation": same_code(receipt.auth_code, ours.authorisation),
            "method": receipt.by_gateway,
            "day": abs(receipt.on - captured_at.date()) <= NEAR,
        }
        found.append(
            Side(
                id=receipt.id,
                amount=receipt.amount,
                reference=receipt.reference,
                authorisation=receipt.auth_code,
                method=receipt.method,
                day=receipt.on.isoformat(),
                user=receipt.user,
                ours=evidence is not None and evidence.ours and evidence.receipt_id == receipt.id,
                same=tuple(name for name, holds in same.items() if holds),
            )
        )
    return tuple(found)


def _allowed(sync: PaymentSync, acting: Acting, now: datetime) -> tuple[Allowed, ...]:
    if not acting.person.may(Role.OPERATOR):
        words = f"the role {acting.person.role} looks on"
        return tuple(Allowed(command=kind, why_not=words) for kind in COMMANDS)
    may = offers(sync, now, acting.person.name, acting.payment_role)
    return tuple(Allowed(command=Kind(name), why_not=why_not) for name, why_not in may.items())
