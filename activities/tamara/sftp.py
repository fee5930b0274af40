"""The partner's folder by SFTP: identity before login, fast writes, plain rename (contracts: tamara 4.2, 4.4)."""

from __future__ import annotations

import base64
import errno
import hashlib
import hmac
import io
import posixpath
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import paramiko
from paramiko.message import Message
from paramiko.sftp import CMD_EXTENDED, CMD_EXTENDED_REPLY, CMD_WRITE, int64
from paramiko.sftp_handle import SFTPHandle
from paramiko.ssh_exception import AuthenticationException, SSHException

from activities.tamara.door import Door
from activities.tamara.folder import OPERATION, SYSTEM, Beat, login_refused, no_rights, no_space, unknown_server
from activities.tamara.transport import SftpSettings
from domain.errors import BackOfficeError, Transient, Unauthorised, UnknownOutcome

FAST_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
"""In hardware, and with the check sum in the same pass: twice as fast here as counter mode."""
SMALL_WRITE = 32_500
"""Bytes that every server takes in one write; with its head it fits one SSH packet, where 32,768 would be cut in two."""
LARGE_WRITE = 258_000
"""Bytes per write where the server says that it takes as many: a quarter of the time goes into the heads."""
IN_FLIGHT = 8 * 1024 * 1024
"""Bytes that wait for their answers: enough for a line of 80 ms at 100 MB/s."""
BEAT_EVERY = 2 * 1024 * 1024
"""Bytes between two heartbeats."""
READ = 32_768


