"""Numbers without holes or twins, content frozen with its number, on both databases (contracts: tamara 3.6, 4.5; T3)."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from store import Store
from store.tamara import CounterExhausted, LinesMoved
from store.tamara_tables import File, FileKey, Line, NewLine, Sealing, counters, lines
from tests.databases import dialect, store, store_url

__all__ = ["dialect", "store", "store_url"]

DAY = dt.date(2026, 11, 21)
SEALED_AT = dt.datetime(2026, 11, 21, 2, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))


def new_line(number: int = 1, dc: str = "D", gross: int = 100) -> NewLine:
    return NewLine.model_validate(
        {
            "agency": "sol",
            "booking_id": "bkg_1",
            "payment_id": f"pay_{number}",
            "purpose": "sale",
            "txn_ref": f"{number:026d}",
            "mode": "T",
            "kind": "MA",
            "service": "EV",
            "type": "SA" if dc == "D" else "RF",
            "dc": dc,
            "currency": "EUR",
            "net": gross,
            "vat": 0,
            "gross": gross,
            "value_date": dt.date(2026, 11, number % 28 + 1),
            "content": {"number": number},
        }
    )


def wish(line_ids: list[int], day: dt.date = DAY) -> Sealing:
    return Sealing(
        agency="sol",
        partner_id="TESTPARTNER1",
        kind="MA",
        mode="T",
        day=day,
        layout_id="ours-fixed400/1",
        sealed_at=SEALED_AT,
        head={},
        line_ids=line_ids,
        name=lambda seq: f"file-{seq}",
    )


def test_a_key_is_staged_once(store: Store) -> None:
    first = store.tamara.stage(new_line(1, gross=100))
    again = store.tamara.stage(new_line(1, gross=999))
    assert (again.id, again.gross) == (first.id, 100)


def test_a_reference_belongs_to_one_line(store: Store) -> None:
    store.tamara.stage(new_line(1))
    with pytest.raises(IntegrityError):
        store.tamara.stage(new_line(2).model_copy(update={"txn_ref": new_line(1).txn_ref}))


def test_number_content_and_sums_are_frozen_together(store: Store) -> None:
    ids = [
        store.tamara.stage(new_line(n, dc, gross)).id for n, dc, gross in ((3, "D", 500), (1, "C", 120), (2, "D", 30))
    ]
    file = store.tamara.seal(wish(ids))
    assert (file.seq, file.name, file.lines, file.state) == (1, "file-1", 3, "SEALED")
    assert {(each.dc, each.count, each.gross) for each in file.sums} == {("D", 2, 530), ("C", 1, 120)}
    assert (file.period_from.day, file.period_to.day) == (2, 4)
    assert file.sealed_at == SEALED_AT
    assert file.sealed_at.utcoffset() == dt.timedelta(hours=1)
    assert [line.value_date.day for line in store.tamara.lines_in(file.key)] == [2, 3, 4]


def test_a_day_is_sealed_once_however_many_ask(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        files: list[File] = list(pool.map(lambda _: store.tamara.seal(wish([])), range(8)))
    assert {file.seq for file in files} == {1}
    assert store.tamara.last_number("TESTPARTNER1", "MA", "T") == 1


def test_numbers_have_no_holes_and_no_twins_under_concurrency(store: Store) -> None:
    days = [DAY + dt.timedelta(n) for n in range(16)]
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda day: store.tamara.seal(wish([], day)).seq, days))
    assert sorted(numbers) == list(range(1, 17))


def test_a_line_that_moved_takes_the_number_back(store: Store) -> None:
    line = store.tamara.stage(new_line())
    store.tamara.withdraw(line.id, "cancelled")
    with pytest.raises(LinesMoved):
        store.tamara.seal(wish([line.id]))
    assert store.tamara.last_number("TESTPARTNER1", "MA", "T") == 0
    assert store.tamara.seal(wish([])).seq == 1


def test_a_sealed_line_can_be_neither_changed_nor_withdrawn(store: Store) -> None:
    line = store.tamara.stage(new_line())
    file = store.tamara.seal(wish([line.id]))
    for attempt in (lambda: store.tamara.withdraw(line.id, "late"), lambda: store.tamara.replace(line.id, new_line())):
        with pytest.raises(LinesMoved):
            attempt()
    [sealed] = store.tamara.lines_in(file.key)
    assert (sealed.state, sealed.gross) == ("SEALED", 100)


def test_a_line_names_only_a_file_that_exists(store: Store) -> None:
    row = new_line().model_dump() | {
        "partner_id": "TESTPARTNER1",
        "seq": 7,
        "created_at": SEALED_AT,
        "updated_at": SEALED_AT,
    }
    with pytest.raises(IntegrityError), store.database.begin() as connection:
        connection.execute(insert(lines).values(**row))


def test_delivery_takes_the_lines_along(store: Store) -> None:
    line = store.tamara.stage(new_line())
    key = store.tamara.seal(wish([line.id])).key
    assert store.tamara.delivered_refs([line.txn_ref]) == set()
    store.tamara.delivered(key)
    assert store.tamara.delivered_refs([line.txn_ref]) == {line.txn_ref}
    store.tamara.delivery_unknown(key)
    assert _file(store, key).state == "DELIVERED", "what was delivered stays delivered"


def test_other_bytes_under_the_same_number_are_refused(store: Store) -> None:
    key = store.tamara.seal(wish([])).key
    store.tamara.rendered(key, "a" * 64, 10)
    store.tamara.rendered(key, "a" * 64, 10)
    with pytest.raises(ValueError, match="other bytes"):
        store.tamara.rendered(key, "b" * 64, 10)
    assert (_file(store, key).state, _file(store, key).digest) == ("RENDERED", "a" * 64)


def test_a_repaired_counter_goes_on_and_never_back(store: Store) -> None:
    store.tamara.set_last_number("TESTPARTNER1", "MA", "T", 41)
    assert store.tamara.seal(wish([])).seq == 42
    store.tamara.set_last_number("TESTPARTNER1", "MA", "T", 7)
    assert store.tamara.last_number("TESTPARTNER1", "MA", "T") == 42


def test_a_counter_does_not_wrap(store: Store) -> None:
    with store.database.begin() as connection:
        connection.execute(insert(counters).values(partner_id="TESTPARTNER1", kind="MA", mode="T", last=999_999_999))
    with pytest.raises(CounterExhausted):
        store.tamara.seal(wish([]))


def test_hundreds_of_lines_fit_one_file(store: Store) -> None:
    staged: list[Line] = [store.tamara.stage(new_line(n)) for n in range(1, 521)]
    file = store.tamara.seal(wish([line.id for line in staged]))
    assert [(each.count, each.gross) for each in file.sums] == [(520, 52_000)]


def _file(store: Store, key: FileKey) -> File:
    file = store.tamara.file(key)
    assert file is not None
    return file
