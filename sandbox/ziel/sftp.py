"""The SFTP side of Z.I.E.L.: one home per agency, no overwriting, and the faults of a file server (contracts: midoffice 8.1)."""

from __future__ import annotations

import asyncio
import os
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh
from asyncssh.sftp import SFTPServerHandler

from sandbox.faults import Fault, FaultBoard, Kind

FOLDERS = ("in", "ack", "err", "status")
UNFINISHED = ".tmp"
WRITING = asyncssh.FXF_WRITE | asyncssh.FXF_APPEND

# Plain rename is the only one: a server with posix-rename would overwrite, and would hide a client that relies on it.
SFTPServerHandler._extensions = [entry for entry in SFTPServerHandler._extensions if b"posix-rename" not in entry[0]]


@dataclass(frozen=True)
class Account:
    """A user of the server with a home of its own."""

    user: str
    password: str | None = None
    public_keys: tuple[str, ...] = ()


@dataclass
class Site:
    """What every connection shares."""

    root: Path
    accounts: Mapping[str, Account]
    faults: FaultBoard
    log: Callable[[str, str], None]
    arrived: Callable[[Path], None]

    def home(self, user: str) -> Path:
        home = self.root / user
        for folder in FOLDERS:
            (home / folder).mkdir(parents=True, exist_ok=True)
        return home


class Door(asyncssh.SSHServer):
    """The log-in of one connection."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._fault: Fault | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._fault = fault = self._site.faults.take("connect")
        self._site.log("connect", fault.kind.value if fault else "ok")
        if fault and fault.kind not in (Kind.REFUSE, Kind.SLOW):
            conn.abort()

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        account = await self._account(username)
        return account is not None and account.password is not None and account.password == password

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        account = await self._account(username)
        if account is None:
            return False
        return any(asyncssh.import_public_key(text).public_data == key.public_data for text in account.public_keys)

    async def _account(self, username: str) -> Account | None:
        if self._fault and self._fault.kind is Kind.SLOW:
            await asyncio.sleep(self._fault.seconds)
        if self._fault and self._fault.kind is Kind.REFUSE:
            return None
        return self._site.accounts.get(username)


class Session(asyncssh.SFTPServer):
    """One SFTP session, shut into the home of its user."""

    def __init__(self, chan: Any, site: Site) -> None:
        self._site = site
        self._home = site.home(str(chan.get_extra_info("username")))
        self._torn: set[int] = set()
        super().__init__(chan, chroot=os.fsencode(self._home))

    # --- faults ---

    async def _before(self, operation: str) -> Fault | None:
        """Take the fault of this call; raises or cuts if it strikes before the effect."""
        fault = self._site.faults.take(operation)
        self._site.log(operation, fault.kind.value if fault else "ok")
        match fault.kind if fault else None:
            case Kind.REFUSE:
                raise asyncssh.SFTPPermissionDenied(f"{operation}: permission denied")
            case Kind.ERROR_BEFORE | Kind.PAGE_503 | Kind.THROTTLE:
                raise asyncssh.SFTPFailure(f"{operation}: server busy")
            case Kind.DROP_BEFORE:
                self._cut()
            case Kind.SLOW if fault:
                await asyncio.sleep(fault.seconds)
        return fault

    def _after(self, fault: Fault | None, operation: str) -> None:
        match fault.kind if fault else None:
            case Kind.ERROR_AFTER:
                raise asyncssh.SFTPFailure(f"{operation}: server busy")
            case Kind.DROP_AFTER | Kind.LATE | Kind.MALFORMED:
                self._cut()

    def _cut(self) -> None:
        self.connection.abort()
        raise asyncssh.SFTPConnectionLost("cut")

    # --- files ---

    def _place(self, path: bytes) -> tuple[str, str]:
        """Folder and name of a client's path; anything deeper or above is refused."""
        parts = posixpath.normpath(posixpath.join("/", os.fsdecode(path))).strip("/").split("/")
        if len(parts) != 2 or parts[0] not in FOLDERS:
            raise asyncssh.SFTPPermissionDenied("only files in in/, ack/, err/ and status/")
        return parts[0], parts[1]

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        folder, name = self._place(path)
        if not pflags & WRITING:
            fault = await self._before("get")
            opened = super().open(path, pflags, attrs)
            self._after(fault, "get")
            return opened
        if folder != "in" or not name.endswith(UNFINISHED):
            raise asyncssh.SFTPPermissionDenied("files are written into in/ under a temporary name")
        fault = await self._before("put")
        opened = super().open(path, pflags, asyncssh.SFTPAttrs())
        if fault and fault.kind is Kind.MALFORMED:
            self._torn.add(id(opened))
        return opened

    def write(self, file_obj: object, offset: int, data: bytes) -> Any:
        if id(file_obj) in self._torn:
            super().write(file_obj, offset, data[: max(1, len(data) // 2)])
            self._cut()
        return super().write(file_obj, offset, data)

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        fault = await self._before("rename")
        (folder, name), (to_folder, to_name) = self._place(oldpath), self._place(newpath)
        if (folder, to_folder) != ("in", "in") or not name.endswith(UNFINISHED) or to_name.endswith(UNFINISHED):
            raise asyncssh.SFTPPermissionDenied(f"not from {folder}/{name} to {to_folder}/{to_name}")
        old, new = self._home / folder / name, self._home / to_folder / to_name
        if not old.exists():
            raise asyncssh.SFTPNoSuchFile(f"{folder}/{name} does not exist")
        if new.exists():
            raise asyncssh.SFTPFailure(f"{to_folder}/{to_name} exists")
        old.rename(new)
        self._site.arrived(new)
        self._after(fault, "rename")

    async def stat(self, path: bytes) -> Any:
        # Clients look at folders on their way; a fault is meant for the question about a file.
        if os.path.isdir(self.map_path(path)):  # noqa: ASYNC240  a local folder
            return super().stat(path)
        fault = await self._before("stat")
        found = super().stat(path)
        self._after(fault, "stat")
        return found

    async def remove(self, path: bytes) -> None:
        folder, name = self._place(path)
        if folder != "in" or not name.endswith(UNFINISHED):
            raise asyncssh.SFTPPermissionDenied(f"{folder}/{name} may not be removed")
        fault = await self._before("remove")
        super().remove(path)
        self._after(fault, "remove")

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPOpUnsupported("posix-rename is not offered")

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        raise asyncssh.SFTPPermissionDenied("permissions and times are ours")

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        raise asyncssh.SFTPPermissionDenied("permissions and times are ours")

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        raise asyncssh.SFTPPermissionDenied("folders are ours")

    def rmdir(self, path: bytes) -> None:
        raise asyncssh.SFTPPermissionDenied("folders are ours")

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPPermissionDenied("no links")

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPPermissionDenied("no links")
