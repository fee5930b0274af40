"""Payments through the API: what is found, what both sides show, what may be done and by whom (contracts: payment-sync 4, 5, 8)."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from domain.payment_sync import Failing, Kind, State, Verdict
from store import Store
from store.installation import Installation
from tests.api.conftest import ActingFor
from tests.console.conftest import Clock
from tests.desk.payments_at_work import ErpAndTemporal

WHY = "seen in the ERP with the accountant"


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["payment"] for row in answer.json()["items"]]


def version(client: TestClient, payment: str) -> int:
    return int(client.get(f"/payments/demo/{payment}").json()["version"])


def tell(client: TestClient, payment: str, command: str, **told: Any) -> Any:
    given = {"expected_version": version(client, payment)} | told
    return client.post(f"/payments/demo/{payment}/{command}", json=given)


def trail(store: Store) -> list[tuple[str, str, str, str]]:
    deeds = [line.deed for line in store.audit_trail.list() if line.deed.way == "api"]
    return [(deed.actor, deed.action, deed.object, deed.outcome) for deed in deeds]


def test_filters_combine_and_what_is_not_synchronised_and_oldest_comes_first(
    erp: ErpAndTemporal, acting_for: ActingFor
) -> None:
    erp.refused("pay_young", age=timedelta(hours=1))
    erp.refused("pay_old", age=timedelta(days=3), amount=50_000)
    erp.refused("pay_login", failing=Failing.AUTH, age=timedelta(days=2))
    erp.refused("pay_elsewhere", agency="other")
    olga = acting_for("olga")
    assert ids(olga.get("/payments")) == ["pay_old", "pay_login", "pay_young"]
    assert ids(olga.get("/payments", params={"cause": "business", "older_than_hours": 24})) == ["pay_old"]
    assert ids(olga.get("/payments", params={"cause": ["auth", "business"], "most": 30_000})) == [
        "pay_login",
        "pay_young",
    ]
    assert ids(olga.get("/payments", params={"status": "Pagado sin sincronizar", "name": "pay_old"})) == ["pay_old"]
    assert ids(olga.get("/payments", params={"status": "synced_auto"})) == []
    assert ids(acting_for("ada").get("/payments", params={"agency": "other"})) == ["pay_elsewhere"]
    first = olga.get("/payments", params={"limit": 2}).json()
    assert ids(olga.get("/payments", params={"limit": 2, "after": first["next"]})) == ["pay_young"]
    counted = olga.get("/payments/waiting").json()
    assert [(each["cause"], each["number"]) for each in counted] == [("business", 2), ("auth", 1)]


def test_a_payment_lies_beside_the_erps_receipts_with_what_is_the_same_on_both_sides(
    erp: ErpAndTemporal, acting_for: ActingFor, settled: Installation
) -> None:
    erp.sold(settled, "pay_1")
    erp.seen("pay_1", Verdict.SAME_PAYMENT)
    shown = acting_for("olga").get("/payments/demo/pay_1").json()
    (receipt,) = shown["receipts"]
    assert receipt["same"] == ["amount", "authorisation", "method", "day"]
    assert (shown["ours"]["authorisation"], receipt["authorisation"], receipt["user"]) == ("0A-4711", "a4711", "marta")
    assert (shown["customer"], shown["locator"]) == ("Ana Prueba Ejemplo", "KX7Q2P")
    assert (shown["evidence"]["verdict"], shown["suggestion"]) == ("same_payment", "sync_manually")
    assert [line["event"] for line in shown["timeline"]] == ["captured", "start", "probed"]
    why_not = {each["command"]: each["why_not"] for each in shown["actions"]}
    assert why_not["sync_manually"] == ""
    assert "same_payment" in why_not["sync_now"]
    assert shown["workflow_page"].endswith("/workflows/payment%2Fdemo%2Fpay_1")


def test_the_last_error_of_the_erp_is_shown_whole(erp: ErpAndTemporal, acting_for: ActingFor) -> None:
    erp.refused("pay_1", "Serie F25 cerrada: " + "x" * 400)
    assert acting_for("vera").get("/payments/demo/pay_1").json()["last_error"]["words"].endswith("x" * 400)


def test_viewers_see_initials_and_command_nothing(
    erp: ErpAndTemporal, acting_for: ActingFor, settled: Installation, store: Store
) -> None:
    erp.sold(settled, "pay_1")
    erp.refused("pay_1")
    vera = acting_for("vera")
    shown = vera.get("/payments/demo/pay_1").json()
    assert shown["customer"] == "A. P. E."
    assert all(each["why_not"] for each in shown["actions"])
    refused = tell(vera, "pay_1", "claim")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    assert refused.headers["content-type"] == "application/problem+json"
    assert trail(store) == [("vera", "payment.claim", "demo/pay_1", "refused")]
    assert erp.told == []


@pytest.mark.covers("F-P17")
def test_sync_now_writes_only_what_a_fresh_look_shows_as_unpaid(
    erp: ErpAndTemporal, acting_for: ActingFor, store: Store
) -> None:
    erp.refused("pay_open")
    erp.refused("pay_there")
    erp.shows["pay_there"] = Verdict.PAID_OTHERWISE
    olga = acting_for("olga")
    assert tell(olga, "pay_open", "sync-now").json()["state"] == "synced_auto"
    refused = tell(olga, "pay_there", "sync-now")
    told = refused.json()
    assert (refused.status_code, told["code"], told["state"]) == (409, "refused", "unsynced")
    assert told["evidence"]["verdict"] == "paid_otherwise"
    assert erp.state("pay_there") is State.UNSYNCED
    assert [outcome for *_, outcome in trail(store)] == ["refused", "done"]


def test_sync_manually_wants_words_and_the_same_payment_or_a_supervisors_second_explanation(
    erp: ErpAndTemporal, acting_for: ActingFor, store: Store
) -> None:
    erp.seen("pay_1", Verdict.SAME_PAYMENT)
    erp.seen("pay_2", Verdict.INCONCLUSIVE)
    olga, sofia = acting_for("olga"), acting_for("sofia")
    assert tell(olga, "pay_1", "sync-manually", explanation="short").status_code == 422
    assert tell(olga, "pay_1", "sync-manually", explanation=WHY).json()["state"] == "synced_manual"
    assert tell(olga, "pay_2", "sync-manually", explanation=WHY).status_code == 409
    forged = tell(olga, "pay_2", "sync-manually", explanation=WHY, override="the bank has confirmed it")
    assert (forged.status_code, forged.json()["code"]) == (403, "not_allowed")
    done = tell(sofia, "pay_2", "sync-manually", explanation=WHY, override="the bank has confirmed it")
    assert done.json()["state"] == "synced_manual"
    last = store.payment_sync.transitions("demo", "pay_2")[-1]
    assert (last.actor, last.actor_type.value) == ("sofia", "supervisor")
    assert last.explanation == f"{WHY} / the bank has confirmed it"
    undone = tell(olga, "pay_1", "undo-manual", explanation=WHY)
    assert undone.status_code == 403
    assert tell(sofia, "pay_1", "undo-manual", explanation=WHY).json()["state"] == "unsynced"


def test_a_duplicate_goes_by_the_customers_choice(erp: ErpAndTemporal, acting_for: ActingFor) -> None:
    olga = acting_for("olga")
    for payment in ("pay_back", "pay_credit"):
        erp.seen(payment, Verdict.PAID_OTHERWISE)
        assert tell(olga, payment, "claim").json()["state"] == "in_review"
        assert tell(olga, payment, "declare-duplicate").json()["state"] == "duplicate"
        assert tell(olga, payment, "ask-customer").json()["state"] == "awaiting_customer"
    assert tell(olga, "pay_back", "choose-refund").json()["state"] == "refund_requested"
    assert tell(olga, "pay_back", "refund-done", reference="re_9").json()["state"] == "refunded"
    erp.shows["pay_credit"] = Verdict.UNPAID
    assert tell(olga, "pay_credit", "choose-credit", explanation="by telephone").json()["state"] == "credited"


@pytest.mark.covers("K2")
def test_of_two_operators_at_once_the_second_is_told(erp: ErpAndTemporal, acting_for: ActingFor) -> None:
    erp.refused("pay_1")
    olga, sofia = acting_for("olga"), acting_for("sofia")
    seen = version(sofia, "pay_1")
    assert tell(olga, "pay_1", "claim").status_code == 200
    late = sofia.post("/payments/demo/pay_1/claim", json={"expected_version": seen})
    assert (late.status_code, late.json()["code"], late.json()["version"]) == (409, "moved_on", seen + 1)
    now = tell(sofia, "pay_1", "claim")
    assert (now.status_code, now.json()["code"]) == (409, "refused")
    assert "olga is looking at it" in now.json()["detail"]
    assert tell(olga, "pay_1", "release").json()["state"] == "unsynced"


def test_a_batch_looks_at_each_payment_and_says_what_became_of_it(
    erp: ErpAndTemporal, acting_for: ActingFor, store: Store
) -> None:
    erp.refused("pay_1", age=timedelta(days=1))
    erp.refused("pay_2")
    erp.refused("pay_3", failing=Failing.AUTH)
    erp.shows["pay_2"] = Verdict.PAID_OTHERWISE
    lines = acting_for("olga").post("/payments/sync-now", json={"agency": "demo", "cause": "business"}).json()
    assert [(line["payment"], line["accepted"]) for line in lines] == [("pay_1", True), ("pay_2", False)]
    assert erp.state("pay_3") is State.UNSYNCED
    assert sorted(erp.told) == [("pay_1", Kind.SYNC_NOW.value), ("pay_2", Kind.SYNC_NOW.value)]
    assert len(trail(store)) == 2
    assert (
        acting_for("vera").post("/payments/sync-now", json={"agency": "demo", "cause": "business"}).status_code == 403
    )


def test_the_export_is_whole_and_no_text_in_it_becomes_a_formula(
    erp: ErpAndTemporal, acting_for: ActingFor, store: Store
) -> None:
    erp.refused("pay_1", "=cmd|' /C calc'!A0")
    for number in range(2, 8):
        erp.seen(f"pay_{number}", Verdict.PAID_OTHERWISE)
    answer = acting_for("olga").get("/payments.csv", params={"order": "newest"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["payment"] for row in rows} == {f"pay_{number}" for number in range(1, 8)}
    assert {row["amount"] for row in rows} == {"300.00"}
    assert [line.deed.actor for line in store.audit_trail.list(action="payment.export")] == ["olga"]
    broken = acting_for("olga").get("/payments.csv", params={"cause": "nonsense"})
    assert (broken.status_code, broken.json()["code"]) == (400, "unclear")


def test_what_belongs_to_others_looks_like_what_does_not_exist(erp: ErpAndTemporal, acting_for: ActingFor) -> None:
    erp.refused("pay_1", agency="other")
    olga = acting_for("olga")
    theirs, nobodys = olga.get("/payments/other/pay_1"), olga.get("/payments/demo/pay_1")
    assert (theirs.status_code, nobodys.status_code) == (404, 404)
    assert theirs.json() | {"detail": ""} == nobodys.json() | {"detail": ""}
    assert olga.post("/payments/other/pay_1/claim", json={"expected_version": 1}).status_code == 404
    assert olga.post("/payments/sync-now", json={"agency": "other", "cause": "business"}).status_code == 404
    assert olga.get("/payments", params={"agency": "other"}).status_code == 404


def test_without_temporal_nothing_is_done_and_the_caller_may_try_again(
    erp: ErpAndTemporal, acting_for: ActingFor, store: Store, clock: Clock
) -> None:
    erp.refused("pay_1")
    erp.away = True
    answer = tell(acting_for("olga"), "pay_1", "claim")
    assert (answer.status_code, answer.json()["code"]) == (503, "temporal_away")
    assert answer.headers["retry-after"]
    assert trail(store) == [("olga", "payment.claim", "demo/pay_1", "failed")]
