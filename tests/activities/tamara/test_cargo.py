"""A file is never whole in memory: in parts in the store, in blocks on its way (contracts: tamara 4.1, 4.7)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from activities.tamara.cargo import Cargo
from activities.tamara.delivery import Parcel, deliver
from activities.tamara.drop_box import drop_box_of
from domain.errors import Unauthorised
from store import Store
from store.tamara_contents import PART_BYTES, Print, TamaraContents
from tests.activities.tamara.night import AGENCY, PARTNER, DropBoxSite
from tests.activities.tamara.sender import fault

WHICH = Print(agency=AGENCY, partner_id=PARTNER, kind="MA", mode="T", seq=1)
BLOCK = bytes(range(256)) * 4
BLOCKS = 2 * PART_BYTES // len(BLOCK) + 3
WHOLE = BLOCK * BLOCKS


def drawn(told: list[int]) -> Iterator[bytes]:
    """The content, block by block; `told` learns how many were asked for."""
    for number in range(BLOCKS):
        told.append(number)
        yield BLOCK


@pytest.fixture
def contents(store: Store) -> TamaraContents:
    return store.tamara_contents


@pytest.mark.parametrize("form", ["clear", "redacted"])
def test_what_is_kept_part_by_part_is_read_part_by_part(contents: TamaraContents, form: str) -> None:
    contents.keep(WHICH, form, drawn([]))  # type: ignore[arg-type]
    parts = list(contents.parts(WHICH, form))  # type: ignore[arg-type]
    assert b"".join(parts) == WHOLE
    assert [len(part) for part in parts] == [PART_BYTES, PART_BYTES, len(WHOLE) - 2 * PART_BYTES]


def test_no_more_than_a_part_is_drawn_before_it_is_kept(contents: TamaraContents, store: Store) -> None:
    told: list[int] = []

    def watched() -> Iterator[bytes]:
        for block in drawn(told):
            with store.database.read() as connection:
                kept = connection.exec_driver_sql("SELECT count(*) FROM tamara_parts").scalar() or 0
            assert len(told) * len(BLOCK) - kept * PART_BYTES <= PART_BYTES + len(BLOCK)
            yield block

    contents.keep(WHICH, "clear", watched())
    assert len(told) == BLOCKS


def test_what_broke_off_counts_for_nothing_and_is_kept_anew(contents: TamaraContents) -> None:
    def breaking() -> Iterator[bytes]:
        yield WHOLE[: PART_BYTES + 1]
        raise RuntimeError("the worker died")

    with pytest.raises(RuntimeError):
        contents.keep(WHICH, "clear", breaking())
    assert (contents.forms(WHICH), contents.open(WHICH, "clear")) == (set(), None)
    contents.keep(WHICH, "clear", [b"whole"])
    assert contents.open(WHICH, "clear") == b"whole"


def test_what_is_kept_is_not_drawn_again(contents: TamaraContents) -> None:
    contents.keep(WHICH, "clear", b"first")
    told: list[int] = []
    contents.keep(WHICH, "clear", drawn(told))
    assert (contents.open(WHICH, "clear"), told) == (b"first", [])


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE tamara_parts SET part = 1 - part WHERE part < 2 AND form = 'nothing'",
        "UPDATE tamara_parts SET content = (SELECT content FROM tamara_parts WHERE part = 1), "
        "nonce = (SELECT nonce FROM tamara_parts WHERE part = 1) WHERE part = 0",
        "DELETE FROM tamara_parts WHERE part = 1",
    ],
    ids=["none", "swapped", "missing"],
)
def test_a_part_in_another_place_is_noticed(contents: TamaraContents, store: Store, harm: str) -> None:
    contents.keep(WHICH, "clear", drawn([]))
    with store.database.begin() as connection:
        connection.exec_driver_sql(harm)
    if "nothing" in harm:
        assert contents.open(WHICH, "clear") == WHOLE
        return
    with pytest.raises(Unauthorised):
        contents.open(WHICH, "clear")


@pytest.mark.parametrize("offset", [0, 1, len(BLOCK), len(BLOCK) + 1, len(WHOLE) - 1, len(WHOLE)])
def test_the_rest_of_a_cargo_begins_where_it_was_broken_off(offset: int) -> None:
    cargo = Cargo.measured(lambda: drawn([]))
    assert (cargo.size, cargo.digest) == (len(WHOLE), hashlib.sha256(WHOLE).hexdigest())
    assert b"".join(cargo.after(offset)) == WHOLE[offset:]
    assert cargo.digest_of(offset) == hashlib.sha256(WHOLE[:offset]).hexdigest()


def test_an_upload_in_blocks_that_broke_off_goes_on(airplus: DropBoxSite) -> None:
    cargo, beats = Cargo.measured(lambda: drawn([])), list[int]()
    parcel = Parcel("T.dat", cargo, False, lambda _: None, beats.append)
    fault(airplus, "put", "drop-before")
    box = drop_box_of(airplus.settings)
    with pytest.raises(Exception, match="connection lost"):
        deliver(box, parcel)
    assert deliver(box, parcel) == "T.dat"
    assert airplus.lying() == {"T.dat": WHOLE}
    assert beats[-1] == len(WHOLE)
