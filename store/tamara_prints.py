"""Files that are sent again under their number: each print has an entry of its own (contracts: tamara 4.1, 4.4)."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, ConfigDict
from sqlalchemy import BigInteger, Column, Integer, String, Table, insert, select, update

from store.clock import Clock
from store.database import Database
from store.tables import Instant, metadata
from store.tamara_tables import FileKey, files

prints = Table(
    "tamara_prints",
    metadata,
    Column("partner_id", String(12), primary_key=True),
    Column("kind", String(3), primary_key=True),
    Column("mode", String(1), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("reprint", Integer, primary_key=True, autoincrement=False),
    Column("name", String(64), nullable=False),
    Column("state", String(20), nullable=False),
    Column("sealed_at", String(40), nullable=False),
    Column("digest", String(64)),
    Column("size", BigInteger),
    Column("cipher_digest", String(64)),
    Column("cipher_size", BigInteger),
    Column("replaced_at", Instant, nullable=False),
)
_MOVED = ("partner_id", "kind", "mode", "seq", "reprint", "name", "state", "sealed_at", "digest", "size")
_CIPHER = ("cipher_digest", "cipher_size")


class EarlierPrint(BaseModel):
    """A print that another one replaced: its name, how far it came, its digests."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    reprint: int
    name: str
    state: str
    digest: str | None
    size: int | None
    cipher_digest: str | None
    cipher_size: int | None


class TamaraPrints:
    """The earlier prints of files; the newest one stands in the ledger itself."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def again(self, key: FileKey, reprint: int, name: str, sealed_at: dt.datetime) -> None:
        """Put print number `reprint` in the place of the one before; asked twice, once. Content and number stay."""
        this = [files.c[column] == value for column, value in key.model_dump().items()]
        moment = self._clock()
        with self._database.begin() as connection:
            row = connection.execute(
                select(*(files.c[column] for column in (*_MOVED, *_CIPHER))).where(*this).with_for_update()
            ).one()
            if row.reprint >= reprint:
                return
            connection.execute(insert(prints).values(**row._mapping, replaced_at=moment))
            connection.execute(
                update(files)
                .where(*this)
                .values(
                    reprint=reprint,
                    name=name,
                    state="SEALED",
                    sealed_at=sealed_at.isoformat(),
                    digest=None,
                    size=None,
                    cipher_digest=None,
                    cipher_size=None,
                    rename_sent=False,
                    updated_at=moment,
                )
            )

    def of(self, key: FileKey) -> list[EarlierPrint]:
        """Oldest first."""
        query = select(prints).where(*(prints.c[column] == value for column, value in key.model_dump().items()))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(prints.c.reprint)).all()
        return [EarlierPrint.model_validate(row) for row in rows]
