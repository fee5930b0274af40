"""What a terminal shows of a table: text may fold, amounts may not."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from starter import answers


@pytest.mark.parametrize("width", [200, 60, 20])
def test_no_digit_of_an_amount_is_lost_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setattr(answers, "out", Console(file=io.StringIO(), width=width))
    columns = ("experience", "what", "cost estimated", "pending")
    rows = [("exp_31", "a long text that folds where there is no room for it", "1234567.89", "-12206.58")]
    answers.as_table("Margins", columns, rows, right=("cost estimated", "pending"), whole=("experience",))
    file = answers.out.file
    assert isinstance(file, io.StringIO)
    assert all(whole in file.getvalue() for whole in ("exp_31", "1234567.89", "-12206.58"))
