"""Backing up an installation, putting a backup in its place, and agreeing with the world again (docs/operations.md).

Temporal's file is copied first, the store after it: a store that knows more than Temporal has its work repeated, which the
ledger recognises; a store that knows less could send twice.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import make_url

from starter.answers import CommandError
from starter.opening import opened_store
from starter.supervisor import only_supervisor
from store import Store
from store.backups import (
    STORE_FILE,
    TEMPORAL_FILE,
    BrokenBackup,
    Manifest,
    checked,
    copy_while_in_use,
    put_in_place,
    seal,
    set_aside,
)
from store.installation import Installation
from store.restores import Restore

MARGIN = timedelta(hours=1)
"""Events that came this long before a backup are handed on again: Temporal may have been copied a moment before them."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did. `aside` is where the files went that stood there before, None when there were none."""

    restore: Restore
    handed_on_again: int
    stopped: tuple[str, ...]
    with_temporal: bool
    aside: Path | None


def store_file(installation: Installation) -> Path:
    """The store's SQLite file. Raises `CommandError` for PostgreSQL, which has tools of its own."""
    url = make_url(installation.store_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise CommandError(
            "this store is PostgreSQL: back it up with pg_dump, restore it with pg_restore, and then run "
            "'bookings store restored' (docs/operations.md)"
        )
    return Path(url.database)


def temporal_file(installation: Installation) -> Path | None:
    """The file of the embedded Temporal server; None with a server of one's own."""
    return installation.data / TEMPORAL_FILE if installation.temporal.address is None else None


def back_up(installation: Installation, folder: Path, now: datetime | None = None) -> Manifest:
    """Copy everything that must survive into the new folder `folder`, while it is in use. Raises `CommandError`."""
    if folder.exists() and any(folder.iterdir()):
        raise CommandError(f"{folder} is not empty; name a new folder, for example one with the date")
    taken_at = now or datetime.now(UTC)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as unfinished:
        inside = Path(unfinished) / "backup"
        inside.mkdir(mode=0o700)
        try:
            for name, source in ((TEMPORAL_FILE, temporal_file(installation)), (STORE_FILE, store_file(installation))):
                if source is not None and source.exists():
                    copy_while_in_use(source, inside / name)
            manifest = seal(inside, taken_at)
            if not manifest.has(STORE_FILE):
                raise CommandError("there is no store yet; nothing was backed up")
        except BrokenBackup as error:
            raise CommandError(str(error)) from None
        if folder.exists():
            folder.rmdir()
        os.replace(inside, folder)
    return manifest


def restore(installation: Installation, folder: Path, by: str, *, leave_temporal: bool = False) -> Restored:
    """Put a backup in place of what is there. Nothing may run on the data folder meanwhile. Raises `CommandError`."""
    target = store_file(installation)
    try:
        manifest = checked(folder)
    except BrokenBackup as error:
        raise CommandError(f"{error}; nothing was changed") from None
    moment = datetime.now(UTC)
    aside = installation.data / f"before-restore-{moment:%Y%m%dT%H%M%S}"
    with only_supervisor(installation.data):
        put_in_place(folder / STORE_FILE, target, aside)
        engine = temporal_file(installation)
        with_temporal = engine is not None and manifest.has(TEMPORAL_FILE) and not leave_temporal
        if engine is not None and with_temporal:
            put_in_place(folder / TEMPORAL_FILE, engine, aside)
        elif engine is not None:
            # An engine that is ahead of the store would never ask again for what the store has forgotten.
            set_aside(engine, aside)
        with opened_store(installation, migrate=True) as store:
            done = mark_restored(installation, store, manifest.taken_at, by, str(folder), with_temporal=with_temporal)
    return Restored(*done, with_temporal, aside if aside.exists() else None)


def mark_restored(
    installation: Installation, store: Store, taken_at: datetime, by: str, source: str, *, with_temporal: bool
) -> tuple[Restore, int, tuple[str, ...]]:
    """Say that the store is a restored one: look before sending, stop what cannot be looked for, hand events on again."""
    begun = store.restores.begin(taken_at, by, source[:500])
    stopped = []
    for agency, partner, mode in partners(installation):
        store.tamara_stops.stop(
            agency,
            partner,
            mode,
            f"the store was restored from a backup of {taken_at:%Y-%m-%d %H:%M} UTC; files may have been delivered after it, "
            "under numbers and with lines that it does not know.",
        )
        stopped.append(f"{partner} ({mode})")
    again = store.restores.hand_on_again(taken_at - MARGIN if with_temporal else None)
    return begun, again, tuple(stopped)


def partners(installation: Installation) -> Iterator[tuple[str, str, str]]:
    """Agency, partner id and mode of everyone whose files we number."""
    for name, agency in installation.agencies.items():
        section = agency.tamara
        if (
            section is not None
            and section.get("producer", "orchestrator") == "orchestrator"
            and "partner_id" in section
        ):
            yield name, str(section["partner_id"]), str(section.get("mode", "T"))
