"""What the stand-ins' SFTP servers have in common: log-in, host key, plain rename only, the faults of a file server."""

from __future__ import annotations

import asyncio
import os
import posixpath
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import asyncssh
from asyncssh.sftp import SFTPServerHandler

from sandbox.faults import Fault, FaultBoard, Kind

WRITING = asyncssh.FXF_WRITE | asyncssh.FXF_APPEND

# Plain rename is the only one: a server with posix-rename would overwrite, and would hide a client that relies on it.
SFTPServerHandler._extensions = [entry for entry in SFTPServerHandler._extensions if b"posix-rename" not in entry[0]]


@dataclass(frozen=True)
class Account:
    """A user of the server with a home of its own."""

    user: str
    password: str | None = None
    public_keys: tuple[str, ...] = ()


class Shared(Protocol):
    """What every connection of a server shares."""

    @property
    def accounts(self) -> Mapping[str, Account]: ...

    @property
    def faults(self) -> FaultBoard: ...

    @property
    def log(self) -> Callable[[str, str], None]: ...


class LogIn(asyncssh.SSHServer):
    """The log-in of one connection; the operation `connect` of the fault board."""

    def __init__(self, site: Shared) -> None:
        self._site = site
        self._fault: Fault | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._fault = fault = self._site.faults.take("connect")
        self._site.log("connect", fault.kind.value if fault else "ok")
        if fault:
            self.struck(conn, fault)

    def struck(self, conn: asyncssh.SSHServerConnection, fault: Fault) -> None:
        """What a fault does to a new connection; one that refuses or is slow shows at the log-in."""
        if fault.kind not in (Kind.REFUSE, Kind.SLOW):
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


class ShutIn(asyncssh.SFTPServer):
    """An SFTP session shut into one home, whose folders, permissions and times are the server's."""

    folders: ClassVar[tuple[str, ...]] = ()
    cut_afterwards: ClassVar[frozenset[Kind]] = frozenset({Kind.DROP_AFTER, Kind.MALFORMED})

    def __init__(self, chan: Any, site: Shared, home: Path) -> None:
        self._site: Any = site
        self._home = home
        super().__init__(chan, chroot=os.fsencode(home))

    # --- faults ---

    async def _before(self, operation: str) -> Fault | None:
        """Take the fault of this call; raises or cuts if it strikes before the effect."""
        fault = self._taken(operation)
        await self._strike(fault, operation)
        return fault

    def _taken(self, operation: str) -> Fault | None:
        fault: Fault | None = self._site.faults.take(operation)
        self._site.log(operation, fault.kind.value if fault else "ok")
        return fault

    async def _strike(self, fault: Fault | None, operation: str) -> None:
        match fault.kind if fault else None:
            case Kind.REFUSE:
                raise asyncssh.SFTPPermissionDenied(f"{operation}: permission denied")
            case Kind.ERROR_BEFORE | Kind.PAGE_503 | Kind.THROTTLE:
                raise asyncssh.SFTPFailure(f"{operation}: server busy")
            case Kind.DROP_BEFORE:
                self._cut()
            case Kind.SLOW if fault:
                await asyncio.sleep(fault.seconds)

    def _after(self, fault: Fault | None, operation: str) -> None:
        if fault and fault.kind is Kind.ERROR_AFTER:
            raise asyncssh.SFTPFailure(f"{operation}: server busy")
        if fault and fault.kind in self.cut_afterwards:
            self._cut()

    def _cut(self) -> None:
        self.connection.abort()
        raise asyncssh.SFTPConnectionLost("cut")

    # --- files ---

    def _place(self, path: bytes) -> tuple[str, str]:
        """Folder and name of a client's path; anything deeper or above is refused."""
        parts = posixpath.normpath(posixpath.join("/", os.fsdecode(path))).strip("/").split("/")
        if len(parts) != 2 or parts[0] not in self.folders:
            raise asyncssh.SFTPPermissionDenied(f"only files in {', '.join(f'{name}/' for name in self.folders)}")
        return parts[0], parts[1]

    def _moved(self, old: tuple[str, str], new: tuple[str, str]) -> Path:
        """Rename without overwriting; the new path."""
        source, target = self._home.joinpath(*old), self._home.joinpath(*new)
        if not source.exists():
            raise asyncssh.SFTPNoSuchFile(f"{'/'.join(old)} does not exist")
        if target.exists():
            raise asyncssh.SFTPFailure(f"{'/'.join(new)} exists")
        return source.rename(target)

    async def stat(self, path: bytes) -> Any:
        # Clients look at folders on their way; a fault is meant for the question about a file.
        if os.path.isdir(self.map_path(path)):  # noqa: ASYNC240  a local folder
            return super().stat(path)
        fault = await self._before("stat")
        found = super().stat(path)
        self._after(fault, "stat")
        return found

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


class SftpListening(ABC):
    """The half of a stand-in that listens for SFTP; its host key is a file in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._key_file = folder / "host_key"
        self._key = self._host_key()
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._host = ""

    @abstractmethod
    def log_in(self) -> asyncssh.SSHServer:
        """For a new connection."""

    @abstractmethod
    def session(self, chan: Any) -> asyncssh.SFTPServer:
        """For a new SFTP session."""

    async def start_sftp(self, port: int = 0, host: str = "127.0.0.1") -> int:
        """Listen for SFTP in the running event loop; gives the port. Raises OSError if it is taken."""
        self._host = host
        self._acceptor = await asyncssh.create_server(
            self.log_in,
            host,
            port,
            server_host_keys=[self._key],
            sftp_factory=self.session,
            allow_scp=False,
            keepalive_interval=30,
        )
        return self.sftp_port

    async def stop_sftp(self) -> None:
        if self._acceptor is not None:
            self._acceptor.close()
            await self._acceptor.wait_closed()
            self._acceptor = None

    @property
    def sftp_port(self) -> int:
        """The port of the SFTP server; 0 while it is not listening."""
        return self._acceptor.get_port() if self._acceptor else 0

    @property
    def fingerprint(self) -> str:
        """Of the host key, as `SHA256:…`."""
        return self._key.get_fingerprint()

    @property
    def host_key(self) -> str:
        """The public host key in OpenSSH's form."""
        return self._key.export_public_key().decode().strip()

    def change_host_key(self) -> str:
        """Show another key to new connections; gives its fingerprint."""
        self._key_file.unlink(missing_ok=True)
        self._key = self._host_key()
        if self._acceptor is not None:
            self._acceptor.update(server_host_keys=[self._key])
        return self.fingerprint

    def _host_key(self) -> asyncssh.SSHKey:
        if not self._key_file.exists():
            self._key_file.touch(mode=0o600)
            self._key_file.write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_private_key())
        return asyncssh.read_private_key(self._key_file)
