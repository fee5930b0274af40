"""Delivery by SFTP: pinned host key, temporary name, size check, rename that never overwrites (contracts: tamara 4.1, 4.2, 4.4)."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import paramiko

from activities.tamara.drop_box import DropBox, lost
from domain.errors import BackOfficeError, NeedsPerson, Refused, Transient, UnknownOutcome

CHUNK = 32_768
"""Bytes per write: what every server accepts in one request."""
BEAT_EVERY = 64
"""Chunks between two heartbeats: two megabytes."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """The bytes to deliver. `rename_sent`: an earlier attempt asked for the final name, so an absent file may be fetched.

    `renaming(True)` is called before a rename is sent, `renaming(False)` when the server certainly refused it.
    """

    name: str
    content: bytes
    rename_sent: bool
    renaming: Callable[[bool], None]
    beat: Callable[[int], None] = lambda _: None


def find(box: DropBox, parcel: Parcel) -> list[str]:
    """Look for a delivered file: its name if it is there with the right size.

    Raises `Refused` (other size under our name), `NeedsPerson` (the partner may have fetched it, or another sender uses
    our counter).
    """
    with box.session() as sftp:
        return [parcel.name] if _there(sftp, parcel, read_back=box.read_back) else []


def deliver(box: DropBox, parcel: Parcel) -> str:
    """Put the file there and return its name; a file that is there already is not sent again.

    Raises `Transient` while nothing final was asked for, `UnknownOutcome` when the rename was sent and its answer lost,
    `Refused`, `NeedsPerson` and `Unauthorised` as described in 4.4.
    """
    with box.session() as sftp:
        if _there(sftp, parcel, read_back=box.read_back):
            return parcel.name
        part = _upload(sftp, parcel, read_back=box.read_back)
        _publish(sftp, parcel, part)
    return parcel.name


def _there(sftp: paramiko.SFTPClient, parcel: Parcel, *, read_back: bool) -> bool:
    size = _size(sftp, parcel.name)
    if size is None:
        if parcel.rename_sent and _size(sftp, f"{parcel.name}.part") is None:
            raise NeedsPerson(
                f"{parcel.name} was renamed and is gone: AirPlus may have fetched it. Wait for its answer or e-mail, then "
                "adopt the file as delivered or have it sent again",
                system="tamara",
                operation="deliver",
                code="DELIVERY_UNKNOWN",
            )
        return False
    if size != len(parcel.content):
        raise Refused(
            f"{parcel.name} is there with {size} bytes instead of {len(parcel.content)}; it is not overwritten",
            system="tamara",
            operation="deliver",
            code="REMOTE_CONFLICT",
        )
    if not parcel.rename_sent and not (read_back and _same(sftp, parcel.name, parcel.content)):
        raise NeedsPerson(
            f"{parcel.name} is there although we never finished it: another sender uses this counter. Stop both kinds of "
            "files of this partner",
            system="tamara",
            operation="deliver",
            code="SEQUENCE_CONFLICT",
        )
    return True


def _upload(sftp: paramiko.SFTPClient, parcel: Parcel, *, read_back: bool) -> str:
    """Bring the temporary file to full length and give its name."""
    part = f"{parcel.name}.part"
    offset = 0
    size = _size(sftp, part)
    if size is not None:
        if size <= len(parcel.content) and read_back and _same(sftp, part, parcel.content[:size]):
            offset = size
        elif not _deleted(sftp, part):
            part = f"{parcel.name}.part2"
            if _size(sftp, part) is not None and not _deleted(sftp, part):
                raise NeedsPerson(
                    f"{part} is there and may not be deleted; have the folder cleared",
                    system="tamara",
                    operation="deliver",
                    code="PERMISSION",
                )
    _write(sftp, part, parcel, offset)
    size = _size(sftp, part)
    if size != len(parcel.content):
        raise Transient(f"{size} bytes arrived instead of {len(parcel.content)}", system="tamara", operation="deliver")
    if read_back and not _same(sftp, part, parcel.content):
        _deleted(sftp, part)
        raise Transient("other bytes arrived than were sent", system="tamara", operation="deliver")
    return part


def _write(sftp: paramiko.SFTPClient, part: str, parcel: Parcel, offset: int) -> None:
    view = memoryview(parcel.content)
    with lost(Transient), sftp.open(part, "ab" if offset else "wb") as remote:
        # Without pipelining every write waits for its answer, a hundred times slower.
        remote.set_pipelined(True)
        for place, start in enumerate(range(offset, len(parcel.content), CHUNK)):
            if place % BEAT_EVERY == 0:
                parcel.beat(start)
            remote.write(bytes(view[start : start + CHUNK]))
    parcel.beat(len(parcel.content))


def _publish(sftp: paramiko.SFTPClient, parcel: Parcel, part: str) -> None:
    """Rename without overwriting, then look again. Plain SFTP rename fails when the target exists."""
    parcel.renaming(True)
    try:
        with lost(UnknownOutcome):
            sftp.rename(part, parcel.name)
    except (Transient, NeedsPerson) as refused:
        with lost(UnknownOutcome):
            _settle(parcel, refused, there=_size(sftp, parcel.name), waiting=_size(sftp, part))
    with lost(UnknownOutcome):
        size = _size(sftp, parcel.name)
    if size is not None and size != len(parcel.content):
        raise Refused(
            f"{parcel.name} has {size} bytes after the rename instead of {len(parcel.content)}",
            system="tamara",
            operation="deliver",
            code="REMOTE_CONFLICT",
        )
    # A file that is gone at once was fetched at once: the rename was confirmed.


def _settle(parcel: Parcel, refused: BackOfficeError, *, there: int | None, waiting: int | None) -> None:
    """A rename was answered with a failure: see what it did. Returns if it happened nevertheless."""
    if waiting is None:
        if there is None:
            raise UnknownOutcome("the rename failed and both names are gone", system="tamara", operation="deliver")
        return
    parcel.renaming(False)
    if there is not None:
        raise Refused(
            f"{parcel.name} appeared while it was sent; it is not overwritten",
            system="tamara",
            operation="deliver",
            code="REMOTE_CONFLICT",
        )
    raise refused


def _size(sftp: paramiko.SFTPClient, name: str) -> int | None:
    """Bytes of a remote file, None when there is none."""
    with lost(Transient):
        try:
            return sftp.stat(name).st_size
        except OSError as error:
            if error.errno == errno.ENOENT:
                return None
            raise


def _same(sftp: paramiko.SFTPClient, name: str, content: bytes) -> bool:
    """Whether a remote file of this length has exactly these bytes; False where the server lets nobody read."""
    if not content:
        return True
    digest = hashlib.sha256()
    with lost(Transient):
        try:
            with sftp.open(name, "rb") as remote:
                remote.prefetch(len(content))
                while chunk := remote.read(CHUNK):
                    digest.update(chunk)
        except PermissionError:
            return False
        except OSError as error:
            if error.errno == errno.EACCES:
                return False
            raise
    return digest.digest() == hashlib.sha256(content).digest()


def _deleted(sftp: paramiko.SFTPClient, name: str) -> bool:
    with lost(Transient):
        try:
            sftp.remove(name)
        except OSError as error:
            if isinstance(error, ConnectionError) or error.errno not in (errno.EACCES, errno.ENOENT, None):
                raise
            return error.errno == errno.ENOENT
    return True
