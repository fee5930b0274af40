"""`store backup`, `restore`, `restored`, `reconcile`: losing the store without losing or doubling money (docs/operations.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.people import Role
from starter import restoring
from starter.answers import CommandError, as_json, as_table, say
from starter.commands.acting import By, doing
from starter.opening import AsJson, SettingsFile, opened_store, read_settings
from store import Store
from store.audit_trail import Deed
from store.installation import Installation
from store.restores import Restore, SinceRestore

SHORTEST_WHY = 10
NEXT = "start everything, then run 'bookings store reconcile'"


def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder for this backup.")],
    settings: SettingsFile,
    json_out: AsJson = False,
) -> None:
    """Copy the store, and the embedded Temporal's file, while they are in use. SQLite only; PostgreSQL has pg_dump.

    The master key is not in it and has to be kept elsewhere. The copy holds personal data: guard it like the store.
    """
    manifest = restoring.back_up(read_settings(settings), folder)
    if json_out:
        as_json({"folder": str(folder), **manifest.model_dump(mode="json")})
    else:
        sizes = ", ".join(f"{file.name} ({file.size} bytes)" for file in manifest.files)
        say(f"backed up into {folder} as of {manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC: {sizes}")


def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of a backup.")],
    settings: SettingsFile,
    by: Annotated[str, typer.Option(help="Who does it.")],
    leave_temporal: Annotated[
        bool, typer.Option("--without-temporal", help="Restore the store only; Temporal begins empty.")
    ] = False,
    json_out: AsJson = False,
) -> None:
    """Put a backup in place of the store. End gateway and worker first; what was there is set aside, not deleted.

    From then on nothing is sent that was not looked for: what was written after the backup is found and taken over.
    """
    installation = read_settings(settings)
    done = restoring.restore(installation, folder, _name(by), leave_temporal=leave_temporal)
    with opened_store(installation) as store:
        # Whoever may replace the file of the store asks no role in it; the line says who says to have done it.
        store.audit_trail.write(Deed(_name(by), "store restore", _copy(done.restore.taken_at), way="command"))
    _say_restored(installation, done.restore, done.handed_on_again, done.stopped, done.with_temporal, json_out=json_out)
    if done.aside is not None and not json_out:
        say(f"what stood there before is in {done.aside}; remove it when everything is settled")


def restored(
    settings: SettingsFile,
    by: By,
    taken_at: Annotated[
        datetime,
        typer.Option(
            "--taken-at", formats=["%Y-%m-%dT%H:%M:%S"], help="When that backup was taken (UTC); earlier is safe."
        ),
    ],
    with_temporal: Annotated[
        bool,
        typer.Option("--with-temporal", help="Temporal's state was restored to that moment or an earlier one, too."),
    ] = False,
    json_out: AsJson = False,
) -> None:
    """Say that the store is a restored one, when it was restored by other means: pg_restore, a snapshot of a disk.

    Run it before gateway and worker start.
    """
    installation = read_settings(settings)
    moment = taken_at.replace(tzinfo=UTC)
    if moment > datetime.now(UTC):
        raise CommandError("--taken-at lies in the future; it is in UTC")
    with (
        opened_store(installation, migrate=True) as store,
        doing(store, by, "store restored", _copy(moment), needs=Role.ADMINISTRATOR) as name,
    ):
        begun, again, stopped = restoring.mark_restored(
            installation, store, moment, name, "by other means", with_temporal=with_temporal
        )
    _say_restored(installation, begun, again, stopped, with_temporal, json_out=json_out)


def reconcile(
    settings: SettingsFile,
    settle: Annotated[
        bool, typer.Option("--settle", help="Everything was compared: effects are sent without a look again.")
    ] = False,
    by: Annotated[str, typer.Option(help="Who says so; with --settle.")] = "",
    why: Annotated[str, typer.Option(help="What was compared, in at least 10 characters; with --settle.")] = "",
    json_out: AsJson = False,
) -> None:
    """Read again what the platforms know since the backup, and show what was found outside, sent, and what is in doubt.

    Run it until nothing is new and nothing is on its way. Ends with 1 while something is.
    """
    if settle and (not by.strip() or len(why.strip()) < SHORTEST_WHY):
        raise CommandError("say who settles it (--by) and what was compared (--why, at least 10 characters)")
    installation = read_settings(settings)
    with opened_store(installation) as store:
        standing = store.restores.standing()
        if not standing:
            say("no restored backup waits to be settled") if not json_out else as_json({"standing": []})
            return
        from workers.catching_up import catching_up

        read = list(catching_up(installation, store))
        store.restores.caught_up(sum(one.taken for one in read))
        since = store.restores.since(standing[0].restored_at)
        open_ = _still_open(store, read, since)
        if settle and not open_:
            about = ", ".join(_copy(one.taken_at) for one in standing)
            with doing(store, by, "store settle", about, why=why, needs=Role.ADMINISTRATOR) as name:
                store.restores.settle(name, why.strip())
        stops = _stops(installation, store)
    settled = settle and not open_
    if json_out:
        as_json(
            {
                "standing": [_plain(one) for one in standing],
                "platforms": [{name: getattr(one, name) for name in one.__slots__} for one in read],
                "effects": [{name: getattr(one, name) for name in SinceRestore.__slots__} for one in since],
                "stopped": stops,
                "open": open_,
                "settled": settled,
            }
        )
    else:
        _show(standing, read, since, stops, open_, settled=settled)
    if open_:
        raise typer.Exit(1)


def _still_open(store: Store, read: list[Any], since: Any) -> list[str]:
    """What has to come to an end before the look can be left out."""
    found = [f"{one.agency}: {one.trouble}" for one in read if one.trouble and "only imported" not in one.trouble]
    new = sum(one.taken for one in read)
    if new:
        found.append(f"{new} events were new just now; run it again when they were dealt with")
    waiting = store.inbox.counts()["waiting"]
    if waiting:
        found.append(f"{waiting} events wait for their workflow")
    under_way = sum(one.open for one in since)
    if under_way:
        found.append(f"{under_way} effects are on their way")
    doubtful = sum(one.doubtful for one in since)
    if doubtful:
        found.append(f"{doubtful} effects were refused or cannot be looked for; answer their parked items")
    return found


def _show(
    standing: list[Restore], read: list[Any], since: Any, stops: list[str], open_: list[str], *, settled: bool
) -> None:
    for one in standing:
        say(
            f"backup of {one.taken_at:%Y-%m-%d %H:%M} UTC, restored {one.restored_at:%Y-%m-%d %H:%M} by {one.restored_by}; "
            f"{one.caught_up} events caught up before"
        )
    columns = ("agency", "seen", "new", "unusable", "trouble")
    as_table(
        "Platforms", columns, [(o.agency, o.seen, o.taken, o.unusable, o.trouble) for o in read], right=columns[1:4]
    )
    names = ("agency", "system", "found", "sent", "doubtful", "open")
    as_table("Effects since", names, [[getattr(one, name) for name in names] for one in since], right=names[2:])
    for stop in stops:
        say(f"AirPlus files of {stop} are stopped: compare with AirPlus what it got, then 'bookings tamara release'")
    for line in open_:
        say(f"open: {line}")
    if settled:
        say("settled: effects are sent without a look from now on")
    elif not open_:
        say("nothing is open; when the audit agrees, settle it: bookings store reconcile --settle --by NAME --why TEXT")


def _say_restored(
    installation: Installation,
    begun: Restore,
    again: int,
    stopped: tuple[str, ...],
    with_temporal: bool,
    *,
    json_out: bool,
) -> None:
    if json_out:
        as_json({**_plain(begun), "handed_on_again": again, "stopped": list(stopped), "with_temporal": with_temporal})
        return
    say(f"the store is that of {begun.taken_at:%Y-%m-%d %H:%M:%S} UTC; until it is settled nothing is sent unseen")
    say(f"{again} events will be handed to their workflows again")
    for partner in stopped:
        say(f"AirPlus files of {partner} are stopped until a person has compared them with AirPlus")
    if not with_temporal and installation.temporal.address is not None:
        say(
            "Temporal is yours, and must not know more than the store: begin with an empty namespace (a new name in "
            "temporal.namespace), run 'bookings doctor --fix'"
        )
    say(NEXT)


def _stops(installation: Installation, store: Store) -> list[str]:
    places = {(partner, mode) for _, partner, mode in restoring.partners(installation)}
    return [f"{partner} ({mode})" for partner, mode in sorted(places) if store.tamara_stops.standing(partner, mode)]


def _plain(one: Restore) -> dict[str, Any]:
    return {
        "taken_at": one.taken_at.isoformat(),
        "restored_at": one.restored_at.isoformat(),
        "restored_by": one.restored_by,
        "source": one.source,
    }


def _copy(taken_at: datetime) -> str:
    """A backup as the audit trail names it."""
    return f"backup of {taken_at:%Y-%m-%dT%H:%M:%SZ}"


def _name(by: str) -> str:
    if not by.strip():
        raise CommandError("say who does it (--by)")
    return by.strip()
