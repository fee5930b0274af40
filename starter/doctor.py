"""`doctor`: what is wrong with an installation, and what to do about it, in plain words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

import httpx
from sqlalchemy.exc import SQLAlchemyError
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import BackOfficeError, NeedsPerson, Transient, Unauthorised
from starter import temporal
from store import Store
from store.installation import Installation, SettingsError
from store.opening import open_store

SKEW = 30.0
"""Seconds of clock difference that we complain about; signatures tolerate 300."""
PATIENCE = 20.0
"""Seconds that one check may take."""

Check = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. `advice` says what to do when `state` is wrong."""

    name: str
    state: Literal["ok", "wrong", "mended", "left out"]
    words: str = ""
    advice: str = ""


def examine(installation: Installation, *, fix: bool = False) -> Iterator[Finding]:
    """Every check in turn; a check that cannot be made because of another is left out."""
    yield Finding(
        "settings", "ok", f"{len(installation.agencies)} agencies: {', '.join(sorted(installation.agencies))}"
    )
    yield from _secrets(installation)
    yield _store(installation, fix=fix)
    yield from asyncio.run(_temporal(installation, fix=fix))
    yield from _tamara_producers(installation)
    yield from _systems(installation)
    yield from _clocks(installation)


def _tamara_producers(installation: Installation) -> Iterator[Finding]:
    """MIDOCO can make TAMARA files too: exactly one side does (contracts: midoffice, AirPlus operations of the order)."""
    for name, agency in installation.agencies.items():
        if agency.tamara is None:
            continue
        check, producer = f"{name}: AirPlus lines", agency.tamara.get("producer", "orchestrator")
        midoco = agency.midoffice is not None and agency.midoffice.get("kind", "midoco") == "midoco"
        if producer == "midoco" and not midoco:
            advice = f"set agencies.{name}.tamara.producer to orchestrator, or configure MIDOCO"
            yield Finding(check, "wrong", "MIDOCO is to produce them, and the agency has none: nobody does", advice)
        elif producer == "midoco":
            yield Finding(check, "ok", "MIDOCO produces them, we produce none")
        else:
            words = "we produce them" + ("; the TAMARA export of MIDOCO has to stay locked" if midoco else "")
            yield Finding(check, "ok", words)


def _secrets(installation: Installation) -> Iterator[Finding]:
    if installation.store.master_key is None:
        advice = "put store.master_key into the settings (openssl rand -base64 32)"
        yield Finding("master key", "wrong", "there is none, so nothing can be sealed", advice)
    else:
        yield Finding("master key", "ok")
    for name, agency in installation.agencies.items():
        states = [secret.state for secret in agency.platform.webhook_secrets]
        if "active" not in states:
            advice = f"add a secret with state active to agencies.{name}.platform.webhook_secrets"
            yield Finding(f"{name}: webhook secret", "wrong", "no active secret: every event is refused", advice)
    sources = [agency.platform.source for agency in installation.agencies.values()]
    if len(set(sources)) != len(sources):
        yield Finding(
            "event sources", "wrong", "two agencies have the same source", "give each its own platform.source"
        )


def _store(installation: Installation, *, fix: bool) -> Finding:
    advice = "start the database, or correct store.url"
    try:
        store = open_store(installation)
    except SettingsError as error:
        return Finding("store", "wrong", str(error), "correct the settings")
    try:
        if store.database.schema_is_current():
            standing = store.restores.standing()
            if standing:
                words = f"restored from a backup of {standing[0].taken_at:%Y-%m-%d %H:%M} UTC; nothing is sent without a look"
                return Finding("store", "wrong", words, "run: bookings store reconcile")
            return Finding("store", "ok", "reachable, tables up to date")
        if fix:
            store.database.migrate()
            return Finding("store", "mended", "tables brought up to date")
        return Finding("store", "wrong", "tables are missing or old", "run: bookings store migrate")
    except SQLAlchemyError as error:
        return Finding("store", "wrong", f"does not answer ({type(error).__name__})", advice)
    finally:
        store.close()


