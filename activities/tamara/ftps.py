"""The partner's folder by FTP under TLS: explicit or implicit, both channels covered (contracts: tamara 4.3, 4.4)."""

from __future__ import annotations

import ftplib
import hashlib
import logging
import posixpath
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from activities.tamara.cargo import Cargo
from activities.tamara.door import Door
from activities.tamara.folder import (
    LARGEST_ANSWER,
    OPERATION,
    SYSTEM,
    Beat,
    in_the_way,
    login_refused,
    needs_person,
    no_rights,
    no_space,
    too_large,
    unknown_server,
)
from activities.tamara.ftps_line import FtpsLine, context_of, end
from activities.tamara.transport import FtpsSettings
from domain.errors import BackOfficeError, Transient, UnknownOutcome

log = logging.getLogger(__name__)

BLOCK = 256 * 1024
BEAT_EVERY = 2 * 1024 * 1024
"""Bytes between two heartbeats."""
SPACE, RIGHTS = frozenset({"452", "552"}), frozenset({"532", "550", "553"})
NOT_KNOWN = frozenset({"500", "501", "502", "504"})
"""The server does not know the command."""


class SessionNotResumed(Exception):
    """The server wants data channels inside the control channel's TLS session and did not get that."""


@contextmanager
def lost(outcome: type[Transient] | type[UnknownOutcome] = Transient) -> Iterator[None]:
    """Turn errors of the wire into ours: a lost connection becomes `outcome`, an answer of the server keeps its meaning."""
    try:
        yield
    except BackOfficeError:
        raise
    except ftplib.Error as error:
        raise _answered(str(error), outcome) from None
    except ssl.SSLCertVerificationError as error:
        raise unknown_server(
            f"the server's certificate is not accepted: {error.verify_message}", "CERTIFICATE"
        ) from None
    except (EOFError, OSError) as error:
        raise outcome(f"connection lost ({type(error).__name__})", system=SYSTEM, operation=OPERATION) from None


def _answered(words: str, outcome: type[Transient] | type[UnknownOutcome]) -> BackOfficeError:
    code = words[:3]
    if code in SPACE:
        return no_space(f"the server answers {words[:200]}")
    if code in RIGHTS:
        return no_rights(f"the server answers {words[:200]}; ask the partner to check folder and rights")
    if code == "421":
        return outcome("the server ends the session (421)", system=SYSTEM, operation=OPERATION)
    if code.startswith("4"):
        return Transient(f"the server answers {words[:200]}", system=SYSTEM, operation=OPERATION)
    return needs_person(f"the server answers {words[:200]}", "REFUSED")


class FtpsBox:
    """An account at an FTPS server."""

    def __init__(self, settings: FtpsSettings) -> None:
        self._settings = settings
        self._door = Door()
        self.read_back = settings.read_back
        self.publish = settings.publish
        self._newest = ssl.TLSVersion.TLSv1_2 if settings.newest_tls == "1.2" else ssl.TLSVersion.TLSv1_3

    def forgive(self) -> None:
        self._door.forgive()

    @contextmanager
    def session(self, folder: str | None = None) -> Iterator[FtpsFolder]:
        with self._door.passing():
            line = FtpsLine(self._settings, context_of(self._settings, self._newest))
            try:
                with lost():
                    line.open()
                    self._logged_in(line)
                    self._protected(line)
                    line.voidcmd("TYPE I")
                    features = _features(line)
                    line.cwd(folder or self._settings.folder)
                yield FtpsFolder(line, features)
                with suppress(ftplib.Error, EOFError, OSError):
                    line.quit()
            except SessionNotResumed:
                raise self._capped(line) from None
            finally:
                line.close()

    def _logged_in(self, line: FtpsLine) -> None:
        try:
            reply = line.sendcmd(f"USER {self._settings.username}")
            if reply.startswith("3"):
                reply = line.sendcmd(f"PASS {self._settings.password.get_secret_value()}")
        except ftplib.error_perm as error:
            if str(error).startswith("53"):
                raise login_refused() from None
            raise
        if not reply.startswith("2"):
            raise login_refused()
        self._door.passed()

    def _protected(self, line: FtpsLine) -> None:
        try:
            line.protect()
        except ftplib.error_perm:
            raise unknown_server(
                "the server refuses to cover data (PROT P); nothing is sent in clear", "PROT_P"
            ) from None

    def _capped(self, line: FtpsLine) -> BackOfficeError:
        """Sessions are resumed otherwise in TLS 1.3, and not every server knows how: the next session goes with 1.2."""
        if self._newest is ssl.TLSVersion.TLSv1_2:
            return needs_person(
                "the server wants data channels to resume the TLS session and refuses ours; ask the partner about it",
                "SESSION_REUSE",
            )
        self._newest = ssl.TLSVersion.TLSv1_2
        log.info("data channels are not resumed under %s; from now on with TLS 1.2", line.tls)
        return Transient(
            "the TLS session was not resumed; again with TLS 1.2",
            system=SYSTEM,
            operation=OPERATION,
            code="TLS_1_2",
            retry_after=1,
        )


