"""The bytes of TAMARA files: clear and encrypted forms under a key of their own, and redacted copies (contracts: tamara 4.6, 4.7).

The key of a file's secret forms lies in the vault. Destroying it makes them unreadable wherever copies of the rows went.
"""

from __future__ import annotations

import base64
import datetime as dt
import os
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ConfigDict
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    String,
    Table,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from domain.errors import Unauthorised
from store.clock import Clock
from store.database import Database
from store.tables import Instant, metadata
from store.tamara_tables import File, files
from store.vault import NONCE_BYTES, Vault

Form = Literal["clear", "openpgp", "redacted"]
"""As rendered; encrypted for the partner; without card numbers."""
SECRET: tuple[Form, ...] = ("clear", "openpgp")
KEY_BYTES = 32
PART_BYTES = 4 * 1024 * 1024
"""What is in memory of a file at a time."""

contents = Table(
    "tamara_parts",
    metadata,
    Column("partner_id", String(12), primary_key=True),
    Column("kind", String(3), primary_key=True),
    Column("mode", String(1), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("reprint", Integer, primary_key=True, autoincrement=False),
    Column("form", String(10), primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("last", Boolean, nullable=False),
    Column("nonce", LargeBinary),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
)


class Print(BaseModel):
    """One print of a file: the number of a file, and how often it was printed again."""

    model_config = ConfigDict(frozen=True)

    agency: str
    partner_id: str
    kind: str
    mode: str
    seq: int
    reprint: int = 0

    @classmethod
    def of(cls, file: File) -> Print:
        return cls.model_validate(file, from_attributes=True)

    @property
    def key_name(self) -> str:
        """The name of its key in the vault."""
        return f"tamara/{self.partner_id}/{self.kind}/{self.mode}/{self.seq:09d}/{self.reprint}"

    def __str__(self) -> str:
        return f"{self.kind} {self.seq}" + (f" (reprint {self.reprint})" if self.reprint else "")


class TamaraContents:
    """Keeps and destroys the bytes of files. Secret forms raise `Unauthorised` while the vault is closed."""

    def __init__(self, database: Database, clock: Clock, vault: Vault) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault

    def keep(self, of: Print, form: Form, content: bytes | Iterable[bytes]) -> None:
        """Keep one form, part by part. What is kept whole stays: a second call changes nothing, and reads no `content`."""
        if form in self.forms(of):
            return
        with self._database.begin() as connection:
            # What an attempt before a crash left behind counts for nothing.
            connection.execute(delete(contents).where(_is(of), contents.c.form == form))
        parts = _in_parts([content] if isinstance(content, bytes) else content)
        for part, (data, last) in enumerate(parts):
            nonce, kept = self._sealed(of, form, part, data) if form in SECRET else (None, data)
            row = {**_key(of), "form": form, "part": part, "last": last, "nonce": nonce, "content": kept}
            with self._database.begin() as connection:
                connection.execute(insert(contents).values(**row, created_at=self._clock()))

    def parts(self, of: Print, form: Form) -> Iterator[bytes]:
        """One form, part by part; nothing when it is not kept (any more). Raises `Unauthorised` if it was altered."""
        if form not in self.forms(of):
            return
        part, last = 0, False
        while not last:
            query = select(contents.c.nonce, contents.c.content, contents.c.last).where(
                _is(of), contents.c.form == form, contents.c.part == part
            )
            with self._database.read() as connection:
                row = connection.execute(query).one_or_none()
            if row is None:
                raise Unauthorised(f"a part of {of} is missing", system="vault")
            yield self._opened(of, form, part, row.nonce, row.content) if form in SECRET else bytes(row.content)
            part, last = part + 1, row.last

    def open(self, of: Print, form: Form) -> bytes | None:
        """One form whole, None when there is none (any more)."""
        return b"".join(self.parts(of, form)) if form in self.forms(of) else None

    def _opened(self, of: Print, form: Form, part: int, nonce: bytes, content: bytes) -> bytes:
        try:
            return AESGCM(self._key_of(of)).decrypt(bytes(nonce), bytes(content), _bound(of, form, part))
        except InvalidTag:
            raise Unauthorised(f"the bytes of {of} were altered since they were sealed", system="vault") from None

    def forms(self, of: Print) -> set[str]:
        """Those that are kept whole."""
        with self._database.read() as connection:
            return set(connection.scalars(select(contents.c.form).where(_is(of), contents.c.last)))

    def destroy(self, of: Print) -> None:
        """Destroy the key and the secret forms; redacted copies stay. May be repeated."""
        with self._database.begin() as connection:
            _overwrite_deleted(connection)
            self._vault.forget_in(connection, of.agency, of.key_name)
            connection.execute(delete(contents).where(_is(of), contents.c.form.in_(SECRET)))
            connection.execute(
                update(files)
                .where(*(files.c[name] == value for name, value in _key(of).items() if name != "reprint"))
                .values(destroyed_at=self._clock())
            )

    def due(self, agency: str, answered_before: dt.datetime, sealed_before: dt.datetime) -> list[Print]:
        """Prints whose secret forms have been kept long enough: answered, or simply old."""
        file = and_(*(files.c[name] == contents.c[name] for name in ("partner_id", "kind", "mode", "seq")))
        over = or_(
            files.c.answered_at.is_not(None) & (files.c.answered_at <= answered_before),
            contents.c.created_at <= sealed_before,
        )
        query = (
            select(*(contents.c[name] for name in ("partner_id", "kind", "mode", "seq", "reprint")), files.c.agency)
            .join_from(contents, files, file)
            .where(files.c.agency == agency, contents.c.form.in_(SECRET), over)
            .distinct()
            .order_by(contents.c.kind, contents.c.seq, contents.c.reprint)
        )
        with self._database.read() as connection:
            return [Print.model_validate(row, from_attributes=True) for row in connection.execute(query)]

    def held(self, agency: str) -> int:
        """How many prints of an agency still have secret forms."""
        own = select(func.count(func.distinct(contents.c.seq))).where(contents.c.form.in_(SECRET))
        mine = select(files.c.partner_id).where(files.c.agency == agency)
        with self._database.read() as connection:
            return int(connection.execute(own.where(contents.c.partner_id.in_(mine))).scalar() or 0)

    def _sealed(self, of: Print, form: Form, part: int, content: bytes) -> tuple[bytes, bytes]:
        if of.key_name not in self._vault.names(of.agency):
            self._vault.seal_once(of.agency, of.key_name, base64.b64encode(os.urandom(KEY_BYTES)).decode())
        nonce = os.urandom(NONCE_BYTES)
        return nonce, AESGCM(self._key_of(of)).encrypt(nonce, content, _bound(of, form, part))

    def _key_of(self, of: Print) -> bytes:
        return base64.b64decode(self._vault.open(of.agency, of.key_name))


def _key(of: Print) -> dict[str, Any]:
    return of.model_dump(exclude={"agency"})


def _is(of: Print) -> Any:
    return and_(*(contents.c[name] == value for name, value in _key(of).items()))


def _bound(of: Print, form: Form, part: int) -> bytes:
    """What a part is sealed with besides its key: none can stand in the place of another."""
    place = f"\x1f{part}" if part else ""
    return f"{of.agency}\x1f{of.key_name}\x1f{form}{place}".encode()


def _in_parts(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Parts of one size, the last one shorter, each with whether it is the last; at least one."""
    waiting = bytearray()
    for block in blocks:
        waiting += block
        while len(waiting) > PART_BYTES:
            yield bytes(waiting[:PART_BYTES]), False
            del waiting[:PART_BYTES]
    yield bytes(waiting), True


def _overwrite_deleted(connection: Connection) -> None:
    """SQLite leaves deleted bytes in free pages unless told otherwise."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
