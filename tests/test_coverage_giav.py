"""The page of what is proven of GIAV says what the tests' marks say, and hides no gap."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import coverage_giav
from tests.coverage_giav import GAP, PAGE, page, proofs, rows
from tests.coverage_marks import marked


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), f"run {coverage_giav.COMMAND}"


def test_every_row_is_on_the_page_once_and_those_without_a_test_are_named_as_gaps() -> None:
    written = page()
    proven = proofs()
    table = [row for section in rows().values() for row in section]
    assert len({row.id for row in table}) == len(table)
    for row in table:
        (line,) = [line for line in written.splitlines() if line.startswith(f"| {row.id} | {row.words} |")]
        assert (GAP in line) == (row.id not in proven and not row.elsewhere)


def test_a_mark_that_names_no_row_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "test_of_nothing.py").write_text("@pytest.mark.covers('F-Z1')\ndef test_it() -> None: ...\n")
    monkeypatch.setattr(coverage_giav, "TESTS", tmp_path)
    with pytest.raises(ValueError, match="test_it covers 'F-Z1'"):
        proofs()


def test_no_mark_hides_in_a_class_where_the_page_would_not_see_it() -> None:
    for path in coverage_giav.TESTS.rglob("test_*.py"):
        everywhere = re.findall(r"^\s*@pytest\.mark\.covers\(", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert len(everywhere) == len(marked(path)), path.name