class FtpsFolder:
    """`Folder` over one FTPS session."""

    def __init__(self, line: FtpsLine, features: frozenset[str]) -> None:
        self._line = line
        self._features = features

    @property
    def resumes(self) -> bool:
        return "REST STREAM" in self._features

    def size(self, name: str) -> int | None:
        with self._data():
            try:
                return int(self._line.sendcmd(f"SIZE {name}")[3:].strip())
            except ftplib.error_perm as error:
                code = str(error)[:3]
                if code != "550" and code not in NOT_KNOWN:
                    raise
        listed = self._listed()
        if name not in listed:
            return None
        size = listed[name]
        if size is None:
            raise needs_person(f"{name} is there, and the server does not say how long it is", "NO_SIZE")
        return size

    def digest(self, name: str, size: int) -> str | None:
        digest = hashlib.sha256()
        with self._data():
            try:
                for block in self._line.received(f"RETR {name}"):
                    digest.update(block)
            except ftplib.error_perm as error:
                if str(error)[:3] in RIGHTS | NOT_KNOWN:
                    return None
                raise
        return digest.hexdigest()

    def write(self, name: str, cargo: Cargo, offset: int, beat: Beat) -> None:
        with self._data():
            data = self._line.channel(f"STOR {name}", offset)
            try:
                told = sent = offset
                beat(sent)
                for block in cargo.after(offset):
                    for start in range(0, len(block), BLOCK):
                        data.sendall(block[start : start + BLOCK])
                        sent += len(block[start : start + BLOCK])
                        if sent - told >= BEAT_EVERY:
                            told = sent
                            beat(sent)
                end(data)
            except OSError:
                # The reason, such as a full disk, stands in the answer.
                data.close()
                self._line.voidresp()
                raise
            self._line.voidresp()
        beat(cargo.size)

    def delete(self, name: str) -> bool:
        with lost():
            try:
                self._line.delete(name)
            except ftplib.error_perm as error:
                if str(error)[:3] not in RIGHTS | NOT_KNOWN:
                    raise
                return self.size(name) is None
        return True

    def rename(self, old: str, new: str) -> None:
        """RNTO may write over a file, so it is looked for first."""
        if self.size(new) is not None:
            raise in_the_way(new)
        self._renamed(old, new)

    def _renamed(self, old: str, new: str) -> None:
        with lost():
            self._line.sendcmd(f"RNFR {old}")
        with lost(UnknownOutcome):
            self._line.voidcmd(f"RNTO {new}")

    def names(self) -> list[str]:
        return sorted(self._listed())

    def _listed(self) -> dict[str, int | None]:
        """Files and, where the server tells them, sizes."""
        if "MLSD" in self._features or "MLST" in self._features:
            facts = (line.partition(" ") for line in self._lines("MLSD"))
            return {name: _fact(told, "size") for told, _, name in facts if _is_file(told)}
        return {posixpath.basename(line): None for line in self._lines("NLST")}

    def _lines(self, command: str) -> list[str]:
        with self._data():
            try:
                told = b"".join(self._line.received(command))
            except ftplib.error_perm as error:
                # How servers without MLSD say that a folder is empty.
                if command == "NLST" and str(error).startswith("550"):
                    return []
                raise
        return [line for line in told.decode("utf-8", "replace").splitlines() if line]

    def read(self, name: str) -> bytes:
        size = self.size(name)
        if size is not None and size > LARGEST_ANSWER:
            raise too_large(name)
        content = bytearray()
        with self._data():
            for chunk in self._line.received(f"RETR {name}"):
                content += chunk
                if len(content) > LARGEST_ANSWER:
                    raise too_large(name)
        if size is not None and len(content) != size:
            raise Transient(f"{len(content)} bytes of {size} came", system=SYSTEM, operation=OPERATION)
        return bytes(content)

    def move(self, name: str, folder: str) -> None:
        with lost():
            inside = self._line.pwd()
        target = posixpath.join(folder if folder.startswith("/") else posixpath.dirname(inside) + "/" + folder, name)
        with lost():
            try:
                self._line.sendcmd(f"SIZE {target}")
            except ftplib.error_perm:
                pass
            else:
                raise in_the_way(name)
        self._renamed(name, target)

    @contextmanager
    def _data(self) -> Iterator[None]:
        """A command with a data channel. A server that insists on a resumed session says so in one of several ways."""
        with lost():
            try:
                yield
            except ftplib.Error as error:
                if _wants_resumption(str(error)):
                    raise SessionNotResumed from None
                raise


def _wants_resumption(words: str) -> bool:
    told = words.lower()
    return words.startswith("522") or ("session" in told and ("reuse" in told or "resum" in told))


def _features(line: FtpsLine) -> frozenset[str]:
    try:
        told = line.sendcmd("FEAT")
    except ftplib.error_perm:
        return frozenset()
    features = {each.strip().upper() for each in told.splitlines()[1:-1]}
    return frozenset(features | {feature.split(" ")[0] for feature in features})


def _is_file(told: str) -> bool:
    return "type=file" in told.lower()


def _fact(told: str, name: str) -> int | None:
    for each in told.split(";"):
        key, _, value = each.partition("=")
        if key.lower() == name and value.isdigit():
            return int(value)
    return None
