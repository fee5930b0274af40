"""The description of the API is what the API does: names that stay, words for everything, problems with examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from domain.payment_sync.commands import COMMANDS
from starter.api.app import build_api
from starter.cli import app
from tests.api.conftest import ActingFor
from tests.desk.payments_at_work import ErpAndTemporal

DESCRIBED: dict[str, Any] = build_api().openapi()
OPERATIONS = [(path, method, told) for path, methods in DESCRIBED["paths"].items() for method, told in methods.items()]


def test_every_command_of_a_payment_has_its_operation() -> None:
    for kind in COMMANDS:
        assert f"/payments/{{agency}}/{{payment}}/{kind.value.replace('_', '-')}" in DESCRIBED["paths"]


def test_operations_have_names_that_stay_and_words() -> None:
    names = [told["operationId"] for *_, told in OPERATIONS]
    assert sorted(names) == sorted(set(names))
    assert set(names) >= {"listPayments", "syncPaymentNow", "syncPaymentManually", "decideParked", "chargeNow"}
    for path, method, told in OPERATIONS:
        assert told["summary"], (path, method)
        assert told["description"], (path, method)
        assert told["security"] == [{"token": []}], (path, method)


@pytest.mark.parametrize(("path", "method", "told"), OPERATIONS)
def test_every_refusal_is_a_problem_whose_example_fits_its_schema(path: str, method: str, told: dict[str, Any]) -> None:
    refused = {status: answer for status, answer in told["responses"].items() if status >= "400"}
    assert {"401", "503"} <= set(refused)
    assert method == "get" or {"403", "409", "422"} <= set(refused), path
    for answer in refused.values():
        (media, content), *others = answer["content"].items()
        assert (media, others) == ("application/problem+json", [])
        jsonschema.validate(content["example"], DESCRIBED["components"]["schemas"]["Problem"])


def test_bodies_refuse_what_they_do_not_know_and_their_examples_fit() -> None:
    for _, _, told in OPERATIONS:
        if "requestBody" not in told:
            continue
        reference = told["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        schema = DESCRIBED["components"]["schemas"][reference]
        assert schema["additionalProperties"] is False, reference
        for example in schema.get("examples", ()):
            whole = {**schema, "components": DESCRIBED["components"]}
            required = set(schema.get("required", ()))
            if required <= set(example):
                jsonschema.validate(example, whole)


def test_answers_are_as_described(erp: ErpAndTemporal, acting_for: ActingFor) -> None:
    erp.refused("pay_1")
    olga = acting_for("olga")
    for asked, name in (
        ("/payments", "PaymentsPage"),
        ("/payments/demo/pay_1", "PaymentDetail"),
        ("/parked", "ItemsPage"),
    ):
        schema = {**DESCRIBED["components"]["schemas"][name], "components": DESCRIBED["components"]}
        jsonschema.validate(olga.get(asked).json(), schema)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/payments?limit=0", 422, "invalid"),
        ("/payments?limit=x", 422, "invalid"),
        ("/payments?currency=eur", 422, "invalid"),
        ("/payments?least=-1", 422, "invalid"),
        ("/payments?status=nonsense", 400, "unclear"),
        ("/payments?after=nonsense", 400, "unclear"),
        ("/parked?after=nonsense", 400, "unclear"),
        ("/bookings?agency=demo&after=W10", 400, "unclear"),
        ("/plans?agency=nobody", 404, "not_found"),
        ("/nowhere", 404, "not_found"),
        ("/payments/sync-now", 405, "method_not_allowed"),
    ],
)
def test_what_is_asked_wrongly_is_a_problem_that_names_the_rule(
    acting_for: ActingFor, path: str, status: int, code: str
) -> None:
    answer = acting_for("olga").get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "<script" not in answer.text


def test_the_description_is_served_and_written(console: FastAPI, acting_for: ActingFor, tmp_path: Path) -> None:
    assert acting_for("vera").get("/openapi.json").json() == DESCRIBED
    target = tmp_path / "openapi.json"
    assert CliRunner().invoke(app, ["api", "openapi", str(target)]).exit_code == 0
    assert json.loads(target.read_text("utf-8")) == DESCRIBED
