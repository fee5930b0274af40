"""Z.I.E.L.'s format: files, their names, acknowledgements (midoffice 8.1)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from activities.midoffice.codec import Announce, AnnouncePayment, Meaning, Unreadable
from activities.midoffice.ziel.codec import AskStatus, Message, ZielCodec, amount
from activities.midoffice.ziel.settings import ZielSettings
from sandbox.ziel.layout import FileError
from sandbox.ziel.reading import read
from tests.activities.midoffice.test_mapping import mapped, only
from tests.activities.midoffice.written import PAYMENT
from tests.activities.platform import trip

GOLDEN = Path(__file__).parent / "golden" / "ziel"
SETTINGS = ZielSettings.model_validate(
    {
        "agency_no": "AG01",
        "supplier_numbers": {"sup_rh": "RATEHAWK"},
        "sftp": {"host": "127.0.0.1", "username": "a", "password": "b", "host_keys": ["SHA256:" + "A" * 43]},
    }
)
CODEC = ZielCodec(SETTINGS)
MADE = datetime(2026, 3, 2, 10, 15, 20, tzinfo=UTC)
IDEM = "9f2c" + "0" * 28
RECORD = only(mapped(trip.booking()))
CANCELLED = only(mapped(trip.cancelled([trip.hotel()], penalty=3000, supplier_fee=1000)))
SENT: dict[str, Message] = {
    "create": Announce(RECORD, "RATEHAWK", IDEM),
    "cancel": Announce(CANCELLED.as_message("CANCEL", 2), "RATEHAWK", IDEM),
    "payment": AnnouncePayment(RECORD.ref, "RATEHAWK", PAYMENT, IDEM),
    "query": AskStatus(RECORD.ref, "RATEHAWK", IDEM),
}


@pytest.mark.parametrize("name", SENT)
@pytest.mark.covers("midoffice: format")
def test_file_is_the_golden_file_and_can_be_read_there(name: str) -> None:
    content = CODEC.encode(SENT[name], MADE)
    assert content == (GOLDEN / f"{name}.csv").read_bytes()
    assert read(content)["KOPF"]["aktion"] == {"create": "N", "cancel": "S", "payment": "Z", "query": "Q"}[name]


def test_names_say_agency_moment_attempt_and_message() -> None:
    assert CODEC.name(SENT["create"], MADE, 2) == "ZIEL_AG01_20260302101520_000002_9f2c0000.csv"
    assert CODEC.name(SENT["query"], MADE, 1) == "ZIEL_AG01_20260302101520_000001_9f2c0000_Q.csv"


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ('Prüba; "Ñandú"', 'Prüba; "Ñandú"'),
        ("=1+1", "=1+1"),
        ("-5", "-5"),
        ("@cmd", "@cmd"),
        ("zwei\r\nZeilen", "zwei  Zeilen"),
        ("null\x00 \u2028", "null   "),
        ('""', '""'),
    ],
)
def test_what_separates_is_quoted_and_nothing_is_made_safe_for_sheets(name: str, there: str) -> None:
    people = (RECORD.travellers[0].model_copy(update={"last_name": name}), *RECORD.travellers[1:])
    content = CODEC.encode(Announce(RECORD.model_copy(update={"travellers": people}), "R", IDEM), MADE)
    assert read(content)["REIS"][0]["name"] == there


@pytest.mark.parametrize(("value", "text"), [("-312.4", "-312,40"), ("0", "0,00"), ("1.005", "1,005"), ("5", "5,00")])
def test_amounts_have_a_comma(value: str, text: str) -> None:
    assert amount(Decimal(value)) == text


def test_a_payment_of_a_minus_sign_is_a_legal_amount() -> None:
    loss = RECORD.price.model_copy(update={"commission": Decimal("-12.50")})
    content = CODEC.encode(Announce(RECORD.model_copy(update={"price": loss}), "R", IDEM), MADE)
    assert read(content)["VORG"][0]["provision"] == "-12,50"


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda c: b"\xef\xbb\xbf" + c, "E10"),
        (lambda c: c.replace(b"\r\n", b"\n"), "E11"),
        (lambda c: c[:-2], "E11"),
        (lambda c: c[: len(c) // 2], "E11"),
        (lambda c: c.replace(b"825,00", b"825,01"), "E11"),
        (lambda c: c.replace(b"Prueba", b"Pru\xffba"), "E10"),
        (lambda c: c.replace(b"REIS;1;", b'REIS;1"x";'), "E11"),
    ],
)
def test_the_stand_in_takes_no_file_that_is_damaged(damage: Any, code: str) -> None:
    with pytest.raises(FileError) as caught:
        read(damage(CODEC.encode(SENT["create"], MADE)))
    assert caught.value.code in (code, "E10")


@pytest.mark.covers("midoffice: format")
def test_an_acknowledgement_is_read() -> None:
    said = CODEC.acknowledgement(f"{IDEM};OK;Z100001;;\r\n".encode())
    assert (said.result, said.number, said.fault) == ("OK", "Z100001", None)


def test_a_refusal_is_read_with_code_and_field() -> None:
    fault = CODEC.acknowledgement(f'{IDEM};ERR;;E32;"LEIS[1].bis: heute; oder nie"\r\n'.encode()).fault
    assert fault is not None
    assert (fault.code, fault.field, fault.text) == ("E32", "LEIS[1].bis", "heute; oder nie")
    assert fault.meaning is Meaning.REFUSED


def test_a_file_that_was_taken_counts_more_than_an_error_beside_it() -> None:
    twice = f"{IDEM};ERR;;E90;busy\r\n{IDEM};OK;Z1;;\r\n{IDEM};DUP;Z1;;\r\n"
    assert CODEC.acknowledgement(twice.encode()).number == "Z1"


@pytest.mark.parametrize("content", [b"", b"a;OK", b"a;OK;Z1;;", b"a;OK;;;\n", b"a;HM;Z1;;\n", b"\xff;OK;Z1;;\n"])
@pytest.mark.covers("midoffice: format")
def test_an_acknowledgement_that_is_not_whole_is_none(content: bytes) -> None:
    with pytest.raises(Unreadable):
        CODEC.acknowledgement(content)
