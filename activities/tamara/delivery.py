"""Delivery: look, temporary name, size check, rename that never overwrites, look again (contracts: tamara 4.1, 4.4).

A partner that forbids renaming gets the file under its final name, with or without a marker behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from activities.tamara.cargo import Cargo
from activities.tamara.folder import DENIED, OPERATION, SYSTEM, Beat, DropBox, Folder, needs_person
from activities.tamara.transport import Publish
from domain.errors import BackOfficeError, Refused, Transient, UnknownOutcome

DELIVERY_UNKNOWN = "DELIVERY_UNKNOWN"
SEQUENCE_CONFLICT = "SEQUENCE_CONFLICT"
REMOTE_CONFLICT = "REMOTE_CONFLICT"
MARKER = ".done"
"""Behind the name of a file that is whole (contracts: tamara 4.1, `publish: marker`)."""


@dataclass(frozen=True)
class Parcel:
    """The bytes to deliver. `rename_sent`: an earlier attempt asked for the final name, so an absent file may be fetched.

    `renaming(True)` is called before a rename is sent (or whatever else publishes the file), `renaming(False)` when the server
    certainly refused it.
    """

    name: str
    cargo: Cargo
    rename_sent: bool
    renaming: Callable[[bool], None]
    beat: Beat = lambda _: None


def find(box: DropBox, parcel: Parcel) -> list[str]:
    """Look for a delivered file: its name if it is there with the right size.

    Raises `Refused` (other size under our name), `NeedsPerson` (the partner may have fetched it, or another sender uses
    our counter).
    """
    with box.session() as folder:
        return [parcel.name] if _there(folder, parcel, read_back=box.read_back, publish=box.publish) else []


def deliver(box: DropBox, parcel: Parcel) -> str:
    """Put the file there and return its name; a file that is there already is not sent again.

    Raises `Transient` while nothing final was asked for, `UnknownOutcome` when the rename was sent and its answer lost,
    `Refused`, `NeedsPerson` and `Unauthorised` as described in 4.4.
    """
    with box.session() as folder:
        return put(folder, parcel, read_back=box.read_back, publish=box.publish)


def put(folder: Folder, parcel: Parcel, *, read_back: bool, publish: Publish = "rename") -> str:
    """`deliver` inside a session that is open already: many files go through one."""
    if _there(folder, parcel, read_back=read_back, publish=publish):
        return parcel.name
    match publish:
        case "rename":
            part = _upload(folder, parcel, read_back=read_back)
            _publish(folder, parcel, part)
        case "marker":
            _mark(folder, parcel, read_back=read_back)
        case "direct":
            _write_directly(folder, parcel, read_back=read_back)
    return parcel.name


def _there(folder: Folder, parcel: Parcel, *, read_back: bool, publish: Publish) -> bool:
    size = folder.size(parcel.name)
    if publish == "marker" and not _marked(folder, parcel, size):
        return False
    if publish == "direct" and size is not None and size < parcel.cargo.size and parcel.rename_sent:
        return False
    if size is None:
        if parcel.rename_sent and _nothing_waits(folder, parcel):
            raise needs_person(
                f"{parcel.name} was renamed and is gone: AirPlus may have fetched it. Wait for its answer or e-mail, then "
                "adopt the file as delivered or have it sent again",
                DELIVERY_UNKNOWN,
            )
        return False
    if size != parcel.cargo.size:
        raise Refused(
            f"{parcel.name} is there with {size} bytes instead of {parcel.cargo.size}; it is not overwritten",
            system=SYSTEM,
            operation=OPERATION,
            code=REMOTE_CONFLICT,
        )
    if not parcel.rename_sent and not (read_back and folder.digest(parcel.name, size) == parcel.cargo.digest):
        raise needs_person(
            f"{parcel.name} is there although we never finished it: another sender uses this counter. Both kinds of files "
            "of this partner are stopped",
            SEQUENCE_CONFLICT,
        )
    return True


def _nothing_waits(folder: Folder, parcel: Parcel) -> bool:
    return all(folder.size(f"{parcel.name}{suffix}") is None for suffix in (".part", ".part2"))


def _upload(folder: Folder, parcel: Parcel, *, read_back: bool) -> str:
    """Bring the temporary file to full length and give its name."""
    part = f"{parcel.name}.part"
    return _filled(folder, part, parcel, read_back=read_back)


def _filled(folder: Folder, part: str, parcel: Parcel, *, read_back: bool) -> str:
    offset = 0
    size = folder.size(part)
    if size is not None:
        if read_back and _continues(folder, part, size, parcel):
            offset = size
        elif not folder.delete(part):
            part = f"{parcel.name}.part2"
            if folder.size(part) is not None and not folder.delete(part):
                raise needs_person(f"{part} is there and may not be deleted; have the folder cleared", "PERMISSION")
    if offset < parcel.cargo.size or not offset:
        folder.write(part, parcel.cargo, offset, parcel.beat)
    _prove(folder, part, parcel, read_back=read_back)
    return part


def _continues(folder: Folder, part: str, size: int, parcel: Parcel) -> bool:
    """Whether the temporary file is a beginning of ours, and the rest can be put behind it."""
    if size > parcel.cargo.size or (size < parcel.cargo.size and not folder.resumes):
        return False
    return size == 0 or folder.digest(part, size) == parcel.cargo.digest_of(size)


def _prove(folder: Folder, part: str, parcel: Parcel, *, read_back: bool) -> None:
    size = folder.size(part)
    if size != parcel.cargo.size:
        raise Transient(f"{size} bytes arrived instead of {parcel.cargo.size}", system=SYSTEM, operation=OPERATION)
    if read_back and folder.digest(part, size) not in (parcel.cargo.digest, None):
        folder.delete(part)
        raise Transient("other bytes arrived than were sent", system=SYSTEM, operation=OPERATION)


def _publish(folder: Folder, parcel: Parcel, part: str) -> None:
    """Rename without overwriting, then look again."""
    parcel.renaming(True)
    try:
        folder.rename(part, parcel.name)
    except UnknownOutcome:
        raise
    except BackOfficeError as refused:
        _settle(parcel, refused, there=_asked(folder, parcel.name), waiting=_asked(folder, part))
    size = _asked(folder, parcel.name)
    if size is not None and size != parcel.cargo.size:
        raise Refused(
            f"{parcel.name} has {size} bytes after the rename instead of {parcel.cargo.size}",
            system=SYSTEM,
            operation=OPERATION,
            code=REMOTE_CONFLICT,
        )
    # A file that is gone at once was fetched at once: the rename was confirmed.


def _settle(parcel: Parcel, refused: BackOfficeError, *, there: int | None, waiting: int | None) -> None:
    """A rename was answered with a failure: see what it did. Returns if it happened nevertheless."""
    if waiting is None:
        if there is None:
            raise UnknownOutcome("the rename failed and both names are gone", system=SYSTEM, operation=OPERATION)
        return
    parcel.renaming(False)
    if there is not None:
        raise Refused(
            f"{parcel.name} appeared while it was sent; it is not overwritten",
            system=SYSTEM,
            operation=OPERATION,
            code=REMOTE_CONFLICT,
        )
    raise refused


def _asked(folder: Folder, name: str) -> int | None:
    """The size of a file after a rename was sent: without an answer nobody knows what became of it."""
    try:
        return folder.size(name)
    except Transient as error:
        raise UnknownOutcome(error.message, system=SYSTEM, operation=OPERATION) from None


# --- where a partner forbids renaming ---


def _marked(folder: Folder, parcel: Parcel, size: int | None) -> bool:
    """Whether the marker says that the data is whole. A marker that was sent and is gone was taken, and the file perhaps too."""
    if folder.size(f"{parcel.name}{MARKER}") is not None:
        return True
    if parcel.rename_sent:
        where = "is gone with it" if size is None else "still lies there"
        raise needs_person(
            f"the marker of {parcel.name} was sent and is gone, the file {where}: AirPlus may have taken it. Wait for its answer "
            "or e-mail, then adopt the file as delivered or have it sent again",
            DELIVERY_UNKNOWN,
        )
    if size is not None and size > parcel.cargo.size:
        raise _taken_name(parcel)
    return False


def _mark(folder: Folder, parcel: Parcel, *, read_back: bool) -> None:
    """The data under its final name, and behind it an empty file that says that it is whole."""
    name, marker = parcel.name, f"{parcel.name}{MARKER}"
    size = folder.size(name)
    offset = 0
    if size is not None:
        if not (read_back and _continues(folder, name, size, parcel)):
            raise _taken_name(parcel)
        offset = size
    if offset < parcel.cargo.size:
        folder.write(name, parcel.cargo, offset, parcel.beat)
    _prove(folder, name, parcel, read_back=False)
    parcel.renaming(True)
    try:
        folder.write(marker, Cargo.of(b""), 0, lambda _: None)
    except UnknownOutcome:
        raise
    except BackOfficeError as refused:
        if refused.code in DENIED and _asked(folder, marker) is None:
            parcel.renaming(False)
            raise
        raise UnknownOutcome(refused.message, system=SYSTEM, operation=OPERATION) from None


def _write_directly(folder: Folder, parcel: Parcel, *, read_back: bool) -> None:
    """Under the final name at once: a break leaves a beginning there, which is continued and never written over."""
    size, offset = folder.size(parcel.name), 0
    if size is not None:
        if not (read_back and _continues(folder, parcel.name, size, parcel)):
            raise _taken_name(parcel)
        offset = size
    parcel.renaming(True)
    folder.write(parcel.name, parcel.cargo, offset, parcel.beat)
    size = _asked(folder, parcel.name)
    # A file that is gone at once was fetched at once: its end was confirmed.
    if size not in (None, parcel.cargo.size):
        raise Transient(f"{size} bytes arrived instead of {parcel.cargo.size}", system=SYSTEM, operation=OPERATION)


def _taken_name(parcel: Parcel) -> Refused:
    return Refused(
        f"{parcel.name} is there with other bytes than ours; it is not overwritten",
        system=SYSTEM,
        operation=OPERATION,
        code=REMOTE_CONFLICT,
    )
