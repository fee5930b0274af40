"""`api …`: the description of the HTTP API (docs/api.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from starter.answers import CommandError, as_json, say

app = typer.Typer(no_args_is_help=True, help="The HTTP API that the console serves under /api/v1.")


@app.callback()
def api() -> None:
    """The HTTP API that the console serves under /api/v1."""


@app.command()
def openapi(
    target: Annotated[Path | None, typer.Argument(help="The file to write; without it, standard output.")] = None,
) -> None:
    """Write the API's OpenAPI description."""
    from starter.api.app import build_api

    described = build_api().openapi()
    if target is None:
        as_json(described)
        return
    try:
        target.write_text(json.dumps(described, indent=2, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise CommandError(f"{target}: cannot be written ({error.strerror})") from None
    say(f"{target}: {sum(len(path) for path in described['paths'].values())} operations")
