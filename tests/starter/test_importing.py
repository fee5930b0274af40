"""Rows of an export become bookings whose totals add up, once, or are listed with a reason (docs/import.md)."""

from __future__ import annotations

import csv
import json
import tomllib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.checks import discrepancies
from domain.platform import REQUIRED, CloudEvent, EventData
from starter.importing.mapping import Mapping, MappingError, load_mapping
from starter.importing.reading import ImportFile, UnusableRow, UsableRow, wire
from starter.importing.taking import Import, ImportReport
from store import Store
from tests.starter.agency import installation

HERE = Path(__file__).parent
CSV = HERE / "bookings.csv"
EXAMPLE = HERE.parents[1] / "docs" / "examples" / "hotel-bookings.map.toml"
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def read(path: Path = CSV, mapping: Mapping | None = None, folder: Path = HERE) -> list[UsableRow | UnusableRow]:
    agency = installation(folder).agencies["demo"]
    return list(ImportFile(path, mapping or load_mapping(EXAMPLE), "demo", agency).rows())


def run(store: Store | None, folder: Path, path: Path = CSV, limit: int | None = None) -> ImportReport:
    where = installation(folder)
    mapping = load_mapping(EXAMPLE)
    file = ImportFile(path, mapping, "demo", where.agencies["demo"])
    return Import(file, where, "demo", mapping.currency, lambda: NOW).run(store, limit=limit)


def events_of(line: int) -> list[dict[str, Any]]:
    row = next(row for row in read() if row.line == line)
    assert isinstance(row, UsableRow)
    return list(row.events)


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("example.planner.").removesuffix(".v1") for event in events]


def test_every_row_is_used_or_listed_with_its_line_and_reason() -> None:
    rows = read()
    assert len(rows) == 12
    assert [(row.line, row.reason) for row in rows if isinstance(row, UnusableRow)] == [
        (6, "the price of a night is not positive"),
        (7, "no nights"),
        (8, "no adults"),
        (9, "arrival_date_month: 'Abril' is not a number"),
        (10, "arrival: is not a date"),
        (11, "ended before it was booked"),
        (12, "adr: 'a lot' is not a number"),
        (13, "the row has another number of columns than the first line"),
    ]


def test_a_stay_becomes_sale_amendments_and_payment_on_departure() -> None:
    events = events_of(2)
    assert kinds(events) == [
        "experience.created",
        "booking.created",
        "booking.modified",
        "booking.service_changed",
        "payment.captured",
    ]
    last = events[3]["data"]["booking"]
    # 3 nights at 99.995, rounded once to 100.00, and the supplement of 15.00.
    assert last["totals"]["total"]["amount"] == 31_500
    assert events[4]["data"]["payment"]["amount"]["amount"] == 31_500
    assert [event["time"][:10] for event in events] == [
        "2016-03-02", "2016-03-02", "2016-03-05", "2016-03-08", "2016-03-15",
    ]  # fmt: skip
    assert [person["kind"] for person in last["travellers"]] == ["adult", "adult", "child"]


def test_a_deposit_that_is_not_refundable_stays_as_the_penalty() -> None:
    events = events_of(3)
    assert kinds(events) == ["booking.created", "payment.captured", "booking.cancelled"]
    totals = events[2]["data"]["booking"]["totals"]
    assert {name: totals[name]["amount"] for name in ("gross", "penalty", "total", "captured", "due")} == {
        "gross": 0,
        "penalty": 16_100,
        "total": 16_100,
        "captured": 16_100,
        "due": 0,
    }
    assert events[2]["data"]["cancellation"]["penalty"]["treatment"] == "indemnity_not_subject"


def test_a_refundable_deposit_goes_back_days_later() -> None:
    events = events_of(4)
    assert kinds(events) == ["booking.created", "payment.captured", "booking.cancelled", "payment.refunded"]
    assert events[1]["data"]["payment"]["amount"]["amount"] == 3_600
    refund = events[3]["data"]["refund"]
    assert refund["amount"]["amount"] == 3_600
    assert refund["payment_id"] == events[1]["data"]["payment"]["id"]
    assert refund["cancellation_id"] == events[2]["data"]["cancellation"]["id"]
    assert events[3]["time"].startswith("2016-03-13")


