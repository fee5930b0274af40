"""The table of `docs/integrations/midoffice.md`: which tests prove which verb at which mid-office, from the tests' own marks.

    python -m tests.coverage_midoffice            write the table into the page (also: make coverage-page)
    python -m tests.coverage_midoffice --check    say whether it is up to date

A test names its verbs by `@pytest.mark.covers("midoffice: register")`. A test of `test_every_system.py` or
`test_every_adapter.py` proves them at every system, one of `test_<system>.py` or `test_<system>_….py` at that one.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from tests.activities.midoffice.systems.registry import SYSTEMS
from tests.coverage_giav import MIDOFFICE
from tests.coverage_marks import Proof, listed, marked, written

TESTS = Path(__file__).parent / "activities" / "midoffice"
PAGE = Path(__file__).parent.parent / "docs" / "integrations" / "midoffice.md"
COMMAND = "python -m tests.coverage_midoffice"
BEGIN, END = f"<!-- written by {COMMAND} -->", "<!-- end of what is written -->"
GAP = "**not covered**"

NAMES = {"midoco": "MIDOCO", "tina": "TINA", "sapeig": "Sapeig", "xmid": "xMid", "ziel": "Z.I.E.L."}
VERBS = {
    "register": "register booking",
    "amend": "amend booking",
    "cancel": "cancel booking",
    "undo": "undo register booking",
    "pay": "record payment",
    "read": "look up, read back",
    "answers": "read answers",
    "resend": "send again, tell what was booked before",
    "check": "check the access",
    "refuse": "refuse before the network",
    "format": "the bytes on the wire",
}
EVERY = {"test_every_system.py", "test_every_adapter.py"}
"""Files whose tests run at every system."""
LATER = {"ziel"}
"""Systems that answer later; the others have nothing that could be read afterwards."""


def proofs() -> dict[tuple[str, str], list[Proof]]:
    """Marked tests by verb and system. Raises ValueError for a verb that nobody knows and for a file of no system."""
    found: dict[tuple[str, str], list[Proof]] = defaultdict(list)
    for path in sorted(TESTS.glob("test_*.py")):
        for test, rows in marked(path):
            for row in rows:
                if not row.startswith(MIDOFFICE):
                    continue
                verb = row.removeprefix(MIDOFFICE)
                if verb not in VERBS:
                    raise ValueError(f"{path.name}: {test} covers {row!r}; known are {', '.join(VERBS)}")
                for system in systems_of(path):
                    found[verb, system].append(Proof(path.name, test))
    return dict(found)


def systems_of(path: Path) -> list[str]:
    """At which systems a file's tests prove something."""
    if path.name in EVERY:
        return list(SYSTEMS)
    named = [system for system in SYSTEMS if path.stem == f"test_{system}" or path.stem.startswith(f"test_{system}_")]
    if not named:
        raise ValueError(f"{path.name} is a file of no mid-office, so its marks would be nowhere in the table")
    return named


def gaps() -> list[tuple[str, str]]:
    """Cells without any test."""
    proven = proofs()
    return [(verb, system) for verb in VERBS for system in SYSTEMS if _is_asked(verb, system, proven)]


def _is_asked(verb: str, system: str, proven: dict[tuple[str, str], list[Proof]]) -> bool:
    return (verb, system) not in proven and not (verb == "answers" and system not in LATER)


def table() -> str:
    """What stands between the two marks of the page."""
    proven = proofs()
    lines = [
        "",
        "Tests in each cell: those that every system has to pass, + those of that system alone.",
        "",
        "| verb | " + " | ".join(NAMES.get(system, system) for system in SYSTEMS) + " |",
        "|---|" + "---|" * len(SYSTEMS),
    ]
    for verb, words in VERBS.items():
        cells = [_cell(verb, system, proven) for system in SYSTEMS]
        lines.append(f"| {words} | " + " | ".join(cells) + " |")
    lines += ["", "| verb | tests |", "|---|---|"]
    for verb, words in VERBS.items():
        lines.append(f"| {words} | {_named(verb, proven)} |")
    return "\n".join([*lines, "", ""])


def _cell(verb: str, system: str, proven: dict[tuple[str, str], list[Proof]]) -> str:
    if _is_asked(verb, system, proven):
        return GAP
    mine = proven.get((verb, system), [])
    if not mine:
        return "answers at once"
    common = sum(proof.file in EVERY for proof in mine)
    return " + ".join(str(number) for number in (common, len(mine) - common) if number)


def _named(verb: str, proven: dict[tuple[str, str], list[Proof]]) -> str:
    every = [proof for system in SYSTEMS for proof in proven.get((verb, system), [])]
    return listed(
        sorted(every, key=lambda proof: (proof.file not in EVERY, proof.file)),
        "../../tests/activities/midoffice",
    )


def page() -> str:
    """The whole page with the present table. Raises ValueError when the page has lost the place for it."""
    before, found, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"{PAGE.name} has no place between '{BEGIN}' and '{END}'")
    return f"{before}{BEGIN}\n{table()}{END}{after}"


def main(arguments: list[str]) -> int:
    """0, or 1 when `--check` finds the page out of date."""
    return written(PAGE, page(), COMMAND, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
