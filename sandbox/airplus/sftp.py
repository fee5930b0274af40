"""The SFTP side of AirPlus: accounts, folders, no overwriting, and the faults of a file server (contracts: tamara 4.2, 4.8)."""

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

FOLDERS = ("in", "out", "archive")
MARKER = ".done"
UNFINISHED = (".part", ".part2", MARKER)
WRITING = asyncssh.FXF_WRITE | asyncssh.FXF_APPEND

# Plain rename is the only one: a server with posix-rename would overwrite, and would hide a client that relies on it.
SFTPServerHandler._extensions = [entry for entry in SFTPServerHandler._extensions if b"posix-rename" not in entry[0]]


@dataclass(frozen=True)
class Account:
    """A user of the server with a home of its own; `mode` is what its directory is for (None: production and test)."""

    user: str
    password: str | None = None
    public_keys: tuple[str, ...] = ()
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


class Door(asyncssh.SSHServer):
    """The log-in of one connection."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._fault: Fault | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._fault = fault = self._site.faults.take("connect")
        self._site.log("connect", fault.kind.value if fault else "ok")
        match fault.kind if fault else None:
            case Kind.ERROR_BEFORE | Kind.DROP_BEFORE | Kind.PAGE_503 | Kind.MALFORMED:
                conn.abort()
            case Kind.THROTTLE:
                conn.disconnect(asyncssh.DISC_TOO_MANY_CONNECTIONS, "too many connections")
            case Kind.ERROR_AFTER | Kind.DROP_AFTER | Kind.LATE:
                conn.set_extra_info(cut_at_session=True)

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
        self._account = site.accounts[str(chan.get_extra_info("username"))]
        self._home = site.home(self._account)
        self._uploads: dict[int, _Upload] = {}
        super().__init__(chan, chroot=os.fsencode(self._home))
        if chan.get_extra_info("cut_at_session"):
            self._cut()

    # --- faults ---

    def _cut(self) -> None:
        self.connection.abort()

    async def _before(self, operation: str) -> Fault | None:
        """Take the fault of this call; raises or cuts if it strikes before the effect."""
        fault = self._site.faults.take(operation)
        self._site.log(operation, fault.kind.value if fault else "ok")
        await self._strike(fault, operation)
        return fault

    async def _strike(self, fault: Fault | None, operation: str) -> None:
        match fault.kind if fault else None:
            case Kind.REFUSE:
                raise asyncssh.SFTPPermissionDenied(f"{operation}: permission denied")
            case Kind.ERROR_BEFORE | Kind.PAGE_503 | Kind.THROTTLE:
                raise asyncssh.SFTPFailure(f"{operation}: server busy")
            case Kind.DROP_BEFORE:
                self._cut()
                raise asyncssh.SFTPConnectionLost("cut")
            case Kind.SLOW if fault:
                await asyncio.sleep(fault.seconds)

    def _after(self, fault: Fault | None, operation: str) -> None:
        match fault.kind if fault else None:
            case Kind.ERROR_AFTER:
                raise asyncssh.SFTPFailure(f"{operation}: server busy")
            case Kind.DROP_AFTER | Kind.MALFORMED:
                self._cut()
                raise asyncssh.SFTPConnectionLost("cut")

    # --- files ---

    def _place(self, path: bytes) -> tuple[str, str]:
        """Folder and name of a client's path; anything deeper or above is refused."""
        parts = posixpath.normpath(posixpath.join("/", os.fsdecode(path))).strip("/").split("/")
        if len(parts) != 2 or parts[0] not in FOLDERS:
            raise asyncssh.SFTPPermissionDenied("only files in in/, out/ and archive/")
        return parts[0], parts[1]

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
        fault = self._site.faults.take("put")
        self._site.log("put", fault.kind.value if fault else "ok")
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
            raise asyncssh.SFTPConnectionLost("cut")
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
        (folder, name), (to_folder, to_name) = self._place(oldpath), self._place(newpath)
        if (folder, to_folder) not in (("in", "in"), ("out", "archive"), ("out", "out")):
            raise asyncssh.SFTPPermissionDenied(f"not from {folder}/ to {to_folder}/")
        old, new = self._home / folder / name, self._home / to_folder / to_name
        if not old.exists():
            raise asyncssh.SFTPNoSuchFile(f"{folder}/{name} does not exist")
        if new.exists():
            raise asyncssh.SFTPFailure(f"{to_folder}/{to_name} exists")
        old.rename(new)
        if to_folder == "in" and not to_name.endswith(UNFINISHED):
            self._site.arrived(self._account, new)
            if fault and fault.kind is Kind.LATE:
                new.rename(self._home / "archive" / to_name)
        if folder == "out":
            self._site.fetched(self._account, name)
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
        fault = await self._before("remove")
        folder, name = self._place(path)
        if folder == "archive" or (folder == "in" and not name.endswith(UNFINISHED)):
            raise asyncssh.SFTPPermissionDenied(f"{folder}/{name} may not be removed")
        super().remove(path)
        if folder == "out":
            self._site.fetched(self._account, name)
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