def fingerprint(key: paramiko.PKey) -> str:
    """`SHA256:…` as `ssh-keygen -lf` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")


@contextmanager
def lost(outcome: type[Transient] | type[UnknownOutcome] = Transient) -> Iterator[None]:
    """Turn errors of the wire into ours: a lost connection becomes `outcome`, an answer of the server keeps its meaning."""
    try:
        yield
    except BackOfficeError:
        raise
    except (EOFError, TimeoutError, ConnectionError, SSHException) as error:
        raise outcome(f"connection lost ({type(error).__name__})", system=SYSTEM, operation=OPERATION) from None
    except OSError as error:
        if error.errno == errno.EACCES:
            raise no_rights() from None
        if str(error) == "Socket is closed":
            raise outcome("connection lost (closed)", system=SYSTEM, operation=OPERATION) from None
        # SFTP has one word for everything else; a full disk is the usual reason.
        raise no_space() from None


class SftpBox:
    """An account at an SFTP server."""

    def __init__(self, settings: SftpSettings) -> None:
        self._settings = settings
        self._door = Door()
        self.read_back = settings.read_back

    def forgive(self) -> None:
        self._door.forgive()

    @contextmanager
    def session(self, folder: str | None = None) -> Iterator[SftpFolder]:
        with self._door.passing():
            transport = self._connected()
            try:
                self._identified(transport)
                self._logged_in(transport)
                self._door.passed()
                yield SftpFolder(self._inside(transport, folder or self._settings.folder), fsync=self._settings.fsync)
            finally:
                transport.close()

    def _inside(self, transport: paramiko.Transport, folder: str) -> paramiko.SFTPClient:
        with lost():
            client = paramiko.SFTPClient.from_transport(transport)
            if client is None:
                raise Transient("the server offers no SFTP", system=SYSTEM, operation=OPERATION)
            client.get_channel().settimeout(self._settings.read_seconds)  # type: ignore[union-attr]
            client.chdir(folder)
            return client

    def _connected(self) -> paramiko.Transport:
        with lost():
            wire = socket.create_connection(
                (self._settings.host, self._settings.port), timeout=self._settings.connect_seconds
            )
            # Small packets (stat, rename, the tail of a file) must not wait for one another.
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            transport = paramiko.Transport(wire, disabled_algorithms={"keys": ["ssh-rsa"], "pubkeys": ["ssh-rsa"]})
            options = transport.get_security_options()
            fit = [cipher for cipher in options.ciphers if not cipher.endswith("-cbc")]
            options.ciphers = sorted(fit, key=lambda cipher: cipher not in FAST_CIPHERS)
            transport.banner_timeout = self._settings.connect_seconds
            transport.auth_timeout = self._settings.connect_seconds
            try:
                transport.start_client(timeout=self._settings.connect_seconds)
            except BaseException:
                transport.close()
                raise
            transport.set_keepalive(self._settings.keep_alive_seconds)
            return transport

    def _identified(self, transport: paramiko.Transport) -> None:
        """Nothing secret is said before the server has proved who it is."""
        shown = fingerprint(transport.get_remote_server_key())
        if not any(hmac.compare_digest(shown, pinned) for pinned in self._settings.host_keys):
            raise unknown_server(
                f"the server shows host key {shown}, which is not pinned; confirm it with the partner before pinning it",
                "HOST_KEY_MISMATCH",
            )

    def _logged_in(self, transport: paramiko.Transport) -> None:
        settings = self._settings
        with lost():
            try:
                if settings.private_key is not None:
                    transport.auth_publickey(settings.username, self._private_key())
                elif settings.password is not None:
                    transport.auth_password(settings.username, settings.password.get_secret_value(), fallback=False)
            except AuthenticationException:
                raise login_refused() from None

    def _private_key(self) -> paramiko.PKey:
        settings = self._settings
        assert settings.private_key is not None
        phrase = settings.private_key_passphrase
        text = settings.private_key.get_secret_value()
        for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
            try:
                return kind.from_private_key(io.StringIO(text), phrase.get_secret_value() if phrase else None)
            except (SSHException, ValueError):
                continue
        raise Unauthorised("the private key cannot be read", system=SYSTEM, operation=OPERATION, code="KEY")


class SftpFolder:
    """`Folder` over one SFTP session."""

    resumes = True

    def __init__(self, client: paramiko.SFTPClient, *, fsync: bool) -> None:
        self._client = client
        self._fsync = fsync
        self._step: int | None = None

    def size(self, name: str) -> int | None:
        with lost():
            try:
                return self._client.stat(name).st_size
            except OSError as error:
                if error.errno == errno.ENOENT:
                    return None
                raise

    def digest(self, name: str) -> str | None:
        digest = hashlib.sha256()
        with lost():
            try:
                for chunk in self._chunks(name):
                    digest.update(chunk)
            except OSError as error:
                if error.errno == errno.EACCES:
                    return None
                raise
        return digest.hexdigest()

    def write(self, name: str, content: memoryview, offset: int, beat: Beat) -> None:
        with lost(), self._client.open(name, "ab" if offset else "wb") as remote:
            self._pipelined(remote.handle, content, offset, beat)
            if self._fsync:
                # Servers without the extension say so, and that is that.
                self._extended("fsync@openssh.com", remote.handle)
        beat(len(content))

    def _pipelined(self, handle: SFTPHandle, content: memoryview, offset: int, beat: Beat) -> None:
        """Writes without waiting for each answer, which would be a hundred times slower; a full pipe waits for its oldest.

        paramiko's own pipelining empties the whole pipe each time it is full.
        """
        client, waiting, told = self._client, deque[int](), offset
        step = self._most_per_write()
        beat(offset)
        for start in range(offset, len(content), step):
            chunk = bytes(content[start : start + step])
            waiting.append(client._async_request(type(None), CMD_WRITE, handle, int64(start), chunk))  # type: ignore[attr-defined]
            while len(waiting) * step > IN_FLIGHT:
                client._read_response(waiting.popleft())  # type: ignore[attr-defined]
            if start - told >= BEAT_EVERY:
                told = start
                beat(start)
        while waiting:
            client._read_response(waiting.popleft())  # type: ignore[attr-defined]

    def _most_per_write(self) -> int:
        """What the server takes in one write, asked once for a session."""
        if self._step is None:
            limits = self._extended("limits@openssh.com")
            longest_packet, _read, longest_write = (
                (limits.get_int64(), limits.get_int64(), limits.get_int64()) if limits else (0, 0, 0)
            )
            fits = min(longest_write or 0, longest_packet - 1024) >= LARGE_WRITE
            self._step = LARGE_WRITE if fits else SMALL_WRITE
        return self._step

    def _extended(self, name: str, *given: SFTPHandle) -> Message | None:
        """Ask for an extension of OpenSSH; None where the server does not have it."""
        try:
            kind, answer = self._client._request(CMD_EXTENDED, name, *given)  # type: ignore[attr-defined]
        except OSError as error:
            if isinstance(error, ConnectionError | TimeoutError) or str(error) == "Socket is closed":
                raise
            return None
        return cast(Message, answer) if kind == CMD_EXTENDED_REPLY else None

    def delete(self, name: str) -> bool:
        with lost():
            try:
                self._client.remove(name)
            except OSError as error:
                if isinstance(error, ConnectionError) or error.errno not in (errno.EACCES, errno.ENOENT, None):
                    raise
                return error.errno == errno.ENOENT
        return True

    def rename(self, old: str, new: str) -> None:
        """The plain rename of SFTP 3 fails when the target exists."""
        with lost(UnknownOutcome):
            self._client.rename(old, new)

    def names(self) -> list[str]:
        with lost():
            # Bit 14 of the mode is a folder; servers that tell no mode list plain files.
            return sorted(each.filename for each in self._client.listdir_attr() if not (each.st_mode or 0) & 0o40000)

    def read(self, name: str) -> bytes:
        with lost():
            return b"".join(self._chunks(name))

    def _chunks(self, name: str) -> Iterator[bytes]:
        with self._client.open(name, "rb") as remote:
            remote.prefetch()
            while chunk := remote.read(READ):
                yield chunk

    def move(self, name: str, folder: str) -> None:
        """`folder` counts from the account's first folder, as the configured one does."""
        with lost(UnknownOutcome):
            inside = self._client.getcwd() or "."
            home = posixpath.dirname(inside)
            self._client.rename(name, posixpath.join("/" if folder.startswith("/") else home, folder.strip("/"), name))
