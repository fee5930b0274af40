"""`docs/coverage-payments.md`: which test provokes which row of recurring payments and of refunds, from the tests' own marks.

    python -m tests.coverage_payments            write the page (also: make coverage-page)
    python -m tests.coverage_payments --check    say whether it is up to date

A test names its rows by `@pytest.mark.covers("F-P4")`; the rows' words stand in `coverage_rows.yaml`. Tests in `tests/money`
provoke a row with a platform, a GIAV and a journal, and the auditor judges M1 to M9 after each of them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from tests.coverage_giav import GAP, proofs, rows
from tests.coverage_marks import Proof, listed, written

PAGE = Path(__file__).parent.parent / "docs" / "coverage-payments.md"
COMMAND = "python -m tests.coverage_payments"
PROVOKED = "money/"
SECTIONS: dict[str, tuple[str, ...]] = {
    "Recurring payments (money-rules 4.6)": tuple(f"F-P{number}" for number in range(1, 18)),
    "Refunds (money-rules 4.5)": tuple(f"F-R{number}" for number in range(1, 11)),
    "Paid twice, and paid when cancelled (money-rules 4.2, 4.4)": ("F-C18", "F-C19", "F-X1"),
    "What the auditor checks (money-rules 3)": tuple(f"M{number}" for number in range(1, 10)),
}
MUST_BE_PROVOKED = tuple(row for row in sum(SECTIONS.values(), ()) if row.startswith(("F-P", "F-R")))


def words() -> dict[str, str]:
    """What each row asks."""
    return {row.id: row.words for table in rows().values() for row in table}


def gaps(proven: Mapping[str, list[Proof]]) -> list[str]:
    """Rows that no test covers, and those that must be provoked and are not."""
    missing = [row for row in sum(SECTIONS.values(), ()) if row not in proven]
    return missing + [row for row in MUST_BE_PROVOKED if not _provoked(proven.get(row, []))]


def page() -> str:
    """The whole page."""
    proven, said = proofs(), words()
    lines = [
        "# What is proven of payments",
        "",
        f"Written by `{COMMAND}` from the marks of the tests; not to be edited by hand.",
        "",
        "Each row of recurring payments and of refunds is provoked with a platform, a GIAV and a journal behind their own",
        "wires (`tests/money`); after every one of these tests the auditor finds M1 to M9, L1 and L2 to hold. The last column",
        "names what else proves a row: rules, cells, workflows on a clock that skips, and books with one fault each.",
        "",
        "**Not covered yet:** " + ("; ".join(gaps(proven)) or "nothing") + ".",
    ]
    for section, table in SECTIONS.items():
        lines += ["", f"## {section}", "", "| row | what it asks | provoked by | proven also by |", "|---|---|---|---|"]
        for row in table:
            found = proven.get(row, [])
            own = _provoked(found)
            others = [proof for proof in found if proof not in own]
            lines.append(f"| {row} | {said[row]} | {_cell(own, row)} | {_cell(others) or '–'} |")
    return "\n".join(lines) + "\n"


def _provoked(found: list[Proof]) -> list[Proof]:
    return [proof for proof in found if proof.file.startswith(PROVOKED)]


def _cell(found: list[Proof], row: str = "") -> str:
    if not found:
        return GAP if row in MUST_BE_PROVOKED else ("–" if row else "")
    return listed(found, "../tests")


def main(arguments: list[str]) -> int:
    """0, or 1 when `--check` finds the page out of date."""
    return written(PAGE, page(), COMMAND, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
