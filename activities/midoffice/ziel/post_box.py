"""The SFTP server of Z.I.E.L. as a post box: put a file once, see whether it lies there, fetch an answer
(contracts: midoffice 8.1).

A file is written under a temporary name and renamed; a rename never overwrites. Sessions are kept for the next call.
"""

from __future__ import annotations

import errno
import posixpath
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import paramiko

from activities.midoffice.ziel.settings import PostBoxSettings
from activities.transfer_sftp import Outcome, logged_in, sorting
from domain.errors import BackOfficeError, NeedsPerson, Transient, Unauthorised, UnknownOutcome

SYSTEM = "ziel"
UNFINISHED = ".tmp"
IDLE_SECONDS = 20.0
"""How long a session is kept for the next call."""
LARGEST_ANSWER = 100_000
SLOW_RETRY = 300.0
"""Seconds until a full disk or a quota is tried again."""


class NameTaken(Exception):
    """Another file lies under the name."""


class PostBox:
    """Thread-safe: every call has a session of its own."""

    def __init__(self, settings: PostBoxSettings) -> None:
        self._settings = settings
        self._idle: list[tuple[float, paramiko.Transport, paramiko.SFTPClient]] = []
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for _, transport, _ in idle:
            transport.close()

    def deliver(self, name: str, content: bytes) -> None:
        """Make the file lie in `in/`. One that lies there already with these bytes is left alone.

        Raises `NameTaken`, `Transient` while nothing final was asked for, `UnknownOutcome` when the rename was sent and
        its answer lost, `NeedsPerson`, `Unauthorised`.
        """
        place = posixpath.join(self._settings.in_folder, name)
        with self._session() as sftp:
            if self._lies(sftp, place, content):
                return
            with _lost(Transient):
                with sftp.open(f"{place}{UNFINISHED}", "wb") as remote:
                    remote.set_pipelined(True)
                    remote.write(content)
                arrived = sftp.stat(f"{place}{UNFINISHED}").st_size
            if arrived != len(content):
                raise _failure(Transient, f"{arrived} bytes arrived instead of {len(content)}")
            try:
                with _lost(UnknownOutcome):
                    sftp.rename(f"{place}{UNFINISHED}", place)
            except (Transient, NeedsPerson):
                # The server answered with a failure, which does not say whether the file was renamed.
                with _lost(UnknownOutcome):
                    waiting = _size(sftp, f"{place}{UNFINISHED}")
                if waiting is None or self._lies(sftp, place, content):
                    return
                raise

    def lies(self, name: str) -> bool:
        """Whether a file of this name lies in `in/`."""
        with self._session() as sftp, _lost(Transient):
            return _size(sftp, posixpath.join(self._settings.in_folder, name)) is not None

    def fetch(self, folder: str, name: str) -> bytes | None:
        """The content of an answer, None if there is none. Raises `Transient`, `NeedsPerson`, `Unauthorised`."""
        with self._session() as sftp, _lost(Transient):
            return _content(sftp, posixpath.join(folder, name))

    def look(self) -> None:
        """See that all folders are there and open to us."""
        with self._session() as sftp:
            for folder in (self._settings.in_folder, self._settings.ack_folder, self._settings.status_folder):
                with _lost(Transient):
                    sftp.stat(folder)

    def _lies(self, sftp: paramiko.SFTPClient, place: str, content: bytes) -> bool:
        with _lost(Transient):
            held = _content(sftp, place)
        if held is not None and held != content:
            raise NameTaken(place)
        return held is not None

    # --- sessions ---

    @contextmanager
    def _session(self) -> Iterator[paramiko.SFTPClient]:
        transport, client = self._kept() or logged_in(self._settings, TROUBLES)
        try:
            yield client
        except (BackOfficeError, NameTaken) as error:
            # Whatever the server answered, it still speaks with us; after anything else the session is not trusted.
            if isinstance(error, UnknownOutcome) or not transport.is_active():
                transport.close()
            else:
                self._keep(transport, client)
            raise
        except BaseException:
            transport.close()
            raise
        self._keep(transport, client)

    def _kept(self) -> tuple[paramiko.Transport, paramiko.SFTPClient] | None:
        with self._lock:
            while self._idle:
                since, transport, client = self._idle.pop()
                if transport.is_active() and time.monotonic() - since < IDLE_SECONDS:
                    return transport, client
                transport.close()
        return None

    def _keep(self, transport: paramiko.Transport, client: paramiko.SFTPClient) -> None:
        with self._lock:
            self._idle.append((time.monotonic(), transport, client))


def _size(sftp: paramiko.SFTPClient, place: str) -> int | None:
    try:
        return sftp.stat(place).st_size
    except OSError as error:
        if error.errno == errno.ENOENT:
            return None
        raise


def _content(sftp: paramiko.SFTPClient, place: str) -> bytes | None:
    try:
        with sftp.open(place, "rb") as remote:
            return bytes(remote.read(LARGEST_ANSWER))
    except OSError as error:
        if error.errno == errno.ENOENT:
            return None
        raise


class _Troubles:
    """What goes wrong on the way, in the words of the post box."""

    def lost(self, outcome: Outcome, words: str) -> BackOfficeError:
        return _failure(outcome, words)

    def no_rights(self) -> BackOfficeError:
        words = "the server denies permission; ask the partner to check folders and rights"
        return _failure(NeedsPerson, words, code="PERMISSION")

    def no_space(self) -> BackOfficeError:
        return _failure(Transient, "the server answered with a failure (disk full?)", retry_after=SLOW_RETRY)

    def login_refused(self) -> BackOfficeError:
        words = "the server refuses the login; it is not tried again, because accounts get locked"
        return _failure(Unauthorised, words, code="LOGIN")

    def unusable_key(self) -> BackOfficeError:
        return _failure(Unauthorised, "the private key cannot be read", code="LOGIN")

    def unknown_server(self, words: str) -> BackOfficeError:
        return _failure(Unauthorised, words, code="HOST_KEY_MISMATCH")


TROUBLES = _Troubles()


def _lost(outcome: Outcome) -> AbstractContextManager[None]:
    return sorting(TROUBLES, outcome)


def _failure(
    kind: type[BackOfficeError], text: str, *, code: str = "", retry_after: float | None = None
) -> BackOfficeError:
    return kind(text, system=SYSTEM, operation="deliver", code=code, retry_after=retry_after)
