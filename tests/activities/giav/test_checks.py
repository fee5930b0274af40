"""The nightly check names what differs between GIAV and our ledger, and writes nothing there (contracts: giav 4; payment-sync 28)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from activities.giav import checking
from activities.giav.checks import GiavChecks
from activities.giav.office import GiavAccount
from domain.check_steps import FilesCheck, FilesChecked, InvoicesCheck
from domain.invoicing import alarm_at
from domain.steps import DecisionTaken
from sandbox.faults import Kind
from sandbox.giav import seeds
from store.parked import ParkedItem
from tests import stories
from tests.activities.giav.desk import NOW, Desk, section

ORDER = FilesCheck(agency=stories.AGENCY)


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written a moment ago counts as written long ago."""
    monkeypatch.setattr(checking, "LAG", -checking.LAG)


def checks(desk: Desk, now: datetime = NOW) -> GiavChecks:
    return GiavChecks(desk.store, {stories.AGENCY: GiavAccount.open(section(desk.url))}, lambda: now)


def found(desk: Desk) -> FilesChecked:
    return checks(desk).check_files(ORDER)


def items(desk: Desk) -> list[ParkedItem]:
    return desk.store.parked.list(stories.AGENCY)


def paid(desk: Desk) -> None:
    desk.registered()
    desk.activities.record_payment(desk.payment())
    desk.calls()


def typed_over(desk: Desk, entity: str, own: int, **changes: Any) -> None:
    books = desk.stand_in.books
    record = books.records.get(entity, own)
    assert record is not None
    books.records.change(entity, record, **changes)
    books.records.commit()


@pytest.mark.usefixtures("settled")
@pytest.mark.covers("giav 4: nightly check")
def test_a_file_that_agrees_costs_four_reads_and_opens_nothing(desk: Desk) -> None:
    paid(desk)
    assert found(desk) == FilesChecked(compared=1)
    assert desk.calls() == ["Expediente_InfoEconomica_GET", "Reservas_SEARCH", "Cobro_SEARCH", "Factura_SEARCH"]
    assert items(desk) == []


@pytest.mark.usefixtures("settled")
@pytest.mark.covers("giav 4: nightly check")
def test_a_cobro_that_is_gone_is_named_as_reversed_until_it_is_back(desk: Desk) -> None:
    paid(desk)
    records = desk.stand_in.books.records
    cobro = records.all("Cobro")[0]
    records.remove("Cobro", cobro["Id"])
    assert found(desk).differing == 1
    (item,) = items(desk)
    assert (item.reason, item.payment_id, item.owner) == ("erp_reversed", "pay_1001", "accounting")
    assert item.amount is not None
    assert item.amount.amount == 30000
    found(desk)
    assert len(items(desk)) == 1, "the same trouble is one item"
    records.add("Cobro", cobro)
    found(desk)
    assert items(desk) == [], "what is right again is off the list"


@pytest.mark.usefixtures("settled")
@pytest.mark.covers("giav 4: nightly check")
@pytest.mark.parametrize(
    ("entity", "changes", "words"),
    [
        ("Reserva", {"VentaComis": 900.0}, "ventacomis is 900.00"),
        ("Cobro", {"Importe": 250.0}, "amounts to 250.00"),
        ("Factura", {"total": 310.0}, "amounts to 310.00"),
    ],
)
def test_an_amount_that_somebody_typed_over_is_named(
    desk: Desk, entity: str, changes: dict[str, Any], words: str
) -> None:
    paid(desk)
    own = desk.container()["Id"] if entity == "Reserva" else desk.held(entity)[0]["Id"]
    typed_over(desk, entity, own, **changes)
    found(desk)
    assert any(words in item.detail for item in items(desk))
    assert {item.reason for item in items(desk)} == {"giav_differs"}


