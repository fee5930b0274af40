"""CSV that nobody's text turns into a formula."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from starter.sheets import csv_lines


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_text_that_begins_like_a_formula_is_text(text: str) -> None:
    lines = "".join(csv_lines(["a"], [[text]]))
    (_, (cell,)) = csv.reader(io.StringIO(lines, newline=""))
    assert cell == f"'{text}"


def test_numbers_keep_their_sign_and_other_text_its_face() -> None:
    assert "".join(csv_lines(["a", "b", "c"], [[Decimal("-5.00"), None, "x=1"]])) == "a,b,c\n-5.00,,x=1\n"
