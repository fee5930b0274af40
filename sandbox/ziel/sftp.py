"""The SFTP side of Z.I.E.L.: one home per agency, and files under a temporary name first (contracts: midoffice 8.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import asyncssh

from sandbox.faults import FaultBoard, Kind
from sandbox.file_server import WRITING, Account, ShutIn

FOLDERS = ("in", "ack", "err", "status")
UNFINISHED = ".tmp"


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


class Session(ShutIn):
    """One SFTP session, shut into the home of its user."""

    folders = FOLDERS
    cut_afterwards: ClassVar[frozenset[Kind]] = ShutIn.cut_afterwards | {Kind.LATE}

    def __init__(self, chan: Any, site: Site) -> None:
        super().__init__(chan, site, site.home(str(chan.get_extra_info("username"))))
        self._torn: set[int] = set()

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
        old, new = self._place(oldpath), self._place(newpath)
        if (old[0], new[0]) != ("in", "in") or not old[1].endswith(UNFINISHED) or new[1].endswith(UNFINISHED):
            raise asyncssh.SFTPPermissionDenied(f"not from {'/'.join(old)} to {'/'.join(new)}")
        self._site.arrived(self._moved(old, new))
        self._after(fault, "rename")

    async def remove(self, path: bytes) -> None:
        folder, name = self._place(path)
        if folder != "in" or not name.endswith(UNFINISHED):
            raise asyncssh.SFTPPermissionDenied(f"{folder}/{name} may not be removed")
        fault = await self._before("remove")
        super().remove(path)
        self._after(fault, "remove")
