"""Everything that happened to one booking, in every system, on one line of time (DESIGN 7).

Told by the events, the effects, the moves of its payments, items and decisions, documents, entries, AirPlus' lines and
answers, the mid-office's lines, orders of suppliers and of people, and the deals that brought its payments.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, union

from domain.money import Money
from store.database import Database
from store.documents import documents
from store.effect_tables import effects
from store.events import events
from store.facts import payments
from store.journal_tables import journal_entries, journal_postings
from store.lifecycles import lifecycles
from store.parked import decisions_taken, parked_items
from store.payment_request_tables import deal_documents, link_payments, payment_request_moves, payment_requests
from store.payment_sync import payment_syncs, payment_transitions
from store.plan_orders import plan_orders
from store.supplier_orders import supplier_orders
from store.tamara_answers import answered
from store.tamara_tables import lines
from store.transfers import transfers

PLATFORM, OFFICE, JOURNAL, TAMARA, KOMMO, EASYCOUNT = "platform", "office", "journal", "tamara", "kommo", "easycount"


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened; `system` is where, `what` the trade's name of it, `subject` what it was about.

    `reference` is how it is called there, `by` a person's name, `workflow_id` who can tell more.
    """

    at: datetime
    system: str
    what: str
    subject: str = ""
    state: str = ""
    reference: str = ""
    amount: Money | None = None
    detail: str = ""
    by: str = ""
    workflow_id: str = ""


Reading = tuple[Select[Any], Callable[[Row[Any]], Happening]]


