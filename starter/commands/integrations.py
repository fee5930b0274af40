"""`integration …`: an agency activates an outside system by itself (docs/integrations/giav.md, midoffice.md)."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Annotated, Any

import typer

from domain.errors import BackOfficeError
from domain.naming import integration_workflow
from domain.people import Role
from starter.activation import KOMMO, assigned, ordered, progress_of, run_activation, tell_what_waits
from starter.answers import CommandError, as_json, as_table, say
from starter.commands.acting import By, doing
from starter.connecting import ALONE, GIAV, must_be_the_only_mid_office, named, read_key, say_letters, section_of, told
from starter.opening import AsJson, SettingsFile, agency_of, opened_store, read_settings
from store import Store
from store.installation import AgencySettings, Installation
from store.integrations import Integration

app = typer.Typer(no_args_is_help=True, help="Systems that an agency activates by itself.")

System = Annotated[str, typer.Option("--system", help="The outside system.")]
MANY_CANDIDATES = 40
"""More are not listed by `show`; the ids are looked up in the system itself then."""


@app.command(name="list")
def list_integrations(settings: SettingsFile, json_out: AsJson = False) -> None:
    """Every integration and how far it is."""
    installation = read_settings(settings)
    with opened_store(installation) as store:
        found = store.integrations.list()
    if json_out:
        as_json([_plain(installation, one) for one in found])
        return
    columns = ("agency", "system", "state", "since", "backfill")
    rows = ((one.agency, one.system, one.state, f"{one.since:%Y-%m-%d %H:%M}", progress_of(one)) for one in found)
    as_table("Integrations", columns, rows)


@app.command()
def show(agency: str, settings: SettingsFile, system: System = GIAV, json_out: AsJson = False) -> None:
    """State, settings, what the last check proposes, and what it leaves to you with the candidates."""
    from workers import activating

    installation = read_settings(settings)
    with opened_store(installation) as store:
        found = _known(store, installation, agency, system)
        sealed = _key_name(system) in store.vault.names(agency)
        let_in = activating.let_in(store, agency) if system == KOMMO else ""
    if json_out:
        as_json({**_plain(installation, found), "key": "sealed" if sealed else "missing"})
        return
    say(f"{system} of {agency}: {found.state} since {found.since:%Y-%m-%d %H:%M} UTC")
    say(f"key: {'sealed' if sealed else 'missing'}; {told(found)}")
    # With the activation guesses become settings, so that a later check cannot change what is in use.
    origin = "in use" if found.state in ("active", "suspended") else "given"
    rows = [(name, value, origin) for name, value in _flat(found.settings)]
    given = {name for name, _, _ in rows}
    proposed = _flat(found.catalogue.get("proposed", {}))
    rows += [(name, value, "proposed") for name, value in proposed if name not in given]
    as_table("Settings", ("setting", "value", "from"), sorted(rows))
    for name in sorted(found.catalogue.get("questions", {})):
        _show_candidates(found, name)
    if system == KOMMO:
        say(f"let in: {let_in}")
    if found.state == "checked" and "confirmed" not in found.catalogue:
        say_letters(system, agency_of(installation, agency).name, "end")


@app.command()
def request(agency: str, settings: SettingsFile, system: System = GIAV, by: By = "", json_out: AsJson = False) -> None:
    """Begin. From now on steps for this system wait for the activation instead of asking a person one by one."""
    installation = read_settings(settings)
    configured = agency_of(installation, agency)
    _key_name(system)
    section = section_of(system)
    if configured.section(section) is not None:
        raise CommandError(
            f"agency '{agency}' has [agencies.{agency}.{section}] in the settings file, which counts first; "
            "take it out to activate the system here"
        )
    with opened_store(installation) as store, _setting_up(store, by, "request", agency, system) as name:
        must_be_the_only_mid_office(store, agency, system)
        found = store.integrations.request(agency, system, by=name)
    _answer(json_out, installation, found, f"next: bookings integration key {named(agency, system)}")
    if not json_out:
        say_letters(system, configured.name, "first", "has come")


@app.command()
def key(agency: str, settings: SettingsFile, system: System = GIAV, by: By = "", json_out: AsJson = False) -> None:
    """Seal the system's key. It is asked for, or read from standard input; it is never an argument."""
    installation = read_settings(settings)
    with opened_store(installation) as store:
        _known(store, installation, agency, system)
        with _setting_up(store, by, "key", agency, system) as name:
            value = read_key(system)
            try:
                store.vault.seal(agency, _key_name(system), value)
                found = store.integrations.key_stored(agency, system, by=name)
            except BackOfficeError as error:
                raise CommandError(error.message) from None
        going = tell_what_waits(installation, store, agency, system)
    _answer(json_out, installation, found, going or f"next: bookings integration check {named(agency, system)}")


