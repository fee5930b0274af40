"""Static files under names that carry their hash, so that a browser may keep them for ever and never an old one."""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cache
from pathlib import Path

from fastapi import Response

from starter.console.refusals import NotHere

FOLDER = Path(__file__).parent / "static"
SERVED = frozenset({".css", ".js", ".svg", ".png", ".woff2"})
FOR_EVER = "public, max-age=31536000, immutable"


@cache
def _names() -> dict[str, str]:
    """File → name with its hash."""
    names = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in SERVED:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            name = path.relative_to(FOLDER).as_posix()
            names[name] = f"{name.removesuffix(path.suffix)}.{digest}{path.suffix}"
    return names


@cache
def _files() -> dict[str, Path]:
    return {served: FOLDER / name for name, served in _names().items()}


def asset(name: str) -> str:
    """The address of a static file."""
    return f"/static/{_names()[name]}"


def serve(name: str) -> Response:
    """Only what the folder had at the start is served, so no path leads out of it. Raises `NotHere`."""
    path = _files().get(name)
    if path is None:
        raise NotHere
    media, _ = mimetypes.guess_type(path.name)
    return Response(
        path.read_bytes(), media_type=media or "application/octet-stream", headers={"Cache-Control": FOR_EVER}
    )