class Timelines:
    """As many statements as there are kinds of things that happen, whatever happened."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_booking(self, agency: str, booking_id: str) -> list[Happening]:
        """Oldest first."""
        with self._database.read() as connection:
            found = list(_all(connection, agency, booking_id))
        return sorted(found, key=lambda one: (one.at, one.system, one.what, one.subject))


def _all(connection: Connection, agency: str, booking_id: str) -> Iterator[Happening]:
    for readings in (_of_facts, _of_money, _of_people, _of_partners):
        for query, told in readings(agency, booking_id):
            yield from map(told, connection.execute(query))


def _of_facts(agency: str, booking_id: str) -> Iterator[Reading]:
    columns = [events.c[name] for name in ("occurred_at", "kind", "fact_id", "event_id", "state", "problem", "notice")]
    yield select(*columns).where(events.c.agency == agency, events.c.booking_id == booking_id), _event
    columns = [column for column in effects.c if column.name != "request"]
    yield select(*columns).where(effects.c.agency == agency, effects.c.booking_id == booking_id), _effect
    yield select(lifecycles).where(lifecycles.c.agency == agency, lifecycles.c.booking_id == booking_id), _lifecycle


def _of_money(agency: str, booking_id: str) -> Iterator[Reading]:
    moves = payment_transitions.c
    yield (
        select(payment_transitions, payment_syncs.c.amount, payment_syncs.c.currency, payment_syncs.c.workflow_id)
        .join(
            payment_syncs, (payment_syncs.c.agency == moves.agency) & (payment_syncs.c.payment_id == moves.payment_id)
        )
        .where(payment_syncs.c.agency == agency, payment_syncs.c.booking_id == booking_id),
        _transition,
    )
    yield select(documents).where(documents.c.agency == agency, documents.c.booking_id == booking_id), _document
    entry, posting = journal_entries.c, journal_postings.c
    debit = (
        select(func.sum(posting.amount)).where(posting.entry_id == entry.id, posting.side == "debit").scalar_subquery()
    )
    yield (
        select(journal_entries, debit.label("amount")).where(entry.agency == agency, entry.booking_id == booking_id),
        _entry,
    )


def _of_people(agency: str, booking_id: str) -> Iterator[Reading]:
    item, taken, order = parked_items.c, decisions_taken.c, plan_orders.c
    yield select(parked_items).where(item.agency == agency, item.booking_id == booking_id), _parked
    yield (
        select(decisions_taken, item.workflow_id, item.reason)
        .join(parked_items, item.item_id == taken.item_id)
        .where(item.agency == agency, item.booking_id == booking_id),
        _decision,
    )
    yield select(plan_orders).where(order.agency == agency, order.booking_id == booking_id), _order


def _of_partners(agency: str, booking_id: str) -> Iterator[Reading]:
    line, order = lines.c, supplier_orders.c
    yield select(transfers).where(transfers.c.agency == agency, transfers.c.booking_id == booking_id), _transfer
    columns = [
        line[name] for name in ("updated_at", "type", "dc", "txn_ref", "state", "kind", "seq", "gross", "currency")
    ]
    own = (line.agency == agency, line.booking_id == booking_id)
    yield select(*columns, line.refused_text).where(*own), _line
    yield select(answered, line.txn_ref).join(lines, line.id == answered.c.line_id).where(*own), _answer
    yield select(supplier_orders).where(order.agency == agency, order.booking_id == booking_id), _supplier_order
    mine = select(payments.c.id).where(payments.c.agency == agency, payments.c.booking_id == booking_id)
    paid = deal_documents.c
    yield select(deal_documents).where(paid.agency == agency, paid.payment_id.in_(mine)), _deal_document
    asked, moves = payment_requests.c, payment_request_moves.c
    deals = union(
        select(link_payments.c.deal_id).where(link_payments.c.agency == agency, link_payments.c.payment_id.in_(mine)),
        select(asked.deal_id).where(asked.agency == agency, asked.booking_id == booking_id),
    )
    yield select(payment_request_moves).where(moves.agency == agency, moves.deal_id.in_(deals)), _deal


def _event(row: Row[Any]) -> Happening:
    told = json.loads(row.notice)["amount"] if row.notice else None
    amount = Money.model_validate(told) if told else None
    return Happening(
        row.occurred_at, PLATFORM, row.kind, row.fact_id or "", row.state, row.event_id, amount, row.problem
    )


def _effect(row: Row[Any]) -> Happening:
    what = f"{row.entity} {row.operation}"
    reference = row.outside_id or row.reference
    return Happening(row.updated_at, row.system, what, row.business_id, row.state, reference, detail=row.reason)


def _lifecycle(row: Row[Any]) -> Happening:
    notes = "; ".join(json.loads(row.notes))
    subject = row.payment_id or ""
    return Happening(row.closed_at, OFFICE, row.kind, subject, row.outcome, detail=notes, workflow_id=row.workflow_id)


def _transition(row: Row[Any]) -> Happening:
    line = json.loads(row.line)
    detail = "; ".join(filter(None, (line.get("reason"), line.get("explanation"))))
    return Happening(
        at=row.at,
        system=OFFICE,
        what=row.event,
        subject=row.payment_id,
        state=row.after,
        amount=Money(amount=row.amount, currency=row.currency),
        detail=detail,
        by=row.actor,
        workflow_id=row.workflow_id,
    )


def _document(row: Row[Any]) -> Happening:
    amount = Money(amount=row.amount, currency=row.currency)
    return Happening(row.recorded_at, row.system, row.kind, row.key, "issued", row.number, amount)


def _entry(row: Row[Any]) -> Happening:
    amount = Money(amount=int(row.amount or 0), currency=row.currency)
    return Happening(row.created_at, JOURNAL, row.fact, row.key, "posted", str(row.id), amount, row.text)


def _parked(row: Row[Any]) -> Happening:
    amount = None if row.amount is None else Money(amount=row.amount, currency=row.currency)
    return Happening(
        row.since, OFFICE, row.reason, row.verb, "parked", row.item_id, amount, row.detail, workflow_id=row.workflow_id
    )


def _decision(row: Row[Any]) -> Happening:
    return Happening(
        at=row.decided_at,
        system=OFFICE,
        what=row.decision,
        subject=row.reason,
        state="decided",
        reference=row.item_id,
        detail=row.explanation,
        by=row.decided_by,
        workflow_id=row.workflow_id,
    )


def _order(row: Row[Any]) -> Happening:
    amount = None if row.amount is None else Money(amount=row.amount, currency=row.currency)
    subject = row.instalment_id or row.plan_id
    return Happening(row.given_at, OFFICE, row.order, subject, "ordered", row.plan_id, amount, row.why, row.given_by)


def _transfer(row: Row[Any]) -> Happening:
    return Happening(
        row.updated_at, row.system, "line", row.line_id, row.state, row.outside_id or "", detail=row.reason
    )


def _line(row: Row[Any]) -> Happening:
    signed = row.gross if row.dc == "D" else -row.gross
    file = f"{row.kind} {row.seq}" if row.seq is not None else ""
    amount, wrong = Money(amount=signed, currency=row.currency), row.refused_text or ""
    detail = "; ".join(filter(None, (file, wrong)))
    return Happening(row.updated_at, TAMARA, row.type, row.txn_ref, row.state, row.txn_ref, amount, detail)


def _answer(row: Row[Any]) -> Happening:
    detail = "; ".join(filter(None, (row.reason, row.field, row.text)))
    return Happening(row.at, TAMARA, "answer", row.txn_ref, row.status, row.txn_ref, detail=detail)


def _supplier_order(row: Row[Any]) -> Happening:
    confirmed = row.confirmed_amount
    amount = None if confirmed is None else Money(amount=confirmed, currency=row.confirmed_currency)
    what, reference = "order", str(row.order_id)
    return Happening(
        row.updated_at, row.supplier, what, row.partner_order_id, row.status, reference, amount, row.reason
    )


def _deal_document(row: Row[Any]) -> Happening:
    amount = Money(amount=row.amount, currency=row.currency)
    return Happening(row.issued_at, EASYCOUNT, str(row.type), row.payment_id or "", "issued", row.number, amount)


def _deal(row: Row[Any]) -> Happening:
    return Happening(row.at, KOMMO, "deal", str(row.deal_id), row.state, f"{row.deal_id}.{row.revision}")
