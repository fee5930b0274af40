"""Parked items, plans and bookings through the API: found, decided, ordered, and nothing beyond one's rights."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from domain.steps import Parking
from store import Store
from store.installation import Installation
from tests.api.conftest import ActingFor
from tests.console.conftest import Clock
from tests.desk.payments_at_work import ErpAndTemporal


def parked(store: Store, clock: Clock, name: str, hours: int = 24, **more: Any) -> None:
    given = {
        "agency": "demo",
        "item_id": name,
        "workflow_id": f"booking/demo/{name}/create",
        "verb": "giav.register_booking",
        "reason": "Refused",
        "detail": "GIAV said no",
        "fault": "Refused",
        "decisions": ("retry", "skip"),
        "since": clock(),
    }
    store.parked.open(Parking.model_validate(given | more), "operations", clock() + timedelta(hours=hours))


def test_items_come_by_deadline_in_pages_and_only_those_of_ones_agencies(
    store: Store, clock: Clock, acting_for: ActingFor
) -> None:
    for number in (3, 1, 2):
        parked(store, clock, f"prk_{number}", hours=number)
    parked(store, clock, "prk_other", agency="other")
    olga = acting_for("olga")
    first = olga.get("/parked", params={"limit": 2}).json()
    rest = olga.get("/parked", params={"limit": 2, "after": first["next"]}).json()
    assert [each["item_id"] for each in first["items"] + rest["items"]] == ["prk_1", "prk_2", "prk_3"]
    assert rest["next"] is None
    assert olga.get("/parked/prk_other").status_code == 404
    assert olga.post("/parked/prk_other/decision", json={"decision": "retry"}).status_code == 404
    assert len(acting_for("ada").get("/parked").json()["items"]) == 4


def test_an_answer_reaches_the_workflow_in_the_persons_name(
    store: Store, clock: Clock, acting_for: ActingFor, erp: ErpAndTemporal
) -> None:
    parked(store, clock, "prk_1")
    olga = acting_for("olga")
    assert olga.post("/parked/prk_1/decision", json={"decision": "adopt", "outside_id": "7"}).status_code == 400
    answer = olga.post("/parked/prk_1/decision", json={"decision": "retry", "explanation": "the series is open"})
    assert answer.json() == {"item_id": "prk_1", "decision": "retry", "answer": "decide was heard"}
    shown = olga.get("/parked/prk_1").json()
    assert [(each["by"], each["explanation"]) for each in shown["taken"]] == [("olga", "the series is open")]
    assert olga.post("/parked/prk_1/decision", json={"decision": "retry"}).status_code == 409
    deeds = [line.deed for line in store.audit_trail.list(actor="olga")]
    assert [(deed.action, deed.outcome) for deed in deeds] == [
        ("park.retry", "refused"),
        ("park.retry", "done"),
        ("park.adopt", "refused"),
    ]


def test_leaving_a_payment_out_of_the_erp_is_a_supervisors(store: Store, clock: Clock, acting_for: ActingFor) -> None:
    parked(store, clock, "prk_1", reason="payment_paid_otherwise")
    given = {"decision": "skip", "explanation": "the agency booked it by hand"}
    assert acting_for("olga").post("/parked/prk_1/decision", json=given).status_code == 403
    assert acting_for("sofia").post("/parked/prk_1/decision", json=given).status_code == 200


def test_bookings_are_found_and_tell_what_happened(
    erp: ErpAndTemporal, settled: Installation, acting_for: ActingFor
) -> None:
    erp.sold(settled, "pay_1")
    erp.refused("pay_1")
    olga = acting_for("olga")
    found = olga.get("/bookings", params={"agency": "demo", "reference": "KX7Q2P"}).json()["items"]
    assert [each["booking"] for each in found] == ["bkg_500"]
    shown = olga.get("/bookings/demo/bkg_500").json()
    assert shown["payer"] == "Ana Prueba Ejemplo"
    told = [(each["what"], each["subject"]) for each in shown["timeline"]]
    assert ("payment.captured", "pay_1") in told
    assert ("failed", "pay_1") in told
    assert acting_for("vera").get("/bookings/demo/bkg_500").json()["payer"] == "A. P. E."
    assert olga.get("/bookings/demo/bkg_9").status_code == 404
    assert olga.get("/bookings/other/bkg_500").status_code == 404


def test_an_order_about_a_plan_that_does_not_exist_is_refused_and_in_the_trail(
    store: Store, acting_for: ActingFor
) -> None:
    olga = acting_for("olga")
    given = {"why": "the payer asked for time"}
    assert olga.post("/plans/demo/bkg_9/pause", json=given).status_code == 404
    assert acting_for("vera").post("/plans/demo/bkg_9/pause", json=given).status_code == 403
    assert olga.get("/plans/demo/bkg_9").status_code == 404
    assert olga.get("/plans", params={"agency": "demo"}).json() == {"items": [], "next": None}
    assert [line.deed.outcome for line in store.audit_trail.list(action="plan.pause")] == ["refused", "refused"]
