"""The layout document: the one table that renderer and parser read, loaded and checked (contracts: tamara 3.1, 3.14)."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from activities.tamara.grammar import Layout, LayoutError
from activities.tamara.layout_checks import faults_of

__all__ = ["Layout", "LayoutError", "load_layout", "our_layout", "read_layout"]


def load_layout(path: Path) -> Layout:
    """Read and check a layout document. Raises `LayoutError`."""
    try:
        return read_layout(path.read_text("utf-8"), str(path))
    except OSError as error:
        raise LayoutError(f"{path}: cannot be read ({error.strerror})") from None


@lru_cache(maxsize=8)
def our_layout() -> Layout:
    """The layout `ours-fixed400/1` that comes with the program."""
    document = files("activities.tamara") / "layouts" / "ours-fixed400-1.yaml"
    return read_layout(document.read_text("utf-8"), "ours-fixed400-1.yaml")


def read_layout(text: str, name: str) -> Layout:
    """Parse and check the text of a layout document. Raises `LayoutError`, naming record and field."""
    try:
        raw: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise LayoutError(f"{name}: not valid YAML: {error}") from None
    if not isinstance(raw, dict) or set(raw) != {"layout"}:
        raise LayoutError(f"{name}: the document must have the one member `layout`")
    try:
        layout = Layout.model_validate(raw["layout"])
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise LayoutError(f"{name}: {_where(raw['layout'], first['loc'])}: {first['msg']}") from None
    faults = list(faults_of(layout))
    if faults:
        raise LayoutError(f"{name}: {'; '.join(faults)}")
    return layout


def _where(raw: Any, location: tuple[int | str, ...]) -> str:
    """The place of an error with record codes and field names instead of list positions."""
    words, here = [], raw
    for step in location:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = None
        named = here.get("code") or here.get("name") if isinstance(here, dict) else None
        words.append(str(named or step))
    return ".".join(words)
