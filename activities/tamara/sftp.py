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
from itertools import islice
from typing import Any, cast

import paramiko
from paramiko.message import Message
from paramiko.sftp import CMD_CLOSE, CMD_EXTENDED, CMD_EXTENDED_REPLY, CMD_READ, CMD_WRITE, int64
from paramiko.sftp_handle import SFTPHandle
from paramiko.ssh_exception import AuthenticationException, SSHException

from activities.tamara.cargo import Cargo
from activities.tamara.door import Door
from activities.tamara.folder import OPERATION, SYSTEM, Beat, login_refused, no_rights, no_space, unknown_server
from activities.tamara.transport import SftpSettings
from domain.errors import BackOfficeError, Transient, Unauthorised, UnknownOutcome

FAST_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
"""In hardware, and with the check sum in the same pass: twice as fast here as counter mode."""
SMALL = 32_500
"""Bytes that every server takes in one request; with its head it fits one SSH packet, where 32,768 would be cut in two."""
LARGE = 130_700
"""Bytes per request where the server says that it takes as many: four full packets, and little to copy for each."""
IN_FLIGHT = 8 * 1024 * 1024
"""Bytes that wait for their answers: enough for a line of 80 ms at 100 MB/s."""
BEAT_EVERY = 2 * 1024 * 1024
"""Bytes between two heartbeats."""
FSYNC, LIMITS = "fsync@openssh.com", "limits@openssh.com"


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
        # What it does below its own methods: requests that are answered later.
        self._wire: Any = client
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

    def digest(self, name: str, size: int) -> str | None:
        digest = hashlib.sha256()
        with lost():
            try:
                for chunk in self._chunks(name, size):
                    digest.update(chunk)
            except OSError as error:
                if error.errno == errno.EACCES:
                    return None
                raise
        return digest.hexdigest()

    def write(self, name: str, cargo: Cargo, offset: int, beat: Beat) -> None:
        with lost():
            remote = self._client.open(name, "ab" if offset else "wb")
            try:
                self._pipelined(remote.handle, cargo, offset, beat)
            except BaseException:
                remote.close()
                raise
            # The close went down the pipe with the rest; paramiko would send another one.
            cast(Any, remote)._closed = True
        beat(cargo.size)

    def _pipelined(self, handle: SFTPHandle, cargo: Cargo, offset: int, beat: Beat) -> None:
        """Writes, flush and close without waiting for each answer, which would be a hundred times slower; a full pipe waits
        for its oldest.

        paramiko's own pipelining empties the whole pipe each time it is full, and its close waits for itself.
        """
        waiting, told, sent = deque[int](), offset, offset
        step = self._largest_request() if cargo.size - offset > SMALL else SMALL
        beat(offset)
        for block in cargo.after(offset):
            for start in range(0, len(block), step):
                chunk = bytes(block[start : start + step])
                waiting.append(self._wire._async_request(type(None), CMD_WRITE, handle, int64(sent), chunk))
                sent += len(chunk)
                while len(waiting) * step > IN_FLIGHT:
                    self._wire._read_response(waiting.popleft())
                if sent - told >= BEAT_EVERY:
                    told = sent
                    beat(sent)
        flushed = self._wire._async_request(type(None), CMD_EXTENDED, FSYNC, handle) if self._fsync else None
        closed = self._wire._async_request(type(None), CMD_CLOSE, handle)
        while waiting:
            self._wire._read_response(waiting.popleft())
        if flushed is not None:
            # Servers without the extension say so, and that is that.
            self._answer_of(flushed)
        self._wire._read_response(closed)

    def _largest_request(self) -> int:
        """What the server takes and gives in one request, asked once for a session."""
        if self._step is None:
            limits = self._answer_of(self._wire._async_request(type(None), CMD_EXTENDED, LIMITS))
            told = [limits.get_int64() for _ in ("packet", "read", "write")] if limits else [0]
            self._step = LARGE if min(told) >= LARGE + 1024 else SMALL
        return self._step

    def _answer_of(self, request: int) -> Message | None:
        """What an extension of OpenSSH answers; None where the server does not have it."""
        try:
            kind, answer = self._wire._read_response(request)
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
            return b"".join(self._chunks(name, self._client.stat(name).st_size or 0))

    def _chunks(self, name: str, size: int) -> Iterator[bytes]:
        with self._client.open(name, "rb") as remote:
            step = self._largest_request() if size > SMALL else SMALL
            begins = iter(range(0, size, step))
            waiting: deque[tuple[int, int, int]] = deque()
            while True:
                for start in islice(begins, 1 + IN_FLIGHT // step - len(waiting)):
                    length = min(step, size - start)
                    waiting.append((self._ask_for(remote.handle, start, length), start, length))
                if not waiting:
                    return
                request, start, length = waiting.popleft()
                yield self._whole(remote.handle, request, start, length)

    def _ask_for(self, handle: SFTPHandle, start: int, length: int) -> int:
        request: int = self._wire._async_request(type(None), CMD_READ, handle, int64(start), length)
        return request

    def _whole(self, handle: SFTPHandle, request: int, start: int, length: int) -> bytes:
        """The bytes that were asked for; a server may give fewer at a time."""
        content = b""
        while True:
            _, answer = self._wire._read_response(request)
            content += answer.get_string()
            if len(content) >= length:
                return bytes(content)
            request = self._ask_for(handle, start + len(content), length - len(content))

    def move(self, name: str, folder: str) -> None:
        """`folder` counts from the account's first folder, as the configured one does."""
        with lost(UnknownOutcome):
            inside = self._client.getcwd() or "."
            home = posixpath.dirname(inside)
            self._client.rename(name, posixpath.join("/" if folder.startswith("/") else home, folder.strip("/"), name))
