"""Every outside system of an agency: how it stands, how it answered lately, and a check now (docs/integrations)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from fastapi import APIRouter, Request, Response

from domain import naming
from starter.console import labels
from starter.console.areas import Area, Link
from starter.console.languages import N_
from starter.console.refusals import NotHere
from starter.console.rendering import page
from starter.console.visiting import ChosenAgencies, Here, Operator, Surroundings, Viewer
from starter.doctor import Finding, systems_of
from store.installation import SettingsError
from store.integrations import Integration
from store.pulses import Pulse

router = APIRouter()
AREA = Area("integrations", router, (Link("/integrations", N_("Integraciones"), "system", 0),))

LATELY = timedelta(hours=24)
CHECK = "integration.check"
"""What the audit trail calls a check; its line there is what the page knows of the last one, whoever made it and wherever."""
SECTIONS = ("giav", "midoffice", "tamara", "easycount", "kommo", "ratehawk")
labels.add(
    "integration_state",
    {
        "settings": N_("en la configuración"),
        "requested": N_("solicitada"),
        "key_stored": N_("clave guardada"),
        "checked": N_("comprobada"),
        "active": N_("activa"),
        "suspended": N_("suspendida"),
    },
)
labels.add(
    "finding", {"ok": N_("bien"), "wrong": N_("mal"), "mended": N_("arreglado"), "left out": N_("no comprobado")}
)


@dataclass(frozen=True, slots=True)
class Connected:
    """One system of one agency. `state` is `settings` for what the settings file holds."""

    agency: str
    system: str
    state: str
    since: datetime | None
    pulse: Pulse
    workflow_id: str | None


@router.get("/integrations")
def listed(request: Request, here: Here, visitor: Viewer, agencies: ChosenAgencies) -> Response:
    return _list(request, here, agencies, None)


@router.get("/integrations/{agency}/{system}")
def one(request: Request, here: Here, visitor: Viewer, agency: str, system: str) -> Response:
    """The history of an integration that the agency activated by itself."""
    visitor.must_see(agency)
    found = next((each for each in _systems(here, (agency,)) if each.system == system), None)
    if found is None:
        raise NotHere
    integration = here.store.integrations.get(agency, system)
    history = here.store.integrations.history(agency, system) if integration else []
    return page(request, "integrations/one.html", found=found, integration=integration, history=history)


@router.post("/integrations/{agency}/check")
async def check(request: Request, here: Here, visitor: Operator, agency: str) -> Response:
    """One harmless call to each system of the agency, as `bookings doctor` makes it."""
    visitor.must_see(agency)
    wrong = ""
    findings: list[Finding] = []
    try:
        findings = await asyncio.to_thread(systems_of, here.installation, here.store, agency)
    except SettingsError as error:
        wrong = str(error)
    broken = [finding.name for finding in findings if finding.state == "wrong"]
    why = ", ".join(broken) or wrong
    await asyncio.to_thread(
        partial(visitor.did, CHECK, agency, agency=agency, outcome="failed" if why else "done", why=why)
    )
    return await asyncio.to_thread(_list, request, here, visitor.agencies, findings)


def _list(request: Request, here: Surroundings, agencies: tuple[str, ...], findings: list[Finding] | None) -> Response:
    return page(
        request,
        "integrations/list.html",
        systems=_systems(here, agencies),
        findings=findings,
        hours=24,
        checked=here.store.audit_trail.latest(CHECK, agencies),
    )


def _workflow(here: Surroundings, agency: str, system: str, one: Integration | None) -> str | None:
    """The integration's own workflow, or the breaker in front of the ERP; what only stands in the settings has none."""
    if one is not None:
        return naming.integration_workflow(agency, system)
    return naming.connector_workflow(agency, system) if here.installation.agencies[agency].erp == system else None


def _systems(here: Surroundings, agencies: tuple[str, ...]) -> list[Connected]:
    own = {(each.agency, each.system): each for each in here.store.integrations.list()}
    found: dict[tuple[str, str], Integration | None] = {}
    for agency in agencies:
        settings = here.installation.agencies[agency]
        for section in SECTIONS:
            configured = settings.section(section)
            if configured is not None:
                kind = str(configured.get("kind", "midoco")) if section == "midoffice" else section
                found[agency, kind] = None
        found |= {key: one for key, one in own.items() if key[0] == agency and key not in found}
    pulses = here.store.pulses.of(list(found), here.now() - LATELY)
    return [
        Connected(
            pulse.agency,
            pulse.system,
            one.state if one else "settings",
            one.since if one else None,
            pulse,
            _workflow(here, pulse.agency, pulse.system, one),
        )
        for pulse, one in zip(pulses, found.values(), strict=True)
    ]
