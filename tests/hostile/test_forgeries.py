"""Deliveries that somebody else signed, altered, kept for later, or sent again: refused, or nothing happens."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from store.inbox import EventFilter
from tests.hostile.budget import examples
from tests.hostile.conftest import House
from tests.starter.agency import NOW, OTHER_SECRET, payment_captured, raw, signed

BODY = raw(payment_captured(77, payment="pay_forged"))
ID = "evt_01JD0000000000000000000077"


def send(house: House, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return TestClient(house[2]).post("/events", content=body, headers=headers)


def known(house: House) -> list[Any]:
    return house[1].inbox.list(EventFilter(agency="demo", event_ids=[ID]), 10)


@examples(60)
@given(place=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
def test_no_bit_of_a_signed_body_can_be_turned(house: House, place: int, bit: int) -> None:
    altered = bytearray(BODY.encode())
    altered[place] ^= 1 << bit
    assert send(house, bytes(altered), signed(BODY, ID)).status_code in (400, 401)
    assert known(house) == []


@examples(40)
@given(
    name=st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]),
    value=st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=80)
    | st.sampled_from(["v1,", "v1,AAAA", "v2,x", "0", "-1", "9" * 11, "1e9", "evt_0123456789", "v1," + "A" * 44]),
)
def test_headers_that_somebody_made_up_open_nothing(house: House, name: str, value: str) -> None:
    assert send(house, BODY.encode(), {**signed(BODY, ID), name: value}).status_code in (400, 401)
    assert known(house) == []


@pytest.mark.parametrize("skew", [-301, 301, -86_400, 10**9])
def test_a_delivery_that_was_kept_for_later_is_refused(house: House, skew: int) -> None:
    assert send(house, BODY.encode(), signed(BODY, ID, at=max(0, NOW + skew))).status_code == 400
    assert known(house) == []


def test_the_secret_of_another_agency_signs_nothing_here(house: House) -> None:
    assert send(house, BODY.encode(), signed(BODY, ID, secret=OTHER_SECRET)).status_code == 401
    assert known(house) == []


def test_a_delivery_that_is_sent_again_changes_nothing(house: House) -> None:
    body = raw(payment_captured(78, payment="pay_once"))
    own = "evt_01JD0000000000000000000078"
    answers = [send(house, body.encode(), signed(body, own)).status_code for _ in range(3)]
    assert answers == [202, 202, 202]
    assert len(house[1].inbox.list(EventFilter(agency="demo", event_ids=[own]), 10)) == 1
    assert house[1].inbox.counts("demo").get("conflict", 0) == 0


@pytest.mark.parametrize("size", [65_537, 5_000_000])
@pytest.mark.parametrize("path", ["/events", "/suppliers/ratehawk"])
def test_bodies_that_are_too_large_are_refused_by_their_size(house: House, path: str, size: int) -> None:
    answer = TestClient(house[2]).post(path, content=b" " * size, headers={"content-type": "application/json"})
    assert answer.status_code == 413
