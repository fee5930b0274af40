"""Files that come from outside: names that lead elsewhere, contents that nobody wrote, sizes without end."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.bounds import Bounded
from activities.midoffice.codec import Unreadable
from activities.midoffice.sapeig.codec import SapeigCodec
from activities.midoffice.tina.codec import TinaCodec
from activities.midoffice.xmid.codec import XmidCodec
from activities.midoffice.ziel.codec import ZielCodec
from activities.tamara.folder import NAME
from activities.tamara.layout import our_layout
from activities.tamara.parsing import answers_of, parse
from domain.errors import ContractBroken
from starter.importing.mapping import load_mapping
from starter.importing.reading import ImportFile
from tests.hostile.budget import examples
from tests.hostile.conftest import House

LAYOUT = our_layout()
"""The layout that an agency has by default."""
NOISE = st.binary(max_size=300)
LINES = (
    st.lists(st.text(alphabet="019AB .;|\"'\r\n\t", min_size=1, max_size=420), max_size=4)
    .map("\n".join)
    .map(str.encode)
)


@examples(60)
@given(NOISE | LINES)
def test_an_answer_of_airplus_is_read_or_says_what_is_wrong(raw: bytes) -> None:
    parsed = parse(LAYOUT, raw, answer=True)
    if parsed.findings:
        with pytest.raises(ContractBroken):
            answers_of(parsed)


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd.ack",
        "/etc/cron.d/x.ack",
        "a/b.ack",
        "a\\b.ack",
        ".hidden.ack",
        "a\r\nDELE b.ack",
        "a b.ack",
        "x" * 99 + "y.ack",
        "",
    ],
)
def test_names_that_lead_elsewhere_are_left_where_they_lie(name: str) -> None:
    assert NAME.fullmatch(name) is None


def test_the_names_that_airplus_gives_are_read() -> None:
    assert NAME.fullmatch("TAMARA_ORQDEMO00001_MA_T_000000017.ack")


CODECS: dict[str, Callable[[bytes], object]] = {
    "tina": lambda raw: TinaCodec.decode(object.__new__(TinaCodec), raw),
    "sapeig": lambda raw: SapeigCodec.decode(object.__new__(SapeigCodec), raw),
    "xmid": lambda raw: XmidCodec.decode(object.__new__(XmidCodec), raw),
    "ziel": lambda raw: ZielCodec.acknowledgement(object.__new__(ZielCodec), raw),
}
CELLS = st.lists(
    st.lists(st.sampled_from(["OK", "ERR", "DUP", "WARN", "1", '"', ";", "\n", "ñ", ""]), max_size=7).map(";".join),
    max_size=4,
)


@pytest.mark.parametrize("system", sorted(CODECS))
@examples(60)
@given(
    raw=NOISE
    | CELLS.map("\r\n".join).map(str.encode)
    | st.sampled_from([b"{}", b"[]", b'{"code": 7}', b"null", b'{"bookings": 1}'])
)
def test_an_answer_of_a_mid_office_is_read_or_unreadable(system: str, raw: bytes) -> None:
    with contextlib.suppress(Unreadable):
        CODECS[system](raw)


# Imports -----------------------------------------------------------------------------------------------------------------

MAPPING = Path("docs/examples/hotel-bookings.map.toml")


@examples(40)
@given(rows=st.lists(st.lists(st.text(max_size=10), min_size=1, max_size=34), max_size=3), noise=st.booleans())
def test_a_row_of_an_import_is_usable_or_says_why_not(
    tmp_path_factory: pytest.TempPathFactory, house: House, rows: list[list[str]], noise: bool
) -> None:
    given_file = Path("tests/starter/bookings.csv").read_text("utf-8").splitlines()
    lines = [given_file[0], *(",".join(cell.replace('"', "") for cell in row) for row in rows)]
    if noise:
        lines += [given_file[1].replace("0", "9" * 40, 1), given_file[1].replace("2", "-", 3), "=" * 50]
    path = tmp_path_factory.mktemp("import") / "rows.csv"
    path.write_text("\n".join(lines), "utf-8", errors="replace")
    with contextlib.suppress(UnicodeDecodeError, csv.Error):
        for row in ImportFile(path, load_mapping(MAPPING), "demo", house[0].agencies["demo"]).rows():
            assert row.line > 1


# Answers without end -----------------------------------------------------------------------------------------------------


class Endless(httpx.SyncByteStream):
    """Gives a kilobyte after the other, and counts them."""

    def __init__(self) -> None:
        self.given = 0

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.given += 1024
            yield b"x" * 1024


def client(answer: Callable[[httpx.Request], httpx.Response], largest: int = 100_000) -> httpx.Client:
    return httpx.Client(
        base_url="http://outside.example", transport=Bounded(httpx.MockTransport(answer), largest=largest)
    )


def test_an_answer_without_end_is_broken_off() -> None:
    endless = Endless()
    with pytest.raises(httpx.ReadError, match="more than 100000 bytes"):
        client(lambda _: httpx.Response(200, stream=endless)).get("/")
    assert endless.given < 110_000


def test_an_answer_that_says_that_it_is_too_long_is_not_begun() -> None:
    endless = Endless()
    with pytest.raises(httpx.RemoteProtocolError):
        client(lambda _: httpx.Response(200, headers={"Content-Length": "9" * 30}, stream=endless)).get("/")
    assert endless.given == 0


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
def test_a_compressed_answer_is_not_unfolded(encoding: str) -> None:
    endless = Endless()
    with pytest.raises(httpx.RemoteProtocolError, match="compressed"):
        client(lambda _: httpx.Response(200, headers={"Content-Encoding": encoding}, stream=endless)).get("/")
    assert endless.given == 0


def test_an_honest_answer_comes_whole() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["accept-encoding"])
        return httpx.Response(200, json={"ok": True})

    assert client(answer).get("/").json() == {"ok": True}
    assert asked == ["identity"]