def test_a_no_show_is_a_cancellation_with_its_cause() -> None:
    events = events_of(5)
    assert kinds(events) == ["experience.created", "booking.created", "booking.cancelled"]
    assert events[2]["data"]["cancellation"]["cause"] == "no_show"
    assert events[1]["data"]["booking"]["payer"]["kind"] == "company"


def test_a_payer_with_tax_id_and_address_gets_full_invoices() -> None:
    payer = events_of(3)[0]["data"]["booking"]["payer"]
    assert payer["fiscal_complete"]
    assert payer["address"]["line1"] == "Rua do Exemplo 3"
    bare = changed_mapping(payers=[{"kind": "person", "name": "Cliente {line}", "key": "{line}"}])
    row = next(row for row in read(mapping=bare) if row.line == 3)
    assert isinstance(row, UsableRow)
    payer = row.events[0]["data"]["booking"]["payer"]
    assert (payer["name"], payer["tax_id"], payer["address"], payer["fiscal_complete"]) == (
        "Cliente 3",
        None,
        None,
        False,
    )


def test_rows_of_a_month_share_an_experience_that_covers_it() -> None:
    events = [event["data"] for row in read() if isinstance(row, UsableRow) for event in row.events]
    opened = [data["experience"] for data in events if "experience" in data]
    assert [(trip["starts_on"], trip["ends_on"]) for trip in opened] == [
        ("2016-03-01", "2016-03-31"),
        ("2016-04-01", "2016-04-30"),
    ]
    belongs = {data["booking"]["id"]: data["booking"]["experience_id"] for data in events if "booking" in data}
    march, april = (trip["id"] for trip in opened)
    assert list(belongs.values()) == [march, march, march, april]


def test_every_event_is_one_that_the_receiver_accepts_and_adds_up() -> None:
    sequences = []
    for row in read():
        for content in row.events if isinstance(row, UsableRow) else ():
            envelope = CloudEvent.model_validate_json(wire(content))
            kind = envelope.kind("example.planner")
            assert kind in REQUIRED
            data = EventData.model_validate(envelope.data)
            assert [name for name in REQUIRED[kind] if getattr(data, name) is None] == []
            assert discrepancies(data) == []
            sequences.append(int(envelope.sequence))
    assert sequences == list(range(1, len(sequences) + 1))


def test_a_second_import_changes_nothing(store: Store, tmp_path: Path) -> None:
    first = run(store, tmp_path)
    assert first.results == Counter(new=sum(first.kinds.values()))
    before = [(event.event_id, event.digest) for event in store.inbox.list(limit=1_000)]
    second = run(store, tmp_path)
    assert second.results == Counter(duplicate=sum(first.kinds.values()))
    assert [(event.event_id, event.digest) for event in store.inbox.list(limit=1_000)] == before
    assert store.parked.list() == []


def test_a_limited_import_is_the_beginning_of_the_whole(store: Store, tmp_path: Path) -> None:
    assert run(store, tmp_path, limit=2).rows == 2
    whole = run(store, tmp_path)
    assert whole.results["duplicate"] == 8
    assert whole.results["conflict"] == 0


def test_a_dry_run_says_the_same_and_writes_nothing(store: Store, tmp_path: Path) -> None:
    dry = run(None, tmp_path)
    assert store.inbox.list() == []
    wet = run(store, tmp_path)
    assert (dry.rows, dry.used, dry.unusable, dry.kinds, dry.money()) == (
        wet.rows,
        wet.used,
        wet.unusable,
        wet.kinds,
        wet.money(),
    )
    assert dry.results == Counter({"would be taken in": sum(wet.kinds.values())})


def test_counts_and_money_of_the_report_add_up_with_the_read_model(store: Store, tmp_path: Path) -> None:
    report = run(store, tmp_path)
    assert report.rows == report.used + len(report.unusable) == 12
    assert sum(report.reasons.values()) == len(report.unusable)
    bookings = store.facts.bookings("demo")
    assert len(bookings) == report.used
    assert sum(booking.totals.total.amount for booking in bookings) == report.sold
    captured = [p.amount.amount for b in bookings for p in store.facts.payments_of("demo", b.id)]
    refunded = [r.amount.amount for b in bookings for r in store.facts.refunds_of("demo", b.id)]
    assert (sum(captured), sum(refunded)) == (report.captured, report.refunded)
    assert report.money()["due"].amount == report.sold - report.captured + report.refunded


