"""`tamara files`, `tamara release`: what was sealed and where it stands, and a stopped partner (contracts: tamara 4.4)."""

from __future__ import annotations

from typing import Annotated

import typer

from domain.people import Role
from starter.answers import CommandError, as_json, as_table, say
from starter.commands.acting import By, doing
from starter.opening import AsJson, SettingsFile, agency_of, opened_store, read_settings
from store.installation import AgencySettings
from store.tamara_contents import Print


def files(agency: str, settings: SettingsFile, limit: int = 60, json_out: AsJson = False) -> None:
    """The files of an agency, newest first: number, state, lines, and what of them is still kept."""
    installation = read_settings(settings)
    agency_of(installation, agency)
    with opened_store(installation) as store:
        found = store.tamara.files_of(agency, limit)
        rows = [
            {
                "file": file.name,
                "number": file.seq,
                "reprint": file.reprint,
                "state": file.state,
                "lines": file.lines,
                "day": file.day.isoformat(),
                "delivered": file.delivered_at.isoformat(timespec="minutes") if file.delivered_at else "",
                "kept": ", ".join(sorted(store.tamara_contents.forms(Print.of(file)))),
            }
            for file in found
        ]
    if json_out:
        as_json(rows)
    elif rows:
        as_table(f"AirPlus files of {agency}", list(rows[0]), [list(row.values()) for row in rows], whole=("file",))
    else:
        say(f"no file of {agency} was sealed yet")


def release(
    agency: str,
    settings: SettingsFile,
    by: By,
    why: Annotated[str, typer.Option(help="What was settled with AirPlus, in at least 10 characters.")],
    last: Annotated[
        list[str] | None,
        typer.Option("--last", help="MA=17: the last number that AirPlus has of this kind; after a restored backup."),
    ] = None,
) -> None:
    """Let files of a stopped partner go again. Then answer its parked items with --retry."""
    installation = read_settings(settings)
    section = _section(agency_of(installation, agency), agency)
    if not by.strip() or len(why.strip()) < 10:
        raise CommandError("say who decides (--by) and what was settled with AirPlus (--why, at least 10 characters)")
    partner, mode = str(section["partner_id"]), str(section.get("mode", "T"))
    numbers = [_number(text) for text in last or ()]
    with opened_store(installation) as store:
        about = " ".join([f"{partner}/{mode}", *(last or ())])
        with doing(store, by, "tamara.release", about, agency=agency, why=why, needs=Role.SUPERVISOR) as name:
            if store.tamara_stops.standing(partner, mode) is None:
                raise CommandError(f"files of {partner} ({mode}) are not stopped")
            for kind, number in numbers:
                store.tamara.set_last_number(partner, kind, mode, number)
            store.tamara_stops.release(partner, mode, name, why)
    say(f"files of {partner} ({mode}) may go again; answer the parked items with --retry")


def _number(text: str) -> tuple[str, int]:
    kind, _, number = text.partition("=")
    if kind not in ("MA", "BSP") or not number.isascii() or not number.isdecimal() or len(number) > 6:
        raise CommandError(f"'{text}' is no last number; write it like MA=17 or BSP=3")
    return kind, int(number)


def _section(configured: AgencySettings, agency: str) -> dict[str, object]:
    if configured.tamara is None:
        raise CommandError(f"agency '{agency}' has no [agencies.{agency}.tamara] in the settings")
    return configured.tamara
