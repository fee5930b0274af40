"""`tamara export` and the commands of files: write and deliver today's AirPlus file now instead of tonight."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer
from temporalio.client import WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from domain.naming import Queue, tamara_workflow
from domain.people import Role
from domain.steps import SealedFile, TamaraOrder
from starter.answers import CommandError, as_json, say
from starter.commands.acting import By, doing
from starter.commands.tamara_files import files, release
from starter.commands.tamara_lines import abandon, answers, enter, fix, lines, read
from starter.opening import AsJson, SettingsFile, agency_of, connected, opened_store, read_settings
from store.installation import Installation
from workflows.searching import found_by

app = typer.Typer(no_args_is_help=True, help="AirPlus TAMARA files.")

Kind = Literal["BSP", "MA"]


@app.callback()
def tamara() -> None:
    """AirPlus TAMARA files."""


@app.command()
def export(
    agency: str,
    settings: SettingsFile,
    kind: Annotated[Kind, typer.Option(help="BSP (flights) or MA (everything else).")] = "MA",
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Agency-local day; today by default.")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait until the file is delivered.")] = True,
    by: By = "",
    json_out: AsJson = False,
) -> None:
    """Collect the lines of the day, seal one file, deliver it. The same day again changes nothing."""
    installation = read_settings(settings)
    configured = agency_of(installation, agency)
    if configured.tamara is None:
        raise CommandError(f"agency '{agency}' has no [agencies.{agency}.tamara] in the settings")
    local = day.date() if day else datetime.now(ZoneInfo(configured.timezone)).date()
    with (
        opened_store(installation) as store,
        doing(store, by, "tamara.export", f"{kind} of {local}", agency=agency, needs=Role.OPERATOR),
    ):
        sealed = asyncio.run(run_export(installation, agency, kind, local, wait=wait))
    if json_out:
        as_json(sealed.model_dump() if sealed else {"workflow_id": tamara_workflow(agency, kind, local.isoformat())})
    elif sealed is None:
        say(f"started {tamara_workflow(agency, kind, local.isoformat())}" if not wait else "nothing was exported")
    elif sealed.seq == 0:
        say(f"{kind} of {local}: nothing to send")
    else:
        say(f"{kind} of {local}: file {sealed.name}, number {sealed.seq}, {sealed.lines} lines, delivered")


app.command()(files)
app.command()(release)
app.command()(lines)
app.command()(fix)
app.command()(abandon)
app.command()(answers)
app.command()(read)
app.command()(enter)


async def run_export(
    installation: Installation, agency: str, kind: Kind, day: date, *, wait: bool = True
) -> SealedFile | None:
    """Start the export, or join the one that runs; with `wait` its file."""
    client = await connected(installation)
    try:
        handle = await client.start_workflow(
            "ExportTamara",
            TamaraOrder(agency=agency, kind=kind, day=day),
            id=tamara_workflow(agency, kind, day.isoformat()),
            task_queue=Queue.WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=found_by("ExportTamara", agency),
            static_summary=f"TAMARA {kind} of {day} for {agency}",
            result_type=SealedFile,
        )
        return await handle.result() if wait else None
    except WorkflowFailureError as error:
        raise CommandError(f"the export failed: {error.cause or error}") from None
    except RPCError as error:
        raise CommandError(f"Temporal answers {error.status.name}: {error.message}") from None
