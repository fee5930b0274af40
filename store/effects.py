"""The ledger of effects: one row per write in an outside system (contracts: giav 3.3; DESIGN 5)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Boolean, Row, Text, and_, bindparam, case, func, literal, select, update

from domain.desk import StoreReason, item_id
from domain.effects import RESTORED, EffectKey, EffectRecord, EffectState
from store.clock import Clock
from store.database import Database
from store.effect_tables import RECORD, EffectRow, effects, record_of
from store.parked import ParkedItems, StoreParking
from store.restores import STANDS
from store.tables import Instant, insert_for

_key: BindParameter[str] = bindparam("k")
_moment: BindParameter[datetime] = bindparam("moment", type_=Instant)
_why: BindParameter[str] = bindparam("why")
MAKING = ("create", "reissue")
"""Operations that bring a record into being; the others name one that is there."""
_GIVEN = {"outside_id", "position", "breakdowns", "state", "acts", "reason"}
_INSERTED = [column.name for column in effects.c if column.name not in _GIVEN]


class EffectLedger:
    """Remembers effects for `activities.effects.Effects`. Each method is one transaction."""

    def __init__(self, database: Database, clock: Clock, parked: ParkedItems) -> None:
        self._database = database
        self._clock = clock
        self._parked = parked
        # Built once: a booking's life runs through these some fifty times.
        # Key and reference are unique together; PostgreSQL may see the clash of either first.
        earlier = effects.alias("earlier")
        place = select(func.coalesce(func.max(earlier.c.position), 0) + 1).where(
            earlier.c.agency == bindparam("agency"), earlier.c.booking_id == bindparam("booking_id")
        )
        unseen = bindparam("unseen", type_=Text)
        doubtful = and_(STANDS, bindparam("is_unseen", type_=Boolean))
        self._insert = (
            insert_for(database.dialect, effects)
            .values(
                {
                    **{name: bindparam(name) for name in _INSERTED},
                    "position": place.scalar_subquery(),
                    # While a restored backup is not settled, no row is no proof that nothing was sent.
                    "acts": case((STANDS, 0), else_=1),
                    "state": case((doubtful, EffectState.REFUSED.value), else_=EffectState.INTENDED.value),
                    "reason": case((doubtful, unseen), else_=literal("")),
                }
            )
            .on_conflict_do_nothing()
            .returning(effects.c.state, effects.c.acts, effects.c.reason)
        )
        self._select = select(effects).where(effects.c.key == _key)
        self._of_booking = RECORD.where(
            effects.c.agency == bindparam("of_agency"), effects.c.booking_id == bindparam("of_booking")
        ).order_by(effects.c.position, effects.c.key)
        self._holder = (
            RECORD.where(effects.c.agency == bindparam("of_agency"), effects.c.system == bindparam("of_system"))
            .where(effects.c.outside_id == bindparam("outside"), effects.c.key != _key)
            .where(effects.c.entity.in_(bindparam("entities", expanding=True)), effects.c.operation.in_(MAKING))
            .where(effects.c.state == EffectState.DONE.value)
            .limit(1)
        )
        settle = update(effects).where(effects.c.key == _key).values(updated_at=_moment)
        self._done = settle.values(
            state=EffectState.DONE.value, outside_id=bindparam("outside"), adopted=bindparam("was_adopted"), reason=""
        )
        self._queued = settle.values(state=EffectState.QUEUED.value, outside_id=bindparam("outside"), reason="")
        self._refused = settle.values(state=EffectState.REFUSED.value, reason=_why)
        self._unknown = settle.values(state=EffectState.UNKNOWN.value, reason=_why).returning(*effects.c)
        self._looked = settle.values(looks=effects.c.looks + 1).returning(*effects.c)
        self._broke_down = settle.values(
            state=EffectState.UNKNOWN.value, breakdowns=effects.c.breakdowns + 1, reason=_why
        ).returning(*effects.c)
        self._sending = settle.values(
            state=EffectState.INTENDED.value,
            acts=effects.c.acts + 1,
            looks=0,
            request=func.coalesce(bindparam("sent", type_=Text), effects.c.request),
        )
        self._not_sent = settle.values(state=EffectState.INTENDED.value, acts=effects.c.acts - 1, reason=_why).where(
            effects.c.acts > 0
        )

    def intend(
        self,
        key: EffectKey,
        *,
        booking_id: str | None,
        request: Mapping[str, Any] | None,
        unseen: str | None = None,
    ) -> tuple[EffectRecord, bool]:
        """Insert the row with one act counted; the flag says whether this call inserted it and may send at once.

        While a restored backup is not settled the row may be one that got lost: no act is counted, so that it is looked for
        first; what cannot be looked for, as `unseen` says, is refused with those words.
        """
        moment = self._clock()
        text = str(key)
        with self._database.begin() as connection:
            row = connection.execute(
                self._insert,
                {
                    "key": text,
                    "agency": key.agency,
                    "system": key.system,
                    "entity": key.entity,
                    "business_id": key.business_id,
                    "operation": key.operation,
                    "sequence": key.sequence,
                    "reference": key.reference,
                    "request": _as_json(request),
                    "looks": 0,
                    "adopted": False,
                    "booking_id": booking_id,
                    "created_at": moment,
                    "updated_at": moment,
                    "unseen": RESTORED + (unseen or ""),
                    "is_unseen": unseen is not None,
                },
            ).one_or_none()
            if row is not None:
                fresh = EffectRecord(key, EffectState(row.state), acts=row.acts, reason=row.reason, begun_at=moment)
                return fresh, row.acts == 1
            return record_of(connection.execute(self._select, {"k": text}).one()), False

    def sending(self, key: EffectKey, request: Mapping[str, Any] | None = None) -> None:
        """Count one more act and forget the looks, before sending again; `request` is what is sent this time."""
        self._settle(self._sending, key, sent=_as_json(request))

    def not_sent(self, key: EffectKey, reason: str) -> None:
        """The request certainly never arrived: take the act back."""
        self._settle(self._not_sent, key, why=reason)

    def unknown(self, key: EffectKey, reason: str) -> EffectRecord:
        return self._settle_and_read(self._unknown, key, why=reason)

    def looked(self, key: EffectKey) -> EffectRecord:
        """Count one look-up that found nothing."""
        return self._settle_and_read(self._looked, key)

    def broke_down(self, key: EffectKey, reason: str) -> EffectRecord:
        """Count an answer that was a breakdown of the other side."""
        return self._settle_and_read(self._broke_down, key, why=reason)

    def done(self, key: EffectKey, outside_id: str, *, adopted: bool = False) -> None:
        self._settle(self._done, key, outside=outside_id, was_adopted=adopted)

    def queued(self, key: EffectKey, place: str) -> None:
        """It lies with them at `place`; their answer is outstanding."""
        self._settle(self._queued, key, outside=place)

    def refused(self, key: EffectKey, reason: str) -> None:
        self._settle(self._refused, key, why=reason)

    def undone(self, key: EffectKey, by: EffectKey) -> None:
        """Mark an effect and the effect that took it back as undone, in one transaction: both may be performed again."""
        with self._database.begin() as connection:
            connection.execute(
                update(effects)
                .where(effects.c.key.in_((str(key), str(by))))
                .values(state=EffectState.UNDONE.value, acts=0, looks=0, breakdowns=0, updated_at=self._clock())
            )

    def gone(self, *keys: EffectKey) -> None:
        """What was done is not there any more, by nobody's order of ours: it may be performed again."""
        with self._database.begin() as connection:
            connection.execute(
                update(effects)
                .where(effects.c.key.in_([str(key) for key in keys]), effects.c.state == EffectState.DONE.value)
                .values(state=EffectState.UNDONE.value, acts=0, looks=0, breakdowns=0, updated_at=self._clock())
            )

    def twins(self, key: EffectKey, outside_ids: Sequence[str]) -> None:
        """Open a parked item: more than one record carries the reference; the first was kept."""
        kept, *others = outside_ids
        row = self._row(str(key))
        self._parked.open_from_store(
            StoreParking(
                item_id=item_id(StoreReason.TWINS, str(key), *outside_ids),
                agency=key.agency,
                reason=StoreReason.TWINS,
                detail=f"{key.system}: {key.reference} is carried by {kept} (kept) and {', '.join(others)}",
                verb=f"{key.system}.{key.operation}",
                effect=str(key),
                booking_id=row.booking_id if row else None,
                decisions=("skip",),
            )
        )

    def get(self, key: EffectKey) -> EffectRecord | None:
        row = self._row(str(key))
        return record_of(row) if row else None

    def outside_id(self, key: EffectKey) -> str | None:
        """The id in the outside system, only if the effect is done."""
        row = self._row(str(key))
        return row.outside_id if row and row.state == EffectState.DONE else None

    def holder(self, key: EffectKey, outside_id: str, entities: Collection[str]) -> EffectKey | None:
        """Which other write of the agency, of one of these entities, made the record with this id."""
        given = {"k": str(key), "of_agency": key.agency, "of_system": key.system, "outside": outside_id}
        with self._database.read() as connection:
            row = connection.execute(self._holder, {**given, "entities": list(entities)}).one_or_none()
        return None if row is None else record_of(row).key

    def doubt(self, key: EffectKey, why: str) -> bool:
        """What we believed done has another's id: it is looked for by its reference. False when it was found that way."""
        with self._database.begin() as connection:
            changed = connection.execute(
                update(effects)
                .where(effects.c.key == str(key), effects.c.state == EffectState.DONE.value, ~effects.c.adopted)
                .values(state=EffectState.UNKNOWN.value, looks=0, reason=why, updated_at=self._clock())
            )
        return changed.rowcount == 1

    def newest(self, key: EffectKey) -> EffectKey | None:
        """The done effect of the same record and operation with the highest sequence, of those without a booking."""
        same = (effects.c.agency == key.agency) & effects.c.booking_id.is_(None) & (effects.c.system == key.system)
        found = self._rows(
            select(effects)
            .where(same, effects.c.entity == key.entity, effects.c.business_id == key.business_id)
            .where(effects.c.operation == key.operation, effects.c.state == EffectState.DONE.value)
            .order_by(effects.c.sequence.desc())
            .limit(1)
        )
        return found[0].record.key if found else None

    def settled_at(self, key: EffectKey) -> datetime | None:
        """When the state of an effect last changed."""
        row = self._row(str(key))
        return row.updated_at if row else None

    def last_request(self, key: EffectKey) -> dict[str, Any] | None:
        """What was sent, for systems that cannot give it back (giav 2.1)."""
        row = self._row(str(key))
        return json.loads(row.request) if row and row.request else None

    def rearm(self, key_text: str) -> bool:
        """A person wants it tried again: look once, then send. False when it is settled already or was never intended."""
        with self._database.begin() as connection:
            changed = connection.execute(
                update(effects)
                .where(effects.c.key == key_text)
                .where(effects.c.state.not_in((EffectState.DONE.value, EffectState.UNDONE.value)))
                .values(
                    state=EffectState.INTENDED.value, acts=0, looks=0, breakdowns=0, reason="", updated_at=self._clock()
                )
            )
        return changed.rowcount == 1

    def adopt(self, key_text: str, outside_id: str) -> bool:
        """A person found the record there: settle with its id. False when the effect was never intended."""
        with self._database.begin() as connection:
            changed = connection.execute(
                self._done, {"k": key_text, "moment": self._clock(), "outside": outside_id, "was_adopted": True}
            )
        return changed.rowcount == 1

    def of_booking(self, agency: str, booking_id: str, system: str | None = None) -> list[EffectRecord]:
        """The effects of a booking in the order they were intended."""
        with self._database.read() as connection:
            rows = connection.execute(self._of_booking, {"of_agency": agency, "of_booking": booking_id}).all()
        return [record_of(row) for row in rows if system is None or row.system == system]

    def history(self, agency: str, booking_id: str, system: str | None = None) -> list[EffectRow]:
        """The same with times and references."""
        query = select(effects).where(effects.c.agency == agency, effects.c.booking_id == booking_id)
        if system is not None:
            query = query.where(effects.c.system == system)
        return self._rows(query.order_by(effects.c.position, effects.c.key))

    def unsettled(self, agency: str | None = None, older_than: datetime | None = None) -> list[EffectRow]:
        """Effects that are neither done nor undone, oldest first."""
        query = select(effects).where(effects.c.state.not_in((EffectState.DONE.value, EffectState.UNDONE.value)))
        if agency is not None:
            query = query.where(effects.c.agency == agency)
        if older_than is not None:
            query = query.where(effects.c.updated_at < older_than)
        return self._rows(query.order_by(effects.c.updated_at))

    def open_messages(self, agency: str, systems: Collection[str], limit: int | None = None) -> list[EffectRow]:
        """What bookings have open in these systems, oldest first, unless something later was said about the same thing."""
        later, own = effects.alias("later"), effects.c
        overtaken = (
            select(later.c.key)
            .where(
                later.c.agency == own.agency,
                later.c.booking_id == own.booking_id,
                later.c.system == own.system,
                later.c.entity == own.entity,
                later.c.business_id == own.business_id,
                later.c.sequence > own.sequence,
            )
            .exists()
        )
        query = select(effects).where(
            own.agency == agency,
            own.system.in_(systems),
            own.booking_id.is_not(None),
            own.booking_id != "",
            own.state.not_in((EffectState.DONE.value, EffectState.UNDONE.value)),
            ~overtaken,
        )
        return self._rows(query.order_by(own.updated_at).limit(limit))

    def by_reference(self, reference: str) -> EffectRow | None:
        rows = self._rows(select(effects).where(effects.c.reference == reference))
        return rows[0] if rows else None

    def counts(self, agency: str | None = None) -> dict[tuple[str, str], int]:
        """How many effects there are by (system, state)."""
        query = select(effects.c.system, effects.c.state, func.count()).group_by(effects.c.system, effects.c.state)
        if agency is not None:
            query = query.where(effects.c.agency == agency)
        with self._database.read() as connection:
            return {(system, state): number for system, state, number in connection.execute(query)}

    def _settle(self, statement: Any, key: EffectKey, **values: Any) -> None:
        with self._database.begin() as connection:
            connection.execute(statement, {"k": str(key), "moment": self._clock(), **values})

    def _settle_and_read(self, statement: Any, key: EffectKey, **values: Any) -> EffectRecord:
        with self._database.begin() as connection:
            return record_of(connection.execute(statement, {"k": str(key), "moment": self._clock(), **values}).one())

    def _row(self, key_text: str) -> Row[Any] | None:
        with self._database.read() as connection:
            return connection.execute(self._select, {"k": key_text}).one_or_none()

    def _rows(self, query: Any) -> list[EffectRow]:
        with self._database.read() as connection:
            return [
                EffectRow(record_of(row), row.reference, row.adopted, row.booking_id, row.created_at, row.updated_at)
                for row in connection.execute(query)
            ]


def _as_json(request: Mapping[str, Any] | None) -> str | None:
    return None if request is None else json.dumps(request, ensure_ascii=False, default=str)
