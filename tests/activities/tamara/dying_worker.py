"""A worker that delivers one file and is killed without a word at a chosen point: `python -m … STORE SETTINGS POINT`.

`uploading`: half of the bytes are sent. `uploaded`: all of them, nothing asked for yet. `renaming`: the rename is on record
and was not sent. `renamed`: it was sent and done, its answer is lost.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

from activities.tamara import delivery
from activities.tamara.activities import TamaraActivities
from activities.tamara.cargo import Cargo
from activities.tamara.ftps import FtpsFolder
from activities.tamara.settings import TamaraSettings
from activities.tamara.sftp import SftpFolder
from domain.steps import TamaraFileStep
from store import Store
from tests.activities.tamara.night import AGENCY, NIGHT, PARTNER
from tests.databases import MASTER_KEY


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying_at(point: str) -> None:
    """Put death into the way at `point`."""
    for folder in (SftpFolder, FtpsFolder):
        rename, write = folder.rename, folder.write

        def renamed(self: Any, old: str, new: str, rename: Any = rename) -> None:
            if point == "renamed":
                rename(self, old, new)
            die()

        def uploading(self: Any, name: str, cargo: Cargo, offset: int, beat: Any, write: Any = write) -> None:
            half = b"".join(cargo.after(0))[: cargo.size // 2]
            write(self, name, Cargo.of(half), offset, beat)
            die()

        if point in ("renaming", "renamed"):
            folder.rename = renamed  # type: ignore[method-assign,assignment]
        if point == "uploading":
            folder.write = uploading  # type: ignore[method-assign]
    if point == "uploaded":
        delivery._publish = die


def main() -> None:
    url, settings, point = sys.argv[1:]
    store = Store.open(url, master_key=MASTER_KEY)
    account = TamaraSettings.model_validate_json(Path(settings).read_text())
    dying_at(point)
    cells = TamaraActivities(store, {AGENCY: account}, clock=lambda: NIGHT)
    with contextlib.suppress(Exception):
        cells.deliver_file(TamaraFileStep(agency=AGENCY, partner_id=PARTNER, kind="MA", seq=1))


if __name__ == "__main__":
    main()
