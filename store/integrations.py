"""Integrations that an agency activates by itself: how far each one is, its settings, and every step ever taken.

(DESIGN 4, `ActivateIntegration`.) The key of the outside system is in the vault and never here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    Column,
    Connection,
    ForeignKeyConstraint,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    select,
    update,
)

from domain.errors import Refused
from store.clock import Clock
from store.database import Database
from store.tables import Instant, LongId, agency_column, id_column, metadata, upsert

IntegrationState = Literal["requested", "key_stored", "checked", "active", "suspended"]
SETTLING: frozenset[str] = frozenset({"requested", "key_stored", "checked"})
"""States before the first activation: whatever needs the system waits."""

integrations = Table(
    "integrations",
    metadata,
    agency_column(primary_key=True),
    id_column("system", primary_key=True),
    Column("state", String(20), nullable=False),
    Column("settings", Text, nullable=False),
    Column("catalogue", Text, nullable=False),
    Column("backfill", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

integration_steps = Table(
    "integration_steps",
    metadata,
    Column("id", LongId, primary_key=True, autoincrement=True),
    agency_column(),
    id_column("system"),
    id_column("step"),
    Column("state", String(20), nullable=False),
    Column("detail", Text, nullable=False),
    id_column("done_by"),
    Column("at", Instant, nullable=False),
    ForeignKeyConstraint(["agency", "system"], ["integrations.agency", "integrations.system"]),
    Index(None, "agency", "system"),
)


@dataclass(frozen=True, slots=True)
class Integration:
    """One system of one agency. `settings` has no secrets; `catalogue` is what the last check read and proposes.

    `version` grows with whatever those who use the system must know: state, settings, key. `backfill` is the progress of
    taking in what existed before, empty until it began. `since` is the beginning of the present state.
    """

    agency: str
    system: str
    state: IntegrationState
    settings: dict[str, Any]
    catalogue: dict[str, Any]
    backfill: dict[str, Any]
    version: int
    since: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class IntegrationStepTaken:
    """A step of the history and the state that it led to."""

    step: str
    state: IntegrationState
    detail: str
    by: str
    at: datetime


class Integrations:
    """Every change is one transaction with its line of history. Changes of what was never requested raise `Refused`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def request(self, agency: str, system: str, *, by: str) -> Integration:
        """Begin; requesting again changes nothing."""
        moment = self._clock()
        row = {
            "agency": agency,
            "system": system,
            "state": "requested",
            "settings": "{}",
            "catalogue": "{}",
            "backfill": "{}",
            "version": 1,
            "since": moment,
            "updated_at": moment,
        }
        with self._database.begin() as connection:
            inserted = connection.execute(upsert(connection, integrations).values(row).on_conflict_do_nothing())
            if inserted.rowcount == 1:
                self._write_down(connection, agency, system, "requested", "requested", "", by)
        return self.known(agency, system)

    def key_stored(self, agency: str, system: str, *, by: str) -> Integration:
        """A key was sealed; an integration that works goes on with it, one that was checked has to be checked again."""
        return self._change(agency, system, "key stored", by, lambda now: _again(now.state, "key_stored"), news=True)

    def set(self, agency: str, system: str, settings: Mapping[str, Any], *, by: str, detail: str) -> Integration:
        """Replace the settings; `detail` says in words what changed."""
        return self._change(agency, system, "settings", by, settings=settings, detail=detail, news=True)

    def checked(self, agency: str, system: str, catalogue: Mapping[str, Any], *, by: str, detail: str) -> Integration:
        """The key was accepted and the catalogues were read."""
        return self._change(
            agency,
            system,
            "checked",
            by,
            lambda now: _again(now.state, "checked"),
            catalogue=catalogue,
            detail=detail,
        )

    def confirmed(self, agency: str, system: str, *, by: str, detail: str = "") -> Integration:
        """Those outside who had to be told were told; saying so again changes nothing."""
        now = self.known(agency, system)
        if "confirmed" in now.catalogue:
            return now
        told = {**now.catalogue, "confirmed": f"by {by} at {self._clock():%Y-%m-%d %H:%M} UTC"}
        return self._change(agency, system, "account manager told", by, catalogue=told, detail=detail)

    def activate(self, agency: str, system: str, settings: Mapping[str, Any], *, by: str) -> Integration:
        """From now on the system is used with these settings; activating an active one with the same changes nothing."""
        now = self.known(agency, system)
        if now.state == "active" and now.settings == dict(settings):
            return now
        return self._change(agency, system, "active", by, lambda _: "active", settings=settings, news=True)

    def suspend(self, agency: str, system: str, *, by: str, why: str) -> Integration:
        """Use the system no more until it is activated again. Raises `Refused` for one that was never active."""

        def suspended(now: Integration) -> IntegrationState:
            if now.state in SETTLING:
                raise Refused(f"{system} of {agency} is not active", system="store", operation="suspend")
            return "suspended"

        return self._change(agency, system, "suspended", by, suspended, detail=why, news=True)

    def backfilled(self, agency: str, system: str, progress: Mapping[str, Any], *, step: str = "") -> None:
        """Keep the progress of the backfill; with `step` it is worth a line of history."""
        with self._database.begin() as connection:
            now = self._locked(connection, agency, system)
            self._update(connection, now, backfill=json.dumps(dict(progress), sort_keys=True))
            if step:
                self._write_down(connection, agency, system, step, now.state, "", "system")

    def get(self, agency: str, system: str) -> Integration | None:
        with self._database.read() as connection:
            row = connection.execute(_of(agency, system)).one_or_none()
        return None if row is None else _integration(row)

    def known(self, agency: str, system: str) -> Integration:
        """The integration. Raises `Refused` when nobody requested it."""
        found = self.get(agency, system)
        if found is None:
            raise _unknown(agency, system)
        return found

    def history(self, agency: str, system: str) -> list[IntegrationStepTaken]:
        """Every step, oldest first."""
        query = select(integration_steps).where(
            integration_steps.c.agency == agency, integration_steps.c.system == system
        )
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(integration_steps.c.id)).all()
        return [IntegrationStepTaken(row.step, row.state, row.detail, row.done_by, row.at) for row in rows]

    def list(self, agency: str | None = None) -> list[Integration]:
        """By agency and system."""
        query = select(integrations).order_by(integrations.c.agency, integrations.c.system)
        if agency is not None:
            query = query.where(integrations.c.agency == agency)
        with self._database.read() as connection:
            return [_integration(row) for row in connection.execute(query)]

    def _change(
        self,
        agency: str,
        system: str,
        step: str,
        by: str,
        to: Any = None,
        *,
        settings: Mapping[str, Any] | None = None,
        catalogue: Mapping[str, Any] | None = None,
        detail: str = "",
        news: bool = False,
    ) -> Integration:
        with self._database.begin() as connection:
            now = self._locked(connection, agency, system)
            state: IntegrationState = now.state if to is None else to(now)
            values: dict[str, Any] = {"state": state}
            if state != now.state:
                values["since"] = self._clock()
            if settings is not None:
                values["settings"] = json.dumps(dict(settings), sort_keys=True)
            if catalogue is not None:
                values["catalogue"] = json.dumps(dict(catalogue), sort_keys=True, ensure_ascii=False)
            if news:
                values["version"] = now.version + 1
            self._update(connection, now, **values)
            self._write_down(connection, agency, system, step, state, detail, by)
        return self.known(agency, system)

    def _locked(self, connection: Connection, agency: str, system: str) -> Integration:
        row = connection.execute(_of(agency, system).with_for_update()).one_or_none()
        if row is None:
            raise _unknown(agency, system)
        return _integration(row)

    def _update(self, connection: Connection, now: Integration, **values: Any) -> None:
        connection.execute(
            update(integrations)
            .where(integrations.c.agency == now.agency, integrations.c.system == now.system)
            .values(updated_at=self._clock(), **values)
        )

    def _write_down(
        self, connection: Connection, agency: str, system: str, step: str, state: str, detail: str, by: str
    ) -> None:
        connection.execute(
            integration_steps.insert().values(
                agency=agency, system=system, step=step, state=state, detail=detail, done_by=by, at=self._clock()
            )
        )


def _of(agency: str, system: str) -> Any:
    return select(integrations).where(integrations.c.agency == agency, integrations.c.system == system)


def _again(state: IntegrationState, wanted: IntegrationState) -> IntegrationState:
    """Before the first activation a step leads on (or back); what is active or suspended stays what it is."""
    return wanted if state in SETTLING else state


def _unknown(agency: str, system: str) -> Refused:
    return Refused(f"{system} of {agency} was never requested", system="store", operation="integration")


def _integration(row: Row[Any]) -> Integration:
    values = dict(row._mapping)
    for name in ("settings", "catalogue", "backfill"):
        values[name] = json.loads(values[name])
    return Integration(**values)
