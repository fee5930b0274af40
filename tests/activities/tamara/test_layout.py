"""The layout checker names record and field of every fault (contracts: tamara 3.14)."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
import yaml

from activities.tamara.layout import LayoutError, our_layout, read_layout

TEXT = (files("activities.tamara") / "layouts" / "ours-fixed400-1.yaml").read_text("utf-8")
Deed = Callable[[dict[str, Any]], object]


def field(document: dict[str, Any], code: str, name: str) -> dict[str, Any]:
    record = next(each for each in document["records"] if each["code"] == code)
    grouped = record.get("group", {}).get("fields", [])
    return next(each for each in (*record["fields"], *grouped) if each["name"] == name)


def test_our_layout_has_every_record_of_the_contract() -> None:
    codes = [record.code for record in our_layout().records]
    assert codes == (
        [
            "200",
            "300",
            "310",
            "400",
            "500",
            "501",
            "511",
            "520",
            "530",
            "540",
            "550",
            "560",
            "590",
            "600",
            "710",
            "700",
            "900",
            "910",
            "990",
        ]
    )


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        (lambda d: field(d, "300", "CARD_NO").update(len=20), "record 300, field CARD_EXP: overlaps CARD_NO"),
        (lambda d: field(d, "300", "CARD_EXP").update(pos=76, len=3), "record 300, field CARD_EXP: hole from 75 to 75"),
        (lambda d: field(d, "540", "FILLER").update(len=132), "record 540, field FILLER: ends at 399 and not at 400"),
        (lambda d: field(d, "310", "AMT").update(len=12), "record 310, field AMT: ends at 57 and not at 58"),
        (
            lambda d: field(d, "540", "HOTEL").update(source="hotel.nom"),
            "540, field HOTEL: source hotel.nom is unknown",
        ),
        (lambda d: field(d, "300", "CARD_NO").pop("sens"), "300, field CARD_NO: source txn.card is secret"),
        (lambda d: field(d, "300", "DC").update(map="side"), "300, field DC: value map side does not exist"),
        (lambda d: field(d, "300", "PNR").pop("source"), "300, field PNR: needs exactly one of source"),
        (lambda d: field(d, "300", "PNR").update(type="Q"), r"300.*PNR.*type"),
        (lambda d: d["order"].insert(1, "250"), "order: no record matches 250"),
        (lambda d: d["records"].append(d["records"][0]), "record 200 is described twice"),
        (lambda d: d.update(colour="red"), "colour"),
    ],
)
def test_a_fault_is_named_by_record_and_field(deed: Deed, words: str) -> None:
    document = yaml.safe_load(TEXT)
    deed(document["layout"])
    with pytest.raises(LayoutError, match=words):
        read_layout(yaml.safe_dump(document), "other.yaml")


def test_a_partner_maps_letters_and_services_without_code() -> None:
    document = yaml.safe_load(TEXT)
    document["layout"]["value_maps"]["dc"] = {"D": "S", "C": "H"}
    layout = read_layout(yaml.safe_dump(document), "other.yaml")
    assert layout.wire("dc", "C") == "H"
    assert layout.canonical("dc", "H") == "C"
