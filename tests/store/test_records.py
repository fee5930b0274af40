"""Documents, transfers and the ends of lifecycles."""

from datetime import date
from typing import Any

import pytest

from domain.errors import ContractBroken
from domain.money import Money
from domain.steps import LifecycleOutcome
from store import Store
from store.documents import Document

DAY = date(2026, 11, 20)


def document(key: str = "inv:pay_1001", amount: int = 30000, **changes: object) -> Document:
    values = {
        "agency": "sol",
        "system": "giav",
        "kind": "invoice",
        "key": key,
        "number": "E-1",
        "outside_id": "1",
        "booking_id": "bkg_500",
        "payment_id": "pay_1001",
        "amount": Money(amount=amount, currency="EUR"),
        "issued_on": DAY,
        "operation_date": DAY,
    }
    return Document.model_validate(values | changes)


NOTE = {"kind": "credit_note", "refers_to": "inv:pay_1001", "number": "R-1", "outside_id": "2"}


def test_a_document_is_recorded_once_and_found_by_booking_and_payment(store: Store) -> None:
    original, note = document(), document("rect:cxl_12:pay_1001", -30000, **NOTE)
    for recorded in (original, note, original):
        store.documents.record(recorded)
    assert store.documents.of_booking("sol", "bkg_500") == [original, note]
    assert store.documents.of_booking("sol", "bkg_500", "easycount") == []
    assert store.documents.of_payment("sol", "pay_1001") == [original, note]
    assert store.documents.get("sol", "giav", note.key) == note


@pytest.mark.parametrize("changes", [{"amount": 30001}, {"outside_id": "2"}])
def test_a_document_never_changes(store: Store, changes: dict[str, Any]) -> None:
    store.documents.record(document())
    with pytest.raises(ContractBroken):
        store.documents.record(document(**changes))


def test_a_transfer_shows_the_newest_state_of_a_line(store: Store) -> None:
    store.transfers.record("sol", "midoco", "bkg_500", "lin_02", "not_transferred", "a bus has no place there")
    store.transfers.record("sol", "midoco", "bkg_500", "lin_01", "transferred", outside_id="77")
    store.transfers.record("sol", "midoco", "bkg_500", "lin_01", "cancelled", "booking cancelled", "77")
    assert [(t.line_id, t.state, t.reason) for t in store.transfers.list("sol", booking_id="bkg_500")] == [
        ("lin_01", "cancelled", "booking cancelled"),
        ("lin_02", "not_transferred", "a bus has no place there"),
    ]
    assert [t.line_id for t in store.transfers.list(state="not_transferred")] == ["lin_02"]


def outcome(workflow_id: str, kind: str, result: str = "done") -> LifecycleOutcome:
    return LifecycleOutcome.model_validate(
        {
            "agency": "sol",
            "workflow_id": workflow_id,
            "kind": kind,
            "booking_id": "bkg_500",
            "experience_id": "exp_31",
            "outcome": result,
            "notes": ["nothing for the mid-office"],
        }
    )


def test_the_end_of_a_lifecycle_is_written_once_and_listed(store: Store) -> None:
    store.lifecycles.close(outcome("booking/sol/bkg_500/create", "create"))
    store.lifecycles.close(outcome("booking/sol/bkg_500/cancel", "cancel", "partial"))
    store.lifecycles.close(outcome("booking/sol/bkg_500/create", "create"))
    assert [c.outcome.kind for c in store.lifecycles.of_booking("sol", "bkg_500")] == ["create", "cancel"]
    assert [c.outcome.kind for c in store.lifecycles.of_experience("sol", "exp_31")] == ["create", "cancel"]
    assert [c.outcome.kind for c in store.lifecycles.list("sol")] == ["cancel", "create"]
    assert [c.outcome.notes for c in store.lifecycles.list(outcome="partial")] == [("nothing for the mid-office",)]
    assert store.lifecycles.counts() == {("create", "done"): 1, ("cancel", "partial"): 1}
