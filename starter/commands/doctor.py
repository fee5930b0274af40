"""`doctor`: look at everything the installation needs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from starter.answers import as_json, as_table
from starter.doctor import examine
from starter.opening import AsJson, SettingsFile, read_settings


def doctor(
    settings: SettingsFile,
    fix: Annotated[bool, typer.Option("--fix", help="Add missing search attributes and tables.")] = False,
    json_out: AsJson = False,
) -> None:
    """Check settings, store, Temporal and every outside system. Ends with 1 when something is wrong."""
    findings = list(examine(read_settings(settings), fix=fix))
    if json_out:
        as_json([asdict(finding) for finding in findings])
    else:
        rows = [(finding.name, finding.state, finding.words, finding.advice) for finding in findings]
        as_table("Doctor", ("check", "state", "what", "what to do"), rows)
    if any(finding.state == "wrong" for finding in findings):
        raise typer.Exit(1)