async def _temporal(installation: Installation, *, fix: bool) -> list[Finding]:
    target, namespace = installation.temporal.target, installation.temporal.namespace
    try:
        client = await asyncio.wait_for(temporal.connect(installation), PATIENCE)
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
    except (RuntimeError, TimeoutError):
        advice = "start it ('bookings up' brings its own), or correct [temporal] in the settings"
        return [Finding("Temporal", "wrong", f"does not answer at {target}", advice)]
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            advice = f"temporal operator namespace create --address {target} -n {namespace}"
            return [Finding("Temporal namespace", "wrong", f"there is no namespace '{namespace}'", advice)]
        return [Finding("Temporal", "wrong", f"answers {error.status.name}", "see the server's log")]
    found = [Finding("Temporal", "ok", f"{target}, namespace {namespace}")]
    missing = await temporal.missing_search_attributes(client)
    if not missing:
        found.append(Finding("search attributes", "ok"))
    elif fix:
        await temporal.ensure_search_attributes(client)
        found.append(Finding("search attributes", "mended", f"added {', '.join(missing)}"))
    else:
        found.append(
            Finding("search attributes", "wrong", f"missing: {', '.join(missing)}", "run: bookings doctor --fix")
        )
    return found


def _systems(installation: Installation) -> Iterator[Finding]:
    """Every outside system of every agency, side by side: reachable, and the credentials accepted."""
    from workers.checking import checks

    with _current_store(installation) as store:
        listed = checks(installation, store)
        if not listed:
            return
        with ThreadPoolExecutor(max_workers=len(listed)) as pool:
            yield from pool.map(lambda entry: _system(*entry), listed)


def systems_of(installation: Installation, store: Store, agency: str) -> list[Finding]:
    """The outside systems of one agency, asked now and side by side. Raises `SettingsError`."""
    from workers.checking import checks

    listed = [entry for entry in checks(installation, store) if entry[0].startswith(f"{agency}: ")]
    if not listed:
        return []
    with ThreadPoolExecutor(max_workers=len(listed)) as pool:
        return list(pool.map(lambda entry: _system(*entry), listed))


@contextmanager
def _current_store(installation: Installation) -> Iterator[Store | None]:
    """The store, None when it cannot be asked; why not is a finding of its own."""
    try:
        store = open_store(installation)
    except SettingsError:
        yield None
        return
    try:
        try:
            current = store.database.schema_is_current()
        except SQLAlchemyError:
            current = False
        yield store if current else None
    finally:
        store.close()


def _system(name: str, check: Check) -> Finding:
    try:
        check()
    except Unauthorised as error:
        advice = "correct the credentials, or the pinned host key after asking the other side, and run doctor again"
        return Finding(name, "wrong", error.message, advice)
    except NeedsPerson as error:
        return Finding(name, "wrong", error.message, "see docs/integrations, or the command that the line names")
    except Transient as error:
        return Finding(name, "wrong", error.message, "correct the address, or ask the other side whether it is down")
    except BackOfficeError as error:
        return Finding(name, "wrong", error.message, "show this line to whoever looks after the integration")
    return Finding(name, "ok")


def _clocks(installation: Installation) -> Iterator[Finding]:
    """Our clock against the `Date` of every HTTP system; signatures and time stamps depend on it."""
    for name, url in _urls(installation):
        try:
            answer = httpx.head(url, timeout=PATIENCE, follow_redirects=False)
            theirs = parsedate_to_datetime(answer.headers["date"])
        except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError):
            yield Finding(f"{name}: clock", "left out", "it told no time")
            continue
        skew = abs((datetime.now(UTC) - theirs).total_seconds())
        words = f"{skew:.0f} s apart"
        advice = "switch on time synchronisation (NTP) on this machine"
        yield Finding(f"{name}: clock", "ok") if skew <= SKEW else Finding(f"{name}: clock", "wrong", words, advice)


def _urls(installation: Installation) -> Iterator[tuple[str, str]]:
    for name, agency in installation.agencies.items():
        if agency.platform.url:
            yield f"{name}: platform", agency.platform.url
        for system in ("giav", "midoffice"):
            section = agency.section(system) or {}
            url = section.get("url") or section.get("endpoint")
            if isinstance(url, str) and url.startswith("http"):
                yield f"{name}: {system}", url
