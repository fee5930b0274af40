"""Margins and receivables from the read model."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store import Store
from tests import stories
from tests.starter.reports.telling import TODAY, Report, a_booking, a_plan, an_experience, told


def test_margins_add_up_per_experience_and_per_currency(report: Report, store: Store) -> None:
    told(
        store,
        an_experience(1),
        an_experience(2, "exp_32", in_days=10),
        a_booking(3),
        a_booking(4, "bkg_501"),
        a_booking(5, "bkg_600", experience_id="exp_32"),
        stories.captured(6, amount=30000),
        stories.captured(7, payment_id="pay_2", amount=500, booking_id="bkg_501"),
    )
    ended = report("margins", "--json")
    assert [(row["experience"], row["bookings"]) for row in ended.json["rows"]] == [("exp_32", 1), ("exp_31", 2)]
    assert ended.json["rows"][1]["margin_percent"] == "21.39"
    assert ended.amounts(1) == {
        "sale": 201000,
        "cost_estimated": 158000,
        "margin": 43000,
        "collected": 30500,
        "pending": 170500,
    }
    [totals] = ended.json["totals"]
    assert (totals["currency"], totals["margin"]["amount"], totals["pending"]["amount"]) == ("EUR", 64500, 271000)
    table = report("margins").out
    assert "confirmed" not in table, "a column of nothing but zeros"
    assert "645.00" in table


def test_margins_per_booking_say_which_ones_wait(report: Report, store: Store) -> None:
    told(store, an_experience(1), a_booking(2))
    store.inbox.accept(a_booking(3, "bkg_501"))
    rows = report("margins", "--bookings", "--json").json["rows"]
    assert [(row["booking"], row["status"], row["waiting"]) for row in rows] == [
        ("bkg_500", "pending", 0),
        ("bkg_501", "pending", 1),
    ]
    assert "waits" in report("margins", "--bookings").out


@pytest.mark.parametrize(
    ("filters", "experiences"),
    [
        ((), ["exp_32", "exp_31", "exp_99"]),
        (("--experience", "exp_31"), ["exp_31"]),
        (("--from", "+10"), ["exp_32", "exp_31"]),
        (("--from", "+11"), ["exp_31"]),
        (("--to", "+10"), ["exp_32"]),
        (("--from", "+11", "--to", "+29"), []),
        (("--agency", "luna"), ["exp_99"]),
    ],
)
def test_a_report_is_narrowed_by_agency_experience_and_departure(
    report: Report, store: Store, filters: tuple[str, ...], experiences: list[str]
) -> None:
    told(
        store,
        an_experience(1),
        an_experience(2, "exp_32", in_days=10),
        a_booking(3),
        a_booking(4, "bkg_600", experience_id="exp_32"),
        a_booking(5, "bkg_900", agency="luna", experience_id="exp_99"),
    )
    days = [(TODAY + timedelta(days=int(each))).isoformat() if each[0] == "+" else each for each in filters]
    for name in ("margins", "receivables"):
        assert [row["experience"] for row in report(name, *days, "--json").json["rows"]] == experiences


def test_receivables_are_as_old_as_their_instalments(report: Report, store: Store) -> None:
    told(store, an_experience(1), a_booking(2), a_plan(3, -70, -40, 5), stories.captured(4, installment_id="ins_01"))
    assert report("receivables", "--json").amounts() == {"not_due": 32300, "days_31_60": 38200, "pending": 70500}


@pytest.mark.parametrize(("in_days", "bucket"), [(3, "not_due"), (0, "days_0_30"), (-100, "over_90")])
def test_without_a_plan_the_departure_is_the_due_day(report: Report, store: Store, in_days: int, bucket: str) -> None:
    told(store, an_experience(1, in_days=in_days), a_booking(2))
    assert report("receivables", "--json").amounts() == {bucket: 100500, "pending": 100500}


def test_an_unpaid_penalty_is_due_from_the_cancellation_on(report: Report, store: Store) -> None:
    when = datetime.now(UTC) - timedelta(days=45)
    cancelled = stories.cancelled_booking() | {"cancelled_at": when.isoformat()}
    told(store, an_experience(1), a_plan(2, 1, 2, 3), a_booking(3, **cancelled))
    assert report("receivables", "--json").amounts() == {"days_31_60": 3000, "pending": 3000}


def test_money_that_belongs_to_payers_is_no_ones_debt(report: Report, store: Store) -> None:
    told(
        store, an_experience(1, in_days=-10), a_booking(2), a_booking(3, "bkg_501"), stories.captured(4, amount=110500)
    )
    assert report("receivables", "--json").amounts() == {"days_0_30": 100500, "owed": -10000, "pending": 90500}
    rows = report("receivables", "--bookings", "--json")
    assert rows.amounts(0) == {"owed": -10000, "pending": -10000}
    assert "-100.00" in report("receivables").out


def test_csv_holds_every_line_and_no_formula_of_other_people(report: Report, store: Store, tmp_path: Path) -> None:
    told(store, an_experience(1, title="=HYPERLINK(1)"), a_booking(2), stories.captured(3, amount=110500))
    file = tmp_path / "margins.csv"
    assert report("margins", "--csv", str(file)).code == 0
    [line] = csv.DictReader(file.read_text("utf-8").splitlines())
    assert (line["title"], line["sale"], line["pending"], line["margin_percent"], line["bookings"]) == (
        "'=HYPERLINK(1)",
        "1005.00",
        "-100.00",
        "21.39",
        "1",
    )
    dear = [stories.line("lin_01", "svc_hotel", 41250, 99000), stories.line("lin_02", "svc_bus", 9000, 6500)]
    totals = stories.booking()["totals"] | {"cost": stories.eur(211000), "margin": stories.eur(-110500)}
    told(store, a_booking(4, "bkg_900", agency="luna", lines=dear, totals=totals))
    [line] = csv.DictReader(report("margins", "--agency", "luna", "--csv", "-").out.splitlines())
    assert (line["margin"], line["margin_percent"]) == ("-1105.00", "-109.95")
    printed = report("receivables", "--agency", "sol", "--bookings", "--csv", "-").out
    [line] = csv.DictReader(printed.splitlines())
    assert (line["booking"], line["owed"]) == ("bkg_500", "-100.00")
    assert report("receivables", "--bookings", "--csv", "-", "--from", "2999-01-01").out.startswith(
        "agency,experience,"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("margins", "--csv", "-", "--json"), "fills standard output"),
        (("margins", "--csv", "-", "--verify"), "fills standard output"),
        (("margins", "--csv", "/nowhere/at/all.csv"), "cannot be written"),
        (("margins", "--agency", "none"), "there is no agency 'none'"),
        (
            ("margins", "--experience", "exp_1"),
            "there is no experience 'exp_1'; bookings report margins lists them all",
        ),
        (("receivables", "--agency", "sol", "--experience", "exp_1"), "there is no experience 'exp_1' of sol"),
        (("--agency", "sol", "margins"), "options stand behind the name"),
        (("receivables", "--verify"), "no GIAV is configured for sol, luna"),
    ],
)
def test_what_cannot_be_reported_is_said_in_one_line(report: Report, arguments: tuple[str, ...], words: str) -> None:
    ended = report(*arguments)
    assert ended.code == 2, (ended.out, ended.err)
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1
    assert words in ended.err


def test_bookings_are_the_report_without_a_name(report: Report, store: Store) -> None:
    told(store, an_experience(1), a_booking(2), stories.captured(3, amount=30000))
    assert report("--json").json == report("bookings", "--json").json
    [row] = report("bookings", "--agency", "sol", "--json").json
    assert (row["booking"], row["margin"], row["due"]) == ("bkg_500", stories.eur(21500), stories.eur(70500))
    assert report("--agency", "luna", "--json").json == []
