"""Delivers one file with a memory of whether a rename was sent, as the ledger has."""

from __future__ import annotations

from activities.tamara.cargo import Cargo
from activities.tamara.delivery import Parcel, deliver, find
from activities.tamara.drop_box import drop_box_of
from activities.tamara.settings import TamaraSettings
from tests.activities.tamara.night import DropBoxSite
from tests.sandbox.tamara_files import File

NAME = File().name
CONTENT = File().raw()


class Sender:
    """A worker that delivers `content` under `NAME`, as often as it is asked."""

    def __init__(self, settings: TamaraSettings, content: bytes = CONTENT) -> None:
        self.box = drop_box_of(settings)
        self.content = content
        self.rename_sent = False
        self.beats: list[int] = []

    def parcel(self) -> Parcel:
        return Parcel(NAME, Cargo.of(self.content), self.rename_sent, self._renaming, self.beats.append)

    def deliver(self) -> str:
        return deliver(self.box, self.parcel())

    def find(self) -> list[str]:
        return find(self.box, self.parcel())

    def _renaming(self, sent: bool) -> None:
        self.rename_sent = sent


def fault(site: DropBoxSite, operation: str, kind: str, **more: object) -> None:
    site.stand_in.faults.set({"operation": operation, "kind": kind, **more})
