"""The table of verbs and mid-offices says what the tests' marks say, and has no empty cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from activities.midoffice.accounts import SYSTEMS as KNOWN
from tests import coverage_midoffice
from tests.coverage_midoffice import COMMAND, NAMES, PAGE, gaps, page, proofs, systems_of


def test_the_table_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), f"run {COMMAND}"


def test_every_verb_is_proven_at_every_mid_office() -> None:
    assert set(NAMES) == set(KNOWN)
    assert gaps() == []


@pytest.mark.parametrize(
    ("name", "words"),
    [("test_tina.py", "test_it covers 'midoffice: dance'"), ("test_none.py", "file of no mid-office")],
)
def test_a_mark_that_would_be_lost_is_refused(
    name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verb = "dance" if name == "test_tina.py" else "amend"
    (tmp_path / name).write_text(f"@pytest.mark.covers('midoffice: {verb}')\ndef test_it() -> None: ...\n")
    monkeypatch.setattr(coverage_midoffice, "TESTS", tmp_path)
    with pytest.raises(ValueError, match=words):
        proofs()


def test_a_systems_own_files_count_for_it_alone() -> None:
    assert systems_of(Path("test_ziel_codec.py")) == ["ziel"]
    assert systems_of(Path("test_every_system.py")) == systems_of(Path("test_every_adapter.py")) == list(KNOWN)
