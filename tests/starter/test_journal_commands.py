"""`bookings journal`: accounts that add up, files an accountant's program takes, periods that stay closed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from domain.ledger import Chart, Fact, Movement, entry_of
from domain.money import Money
from starter.cli import run
from store import Store
from store.installation import load_installation
from tests.databases import MASTER_KEY as KEY_BYTES

Command = Callable[..., tuple[int, str, str]]

# Columns of XDiario, counted from 1: (first, width).
ASIEN, FECHA, SUBCTA, CONTRA = (1, 6), (7, 8), (15, 12), (27, 12)
CONCEPTO, MONEDAUSO, EURODEBE, EUROHABER = (55, 25), (238, 1), (239, 16), (255, 16)
LENGTH = 297


@pytest.fixture
def store(settings: Path) -> Iterator[Store]:
    opened = Store.open(load_installation(settings).store_url, master_key=KEY_BYTES)
    yield opened
    opened.close()


@pytest.fixture
def command(settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["bookings", "journal", *arguments, "--settings", str(settings)])
        monkeypatch.setenv("COLUMNS", "220")
        try:
            code = run()
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def post(
    store: Store, fact: Fact, key: str, amount: int, on: date, *, payer: str = "cus_1", currency: str = "EUR"
) -> None:
    movement = Movement(
        fact=fact,
        key=f"led:{key}",
        on=on,
        booking_id="bkg_1",
        text=f"factura más {key}",
        amount=Money(amount=amount, currency=currency),
        payer_id=payer,
        payment_id="pay_1",
        processor="stripe",
    )
    store.journal.append("demo", entry_of(movement, Chart()))


@pytest.fixture
def books(store: Store) -> Store:
    post(store, Fact.INVOICE, "inv:pay_1", 30000, date(2026, 10, 2))
    post(store, Fact.COLLECTION, "cob:pay_1", 30000, date(2026, 10, 1))
    post(store, Fact.INVOICE, "inv:pay_2", 99, date(2026, 11, 2), payer="cus_2")
    return store


def cut(line: str, column: tuple[int, int]) -> str:
    first, width = column
    return line[first - 1 : first - 1 + width]


def test_the_trial_balance_of_a_period_adds_up(books: Store, command: Command) -> None:
    code, said, _ = command("trial-balance", "demo", "--to", "2026-10-31", "--json")
    assert code == 0
    rows = {row["account"]: row["balance"] for row in json.loads(said)}
    assert rows == {"430": "0.00", "438": "-300.00", "5729": "300.00"}


def test_sub_accounts_are_shown_on_request(books: Store, command: Command) -> None:
    _, said, _ = command("trial-balance", "demo", "--sub", "--json")
    assert {(row["account"], row["sub"]) for row in json.loads(said)} >= {("430", "cus_1"), ("430", "cus_2")}


def test_a_statement_shows_what_an_account_opened_and_closed_with(books: Store, command: Command) -> None:
    code, said, _ = command("statement", "demo", "430", "--from", "2026-10-02", "--json")
    rows = json.loads(said)
    assert code == 0
    assert [row["balance"] for row in rows] == ["-300.00", "0.00", "0.99", "0.99"]


def test_entries_of_a_booking_are_listed_by_posting(books: Store, command: Command) -> None:
    _, said, _ = command("entries", "demo", "--booking", "bkg_1", "--to", "2026-10-31", "--csv", "-")
    lines = said.splitlines()
    assert lines[0].startswith("entry,day,fact,booking,text,account")
    assert len(lines) == 1 + 4


def test_the_file_for_the_accountant_is_in_the_columns_of_the_format(
    books: Store, command: Command, tmp_path: Path
) -> None:
    code, _, _ = command("export", "demo", "--into", str(tmp_path / "out"), "--first-number", "7")
    assert code == 0
    raw = (tmp_path / "out" / "XDiario.txt").read_bytes()
    raw.decode("ascii")
    lines = raw.decode("cp1252").split("\r\n")
    assert lines.pop() == ""
    assert {len(line) for line in lines} == {LENGTH}
    assert [(cut(line, ASIEN), cut(line, FECHA)) for line in lines] == [
        ("     7", "20261001"),
        ("     7", "20261001"),
        ("     8", "20261002"),
        ("     8", "20261002"),
        ("     9", "20261102"),
        ("     9", "20261102"),
    ]
    assert sum(float(cut(line, EURODEBE)) - float(cut(line, EUROHABER)) for line in lines) == 0
    first, second = lines[0], lines[1]
    assert (cut(first, SUBCTA).strip(), cut(first, CONTRA).strip()) == (
        cut(second, CONTRA).strip(),
        cut(second, SUBCTA).strip(),
    )
    assert cut(first, SUBCTA).strip() == "57290001"
    assert (cut(first, EURODEBE).strip(), cut(first, EUROHABER).strip()) == ("300.00", "0.00")
    assert cut(first, CONCEPTO).startswith("FACTURA MAS COB:PAY_1")
    assert cut(first, MONEDAUSO) == "2"


def test_account_codes_stay_the_same_from_export_to_export(books: Store, command: Command, tmp_path: Path) -> None:
    command("export", "demo", "--into", str(tmp_path / "all"))
    command("export", "demo", "--into", str(tmp_path / "november"), "--from", "2026-11-01")
    accounts = (tmp_path / "november" / "XSubCta.txt").read_text("cp1252").splitlines()
    everything = (tmp_path / "all" / "XSubCta.txt").read_text("cp1252").splitlines()
    assert accounts
    assert set(accounts) <= set(everything)


def test_what_the_format_cannot_say_stops_the_export_before_a_file_is_written(
    books: Store, command: Command, tmp_path: Path
) -> None:
    post(books, Fact.INVOICE, "inv:pay_3", 5, date(2026, 12, 1), currency="USD")
    code, _, complaint = command("export", "demo", "--into", str(tmp_path / "out"))
    assert (code, complaint.count("\n")) == (2, 1)
    assert "USD" in complaint
    assert not (tmp_path / "out").exists()
    code, _, complaint = command(
        "export", "demo", "--into", str(tmp_path / "out"), "--digits", "4", "--to", "2026-11-30"
    )
    assert code == 2
    assert "--digits" in complaint


def test_a_payout_empties_the_clearing_account_once(books: Store, command: Command) -> None:
    payout = (
        "settle",
        "demo",
        "stripe",
        "--reference",
        "po_1",
        "--paid",
        "295.50",
        "--fee",
        "4.50",
        "--on",
        "2026-10-05",
    )
    code, said, _ = command(*payout)
    assert code == 0
    assert "still owes 0.00 EUR" in said
    assert command(*payout)[0] == 0
    assert books.journal.balance("demo", "572").amount == 29550
    code, _, complaint = command(*payout[:5], "--paid", "295.60", "--on", "2026-10-05")
    assert code == 2
    assert "led:set:stripe:po_1" in complaint


@pytest.mark.parametrize("paid", ["0", "-1", "ten", "1.005", "NaN"])
def test_an_absurd_payout_is_refused(books: Store, command: Command, paid: str) -> None:
    code, _, complaint = command(
        "settle", "demo", "stripe", "--reference", "po_1", f"--paid={paid}", "--on", "2026-10-05"
    )
    assert (code, complaint.count("\n")) == (2, 1)


def test_closing_and_reopening_are_kept_with_name_and_reason(books: Store, command: Command) -> None:
    assert command("close", "demo", "--until", "2026-10-31", "--by", "ana")[0] == 0
    assert command("close", "demo", "--until", "2026-10-31", "--by", "ana")[0] == 2
    assert command("reopen", "demo", "--by", "luis", "--why", "short")[0] == 2
    assert command("reopen", "demo", "--by", "luis", "--why", "an invoice was missing")[0] == 0
    _, said, _ = command("periods", "demo", "--json")
    assert [(row["closed until"], row["by"]) for row in json.loads(said)] == [("2026-10-31", "ana"), (None, "luis")]


@pytest.mark.parametrize(
    "words", [("trial-balance", "nobody"), ("export", "demo", "--into", "x", "--from", "2030-01-01")]
)
def test_what_cannot_be_answered_is_said_in_one_line(command: Command, words: tuple[str, ...]) -> None:
    code, _, complaint = command(*words)
    assert (code, complaint.count("\n")) == (2, 1)
