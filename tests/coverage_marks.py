"""What the marks of the tests say, and how the pages that are written from them are kept up to date.

A test names what it proves by `@pytest.mark.covers("F-C2", "midoffice: register")`.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Proof(NamedTuple):
    """A marked test: its file, as a page names it, and its name."""

    file: str
    test: str

    @property
    def words(self) -> str:
        """What it promises."""
        return self.test.removeprefix("test_").replace("_", " ")


def marks_of(module: ast.Module) -> Iterator[tuple[str, list[str]]]:
    """Each marked test of a file and what it says it covers."""
    for node in module.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.covers":
                yield node.name, [str(ast.literal_eval(argument)) for argument in decorator.args]


@cache
def marked(path: Path) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each marked test of the file `path` and what it says it covers; read once in a process."""
    text = path.read_text(encoding="utf-8")
    if "pytest.mark.covers" not in text:
        return ()
    return tuple((test, tuple(rows)) for test, rows in marks_of(ast.parse(text)))


def listed(proofs: Iterable[Proof], place: str) -> str:
    """A cell of a table: the tests by file, each file once with a link below `place`."""
    by_file: dict[str, list[str]] = defaultdict(list)
    for proof in proofs:
        if proof.words not in by_file[proof.file]:
            by_file[proof.file].append(proof.words)
    return "<br>".join(f"[{file}]({place}/{file}): {'; '.join(names)}" for file, names in by_file.items())


def written(page: Path, wanted: str, command: str, arguments: list[str]) -> int:
    """Write the page; with `--check` only say whether it is up to date: 0, or 1 when it is not."""
    if arguments == ["--check"]:
        fresh = page.is_file() and page.read_text(encoding="utf-8") == wanted
        print("up to date" if fresh else f"out of date; run {command}")  # noqa: T201
        return 0 if fresh else 1
    page.write_text(wanted, encoding="utf-8")
    return 0