@app.command()
def check(agency: str, settings: SettingsFile, system: System = GIAV, by: By = "", json_out: AsJson = False) -> None:
    """Read the system's catalogues with the key, and propose settings. Ends with 1 when something is left to you."""
    from workers import activating

    installation = read_settings(settings)
    configured = agency_of(installation, agency)
    with opened_store(installation) as store:
        _known(store, installation, agency, system)
        with _setting_up(store, by, "check", agency, system, needs=Role.OPERATOR) as name:
            try:
                found = activating.check(store, agency, system, configured, by=name)
            except BackOfficeError as error:
                raise CommandError(str(error)) from None
        integration = store.integrations.known(agency, system)
    if json_out:
        as_json({**_plain(installation, integration), "ready": found.ready, "wrong": list(found.wrong)})
    else:
        as_table("Settings", ("setting", "value"), sorted(_flat(dict(found.settings))))
        for words in found.wrong:
            say(f"wrong: {words}")
        for name in sorted(found.questions):
            _show_candidates(integration, name)
        say(
            f"next: bookings integration activate {named(agency, system)}"
            if found.ready
            else f"give them with: bookings integration set {named(agency, system)} NAME=VALUE"
        )
    if not found.ready:
        raise typer.Exit(1)


@app.command(name="set")
def set_settings(
    agency: str,
    assignments: Annotated[
        list[str], typer.Argument(help="NAME=VALUE, TABLE.NAME=VALUE; without a value: as guessed.")
    ],
    settings: SettingsFile,
    system: System = GIAV,
    by: By = "",
    json_out: AsJson = False,
) -> None:
    """Give settings. An active integration goes on with them from its next step."""
    from workers import activating

    installation = read_settings(settings)
    with opened_store(installation) as store:
        now = _known(store, installation, agency, system)
        told_so = ", ".join(assignments)
        with _setting_up(store, by, "set", agency, system, why=told_so) as name:
            wanted = assigned(system, now.settings, assignments)
            wrong = activating.wrong_settings(system, wanted)
            if now.state in ("active", "suspended"):
                wrong += [f"{each} is needed" for each in activating.missing_settings(system, wanted)]
            if wrong:
                raise CommandError("; ".join(wrong))
            found = store.integrations.set(agency, system, wanted, by=name, detail=told_so)
        going = tell_what_waits(installation, store, agency, system)
    _answer(json_out, installation, found, going)


@app.command()
def activate(
    agency: str,
    settings: SettingsFile,
    system: System = GIAV,
    by: By = "",
    backfill: Annotated[bool, typer.Option(help="Take in what the platform knew before.")] = True,
    ended_since: Annotated[
        str,
        typer.Option(
            "--ended-since", metavar="DAY", help="Also trips that ended on or after this day; today by default."
        ),
    ] = "",
    wait: Annotated[bool, typer.Option(help="Wait until the backfill is done, and show how far it is.")] = False,
    json_out: AsJson = False,
) -> None:
    """Check, install our reference fields, use the system from now on, take in what existed before.

    Workers need no restart. What only a person can answer is parked; see 'bookings park list'.
    """
    installation = read_settings(settings)
    with opened_store(installation) as store:
        _known(store, installation, agency, system)
        with _setting_up(store, by, "activate", agency, system) as name:
            order = ordered(agency, system, name, backfill, ended_since)
            asyncio.run(run_activation(installation, store, order, wait=wait and not json_out))
        found = store.integrations.known(agency, system)
    workflow = integration_workflow(agency, system)
    more = f"{workflow} is at work; see how far: bookings integration show {named(agency, system)}"
    _answer(json_out, installation, found, more)


@app.command()
def confirm(
    agency: str,
    settings: SettingsFile,
    system: Annotated[str, typer.Option("--system", help="The mid-office.")],
    note: Annotated[str, typer.Option(help="What was sent or answered, in your words.")] = "",
    by: By = "",
    json_out: AsJson = False,
) -> None:
    """Say that the RateHawk account manager was told of the mid-office. An activation that waited for it goes on."""
    installation = read_settings(settings)
    with opened_store(installation) as store:
        now = _known(store, installation, agency, system)
        if system in ALONE:
            raise CommandError(f"nobody has to be told of {system}; next: bookings integration activate")
        if now.state in ("requested", "key_stored"):
            raise CommandError(f"its access was not checked yet: bookings integration check {named(agency, system)}")
        with _setting_up(store, by, "confirm", agency, system, why=note) as name:
            found = store.integrations.confirmed(agency, system, by=name, detail=note)
        going = tell_what_waits(installation, store, agency, system)
    _answer(json_out, installation, found, going or f"next: bookings integration activate {named(agency, system)}")


