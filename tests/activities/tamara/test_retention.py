"""What holds card numbers is destroyed in time, and what must stay stays (contracts: tamara 4.7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update
from temporalio.exceptions import ApplicationError

from domain.steps import TamaraRetention
from store import Store
from store.tamara_contents import Print
from store.tamara_tables import File, files
from tests.activities.tamara.night import AGENCY, CARD, NIGHT, DropBoxSite, Night
from tests.databases import MASTER_KEY, migrated_url

DAYS = dt.timedelta(days=1)


class Hand:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NIGHT

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def night(tmp_path: Path, airplus: DropBoxSite, hand: Hand) -> Iterator[Night]:
    store = Store.open(migrated_url("sqlite", tmp_path), master_key=MASTER_KEY, clock=hand)
    yield Night(store, airplus.settings)
    store.close()


def delivered(night: Night) -> File:
    night.sold()
    night.deliver(night.seal())
    [file] = night.store.tamara.files_of(AGENCY)
    return file


def answered(night: Night, moment: dt.datetime) -> None:
    with night.store.database.begin() as connection:
        connection.execute(update(files).values(answered_at=moment))


def retired(night: Night, moment: dt.datetime) -> str:
    night.now = moment
    return night.cells.retire_files(TamaraRetention(agency=AGENCY)).note


def forms(night: Night, file: File) -> set[str]:
    return night.store.tamara_contents.forms(Print.of(file))


def test_thirty_days_after_the_answer_the_clear_form_is_gone_and_the_redacted_copy_stays(night: Night) -> None:
    file = delivered(night)
    answered(night, NIGHT + 2 * DAYS)
    assert retired(night, NIGHT + 31 * DAYS) == "nothing was due"
    assert forms(night, file) == {"clear", "redacted"}
    assert retired(night, NIGHT + 32 * DAYS) == "1 files destroyed"
    assert forms(night, file) == {"redacted"}
    assert Print.of(file).key_name not in night.store.vault.names(AGENCY)
    assert retired(night, NIGHT + 33 * DAYS) == "nothing was due"


def test_without_an_answer_it_is_gone_after_ninety_days(night: Night) -> None:
    file = delivered(night)
    assert retired(night, NIGHT + 89 * DAYS) == "nothing was due"
    assert retired(night, NIGHT + 90 * DAYS) == "1 files destroyed"
    assert forms(night, file) == {"redacted"}


def test_ledger_and_totals_outlive_the_bytes(night: Night, hand: Hand) -> None:
    file = delivered(night)
    hand.now = NIGHT + 90 * DAYS
    retired(night, hand.now)
    [after] = night.store.tamara.files_of(AGENCY)
    assert after.destroyed_at == hand.now
    assert (after.digest, after.sums, after.name) == (file.digest, file.sums, file.name)
    assert night.states() == {"sale": "SENT"}


def test_destroyed_bytes_leave_no_trace_in_the_file_of_the_store(night: Night, tmp_path: Path) -> None:
    file = delivered(night)
    sealed = night.store.tamara_contents
    with night.store.database.read() as connection:
        (kept,) = connection.exec_driver_sql("SELECT content FROM tamara_parts WHERE form = 'clear'").scalars()
    retired(night, NIGHT + 90 * DAYS)
    assert sealed.open(Print.of(file), "clear") is None
    night.store.database.close()  # the last connection empties the write-ahead log
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert content
    assert bytes(kept)[:64] not in content


def test_a_destroyed_file_cannot_be_sent_again(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    sealed = night.seal()
    retired(night, NIGHT + 90 * DAYS)
    with pytest.raises(ApplicationError, match="were destroyed"):
        night.deliver(sealed)
    assert airplus.lying() == {}


def test_the_redacted_copy_has_neither_number_nor_expiry_and_is_otherwise_the_file(
    night: Night, airplus: DropBoxSite
) -> None:
    file = delivered(night)
    copy = night.store.tamara_contents.open(Print.of(file), "redacted") or b""
    sent = airplus.lying()[file.name]
    assert CARD.encode() in sent
    assert CARD.encode() not in copy
    assert copy == sent.replace(CARD.encode() + b"    1228", b"192000*****0008        ")


def test_the_key_of_a_file_is_its_own(night: Night) -> None:
    first = delivered(night)
    night.sold("pay_1002", 5000)
    night.deliver(night.seal(NIGHT.date() + DAYS))
    second = next(each for each in night.store.tamara.files_of(AGENCY) if each.seq != first.seq)
    opened = [night.store.vault.open(AGENCY, Print.of(each).key_name) for each in (first, second)]
    assert len(set(opened)) == 2
    assert forms(night, second) == {"clear", "redacted"}
