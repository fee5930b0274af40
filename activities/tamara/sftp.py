"""The partner's folder by SFTP: identity before login, fast writes, plain rename (contracts: tamara 4.2, 4.4)."""

from __future__ import annotations

import errno
import hashlib
import posixpath
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import Any, cast

import paramiko
from paramiko.message import Message
from paramiko.sftp import CMD_CLOSE, CMD_EXTENDED, CMD_EXTENDED_REPLY, CMD_READ, CMD_WRITE, int64
from paramiko.sftp_handle import SFTPHandle

from activities.tamara.cargo import Cargo
from activities.tamara.door import Door
from activities.tamara.folder import (
    LARGEST_ANSWER,
    OPERATION,
    SYSTEM,
    Beat,
    login_refused,
    no_rights,
    no_space,
    too_large,
    unknown_server,
)
from activities.tamara.transport import SftpSettings
from activities.transfer_sftp import Outcome, logged_in, sorting
from domain.errors import BackOfficeError, Transient, Unauthorised, UnknownOutcome

SMALL = 32_500
"""Bytes that every server takes in one request; with its head it fits one SSH packet, where 32,768 would be cut in two."""
LARGE = 130_700
"""Bytes per request where the server says that it takes as many: four full packets, and little to copy for each."""
IN_FLIGHT = 8 * 1024 * 1024
"""Bytes that wait for their answers: enough for a line of 80 ms at 100 MB/s."""
BEAT_EVERY = 2 * 1024 * 1024
"""Bytes between two heartbeats."""
FSYNC, LIMITS = "fsync@openssh.com", "limits@openssh.com"


class _Troubles:
    """What goes wrong on the way, in the words of a delivery."""

    def lost(self, outcome: Outcome, words: str) -> BackOfficeError:
        return outcome(words, system=SYSTEM, operation=OPERATION)

    def no_rights(self) -> BackOfficeError:
        return no_rights()

    def no_space(self) -> BackOfficeError:
        return no_space()

    def login_refused(self) -> BackOfficeError:
        return login_refused()

    def unusable_key(self) -> BackOfficeError:
        return Unauthorised("the private key cannot be read", system=SYSTEM, operation=OPERATION, code="KEY")

    def unknown_server(self, words: str) -> BackOfficeError:
        return unknown_server(words, "HOST_KEY_MISMATCH")


TROUBLES = _Troubles()


def lost(outcome: Outcome = Transient) -> AbstractContextManager[None]:
    return sorting(TROUBLES, outcome)


class SftpBox:
    """An account at an SFTP server."""

    def __init__(self, settings: SftpSettings) -> None:
        self._settings = settings
        self._door = Door()
        self.read_back = settings.read_back
        self.publish = settings.publish

    def forgive(self) -> None:
        self._door.forgive()

    @contextmanager
    def session(self, folder: str | None = None) -> Iterator[SftpFolder]:
        with self._door.passing():
            settings = self._settings
            transport, client = logged_in(settings, TROUBLES, keep_alive=settings.keep_alive_seconds)
            try:
                self._door.passed()
                with lost():
                    client.chdir(folder or settings.folder)
                yield SftpFolder(client, fsync=settings.fsync)
            finally:
                transport.close()


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
            size = self._client.stat(name).st_size or 0
        if size > LARGEST_ANSWER:
            raise too_large(name)
        with lost():
            return b"".join(self._chunks(name, size))

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
