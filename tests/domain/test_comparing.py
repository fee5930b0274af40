"""When our figures of a file and the ERP's agree, and what a difference is called."""

from __future__ import annotations

import pytest

from domain.comparing import FileFigures, Verdict, differences, expected, judge
from domain.reporting import Figures
from tests.domain.test_reporting import eur, figures


@pytest.mark.parametrize(
    ("bookings", "margin", "to_collect", "to_invoice"),
    [
        pytest.param([], 0, 0, 0, id="a file without bookings"),
        pytest.param(
            [figures(100000, 79000, collected=30000, invoiced=30000)], 21000, 70000, 70000, id="a deposit was paid"
        ),
        pytest.param(
            [figures(100000, 79000, collected=130000, invoiced=130000)],
            51000,
            0,
            0,
            id="paid beyond the price: the ERP shows it as sold until it goes back",
        ),
        pytest.param(
            [figures(100000, 79000, collected=130000, invoiced=130000), figures(50000, 30000)],
            71000,
            50000,
            50000,
            id="one booking's excess is not another one's payment",
        ),
        pytest.param(
            [figures(3000, 0, collected=30000, invoiced=3000)],
            3000,
            -27000,
            0,
            id="cancelled and credited, the refund is still to come",
        ),
    ],
)
def test_what_the_erp_should_show(bookings: list[Figures], margin: int, to_collect: int, to_invoice: int) -> None:
    assert expected(bookings, "EUR") == FileFigures(eur(margin), eur(to_collect), eur(to_invoice))


def test_every_figure_that_differs_is_named_with_both_values() -> None:
    ours, theirs = FileFigures(eur(100), eur(200), eur(300)), FileFigures(eur(100), eur(150), eur(301))
    found = [(each.figure, each.ours, each.theirs, each.amount) for each in differences(ours, theirs)]
    assert found == [("to_collect", eur(200), eur(150), eur(-50)), ("to_invoice", eur(300), eur(301), eur(1))]


@pytest.mark.parametrize(
    ("theirs", "waits", "settles", "verdict"),
    [
        ((100, 200, 300), False, False, "agrees"),
        ((100, 200, 300), True, True, "agrees"),
        ((100, 150, 300), False, False, "differs"),
        ((100, 150, 300), False, True, "settles"),
        ((100, 150, 250), False, True, "settles"),
        ((99, 150, 250), False, True, "differs"),
        ((99, 150, 250), True, False, "waits"),
        ((99, 200, 300), True, True, "waits"),
    ],
)
def test_a_margin_never_lags(theirs: tuple[int, int, int], waits: bool, settles: bool, verdict: Verdict) -> None:
    ours = FileFigures(eur(100), eur(200), eur(300))
    found = differences(ours, FileFigures(*map(eur, theirs)))
    assert judge(found, waits=waits, settles=settles) == verdict
