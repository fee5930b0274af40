"""The page of what is proven of payments says what the tests' marks say, and no row is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import coverage_giav, coverage_payments
from tests.coverage_giav import proofs
from tests.coverage_payments import COMMAND, MUST_BE_PROVOKED, PAGE, SECTIONS, gaps, page, words


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), f"run {COMMAND}"


def test_every_row_of_recurring_payments_and_of_refunds_is_provoked() -> None:
    assert len(MUST_BE_PROVOKED) == 27
    assert set(sum(SECTIONS.values(), ())) <= set(words())
    assert gaps(proofs()) == []


def test_a_row_without_a_test_that_provokes_it_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "test_of_rules.py").write_text("@pytest.mark.covers('F-P1')\ndef test_it() -> None: ...\n")
    monkeypatch.setattr(coverage_giav, "TESTS", tmp_path)
    assert {"F-P1", "F-P2", "M1"} <= set(gaps(proofs()))
    assert "F-P1" in coverage_payments.page().split("**Not covered yet:**")[1].splitlines()[0]
