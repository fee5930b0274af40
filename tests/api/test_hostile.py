"""Odd requests of every kind get a problem, and nothing of them is a defect of ours."""

from __future__ import annotations

import random
from typing import Any

from tests.api.conftest import ActingFor
from tests.api.test_description import OPERATIONS
from tests.desk.payments_at_work import ErpAndTemporal

ODD = ["", "\x00", "a\x00b", "é" * 300, "' OR 1=1--", "../..", "%2e%2e", "NaN", "inf", "-1", "9" * 400, "1e309", "[]", "{}",
       "2026-13-45", "demo", "pay_1", "unsynchronised", "W10", "WyJ1cmdlbnQiLDAsIjIwMjYiLCJhIiwiYiJd", "=1+1", "0"]  # fmt: skip
PLACES = ["demo", "pay_1", "bkg_500", "%00", "a%2Fb", "é", "x" * 199, "prk_1"]
VALUES: list[Any] = [
    *ODD,
    1,
    -1,
    2**70,
    None,
    [],
    {},
    1.5,
    True,
    {"amount": 2**80, "currency": "EUR"},
    "words enough for it",
]
FIELDS = ("expected_version", "explanation", "override", "reference", "command_id", "decision", "why", "instalment",
          "amount", "agency", "cause", "outside_id")  # fmt: skip


def test_odd_requests_are_refused_and_break_nothing(erp: ErpAndTemporal, acting_for: ActingFor) -> None:
    erp.refused("pay_1")
    dice, sofia = random.Random(7), acting_for("sofia")
    for path, method, told in OPERATIONS * 4:
        parameters = told.get("parameters", [])
        for named in (each["name"] for each in parameters if each["in"] == "path"):
            path = path.replace(f"{{{named}}}", dice.choice(PLACES))
        asked = {
            each["name"]: dice.choice(ODD) for each in parameters if each["in"] == "query" and dice.random() < 0.35
        }
        body = {name: dice.choice(VALUES) for name in FIELDS if dice.random() < 0.6}
        answer = sofia.request(method, path, params=asked, json=body if method == "post" else None)
        assert answer.status_code < 500, (method, path, asked, body)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