def test_another_file_with_the_same_rows_makes_other_bookings_of_the_same_experiences(tmp_path: Path) -> None:
    copy = tmp_path / "copy.csv"
    copy.write_bytes(CSV.read_bytes() + b"\n")
    ones, others = (
        {e["data"]["aggregate"]["id"] for r in read(path) if isinstance(r, UsableRow) for e in r.events}
        for path in (CSV, copy)
    )
    assert {ident[:4] for ident in ones & others} == {"exp_"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "hotel-bookings"', 'name = "x"\ncolour = "red"', "colour: Extra inputs"),
        ("booked = {", "sold = {", "dates: booked must be given"),
        ('month = "arrival_date_month", ', "", "dates.arrival: Value error, give year, month and day"),
        ('{ constant = "15.00" }', '{ constant = "15.00", column = "adr" }', "give exactly one of"),
        ('{ constant = "15.00" }', '{ python = "1+1" }', "python: Extra inputs"),
        ('"EUR"', '"euro"', "currency: String should match"),
        ("percent = 100\nmethod", "percent = 101\nmethod", "payments.0.percent"),
        ("[experience]", "[experience", "not valid TOML"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_named_with_its_place(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "map.toml"
    example = EXAMPLE.read_text("utf-8")
    assert old in example
    path.write_text(example.replace(old, new, 1), "utf-8")
    with pytest.raises(MappingError) as refused:
        load_mapping(path)
    assert str(path) in str(refused.value)
    assert words in str(refused.value)


def changed_mapping(**changes: Any) -> Mapping:
    return Mapping.model_validate(tomllib.loads(EXAMPLE.read_text("utf-8")) | changes)


def test_a_column_that_does_not_exist_makes_every_row_unusable_with_its_name() -> None:
    mapping = changed_mapping(unusable=[{"value": "price", "at_most": 0, "reason": "x"}])
    reasons = {row.reason for row in read(mapping=mapping) if isinstance(row, UnusableRow) and row.line < 13}
    assert reasons == {"the file has no column 'price'"}


def test_values_that_refer_to_each_other_in_a_circle_are_a_reason_not_a_crash() -> None:
    mapping = changed_mapping(
        values={"a": {"sum": ["b"]}, "b": {"sum": ["a"]}}, unusable=[{"value": "a", "reason": "x", "at_most": 0}]
    )
    reasons = {row.reason for row in read(mapping=mapping) if isinstance(row, UnusableRow) and row.line < 13}
    assert reasons == {"the mapping's values or dates refer to each other in a circle"}


def test_texts_of_a_template_are_never_executed(tmp_path: Path) -> None:
    mapping = changed_mapping(
        experience={"key": "{hotel}", "title": "{hotel.__class__} {0} {__import__('os')}", "period": "stay"}
    )
    opened = next(row for row in read(mapping=mapping) if isinstance(row, UsableRow)).events[0]
    assert opened["data"]["experience"]["title"] == "{hotel.__class__} {0} {__import__('os')}"


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=12) | st.integers(-5, 10**14).map(
    str
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(CSV.read_text().splitlines()[0].split(",")), CELL, max_size=6))
def test_hostile_cells_give_bookings_that_add_up_or_a_reason(
    tmp_path_factory: pytest.TempPathFactory, cells: dict[str, str]
) -> None:
    folder = tmp_path_factory.mktemp("hostile")
    with CSV.open() as lines:
        reader = csv.DictReader(lines)
        row = next(reader) | cells
    path = folder / "hostile.csv"
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(reader.fieldnames or ()))
        writer.writeheader()
        writer.writerow(row)
    for found in read(path):
        for content in found.events if isinstance(found, UsableRow) else ():
            data = EventData.model_validate(json.loads(wire(content))["data"])
            assert discrepancies(data) == []
