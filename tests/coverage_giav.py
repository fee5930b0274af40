"""`docs/coverage-giav.md`: which test proves which row of the contracts, from the tests' own marks, gaps included.

    python -m tests.coverage_giav            write the page (also: make coverage-page)
    python -m tests.coverage_giav --check    say whether it is up to date

A test names its rows by `@pytest.mark.covers("F-C2", "giav 4: payment")`; the rows stand in `coverage_rows.yaml`.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import yaml

from tests.coverage_marks import Proof, listed, marked, written

TESTS = Path(__file__).parent
ROWS = TESTS / "coverage_rows.yaml"
PAGE = TESTS.parent / "docs" / "coverage-giav.md"
COMMAND = "python -m tests.coverage_giav"
GAP = "**not covered yet**"
MIDOFFICE = "midoffice: "
"""What the marks of verbs at mid-offices begin with; `tests.coverage_midoffice` makes a table of those."""


class Row(NamedTuple):
    """A row of a contract; `elsewhere` says why GIAV has no part in it."""

    id: str
    words: str
    elsewhere: str = ""


def rows() -> dict[str, list[Row]]:
    """All rows by section, in the contracts' order."""
    told: dict[str, dict[str, str | list[str]]] = yaml.safe_load(ROWS.read_text(encoding="utf-8"))
    return {
        section: [Row(id_, *([words] if isinstance(words, str) else words)) for id_, words in table.items()]
        for section, table in told.items()
    }


def proofs() -> dict[str, list[Proof]]:
    """Marked tests by row. Raises ValueError for a mark that names no row, or names it by anything but a plain string."""
    known = {row.id for table in rows().values() for row in table}
    found: dict[str, list[Proof]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        for test, covered in marked(path):
            for row in covered:
                if row.startswith(MIDOFFICE):
                    continue
                if row not in known:
                    raise ValueError(
                        f"{path.relative_to(TESTS)}: {test} covers {row!r}, which is no row of {ROWS.name}"
                    )
                found[row].append(Proof(path.relative_to(TESTS).as_posix(), test))
    return dict(found)


def page() -> str:
    """The whole page."""
    tables, proven = rows(), proofs()
    everything = [row for table in tables.values() for row in table]
    covered = [row for row in everything if row.id in proven]
    gaps = [row for row in everything if row.id not in proven and not row.elsewhere]
    others = [row for row in everything if row.id not in proven and row.elsewhere]
    lines = [
        "# What is proven of GIAV",
        "",
        f"Written by `{COMMAND}` from the marks of the tests; not to be edited by hand.",
        "",
        "The rows are those of the contracts: the lifecycles of GIAV, the money rules, the auditor's invariants and the",
        "table of failures. A row with a test is proven as far as GIAV shows it; what other systems do about it is tested",
        "with them. Rows in which GIAV has no part are listed with the reason.",
        "",
        "| rows | with a test | not covered yet | no part of GIAV, no test here |",
        "|---|---|---|---|",
        f"| {len(everything)} | {len(covered)} | {len(gaps)} | {len(others)} |",
        "",
        "**Not covered yet:** " + ("; ".join(row.id for row in gaps) or "nothing") + ".",
    ]
    for section, table in tables.items():
        lines += ["", f"## {section}", "", "| row | what it asks | tests |", "|---|---|---|"]
        lines += [f"| {row.id} | {row.words} | {_cell(row, proven.get(row.id, []))} |" for row in table]
    return "\n".join(lines) + "\n"


def _cell(row: Row, tests: list[Proof]) -> str:
    if not tests:
        return f"no part of GIAV: {row.elsewhere}" if row.elsewhere else GAP
    return listed(tests, "../tests")


def main(arguments: list[str]) -> int:
    """0, or 1 when `--check` finds the page out of date."""
    return written(PAGE, page(), COMMAND, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
