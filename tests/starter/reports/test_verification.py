"""Our figures compared with GIAV's own over a socket: what differs, what only waits, and that nothing is written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import httpx

from activities.giav.client import GiavClient
from activities.giav.mapping.reservas import as_change
from activities.giav.settings import GiavSettings
from domain.steps import LifecycleOutcome, Parking
from sandbox.faults import Kind
from sandbox.giav import seeds
from store import Store
from tests import stories
from tests.activities.giav.desk import Desk, booking, section
from tests.starter.reports.telling import Report


def settled(desk: Desk) -> None:
    """Every event was handed on."""
    for row in desk.store.inbox.undispatched(100):
        desk.store.inbox.mark_dispatched(row.agency, row.event_id)


def a_season(desk: Desk) -> None:
    """A booking with a deposit in GIAV, and nothing on its way."""
    desk.registered()
    desk.activities.record_payment(desk.payment())
    settled(desk)


def by_hand(desk: Desk, operation: str, **values: Any) -> Any:
    """What somebody does in GIAV behind our back."""
    client = GiavClient(GiavSettings.model_validate(section(desk.url)))
    try:
        return client.call(operation, **values)
    finally:
        client.close()


def a_collection_by_hand(desk: Desk, euros: str = "100.00") -> None:
    [cobro] = desk.held("Cobro")
    by_hand(
        desk,
        "Cobro_POST",
        idFormaPago=seeds.TRANSFER,
        idOficina=seeds.OFFICE,
        idExpediente=cobro["IdExpediente"],
        idCliente=cobro["IdCliente"],
        idTipoOperacion="Cobro",
        importe=euros,
        fechaCobro=date.today().isoformat(),
        documento="mostrador",
        autocompensar=False,
    )


def test_files_that_agree_end_with_0_after_one_call_each(report: Report, desk: Desk) -> None:
    a_season(desk)
    desk.calls()
    ended = report("margins", "--verify", "--json")
    assert (ended.code, ended.verdicts) == (0, [("agrees", [])])
    assert desk.calls() == ["Expediente_InfoEconomica_GET"]
    assert "1 expedientes compared: 1 agrees" in report("receivables", "--verify").out


def test_a_collection_made_behind_our_back_is_shown_with_both_values(report: Report, desk: Desk) -> None:
    a_season(desk)
    a_collection_by_hand(desk)
    before = (desk.held("Cobro"), desk.store.effects.counts(), len(desk.store.parked.list()))
    ended = report("margins", "--verify", "--json")
    assert (ended.code, ended.verdicts) == (1, [("differs", [("to_collect", 70500, 60500)])])
    assert (desk.held("Cobro"), desk.store.effects.counts(), len(desk.store.parked.list())) == before
    table = report("margins", "--verify")
    assert table.code == 1
    assert all(words in table.out for words in ("to_collect", "705.00", "605.00", "-100.00"))


def test_a_cost_that_somebody_changed_shows_in_the_margin(report: Report, desk: Desk) -> None:
    a_season(desk)
    line = desk.lines()["lin_02"]
    last = next(
        request
        for record in desk.store.effects.of_booking(stories.AGENCY, "bkg_500", "giav")
        if record.outside_id == str(line["Id"]) and (request := desk.store.effects.last_request(record.key))
        if "costeComis" in request
    )
    by_hand(desk, "Reserva_Normal_PUT", **as_change(line["Id"], last) | {"costeComis": "150.00"})
    ended = report("margins", "--verify", "--json")
    assert (ended.code, ended.verdicts) == (1, [("differs", [("margin", 21500, 19500)])])


def test_money_written_a_moment_ago_may_lag(report: Report, desk: Desk) -> None:
    desk.registered()
    httpx.put(f"{desk.url}/control/manners", json={"economics_lag": 86400}).raise_for_status()
    desk.store = Store.open(f"sqlite:///{desk.store.database.engine.url.database}")
    desk.configure()
    desk.activities.record_payment(desk.payment())
    settled(desk)
    desk.store.close()
    ended = report("margins", "--verify", "--json")
    lagging = [("to_collect", 70500, 100500), ("to_invoice", 70500, 100500)]
    assert (ended.code, ended.verdicts) == (0, [("settles", lagging)])
    assert "money of bkg_500 was written a moment ago" in ended.why
    httpx.put(f"{desk.url}/control/manners", json={"economics_lag": 0}).raise_for_status()
    assert report("margins", "--verify", "--json").verdicts == [("agrees", [])]


def test_a_change_told_a_moment_ago_is_not_called_wrong(report: Report, desk: Desk) -> None:
    a_season(desk)
    changed = booking(discounts=[stories.discount_of(5000)])
    told = stories.data("booking/bkg_500", 2, booking=changed, price_effect=stories.NO_EFFECT)
    moment = datetime.now(UTC)
    desk.store.inbox.accept(stories.event(90, "booking.modified", told, received_at=moment, occurred_at=moment))
    settled(desk)
    ended = report("margins", "--verify", "--json")
    differing = [("margin", 16500, 21500), ("to_collect", 65500, 70500), ("to_invoice", 65500, 70500)]
    assert (ended.code, ended.verdicts) == (0, [("waits", differing)])
    assert "bkg_500 was changed a moment ago" in ended.why


def test_figures_that_lag_too_long_are_a_difference(report: Report, desk: Desk) -> None:
    httpx.put(f"{desk.url}/control/manners", json={"economics_lag": 86400}).raise_for_status()
    a_season(desk)
    ended = report("margins", "--verify", "--json")
    assert ended.code == 1
    assert [verdict for verdict, _ in ended.verdicts] == ["differs"]


def test_a_booking_that_waits_is_marked_and_not_called_wrong(report: Report, desk: Desk) -> None:
    a_season(desk)
    desk.payment("pay_1002", 5000)
    undelivered = report("margins", "--verify", "--json")
    assert (undelivered.code, undelivered.verdicts) == (0, [("waits", [("to_collect", 65500, 70500)])])
    assert "an event of bkg_500 is not handed on yet" in undelivered.why
    settled(desk)
    at_work = report("margins", "--verify", "--json")
    assert (at_work.code, at_work.verdicts[0][0]) == (0, "waits")
    assert "cobro pay_1002 is not there yet" in at_work.why
    parking = Parking(
        agency=stories.AGENCY,
        item_id="PK-1",
        workflow_id="payment/sol/pay_1002",
        booking_id="bkg_500",
        payment_id="pay_1002",
        verb="giav.record_payment",
        reason="giav_refused",
        detail="GIAV said no",
        fault="Refused",
        decisions=("retry", "skip"),
        since=datetime.now(UTC),
    )
    desk.store.parked.open(parking, "operations", datetime.now(UTC))
    parked = report("margins", "--verify", "--json")
    assert (parked.code, parked.verdicts[0][0]) == (0, "waits")
    assert "PK-1 is parked (giav_refused)" in parked.why


def test_what_a_person_left_out_is_a_difference_that_says_why(report: Report, desk: Desk) -> None:
    a_season(desk)
    desk.payment("pay_1002", 5000)
    settled(desk)
    desk.store.lifecycles.close(
        LifecycleOutcome(
            agency=stories.AGENCY,
            workflow_id="payment/sol/pay_1002",
            kind="payment",
            booking_id="bkg_500",
            payment_id="pay_1002",
            outcome="partial",
            notes=("giav.record_payment: skipped by Ana: booked by hand",),
        )
    )
    ended = report("margins", "--verify", "--json")
    assert (ended.code, ended.verdicts) == (1, [("differs", [("to_collect", 65500, 70500)])])
    assert "booked by hand" in ended.why


def test_money_beyond_the_price_is_no_difference(report: Report, desk: Desk) -> None:
    desk.registered()
    desk.activities.record_payment(desk.payment(amount=110500))
    settled(desk)
    ended = report("receivables", "--verify", "--json")
    assert (ended.code, ended.verdicts) == (0, [("agrees", [])])
    assert ended.amounts() == {"owed": -10000, "pending": -10000}


def test_a_file_that_somebody_deleted_is_missing(report: Report, desk: Desk) -> None:
    desk.activities.open_experience(desk.experience())
    settled(desk)
    desk.stand_in.books.records.remove("Expediente", desk.held("Expediente")[0]["Id"])
    ended = report("margins", "--verify", "--json")
    assert (ended.code, ended.verdicts) == (1, [("missing", [])])
    assert "No existe" in ended.why


def test_an_experience_that_was_not_opened_yet_waits(report: Report, desk: Desk) -> None:
    desk.experience()
    settled(desk)
    ended = report("margins", "--verify", "--json")
    assert (ended.code, ended.verdicts) == (0, [("waits", [])])


def test_giav_that_does_not_answer_is_something_to_mend(report: Report, desk: Desk) -> None:
    a_season(desk)
    desk.fault("Expediente_InfoEconomica_GET", Kind.PAGE_503, times=5)
    ended = report("margins", "--verify")
    assert ended.code == 2
    assert "Expediente_InfoEconomica_GET" in ended.err
    assert ended.err.count("\n") == 1
