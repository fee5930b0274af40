"""Whatever the program reads of its own travels with it: an image holds the installed packages and nothing else of the project."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatch
from pathlib import Path

from tests.deploy.files import PROJECT

SETUPTOOLS = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
ROOMS = [pattern.rstrip("*") for pattern in SETUPTOOLS["packages"]["find"]["include"]]


def held() -> list[Path]:
    """Every file in a room but modules and what Python leaves behind."""
    found = (path.relative_to(PROJECT) for room in ROOMS for path in (PROJECT / room).rglob("*") if path.is_file())
    return [path for path in found if path.suffix not in (".py", ".pyc")]


def test_every_file_in_a_room_is_packaged() -> None:
    patterns = SETUPTOOLS["package-data"]["*"]
    assert len(held()) > 50
    assert [str(path) for path in held() if not any(fnmatch(path.name, pattern) for pattern in patterns)] == []


def test_every_folder_of_a_room_is_one_that_setuptools_takes_for_a_package() -> None:
    folders = {folder for path in held() for folder in path.parents if folder.parts}
    assert {str(folder) for folder in folders if "." in folder.name} == set()
