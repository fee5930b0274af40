"""AirPlus' lines and answers at the desk: mending, abandoning, entering what AirPlus told by other ways (contracts: tamara 3.12)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from temporalio.service import RPCError

from domain.errors import BackOfficeError
from domain.naming import tamara_trouble_workflow
from starter.desk.acting import Acting, BackOffice, recorded
from starter.desk.refusals import Away, NotFound, Refused
from store.audit_trail import Deed
from store.installation import SettingsError
from store.tamara import LinesMoved
from store.tamara_answers import Verdict
from store.tamara_tables import FileKey, Line
from store.tamara_unpaid import tell_accounting
from workers.tamara_desk import FormField, enter_answers, fields_of, fix_line, wrong_fields

T = TypeVar("T")
LARGEST = 1_000_000
"""Bytes of an answer that is entered: some ten thousand rows."""
WORDS = 10
"""Characters of an explanation, at least."""

__all__ = ["LARGEST", "FormField", "WrongFields", "abandon", "enter", "fix", "form_of", "line_of"]


class WrongFields(Refused):
    """What was typed cannot be taken; `fields` says of each field why."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("; ".join(why if name in why else f"{name}: {why}" for name, why in fields.items()))
        self.fields = fields


def line_of(office: BackOffice, acting: Acting, agency: str, number: int) -> Line:
    """A line by its number. Raises `NotFound`, also for a line of an agency that this person may not see."""
    line = office.store.tamara_answers.line(agency, number) if acting.person.sees(agency) else None
    if line is None:
        raise NotFound(f"there is no line {number} of {agency}; see 'bookings tamara lines {agency}'")
    return line


def form_of(office: BackOffice, agency: str, line: Line) -> Sequence[FormField]:
    """The fields that may be set in a line, as they stand. Raises `Refused` when the settings cannot be used."""
    _must_use_airplus(office, agency)
    try:
        return fields_of(office.installation, agency, line)
    except SettingsError as error:
        raise Refused(f"settings: {error}") from None


async def fix(
    office: BackOffice, acting: Acting, agency: str, number: int, changes: Mapping[str, str], card: str | None
) -> Line:
    """Set fields and hold the line against every rule again. Raises `NotFound`, `NotAllowed`, `WrongFields`, `Refused`."""

    def mend() -> tuple[Line, Line]:
        line = line_of(office, acting, agency, number)
        _must_use_airplus(office, agency)
        wrong = wrong_fields(office.installation, agency, changes)
        if wrong:
            raise WrongFields(wrong)
        name = acting.person.name
        return line, fix_line(office.installation, office.store, agency, line, changes, card, name, office.now())

    async def work() -> Line:
        line, mended = await _refusing(mend)
        await _wake(office, agency, _about_line(line))
        return mended

    # Which fields were set is told, never to what: they hold travellers and cost centres.
    deed = Deed("", "tamara.fix", f"{agency}/{number}", why=", ".join(sorted(changes)), agency=agency)
    return await recorded(office, acting, deed, work)


async def abandon(office: BackOffice, acting: Acting, agency: str, number: int, why: str) -> Line:
    """Give up a rejected line. Raises `NotFound`, `NotAllowed`, `Refused`."""

    def give_up() -> Line:
        line = line_of(office, acting, agency, number)
        if len(why.strip()) < WORDS:
            raise Refused(f"explain the decision in at least {WORDS} characters")
        try:
            office.store.tamara_answers.abandon(line.id)
        except LinesMoved:
            raise Refused(f"line {number} is {line.state}; only rejected lines can be abandoned") from None
        office.store.tamara_answers.set_fields(line.txn_ref, {"#abandoned": why}, acting.person.name)
        tell_accounting(office.store.parked, line, f"{why} ({acting.person.name})")
        return line

    async def work() -> Line:
        line = await _refusing(give_up)
        await _wake(office, agency, _about_line(line))
        return line

    return await recorded(
        office, acting, Deed("", "tamara.abandon", f"{agency}/{number}", why=why, agency=agency), work
    )


async def enter(
    office: BackOffice, acting: Acting, agency: str, given: bytes, *, room: int | None = LARGEST
) -> list[tuple[FileKey, Verdict | None]]:
    """Apply an answer that came by other ways. Raises `NotAllowed`, and `Refused` naming the row that is wrong.

    `room` in bytes; None for whoever has the file on the own machine.
    """

    def take() -> list[tuple[FileKey, Verdict | None]]:
        _must_use_airplus(office, agency)
        if room is not None and len(given) > room:
            raise Refused(f"the file has {len(given)} bytes, room for {room}")
        try:
            text = given.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("the file is not text in UTF-8") from None
        return enter_answers(office.installation, office.store, agency, text, acting.person.name, office.now())

    async def work() -> list[tuple[FileKey, Verdict | None]]:
        found = await _refusing(take)
        await _wake(office, agency, (name for key, _ in found for name in _about_file(key)))
        return found

    return await recorded(office, acting, Deed("", "tamara.enter", agency, agency=agency), work)


def _must_use_airplus(office: BackOffice, agency: str) -> None:
    if office.installation.agencies[agency].tamara is None:
        raise Refused(f"agency '{agency}' has no [agencies.{agency}.tamara] in the settings")


async def _refusing(work: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(work)
    except SettingsError as error:
        raise Refused(f"settings: {error}") from None
    except BackOfficeError as error:
        raise Refused(error.message) from None


def _about_line(line: Line) -> list[str]:
    of_file = [] if line.seq is None else [f"rejected-{line.partner_id}-{line.kind}-{line.mode}-{line.seq}"]
    return ["lines", *of_file]


def _about_file(key: FileKey) -> list[str]:
    name = f"{key.partner_id}-{key.kind}-{key.mode}-{key.seq}"
    return [f"{about}-{name}" for about in ("unanswered", "refused", "rejected")]


async def _wake(office: BackOffice, agency: str, keys: Iterable[str]) -> None:
    """Let the items that wait for it look at once; without Temporal they do so within the hour."""
    with suppress(Away):
        client = await office.temporal()
        for key in keys:
            with suppress(RPCError):
                await client.get_workflow_handle(tamara_trouble_workflow(agency, key)).signal("look")
