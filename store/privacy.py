"""Finding a person in every table of an agency, and taking them out of it (docs/privacy.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from sqlalchemy import Connection, and_, func, select, update

from domain.effects import EffectState
from domain.privacy import Identity, Scrubber, identity_of
from store.database import Database
from store.documents import documents
from store.effect_tables import effects
from store.erasures import ErasedParty, Erasures
from store.events import events
from store.facts import bookings, experiences, payments, refunds
from store.forgetting import told_identity
from store.parked import OPEN, parked_items
from store.payment_request_tables import payment_requests
from store.people_sought import Appearance, Found, Wanted, as_mail, customer_ids, everybody, in_booking, mails, merged
from store.person_rows import as_tree, changes, is_related, is_row, key_of, rows_of


@dataclass(frozen=True, slots=True)
class Hit:
    """A row in which the person stands. `content` are its columns as they are."""

    table: str
    key: dict[str, Any]
    columns: tuple[str, ...]
    content: dict[str, Any] = field(repr=False)
    about: bool = True


Scope = Literal["all", "contact", "nothing"]


class Privacy:
    """Searches and erases within one agency."""

    def __init__(self, database: Database, log: Erasures) -> None:
        self._database = database
        self._log = log

    # Who it is --------------------------------------------------------------------------------------------------------

    def find(self, wanted: Wanted) -> Found:
        """Everything under which the person is known; without appearances there is nobody."""
        with self._database.read() as connection:
            snapshots = dict(self._snapshots(connection, wanted.agency))
            ids = customer_ids(wanted, snapshots)
            appearances, mine, others = [], Identity(), Identity()
            for booking_id, told in snapshots.items():
                parties, roles = in_booking(wanted, told, ids)
                if not parties:
                    continue
                appearances.append(Appearance(booking_id, frozenset(parties), frozenset(roles)))
                for snapshot in told:
                    mine |= told_identity(snapshot, parties)
                    others |= told_identity(snapshot, everybody(snapshot) - parties)
            for deal_id, said in self._deals(connection, wanted.agency):
                if as_mail(said.get("email")) and as_mail(said.get("email")) in mails(wanted, mine):
                    appearances.append(Appearance(f"deal/{deal_id}", frozenset({"customer"}), frozenset({"customer"})))
                    mine |= identity_of(said)
        clear = Identity(others.strong - mine.strong, others.names - mine.names, others.pairs - mine.pairs)
        return Found(wanted.agency, tuple(merged(appearances)), mine, clear)

    def _snapshots(self, connection: Connection, agency: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Booking → everything that was ever told of its people."""
        found: dict[str, list[dict[str, Any]]] = {}
        query = select(events.c.booking_id, events.c.body).where(
            events.c.agency == agency, events.c.booking_id.is_not(None), events.c.kind.like("booking.%")
        )
        for row in connection.execute(query):
            told = (as_tree(row.body) or {}).get("data")
            if isinstance(told, dict) and isinstance(told.get("booking"), dict):
                found.setdefault(row.booking_id, []).append(told["booking"])
        for row in connection.execute(select(bookings.c.id, bookings.c.body).where(bookings.c.agency == agency)):
            found.setdefault(row.id, []).append(json.loads(row.body))
        yield from found.items()

    @staticmethod
    def _deals(connection: Connection, agency: str) -> Iterator[tuple[int, dict[str, Any]]]:
        for row in connection.execute(select(payment_requests).where(payment_requests.c.agency == agency)):
            yield row.deal_id, json.loads(row.said)

    # What stands in the way -------------------------------------------------------------------------------------------

    def unfinished(self, agency: str, booking_id: str, today: date) -> str | None:
        """Why a booking's people are still needed; None when the contract is fulfilled."""
        with self._database.read() as connection:
            row = connection.execute(
                select(bookings.c.body, bookings.c.status, bookings.c.experience_id).where(
                    bookings.c.agency == agency, bookings.c.id == booking_id
                )
            ).one_or_none()
            if row is None:
                return None
            ends = connection.scalar(
                select(experiences.c.ends_on).where(
                    experiences.c.agency == agency, experiences.c.id == row.experience_id
                )
            )
            due = int(json.loads(row.body).get("totals", {}).get("due", {}).get("amount", 0))
            mine = and_(effects.c.agency == agency, effects.c.booking_id == booking_id)
            busy = effects.c.state.in_(
                [EffectState.INTENDED.value, EffectState.UNKNOWN.value, EffectState.QUEUED.value]
            )
            working = connection.scalar(select(func.count()).select_from(effects).where(mine, busy))
            waiting = connection.scalar(
                select(func.count())
                .select_from(parked_items)
                .where(parked_items.c.agency == agency, parked_items.c.booking_id == booking_id)
                .where(parked_items.c.state == OPEN, parked_items.c.reason != "erased_person_told")
            )
        if row.status != "cancelled" and ends is not None and ends >= today:
            return f"the trip ends {ends:%Y-%m-%d}"
        if due:
            return "money is still due, one way or the other"
        if working:
            return "something is still being written outside"
        return "a parked item waits for an answer" if waiting else None

    def last_entry(self, agency: str, booking_id: str) -> date | None:
        """The day of the last document or money of a booking: from then on books have to be kept."""
        with self._database.read() as connection:
            issued = connection.scalar(
                select(func.max(documents.c.issued_on)).where(
                    documents.c.agency == agency, documents.c.booking_id == booking_id
                )
            )
            captured = connection.scalar(
                select(func.max(payments.c.captured_at)).where(
                    payments.c.agency == agency, payments.c.booking_id == booking_id
                )
            )
            returned = connection.scalar(
                select(func.max(refunds.c.updated_at)).where(
                    refunds.c.agency == agency, refunds.c.booking_id == booking_id
                )
            )
        days = [issued, captured.date() if captured else None, returned.date() if returned else None]
        return max((day for day in days if day is not None), default=None)

    # Where it stands --------------------------------------------------------------------------------------------------

    def hits(self, found: Found) -> list[Hit]:
        """Every row in which the person can be read."""
        with self._database.read() as connection:
            related = self._related(connection, found, set(found.bookings), set(found.deals))
            scrub = Scrubber(found.identity)
            return [
                Hit(table.name, key_of(table, row), tuple(changed), dict(row._mapping))
                for table, row in rows_of(connection, found.agency)
                if (changed := changes(table, row, scrub, by_name=is_related(table, row, related)))
            ]

    def erase(
        self, found: Found, scopes: dict[str, tuple[Scope, date | None]], asked_for: str, by: str, why: str, report: Any
    ) -> dict[str, int]:
        """Take the person out of everything that belongs to the things in `scopes`, each as far as it says; table → rows.

        One transaction: either all of it is gone, or nothing.
        """
        changed: dict[str, int] = {}
        with self._database.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
            for scope in ("all", "contact"):
                things = {thing for thing, (wanted, _) in scopes.items() if wanted == scope}
                if things:
                    self._erase(connection, found, things, keep_fiscal=scope == "contact", changed=changed)
            for one in found.appearances:
                scope_of, due = scopes[one.thing]
                for party in one.parties:
                    self._log.mark_in(connection, ErasedParty(found.agency, one.thing, party, scope_of, due))
            self._log.record_in(connection, found.agency, asked_for, by, why, {**report, "rows": changed})
        if self._database.dialect == "sqlite":
            with self._database.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return changed

    def _erase(
        self, connection: Connection, found: Found, things: set[str], *, keep_fiscal: bool, changed: dict[str, int]
    ) -> None:
        own = {thing for thing in things if not thing.startswith("deal/")}
        related = self._related(connection, found, own, {int(thing[5:]) for thing in things - own})
        parties = {p: keep_fiscal for one in found.appearances if one.thing in things for p in one.parties}
        identity = _contact_only(connection, found, own) if keep_fiscal else found.identity
        scrub = Scrubber(identity)
        for table, row in list(rows_of(connection, found.agency)):
            if not is_related(table, row, related):
                continue
            new = changes(table, row, scrub, by_name=True, parties=parties)
            if new:
                connection.execute(update(table).where(is_row(table, row)).values(new))
                changed[table.name] = changed.get(table.name, 0) + 1

    @staticmethod
    def _related(connection: Connection, found: Found, own: set[str], deals: set[int]) -> frozenset[str]:
        """Ids by which a row belongs to these bookings and deals."""
        ids = own | {f"deal/{deal}" for deal in deals} | {f"deal_id={deal}" for deal in deals}
        ids |= {
            party for one in found.appearances if one.thing in own for party in one.parties if party.startswith("cus_")
        }
        if own:
            mine = and_(payments.c.agency == found.agency, payments.c.booking_id.in_(own))
            ids |= set(connection.scalars(select(payments.c.id).where(mine)))
            items = and_(parked_items.c.agency == found.agency, parked_items.c.booking_id.in_(own))
            ids |= set(connection.scalars(select(parked_items.c.item_id).where(items)))
        return frozenset(ids)


def _contact_only(connection: Connection, found: Found, own: set[str]) -> Identity:
    """What an invoice need not say: ways to reach the person, and not the name, the address and the tax id."""
    fiscal: set[str] = set()
    for row in connection.execute(
        select(bookings.c.body).where(bookings.c.agency == found.agency, bookings.c.id.in_(own))
    ):
        tax = (json.loads(row.body).get("payer") or {}).get("tax_id")
        fiscal |= {str(tax.get("value"))} if isinstance(tax, dict) else set()
    for deal in found.deals:
        query = select(payment_requests.c.said).where(
            payment_requests.c.agency == found.agency, payment_requests.c.deal_id == deal
        )
        fiscal |= {str(json.loads(said).get("tax_number")) for said in connection.scalars(query)}
    return Identity(strong=found.identity.strong - fiscal)
