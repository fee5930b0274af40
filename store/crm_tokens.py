"""The rotating tokens of a CRM's OAuth, sealed, and the lease under which one worker at a time renews them (contracts: kommo 2.1).

The lease is a row and not an open transaction: whoever holds it is waiting for the other side's answer, and nobody else's
writes may wait for that. It ends by itself, so that a worker that died keeps nobody out for long.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Column, Integer, String, Table, Text, select, update

from store.clock import Clock
from store.database import Database
from store.tables import Instant, agency_column, id_column, metadata, upsert
from store.vault import Vault

State = Literal["live", "needs_reauth"]

crm_tokens = Table(
    "crm_tokens",
    metadata,
    agency_column(primary_key=True),
    id_column("system", primary_key=True),
    Column("state", String(20), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("obtained_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    id_column("held_by", nullable=True),
    Column("held_until", Instant),
)


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token and the one that renews both. `generation` counts renewals since the consent."""

    generation: int
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    obtained_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TokenStanding:
    """How an account's tokens stand, without them."""

    state: State
    generation: int
    obtained_at: datetime
    expires_at: datetime
    reason: str


class CrmTokens:
    """Every method is one transaction; the pair and what is known of it change together."""

    def __init__(self, database: Database, clock: Clock, vault: Vault) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault

    def standing(self, agency: str, system: str) -> TokenStanding | None:
        """None before the first consent."""
        kept = crm_tokens.c
        query = select(kept.state, kept.generation, kept.obtained_at, kept.expires_at, kept.reason)
        with self._database.read() as connection:
            row = connection.execute(query.where(_of(agency, system))).one_or_none()
        return None if row is None else TokenStanding(**row._mapping)

    def pair(self, agency: str, system: str) -> TokenPair:
        """The newest pair. Raises `Unauthorised` where there is none."""
        held = json.loads(self._vault.open(agency, name_of(system)))
        return TokenPair(
            held["generation"],
            held["access"],
            held["refresh"],
            datetime.fromisoformat(held["obtained_at"]),
            datetime.fromisoformat(held["expires_at"]),
        )

    def consented(self, agency: str, system: str, *, access: str, refresh: str, lasts: timedelta) -> TokenPair:
        """The first pair after a person's consent; counts on, so that no renewal under way can overwrite it."""
        known = self.standing(agency, system)
        return self._keep(agency, system, 0 if known is None else known.generation, access, refresh, lasts, anew=True)

    def lease(self, agency: str, system: str, holder: str, lasts: timedelta) -> bool:
        """Become the one who renews; False while somebody else is."""
        moment = self._clock()
        free = crm_tokens.c.held_until.is_(None) | (crm_tokens.c.held_until <= moment)
        statement = update(crm_tokens).where(_of(agency, system), free)
        with self._database.begin() as connection:
            taken = connection.execute(statement.values(held_by=holder, held_until=moment + lasts))
        return taken.rowcount == 1

    def release(self, agency: str, system: str, holder: str) -> None:
        """Let the next one renew; nothing when the lease had ended."""
        mine = _of(agency, system) & (crm_tokens.c.held_by == holder)
        with self._database.begin() as connection:
            connection.execute(update(crm_tokens).where(mine).values(held_by=None, held_until=None))

    def renewed(
        self, agency: str, system: str, before: TokenPair, *, access: str, refresh: str, lasts: timedelta
    ) -> TokenPair:
        """Seal the pair that `before` was exchanged for. Durable after return, and only then to be used.

        It counts even when the lease ended meanwhile, and when somebody who held it then was refused: that one came with
        the token that this exchange had used up. Gives the newest pair.
        """
        return self._keep(agency, system, before.generation, access, refresh, lasts, anew=False)

    def refused(self, agency: str, system: str, before: TokenPair, reason: str) -> bool:
        """The renewal was refused for good: a person has to consent again. False when the pair was renewed meanwhile."""
        same = _of(agency, system) & (crm_tokens.c.generation == before.generation)
        with self._database.begin() as connection:
            changed = connection.execute(
                update(crm_tokens)
                .where(same)
                .values(state="needs_reauth", reason=reason, held_by=None, held_until=None)
            )
        return changed.rowcount == 1

    def _keep(
        self, agency: str, system: str, before: int, access: str, refresh: str, lasts: timedelta, *, anew: bool
    ) -> TokenPair:
        moment = self._clock()
        pair = TokenPair(before + 1, access, refresh, moment, moment + lasts)
        row: dict[str, Any] = {
            "state": "live",
            "generation": pair.generation,
            "obtained_at": pair.obtained_at,
            "expires_at": pair.expires_at,
            "reason": "",
            "held_by": None,
            "held_until": None,
        }
        with self._database.begin() as connection:
            if anew:
                inserted = upsert(connection, crm_tokens).values(agency=agency, system=system, **row)
                kept = connection.execute(inserted.on_conflict_do_update(index_elements=["agency", "system"], set_=row))
            else:
                same = _of(agency, system) & (crm_tokens.c.generation == before)
                kept = connection.execute(update(crm_tokens).where(same).values(**row))
            if kept.rowcount == 1:
                self._vault.seal_in(connection, agency, name_of(system), _as_json(pair))
        return pair if kept.rowcount == 1 else self.pair(agency, system)


def name_of(system: str) -> str:
    """Where the vault keeps the pair."""
    return f"integration/{system}/tokens"


def secret_name(system: str) -> str:
    """Where the vault keeps the secret of our integration there, which also signs what the CRM's pages send us."""
    return f"integration/{system}/key"


def long_lived_name(system: str) -> str:
    """Where the vault keeps a token that an administrator made, if that is how we come in."""
    return f"integration/{system}/token"


def hook_name(system: str) -> str:
    """Where the vault keeps the secret part of our webhook's address."""
    return f"integration/{system}/hook"


def retiring_hook_name(system: str) -> str:
    """The one before it, still listened to until the CRM uses the new address."""
    return f"integration/{system}/hook-retiring"


def _of(agency: str, system: str) -> Any:
    return (crm_tokens.c.agency == agency) & (crm_tokens.c.system == system)


def _as_json(pair: TokenPair) -> str:
    return json.dumps(
        {
            "generation": pair.generation,
            "access": pair.access,
            "refresh": pair.refresh,
            "obtained_at": pair.obtained_at.isoformat(),
            "expires_at": pair.expires_at.isoformat(),
        }
    )
