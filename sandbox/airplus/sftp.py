"""The SFTP side of AirPlus: accounts, folders, files that are taken when they are whole (contracts: tamara 4.2, 4.8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from sandbox import file_server
from sandbox.faults import Fault, FaultBoard, Kind
from sandbox.file_server import WRITING, LogIn, ShutIn

FOLDERS = ("in", "out", "archive")
MARKER = ".done"
UNFINISHED = (".part", ".part2", MARKER)


@dataclass(frozen=True)
class Account(file_server.Account):
    """A user of the server; `mode` is what its directory is for (None: production and test)."""

    mode: str | None = None


@dataclass
class Site:
    """What every connection shares. `marked`: a file counts when an empty `NAME.done` comes behind it."""

    root: Path
    accounts: Mapping[str, Account]
    faults: FaultBoard
    log: Callable[[str, str], None]
    arrived: Callable[[Account, Path], None]
    fetched: Callable[[Account, str], None]
    marked: bool = False

    def home(self, account: Account) -> Path:
        home = self.root / account.user
        for folder in FOLDERS:
            (home / folder).mkdir(parents=True, exist_ok=True)
        return home

    def written(self, account: Account, file: Path) -> None:
        """A file was closed: it is taken at once, or when its marker comes, which goes with that."""
        if file.name.endswith(MARKER):
            file.unlink()
            if self.marked:
                self.arrived(account, file.with_name(file.name.removesuffix(MARKER)))
        elif not self.marked and not file.name.endswith(UNFINISHED):
            self.arrived(account, file)


@dataclass
class _Upload:
    path: bytes
    fault: Fault | None


class Door(LogIn):
    """The log-in of one connection; a fault may also strike when its SFTP session begins."""

    def struck(self, conn: asyncssh.SSHServerConnection, fault: Fault) -> None:
        match fault.kind:
            case Kind.ERROR_BEFORE | Kind.DROP_BEFORE | Kind.PAGE_503 | Kind.MALFORMED:
                conn.abort()
            case Kind.THROTTLE:
                conn.disconnect(asyncssh.DISC_TOO_MANY_CONNECTIONS, "too many connections")
            case Kind.ERROR_AFTER | Kind.DROP_AFTER | Kind.LATE:
                conn.set_extra_info(cut_at_session=True)


class Session(ShutIn):
    """One SFTP session, shut into the home of its user."""

    folders = FOLDERS

    def __init__(self, chan: Any, site: Site) -> None:
        self._account = site.accounts[str(chan.get_extra_info("username"))]
        self._uploads: dict[int, _Upload] = {}
        super().__init__(chan, site, site.home(self._account))
        if chan.get_extra_info("cut_at_session"):
            self.connection.abort()

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        folder, name = self._place(path)
        if not pflags & WRITING:
            fault = await self._before("get")
            opened = super().open(path, pflags, attrs)
            self._after(fault, "get")
            return opened
        target = self._home / folder / name
        if folder != "in" or (target.exists() and not name.endswith(UNFINISHED)):
            raise asyncssh.SFTPPermissionDenied("files are delivered into in/, and never over another")
        fault = self._taken("put")
        # A full disk shows with the first bytes, not when the file is made.
        if fault and fault.kind in (Kind.REFUSE, Kind.DROP_BEFORE, Kind.SLOW, Kind.THROTTLE, Kind.PAGE_503):
            await self._strike(fault, "put")
        opened = super().open(path, pflags, asyncssh.SFTPAttrs())
        self._uploads[id(opened)] = _Upload(path, fault)
        return opened

    def write(self, file_obj: object, offset: int, data: bytes) -> Any:
        upload = self._uploads.get(id(file_obj))
        kind = upload.fault.kind if upload and upload.fault else None
        if kind is Kind.ERROR_BEFORE:
            raise asyncssh.SFTPFailure("No space left on device")
        if kind is Kind.MALFORMED:
            super().write(file_obj, offset, data[: max(1, len(data) // 2)])
            self._cut()
        return super().write(file_obj, offset, data)

    def close(self, file_obj: object) -> None:
        upload = self._uploads.pop(id(file_obj), None)
        super().close(file_obj)
        if upload is None or self.connection.is_closed():
            return
        folder, name = self._place(upload.path)
        self._site.written(self._account, self._home / folder / name)
        self._after(upload.fault, "put")

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        fault = await self._before("rename")
        old, new = self._place(oldpath), self._place(newpath)
        if (old[0], new[0]) not in (("in", "in"), ("out", "archive"), ("out", "out")):
            raise asyncssh.SFTPPermissionDenied(f"not from {old[0]}/ to {new[0]}/")
        moved = self._moved(old, new)
        if new[0] == "in" and not new[1].endswith(UNFINISHED):
            self._site.arrived(self._account, moved)
            if fault and fault.kind is Kind.LATE:
                moved.rename(self._home / "archive" / moved.name)
        if old[0] == "out":
            self._site.fetched(self._account, old[1])
        self._after(fault, "rename")

    async def remove(self, path: bytes) -> None:
        fault = await self._before("remove")
        folder, name = self._place(path)
        if folder == "archive" or (folder == "in" and not name.endswith(UNFINISHED)):
            raise asyncssh.SFTPPermissionDenied(f"{folder}/{name} may not be removed")
        super().remove(path)
        if folder == "out":
            self._site.fetched(self._account, name)
        self._after(fault, "remove")
