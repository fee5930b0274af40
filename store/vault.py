"""Secrets at rest: sealed with AES-GCM under a master key that is never stored (DESIGN 6).

Every row names the key that sealed it, so that a new master key can be introduced while old rows still open:
open the store with the new key and the old one as retired, then `reseal`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Column, Connection, LargeBinary, Row, String, Table, delete, func, select, update

from domain.errors import Unauthorised
from store.clock import Clock
from store.database import Database
from store.tables import Instant, agency_column, id_column, metadata, upsert

NONCE_BYTES = 12
KEY_BYTES = (16, 24, 32)

sealed_secrets = Table(
    "sealed_secrets",
    metadata,
    agency_column(primary_key=True),
    id_column("name", primary_key=True),
    Column("key_id", String(16), nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("updated_at", Instant, nullable=False),
)


def key_id(key: bytes) -> str:
    """Names a master key without telling anything of it."""
    return hashlib.sha256(b"vault key id\x00" + key).hexdigest()[:16]


class Vault:
    """Seals and opens secrets of agencies. All calls raise `Unauthorised` when the master key is missing or wrong."""

    def __init__(
        self, database: Database, clock: Clock, master_key: bytes | None, retired_keys: Sequence[bytes] = ()
    ) -> None:
        for key in (*([] if master_key is None else [master_key]), *retired_keys):
            if len(key) not in KEY_BYTES:
                raise ValueError(f"a master key has 32 bytes (16 and 24 are accepted), not {len(key)}")
        self._database = database
        self._clock = clock
        self._master = None if master_key is None else key_id(master_key)
        self._keys = {key_id(key): AESGCM(key) for key in (*retired_keys, *([master_key] if master_key else []))}

    def __repr__(self) -> str:
        return f"Vault({'closed' if self._master is None else 'key ' + self._master})"

    def seal(self, agency: str, name: str, plaintext: str) -> None:
        """Store a secret, replacing the one of the same name."""
        with self._database.begin() as connection:
            self.seal_in(connection, agency, name, plaintext)

    def seal_in(self, connection: Connection, agency: str, name: str, plaintext: str) -> None:
        """`seal` inside a transaction of the store."""
        values = self._sealed(agency, name, plaintext)
        statement = upsert(connection, sealed_secrets).values(agency=agency, name=name, **values)
        changed = {column: statement.excluded[column] for column in values}
        connection.execute(statement.on_conflict_do_update(index_elements=["agency", "name"], set_=changed))

    def seal_once(self, agency: str, name: str, plaintext: str) -> None:
        """Store a secret unless there is one of that name already."""
        values = self._sealed(agency, name, plaintext)
        with self._database.begin() as connection:
            statement = upsert(connection, sealed_secrets).values(agency=agency, name=name, **values)
            connection.execute(statement.on_conflict_do_nothing())

    def _sealed(self, agency: str, name: str, plaintext: str) -> dict[str, Any]:
        master = self._present()
        nonce = os.urandom(NONCE_BYTES)
        return {
            "key_id": master,
            "nonce": nonce,
            "sealed": self._keys[master].encrypt(nonce, plaintext.encode(), _bound_to(agency, name, master)),
            "updated_at": self._clock(),
        }

    def open(self, agency: str, name: str) -> str:
        """The secret in clear; `Unauthorised` also when there is none of that name."""
        self._present()
        with self._database.read() as connection:
            row = connection.execute(
                select(sealed_secrets).where(sealed_secrets.c.agency == agency, sealed_secrets.c.name == name)
            ).one_or_none()
        if row is None:
            raise Unauthorised(f"no secret {name} is sealed for {agency}", system="vault")
        return self._opened(agency, name, row)

    def _opened(self, agency: str, name: str, row: Row[Any]) -> str:
        key = self._keys.get(row.key_id)
        if key is None:
            raise Unauthorised(
                f"{name} of {agency} was sealed with key {row.key_id}; open the store with that master key",
                system="vault",
            )
        try:
            return key.decrypt(bytes(row.nonce), bytes(row.sealed), _bound_to(agency, name, row.key_id)).decode()
        except InvalidTag:
            raise Unauthorised(f"{name} of {agency} was altered since it was sealed", system="vault") from None

    def names(self, agency: str) -> list[str]:
        """The names of the secrets of an agency; needs no key."""
        query = select(sealed_secrets.c.name).where(sealed_secrets.c.agency == agency)
        with self._database.read() as connection:
            return list(connection.scalars(query.order_by(sealed_secrets.c.name)))

    def forget(self, agency: str, name: str) -> None:
        with self._database.begin() as connection:
            self.forget_in(connection, agency, name)

    @staticmethod
    def forget_in(connection: Connection, agency: str, name: str) -> None:
        """`forget` inside a transaction of the store."""
        connection.execute(
            delete(sealed_secrets).where(sealed_secrets.c.agency == agency, sealed_secrets.c.name == name)
        )

    def reseal(self) -> int:
        """Seal everything that a retired key still holds under the present master key; the number of secrets."""
        return sum(self.resealing())

    def resealing(self, at_once: int = 200) -> Iterator[int]:
        """`reseal` in transactions of `at_once` secrets, giving the number of each.

        It may be broken off anywhere and begun again, beside running workers: what was sealed anew meanwhile stays.
        Raises `Unauthorised` at a secret whose key is neither the master key nor a retired one; those before it are done.
        """
        master = self._present()
        query = select(sealed_secrets).where(sealed_secrets.c.key_id != master).limit(at_once)
        query = query.order_by(sealed_secrets.c.agency, sealed_secrets.c.name)
        while True:
            with self._database.begin() as connection:
                old = connection.execute(query.with_for_update()).all()
                for row in old:
                    anew = self._sealed(row.agency, row.name, self._opened(row.agency, row.name, row))
                    mine = (sealed_secrets.c.agency == row.agency) & (sealed_secrets.c.name == row.name)
                    connection.execute(update(sealed_secrets).where(mine).values(**anew))
            if not old:
                return
            yield len(old)

    @property
    def master_key_id(self) -> str | None:
        """The name of the present master key, None while the vault is closed."""
        return self._master

    def held_by_key(self) -> dict[str, int]:
        """How many secrets each key holds, by key id; needs no key."""
        query = select(sealed_secrets.c.key_id, func.count()).group_by(sealed_secrets.c.key_id)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query.order_by(sealed_secrets.c.key_id))}

    def _present(self) -> str:
        if self._master is None:
            raise Unauthorised(
                "the vault is closed: set the master key of the store (32 bytes, base64) in the settings",
                system="vault",
            )
        return self._master


def _bound_to(agency: str, name: str, key: str) -> bytes:
    """What a sealed secret is tied to, so that a row copied to another name does not open."""
    return "\x1f".join((agency, name, key)).encode()
