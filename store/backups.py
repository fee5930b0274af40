"""Backups of SQLite files while they are in use, and what a backup folder says of itself (docs/operations.md).

SQLite's own online copy takes what is in the write-ahead log too; copying the file alone would miss it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MANIFEST = "backup.json"
STORE_FILE, TEMPORAL_FILE = "store.db", "temporal.db"
PAGES = 2_000
"""Pages copied at a time, so that a writer never waits long."""
BESIDE = ("", "-wal", "-shm", "-journal")
"""What belongs to an SQLite file."""


class BrokenBackup(ValueError):
    """A backup that cannot be restored; the text says why."""


class Copied(BaseModel):
    """One file of a backup."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z]+\.db$")]
    sha256: str
    size: int


class Manifest(BaseModel):
    """`backup.json`: when the copy began (UTC), and what lies beside it. It names nobody and holds no secret."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 1
    taken_at: datetime
    files: tuple[Copied, ...]

    def has(self, name: str) -> bool:
        return any(file.name == name for file in self.files)


def copy_while_in_use(source: Path, target: Path) -> None:
    """A consistent copy of an SQLite file that others write to meanwhile. Raises `BrokenBackup`."""
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as there,
            closing(sqlite3.connect(target)) as here,
        ):
            target.chmod(0o600)
            there.backup(here, pages=PAGES, sleep=0.01)
            here.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise BrokenBackup(f"{source}: cannot be copied ({error})") from None
    _must_be_sound(target)


def seal(folder: Path, taken_at: datetime) -> Manifest:
    """Write what the folder holds; from then on it is a backup."""
    files = tuple(
        Copied(name=path.name, sha256=_digest(path), size=path.stat().st_size) for path in sorted(folder.glob("*.db"))
    )
    manifest = Manifest(taken_at=taken_at, files=files)
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", "utf-8")
    for path in (*folder.iterdir(), folder):
        _sync(path)
    return manifest


def checked(folder: Path) -> Manifest:
    """The manifest of a backup whose files are whole. Raises `BrokenBackup`."""
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except OSError:
        raise BrokenBackup(f"{folder} is no backup: it has no {MANIFEST}") from None
    except ValidationError:
        raise BrokenBackup(f"{folder / MANIFEST} cannot be read") from None
    if not manifest.has(STORE_FILE):
        raise BrokenBackup(f"{folder} holds no {STORE_FILE}")
    for file in manifest.files:
        path = folder / file.name
        if not path.is_file() or path.stat().st_size != file.size or _digest(path) != file.sha256:
            raise BrokenBackup(f"{path} is not the file that was backed up")
        _must_be_sound(path)
    return manifest


def put_in_place(source: Path, target: Path, aside: Path) -> None:
    """`source` becomes `target`; what was there goes into the folder `aside`, never away."""
    set_aside(target, aside)
    fresh = target.with_name(f"{target.name}.restoring")
    shutil.copyfile(source, fresh)
    fresh.chmod(0o600)
    _sync(fresh)
    fresh.replace(target)
    _sync(target.parent)


def set_aside(target: Path, aside: Path) -> bool:
    """Move an SQLite file and what belongs to it into `aside`; False when there was none."""
    found = [path for suffix in BESIDE if (path := target.with_name(target.name + suffix)).exists()]
    if found:
        aside.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in found:
        path.replace(aside / path.name)
    return bool(found)


def _must_be_sound(path: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise BrokenBackup(f"{path} is damaged ({error})") from None
    if verdict != "ok":
        raise BrokenBackup(f"{path} is damaged ({verdict})")


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """What is written reaches the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