@app.command()
def suspend(
    agency: str,
    settings: SettingsFile,
    why: Annotated[str, typer.Option(help="The reason, in your words.")],
    system: System = GIAV,
    by: By = "",
    json_out: AsJson = False,
) -> None:
    """Use the system no more until it is activated again; its steps stop for a person."""
    installation = read_settings(settings)
    with opened_store(installation) as store:
        _known(store, installation, agency, system)
        with _setting_up(store, by, "suspend", agency, system, why=why, needs=Role.SUPERVISOR) as name:
            try:
                found = store.integrations.suspend(agency, system, by=name, why=why)
            except BackOfficeError as error:
                raise CommandError(error.message) from None
    _answer(json_out, installation, found, f"back again with: bookings integration activate {named(agency, system)}")


@app.command()
def history(agency: str, settings: SettingsFile, system: System = GIAV, json_out: AsJson = False) -> None:
    """Every step ever taken, oldest first."""
    installation = read_settings(settings)
    with opened_store(installation) as store:
        _known(store, installation, agency, system)
        steps = store.integrations.history(agency, system)
    if json_out:
        as_json([asdict(step) for step in steps])
        return
    rows = ((f"{step.at:%Y-%m-%d %H:%M:%S}", step.step, step.state, step.by, step.detail) for step in steps)
    as_table(f"{system} of {agency}", ("at", "step", "state", "by", "detail"), rows)


def _known(store: Store, installation: Installation, agency: str, system: str) -> Integration:
    agency_of(installation, agency)
    _key_name(system)
    found = store.integrations.get(agency, system)
    if found is None:
        raise CommandError(
            f"{system} of {agency} was never requested; begin with: bookings integration request {named(agency, system)}"
        )
    return found


def _key_name(system: str) -> str:
    from workers.activating import KEY_NAMES

    if system not in KEY_NAMES:
        raise CommandError(f"there is no system '{system}' to activate; known: {', '.join(sorted(KEY_NAMES))}")
    return KEY_NAMES[system]


def _setting_up(
    store: Store, by: str, step: str, agency: str, system: str, *, why: str = "", needs: Role = Role.ADMINISTRATOR
) -> AbstractContextManager[str]:
    """Who takes this step, and the line of the audit trail about it."""
    return doing(store, by, f"integration.{step}", f"{agency}/{system}", agency=agency, why=why, needs=needs)


def _answer(json_out: bool, installation: Installation, found: Integration, more: str) -> None:
    if json_out:
        as_json(_plain(installation, found))
        return
    say(f"{found.system} of {found.agency}: {found.state}")
    if more:
        say(more)


def _plain(installation: Installation, found: Integration) -> dict[str, Any]:
    configured: AgencySettings | None = installation.agencies.get(found.agency)
    in_file = configured is not None and configured.section(section_of(found.system)) is not None
    return {**asdict(found), "overruled_by_settings_file": in_file}


def _flat(settings: dict[str, Any]) -> list[tuple[str, str]]:
    """Settings by their names as `set` takes them."""
    rows: list[tuple[str, str]] = []
    for name, value in settings.items():
        parts = {f"{name}.{entry}": each for entry, each in value.items()} if isinstance(value, dict) else {name: value}
        rows += [(path, str(each)) for path, each in parts.items()]
    return rows


def _show_candidates(found: Integration, name: str) -> None:
    """What may be meant: the candidates of the check with their names in the system."""
    wanted = set(found.catalogue.get("questions", {}).get(name, ()))
    lists = {"office_id": "offices", "b2c_holder_client_id": "holders", "payment_methods": "methods"}
    lists |= {"pipeline": "pipelines", "trigger_stages": "stages"}
    lists |= {"refund_methods": "methods", "agency_supplier_id": "suppliers", "default_supplier_id": "suppliers"}
    entries = found.catalogue.get(lists.get(name.partition(".")[0], ""), [])
    shown = [entry for entry in entries if entry["id"] in wanted] or entries
    say(f"needed: {name}" + ("" if shown else " (no candidates)"))
    if 0 < len(shown) <= MANY_CANDIDATES:
        as_table(name, ("id", "name"), ((entry["id"], entry["name"]) for entry in shown))
    elif shown:
        say(f"  {len(shown)} candidates; find its id in {found.system}")
