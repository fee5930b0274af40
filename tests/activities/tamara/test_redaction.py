"""The copy that is kept for years has neither number nor expiry, whatever the layout (contracts: tamara 4.7, 5.1)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from activities.tamara.cargo import Cargo
from activities.tamara.grammar import Layout
from activities.tamara.layout import our_layout
from activities.tamara.redaction import redacted_answer, redacted_fixed
from store import Store
from store.tamara_contents import Print
from tests.activities.tamara.night import AGENCY, CARD, DropBoxSite, Night

LAYOUTS = Path(__file__).parent / "layouts"
EXPIRY, OTHER_CARD = "0731", "192000000000420"
SHAPES = {
    "delimited": (f";{CARD};{EXPIRY};", ";192000*****0008;0000;"),
    "elements": (
        f"<Number>{CARD}</Number><Expiry>{EXPIRY}</Expiry>",
        "<Number>192000*****0008</Number><Expiry>0000</Expiry>",
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_copy_in_another_partners_shape_is_the_file_without_number_and_expiry(
    store: Store, airplus: DropBoxSite, shape: str
) -> None:
    night = Night(store, airplus.settings.model_copy(update={"layout": LAYOUTS / f"{shape}.yaml"}))
    night.lodge(expiry=EXPIRY)
    night.sold()
    night.seal()
    [file] = store.tamara.files_of(AGENCY)
    sent = store.tamara_contents.open(Print.of(file), "clear") or b""
    copy = store.tamara_contents.open(Print.of(file), "redacted") or b""
    clear, hidden = SHAPES[shape]
    assert sent.count(clear.encode()) == 1
    assert CARD.encode() not in copy
    meant = sent.replace(clear.encode(), hidden.encode())
    assert [a for a, b in zip(_undigested(copy), _undigested(meant), strict=True) if a != b] == []


def _undigested(data: bytes) -> list[str]:
    """Lines without the digest of the whole, which is that of other bytes."""
    return [re.sub(r"[0-9a-f]{64}", "", line) for line in data.decode().splitlines()]


def test_of_two_cards_in_one_file_both_are_hidden(store: Store, airplus: DropBoxSite) -> None:
    night = Night(store, airplus.settings.model_copy(update={"layout": LAYOUTS / "delimited.yaml"}))
    night.sold()
    store.vault.seal(AGENCY, "card/tok_2", f'{{"number": "{OTHER_CARD}", "expiry": "{EXPIRY}"}}')
    night.invoiced("pay_1002", 5000)
    card = {"brand": "airplus", "last4": "0420", "airplus_account_token": "tok_2"}
    night.cells.record_payment(night.paid("pay_1002", 5000, card=card))
    assert night.seal().lines == 2
    [file] = store.tamara.files_of(AGENCY)
    copy = (store.tamara_contents.open(Print.of(file), "redacted") or b"").decode()
    assert [CARD in copy, OTHER_CARD in copy, f";{EXPIRY};" in copy] == [False, False, False]
    assert ["192000*****0008" in copy, "192000*****0420" in copy] == [True, True]


def moved(layout: Layout) -> Layout:
    """The same layout with the code of a record at another place."""
    told = yaml.safe_load(layout.model_dump_json(by_alias=True))
    by_name = {each["name"]: each for each in told["head"]}
    code, line = by_name["RT"], by_name["LINE"]
    code["pos"], line["pos"] = line["pos"] + line["len"] - code["len"], code["pos"]
    sub = by_name["SN"]
    sub["pos"] = line["pos"] + line["len"]
    return Layout.model_validate(told)


@pytest.mark.parametrize("layout", [our_layout(), moved(our_layout())], ids=["ours", "code elsewhere"])
def test_secret_fields_of_fixed_lines_are_found_by_the_code_wherever_it_stands(layout: Layout) -> None:
    coded = next(each for each in layout.head if each.source == "record.code")
    number, expiry = (
        next(each for each in layout.by_code["300"].fields if each.name == name) for name in ("CARD_NO", "CARD_EXP")
    )
    line = list(" " * (layout.record_length or 0))
    for each, text in ((coded, "300"), (number, CARD), (expiry, EXPIRY)):
        line[each.pos - 1 : each.pos - 1 + len(text)] = text
    data = ("".join(line) + layout.eol).encode()
    [copy] = redacted_fixed(layout, [data])
    assert (CARD.encode() in copy, EXPIRY.encode() in copy, len(copy)) == (False, False, len(data))
    assert b"192000*****0008" in copy
    assert b"".join(redacted_fixed(layout, Cargo.of(data * 3).after(0))) == copy * 3  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [f"x{CARD}y", f"1{CARD}2", f"{CARD}{EXPIRY}"])
def test_an_answer_of_any_bytes_is_kept_without_numbers(text: str) -> None:
    for data in (text.encode(), b"\xff\xfe" + text.encode() + b"\n"):
        assert CARD not in redacted_answer(our_layout(), data, ("1220", "1920"))