@pytest.mark.usefixtures("settled")
def test_money_and_lines_that_are_not_ours_are_named_and_a_seen_item_stays_closed(desk: Desk) -> None:
    paid(desk)
    records = desk.stand_in.books.records
    by_hand = {name: value for name, value in records.all("Cobro")[0].items() if name != "Id"}
    records.add("Cobro", by_hand | {"Documento": "hand"})
    records.commit()
    line = desk.lines()["lin_01"]["Id"]
    typed_over(desk, "Reserva", line, Anidacion_IdReservaContenedora=None)
    found(desk)
    details = [item.detail for item in items(desk)]
    assert any("is not ours" in each for each in details)
    assert any("does not hang under its container" in each for each in details)
    for item in items(desk):
        seen = DecisionTaken(item_id=item.item_id, decision="skip", by="Ana", explanation="booked by hand, agreed")
        desk.store.parked.close(item.item_id, seen)
    found(desk)
    assert items(desk) == []


def test_a_file_with_something_on_its_way_is_left_for_another_night(desk: Desk) -> None:
    paid(desk)
    desk.fault("Cobro_POST", Kind.REFUSE)
    with pytest.raises(Exception, match="Refused"):
        desk.activities.record_payment(desk.payment("pay_2", 10000))
    assert found(desk) == FilesChecked(left_out=1)


def test_an_agency_without_giav_has_nothing_to_check(desk: Desk) -> None:
    assert GiavChecks(desk.store, {}, lambda: NOW).check_files(ORDER) == FilesChecked()


@pytest.mark.covers("1.1.3")
@pytest.mark.parametrize(
    ("captured", "company", "alarm"),
    [
        ("2026-11-20T10:15:00Z", False, "2026-11-20T22:00:00Z"),
        ("2026-11-20T22:30:00Z", False, "2026-11-20T22:30:00Z"),
        ("2026-07-20T21:59:00Z", False, "2026-07-20T21:59:00Z"),
        ("2026-11-20T10:15:00Z", True, "2026-12-09T23:00:00Z"),
        ("2026-12-31T23:30:00Z", True, "2027-02-09T23:00:00Z"),
    ],
)
def test_a_consumer_s_invoice_is_missed_at_23_and_a_company_s_on_day_10(
    captured: str, company: bool, alarm: str
) -> None:
    at = alarm_at(datetime.fromisoformat(captured), company=company)
    assert at.astimezone(UTC) == datetime.fromisoformat(alarm)


@pytest.mark.covers("1.1.3")
def test_a_payment_without_its_invoice_is_on_the_list_until_it_has_one(desk: Desk) -> None:
    desk.registered()
    step = desk.payment(captured_at="2026-11-20T10:15:00Z")
    early = datetime(2026, 11, 20, 21, 59, tzinfo=UTC)
    late = datetime(2026, 11, 20, 22, 1, tzinfo=UTC)
    order = InvoicesCheck(agency=stories.AGENCY)
    assert checks(desk, early).check_invoices(order).late == 0
    assert checks(desk, late).check_invoices(order).late == 1
    (item,) = items(desk)
    assert (item.reason, item.payment_id) == ("invoice_late", "pay_1001")
    desk.activities.record_payment(step)
    assert checks(desk, late).check_invoices(order).late == 0
    assert items(desk) == []


@pytest.mark.covers("giav 4: experience created, taken back")
@pytest.mark.parametrize("kind", [None, Kind.DROP_AFTER, Kind.ERROR_AFTER, Kind.DROP_BEFORE])
def test_an_expediente_is_deleted_while_it_is_empty(desk: Desk, kind: Kind | None) -> None:
    step = desk.experience()
    desk.activities.open_experience(step)
    if kind is not None:
        desk.fault("Expediente_DELETE", kind)
    desk.insist(checks(desk).undo_open_experience, step)
    assert desk.held("Expediente") == []
    desk.activities.open_experience(step)
    assert len(desk.held("Expediente")) == 1


@pytest.mark.covers("giav 4: experience created, taken back")
def test_an_expediente_with_a_booking_is_marked_as_cancelled_instead(desk: Desk) -> None:
    desk.registered()
    step = desk.experience(2)
    done = checks(desk).undo_open_experience(step)
    assert "marked as cancelled" in done.note
    (file,) = desk.held("Expediente")
    assert file["IdEntityStage"] == seeds.FILE_CANCELLED
