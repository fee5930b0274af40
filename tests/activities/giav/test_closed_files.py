"""A fact that comes after its file was closed is written all the same, and the file is closed again (contracts: giav 2.4, 4)."""

from __future__ import annotations

import pytest

from sandbox.faults import Kind
from tests import stories
from tests.activities.giav.desk import Desk

PENDING = {"CierreExpFacturados": False, "CierreExpCobrados": False}


def closed(desk: Desk) -> None:
    """A booking whose file a person closed."""
    desk.registered()
    books = desk.stand_in.books
    (file,) = books.records.all("Expediente")
    books.records.change("Expediente", file, Cerrado=True)
    office = books.records.get("Oficina", file["IdOficina"])
    assert office is not None
    books.records.change("Oficina", office, **PENDING)
    books.records.commit()
    desk.calls()


@pytest.mark.covers("giav 4: payment")
@pytest.mark.parametrize("operation", [None, "Expediente_OPEN", "Expediente_CLOSE", "Cobro_POST"])
@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER, Kind.DROP_BEFORE])
def test_money_for_a_closed_file_is_posted_and_the_file_closed_again(
    desk: Desk, operation: str | None, kind: Kind
) -> None:
    closed(desk)
    if operation is not None:
        desk.fault(operation, kind, skip=1 if operation == "Cobro_POST" else 0)
    step = desk.payment()
    desk.insist(desk.activities.record_payment, step)
    assert desk.money_lines() == [("Cobro", "300.00")]
    assert desk.invoice_lines() == [("Normal", "300.00")]
    assert desk.held("Expediente")[0]["Cerrado"]
    made = desk.calls()
    assert made.count("Expediente_OPEN") <= 2
    desk.activities.record_payment(step)
    assert set(desk.calls()) <= {"DueDate_SEARCH"}


def test_a_file_that_was_open_is_never_closed_by_a_payment(desk: Desk) -> None:
    desk.registered()
    desk.activities.record_payment(desk.payment())
    assert {"Expediente_OPEN", "Expediente_CLOSE"} & set(desk.calls()) == set()
    assert not desk.held("Expediente")[0]["Cerrado"]


def test_what_opening_and_closing_did_is_on_record(desk: Desk) -> None:
    closed(desk)
    desk.activities.record_payment(desk.payment())
    done = [
        record.key.operation
        for record in desk.store.effects.of_booking(stories.AGENCY, "bkg_500", "giav")
        if record.key.entity == "closed expediente"
    ]
    assert done == ["open", "close"]
