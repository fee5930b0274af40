"""The receiver answers as the contract says, on real HTTP (contracts: platform-events 3)."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from starter.gateway.app import LARGEST_BODY, build_app
from store import Store
from tests.starter.agency import (
    NOW,
    OLD_SECRET,
    OTHER_SECRET,
    SECRET,
    booking_created,
    event,
    installation,
    payment_captured,
    raw,
    signed,
)
from tests.starter.conftest import serving

VECTOR_ID = "evt_01JD0000000000000000000001"
VECTOR_BODY = (
    '{"specversion":"1.0","id":"evt_01JD0000000000000000000001","source":"https://platform.example/planners/pl_7Q2",'
    '"type":"example.planner.payment.captured.v1","subject":"payment/pay_1001","time":"2026-11-20T10:15:00Z",'
    '"datacontenttype":"application/json","partitionkey":"bkg_500","sequence":"00000000000000000042",'
    '"data":{"schema_version":1,"environment":"test","planner_id":"pl_7Q2",'
    '"aggregate":{"type":"payment","id":"pay_1001","revision":1},'
    '"payment":{"id":"pay_1001","booking_id":"bkg_500","amount":{"amount":30000,"currency":"EUR"}}}}'
)
VECTOR_SIGNATURE = "v1,ac8ypacVfgnwVpfmErr8iyk7NYx6NmVxcD7coZgZ1FU="
ROTATION = f"v1,Yx4B5IwPtHoHQlvlz/3bD8pcDIH8SAiahYNCpi2Chak= {VECTOR_SIGNATURE}"


def post(gateway: httpx.Client, body: str, headers: dict[str, str]) -> httpx.Response:
    return gateway.post("/events", content=body.encode(), headers=headers)


def deliver(gateway: httpx.Client, content: dict[str, Any], **how: Any) -> httpx.Response:
    body = raw(content)
    return post(gateway, body, signed(body, content["id"], **how))


def vector_headers(**changes: str) -> dict[str, str]:
    headers = {
        "content-type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": VECTOR_ID,
        "webhook-timestamp": str(NOW),
        "webhook-signature": VECTOR_SIGNATURE,
    }
    return headers | changes


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["title"]


def stored(store: Store) -> list[str]:
    return [event.event_id for event in store.inbox.list()]


def test_the_test_vector_is_the_one_of_the_contract() -> None:
    assert len(VECTOR_BODY) == 536
    digest = hashlib.sha256(VECTOR_BODY.encode()).hexdigest()
    assert digest == "e27a0c1ba092547052248482f9230fc88847cb355d2d0f3352de107b327ba995"


def test_the_test_vector_is_accepted_and_parked_because_its_data_is_short(gateway: httpx.Client, store: Store) -> None:
    answer = post(gateway, VECTOR_BODY, vector_headers())
    assert (answer.status_code, answer.content) == (202, b"")
    kept = store.inbox.get("demo", VECTOR_ID)
    assert kept is not None
    assert kept.state == "parked"
    assert kept.body == VECTOR_BODY.encode()
    assert [item.event_id for item in store.parked.list("demo")] == [VECTOR_ID]


def test_both_signatures_of_a_rotation_are_accepted(gateway: httpx.Client) -> None:
    assert post(gateway, VECTOR_BODY, vector_headers(**{"webhook-signature": ROTATION})).status_code == 202


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_active_and_retiring_secrets_verify_alone(gateway: httpx.Client, secret: str) -> None:
    assert deliver(gateway, payment_captured(), secret=secret).status_code == 202


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_a_rotation_verifies_with_either_secret_alone(
    store: Store, tmp_path: Path, clock: Callable[[], datetime], secret: str
) -> None:
    only = installation(tmp_path).model_dump(mode="json")
    only["agencies"]["demo"]["platform"]["webhook_secrets"] = [{"value": secret}]
    only["store"] = {}
    only["agencies"].pop("other")
    settings = type(installation(tmp_path)).model_validate(only)
    with serving(build_app(settings, store, now=clock)) as address:
        answer = httpx.post(
            f"{address}/events", content=VECTOR_BODY, headers=vector_headers(**{"webhook-signature": ROTATION})
        )
    assert answer.status_code == 202


def test_a_revoked_secret_verifies_nothing(store: Store, tmp_path: Path, clock: Callable[[], datetime]) -> None:
    settings = installation(tmp_path)
    platform = settings.agencies["demo"].platform
    revoked = tuple(secret.model_copy(update={"state": "revoked"}) for secret in platform.webhook_secrets)
    demo = settings.agencies["demo"].model_copy(
        update={"platform": platform.model_copy(update={"webhook_secrets": revoked})}
    )
    settings = settings.model_copy(update={"agencies": {"demo": demo}})
    with serving(build_app(settings, store, now=clock)) as address:
        refused(
            httpx.post(f"{address}/events", content=VECTOR_BODY, headers=vector_headers()), 401, "signature_invalid"
        )


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "v2,ac8ypacVfgnwVpfmErr8iyk7NYx6NmVxcD7coZgZ1FU=",
        "v1,",
        "v1",
        "v1,ac8ypacVfgnwVpfmErr8iyk7NYx6NmVxcD7coZgZ1FV=",
        "v1a,ac8ypacVfgnwVpfmErr8iyk7NYx6NmVxcD7coZgZ1FU=",
        "v1,\xe9",
        "ac8ypacVfgnwVpfmErr8iyk7NYx6NmVxcD7coZgZ1FU=",
    ],
)
def test_signatures_that_must_fail(gateway: httpx.Client, store: Store, signature: str) -> None:
    headers = [
        (name, value.encode("latin-1")) for name, value in vector_headers(**{"webhook-signature": signature}).items()
    ]
    answer = gateway.post("/events", content=VECTOR_BODY.encode(), headers=headers)
    refused(answer, 401, "signature_invalid")
    assert stored(store) == []


def test_one_changed_byte_fails(gateway: httpx.Client) -> None:
    refused(post(gateway, VECTOR_BODY.replace("30000", "30001"), vector_headers()), 401, "signature_invalid")


def test_a_body_written_anew_fails(gateway: httpx.Client) -> None:
    refused(post(gateway, json.dumps(json.loads(VECTOR_BODY)), vector_headers()), 401, "signature_invalid")


def test_the_secret_of_another_account_fails(gateway: httpx.Client) -> None:
    refused(deliver(gateway, payment_captured(), secret=OTHER_SECRET), 401, "signature_invalid")


def test_an_unknown_source_looks_like_a_bad_signature(gateway: httpx.Client) -> None:
    unknown = deliver(gateway, payment_captured() | {"source": "https://platform.example/planners/pl_zz"})
    wrong = deliver(gateway, payment_captured(), secret=OTHER_SECRET)
    refused(unknown, 401, "signature_invalid")
    assert unknown.json() == wrong.json()


@pytest.mark.parametrize(("skew", "status"), [(-301, 400), (-299, 202), (299, 202), (301, 400)])
def test_the_clock_may_differ_by_five_minutes(gateway: httpx.Client, skew: int, status: int) -> None:
    answer = deliver(gateway, payment_captured(), at=NOW + skew)
    assert answer.status_code == status
    if status == 400:
        refused(answer, 400, "timestamp_out_of_tolerance")


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_every_header_is_needed(gateway: httpx.Client, missing: str) -> None:
    headers = vector_headers()
    del headers[missing]
    refused(post(gateway, VECTOR_BODY, headers), 400, "header_missing")


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("webhook-id", "evt_01JD.0000000000"),
        ("webhook-id", "msg_01JD0000000000"),
        ("webhook-timestamp", "1795170905.5"),
        ("webhook-timestamp", "+1795170905"),
        ("webhook-timestamp", "soon"),
        ("webhook-timestamp", "9" * 40),
    ],
)
def test_malformed_headers_are_refused(gateway: httpx.Client, header: str, value: str) -> None:
    refused(post(gateway, VECTOR_BODY, vector_headers(**{header: value})), 400, "header_malformed")


def test_the_id_of_the_header_must_be_that_of_the_body(gateway: httpx.Client, store: Store) -> None:
    body = raw(payment_captured(number=1))
    refused(post(gateway, body, signed(body, "evt_01JDanotherone")), 400, "id_mismatch")
    assert stored(store) == []


def test_other_methods_are_refused_with_the_one_that_works(gateway: httpx.Client) -> None:
    answer = gateway.get("/events")
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


def test_other_paths_are_not_found(gateway: httpx.Client) -> None:
    refused(gateway.get("/admin"), 404, "not_found")


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/cloudevents-batch+json", "", "application/cloudevents+json; charset=latin-1"],
)
def test_other_content_types_are_refused(gateway: httpx.Client, content_type: str) -> None:
    refused(post(gateway, VECTOR_BODY, vector_headers(**{"content-type": content_type})), 415, "content_type")


def test_compressed_bodies_are_refused(gateway: httpx.Client) -> None:
    refused(post(gateway, VECTOR_BODY, vector_headers(**{"content-encoding": "gzip"})), 415, "content_encoding")


def padded(size: int) -> dict[str, Any]:
    content = payment_captured()
    content["padding"] = "x" * (size - len(raw(content)) - len(',"padding":""'))
    return content


def test_the_largest_body_is_accepted(gateway: httpx.Client) -> None:
    content = padded(LARGEST_BODY)
    assert len(raw(content)) == 65_536
    assert deliver(gateway, content).status_code == 202


def test_one_byte_more_is_refused(gateway: httpx.Client) -> None:
    refused(deliver(gateway, padded(LARGEST_BODY + 1)), 413, "body_too_large")


def test_a_body_without_declared_length_is_cut_off_at_the_cap(gateway: httpx.Client) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 1024

    refused(gateway.post("/events", content=endless(), headers=vector_headers()), 413, "body_too_large")


BROKEN = {
    "duplicate key": ('{"a":1,"a":2,' + VECTOR_BODY[1:], "duplicate_key"),
    "duplicate key inside data": (VECTOR_BODY.replace('"revision":1', '"revision":1,"revision":2'), "duplicate_key"),
    "not JSON": (VECTOR_BODY[:-1], "envelope_broken"),
    "empty": ("", "envelope_broken"),
    "a list": (f"[{VECTOR_BODY}]", "envelope_broken"),
    "NaN": (VECTOR_BODY.replace("30000", "NaN"), "envelope_broken"),
    "byte order mark": ("\ufeff" + VECTOR_BODY, "envelope_broken"),
    "lone surrogate": (VECTOR_BODY.replace('pl_7Q2","aggregate', '\\ud800","aggregate'), "envelope_broken"),
    "NUL": (VECTOR_BODY.replace('"pl_7Q2"', '"pl\\u0000"'), "envelope_broken"),
    "nested without end": (VECTOR_BODY[:-1] + ',"x":' + "[" * 20_000 + "]" * 20_000 + "}", "envelope_broken"),
    "old version": (VECTOR_BODY.replace('"1.0"', '"0.3"'), "envelope_broken"),
    "no source": (VECTOR_BODY.replace('"source"', '"origin"'), "envelope_broken"),
    "data is a text": (VECTOR_BODY[: VECTOR_BODY.index('"data":{')] + '"data":"x"}', "envelope_broken"),
    "short sequence": (VECTOR_BODY.replace("00000000000000000042", "42"), "envelope_broken"),
    "no time": (VECTOR_BODY.replace("2026-11-20T10:15:00Z", "yesterday"), "envelope_broken"),
    "time without zone": (VECTOR_BODY.replace("10:15:00Z", "10:15:00"), "envelope_broken"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_envelopes_are_refused_and_nothing_is_stored(gateway: httpx.Client, store: Store, case: str) -> None:
    body, code = BROKEN[case]
    refused(post(gateway, body, signed(body, VECTOR_ID)), 400, code)
    assert stored(store) == []


def test_a_broken_envelope_without_a_valid_signature_learns_nothing(gateway: httpx.Client) -> None:
    body, _ = BROKEN["not JSON"]
    headers = signed(body, VECTOR_ID, secret="whsec_" + base64.b64encode(b"n" * 32).decode())
    refused(post(gateway, body, headers), 401, "signature_invalid")


def test_bytes_that_are_not_text_are_refused(gateway: httpx.Client) -> None:
    refused(gateway.post("/events", content=b"\xff\xfe{}", headers=vector_headers()), 400, "envelope_broken")


def test_an_error_never_quotes_the_body(gateway: httpx.Client) -> None:
    body = VECTOR_BODY.replace('"sequence":"00000000000000000042"', '"sequence":"Ana Prueba"')
    answer = post(gateway, body, signed(body, VECTOR_ID))
    refused(answer, 400, "envelope_broken")
    assert "Ana" not in answer.text


def test_an_event_is_stored_projected_and_waits_for_its_workflow(gateway: httpx.Client, store: Store) -> None:
    answer = deliver(gateway, booking_created())
    assert (answer.status_code, answer.content) == (202, b"")
    booking = store.facts.booking("demo", "bkg_500")
    assert booking is not None
    assert booking.totals.total.amount == 82_500
    assert [json.loads(row.notice_json)["booking_id"] for row in store.inbox.undispatched(10)] == ["bkg_500"]


def test_a_second_delivery_changes_nothing(gateway: httpx.Client, store: Store) -> None:
    for skew in (0, 60):
        assert deliver(gateway, payment_captured(), at=NOW + skew).status_code == 202
    assert len(stored(store)) == 1
    assert len(store.inbox.undispatched(10)) == 1


def test_the_same_id_with_another_body_is_parked_and_acknowledged(gateway: httpx.Client, store: Store) -> None:
    assert deliver(gateway, payment_captured(amount=30_000)).status_code == 202
    assert deliver(gateway, payment_captured(amount=30_001)).status_code == 202
    payment = store.facts.payment("demo", "pay_1001")
    assert payment is not None
    assert payment.amount.amount == 30_000
    assert [item.reason for item in store.parked.list("demo")] == ["event_conflict"]


UNUSABLE = {
    "unknown type": event("booking.archived", ("booking", "bkg_500", 3), {}),
    "another version": payment_captured() | {"type": "example.planner.payment.captured.v2"},
    "a missing member": event("payment.captured", ("payment", "pay_1", 1), {}),
    "an amount with decimals": payment_captured(amount=300.5),  # type: ignore[arg-type]
    "another environment": {**payment_captured(), "data": payment_captured()["data"] | {"environment": "live"}},
    "a total off by one cent": booking_created(total_of_line=82_501),
    "another subject": payment_captured() | {"subject": "payment/pay_9999"},
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_data_that_cannot_be_used_is_stored_parked_and_acknowledged(
    gateway: httpx.Client, store: Store, case: str
) -> None:
    assert deliver(gateway, UNUSABLE[case]).status_code == 202
    [kept] = store.inbox.list()
    assert kept.state == "parked"
    assert [item.event_id for item in store.parked.list("demo")] == [kept.event_id]
    assert store.inbox.undispatched(10) == []


def test_nothing_is_acknowledged_while_the_database_is_away(gateway: httpx.Client, store: Store) -> None:
    with store.database.begin() as connection:
        connection.execute(text("ALTER TABLE events RENAME TO hidden"))
    answer = deliver(gateway, payment_captured())
    refused(answer, 503, "not_durable")
    assert int(answer.headers["retry-after"]) > 0
    with store.database.begin() as connection:
        connection.execute(text("ALTER TABLE hidden RENAME TO events"))
    assert deliver(gateway, payment_captured()).status_code == 202


def test_health_tells_alive_from_ready(gateway: httpx.Client, store: Store) -> None:
    assert gateway.get("/health/live").json() == {"status": "ok"}
    assert gateway.get("/health/ready").json() == {"status": "ready"}
    with store.database.begin() as connection:
        connection.execute(text("ALTER TABLE alembic_version RENAME TO hidden"))
    refused(gateway.get("/health/ready"), 503, "store_not_migrated")
    assert gateway.get("/health/live").status_code == 200


def test_a_sender_that_cuts_the_connection_leaves_nothing(gateway: httpx.Client, store: Store) -> None:
    address = gateway.base_url
    with socket.create_connection((str(address.host), address.port or 80)) as wire:
        wire.sendall(b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{")
    assert gateway.get("/health/live").status_code == 200
    assert stored(store) == []


def test_the_interface_is_described(gateway: httpx.Client) -> None:
    described = gateway.get("/openapi.json").json()
    assert set(described["paths"]["/events"]["post"]["responses"]) >= {"202", "400", "401", "413", "415", "503"}
