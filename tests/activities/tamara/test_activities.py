"""From a payment to AirPlus' acceptance: lines and nightly files (contracts: tamara 3.5, 3.6, 3.9; money-rules T1)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from activities.tamara.activities import TamaraActivities
from activities.tamara.sealing import Sealer
from domain.errors import Transient, Unauthorised
from store import Store
from tests import stories
from tests.activities.tamara.night import (
    AGENCY,
    BOOKING,
    CARD,
    DAY,
    NEXT,
    PARTNER,
    TOKEN,
    DropBoxSite,
    Night,
    failure,
    sent,
    settings_of,
    transactions,
)
from tests.databases import migrated_url


def test_a_paid_invoice_travels_from_payment_to_acceptance(night: Night, airplus: DropBoxSite) -> None:
    assert night.sold().outcome == "done"
    sealed = night.seal()
    assert (sealed.seq, sealed.lines, sealed.kind) == (1, 1, "MA")
    assert sealed.name == f"TAMARA_{PARTNER}_MA_000000001_20261121023000_T.dat"
    assert night.deliver(sealed).ids == {"file": sealed.name}
    [file] = airplus.stand_in.state()["files"]
    assert (file["status"], file["problems"]) == ("A", [])
    [line] = transactions(airplus)
    assert (line["type"], line["dc"], line["service"], line["gross"]) == ("SA", "D", "EV", 30000)
    assert (line["inv_no"], line["card_tail"], line["status"]) == ("F-1001", "0008", "A")
    assert night.states() == {"sale": "SENT"}


def test_a_payment_without_airplus_is_none_of_our_business(night: Night) -> None:
    assert night.cells.record_payment(night.paid(method="card")).outcome == "skipped"
    assert night.cancel().outcome == "skipped"
    assert night.states() == {}


def test_an_agency_without_agreement_is_skipped(store: Store) -> None:
    night = Night(store, settings_of())
    step = night.paid().model_copy(update={"agency": "luna"})
    assert night.cells.record_payment(step).outcome == "skipped"


def test_a_line_waits_for_the_number_of_its_invoice(night: Night) -> None:
    step = night.paid()
    error = failure(lambda: night.cells.record_payment(step))
    assert (error.type, error.next_retry_delay) == (Transient.__name__, dt.timedelta(seconds=2))
    night.invoiced()
    assert night.cells.record_payment(step).outcome == "done"


def test_a_payment_recorded_twice_is_one_line(night: Night) -> None:
    first = night.sold()
    again = night.cells.record_payment(night.paid())
    assert first.ids == again.ids
    assert len(night.store.tamara.lines_of(AGENCY, BOOKING)) == 1


def test_a_single_hotel_is_told_as_a_hotel(night: Night, airplus: DropBoxSite) -> None:
    service = {
        "id": "svc_hotel",
        "kind": "hotel",
        "description": "Hotel Sol",
        "supplier": {"id": "sup_rh", "name": "Hotel Sol Palma"},
        "unit": "room",
        "price": stories.eur(41250),
        "cost_estimated": stories.eur(33000),
    }
    night.tell("experience.updated", "experience/exp_31", 2, experience=stories.experience(services=[service]))
    one = night.booking(lines=[stories.line("lin_01", "svc_hotel", 50250, 39500)])
    night.tell("booking.modified", "booking/bkg_500", 2, booking=one, price_effect=stories.NO_EFFECT)
    night.sold()
    sent(night)
    [line] = transactions(airplus)
    assert (line["service"], line["status"]) == ("HO", "A")


def test_the_company_fields_of_the_traveller_reach_the_file(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    sent(night)
    [data] = airplus.lying().values()
    [record] = [row for row in data.decode("iso-8859-15").split("\r\n") if row.startswith("400")]
    assert (record[19:36].strip(), record[36:53].strip(), record[202:212].strip()) == ("4711", "CC-0815", "DEFAULT")


@pytest.mark.covers("F-C16")
def test_a_line_that_breaks_a_rule_is_listed_and_blocks_nobody(store: Store, airplus: DropBoxSite) -> None:
    night = Night(store, airplus.settings, lodge=False)
    told = night.sold()
    assert told.outcome == "partial"
    assert "V003 300.CARD_NO" in told.note
    night.lodge()
    assert night.sold("pay_1002", 12000).outcome == "done"
    night.store.vault.forget(AGENCY, f"card/{TOKEN}")
    night.lodge(number="192000000000420")
    [refused] = [line for line in store.tamara.lines_of(AGENCY, BOOKING) if line.payment_id == "pay_1001"]
    assert (refused.state, refused.refused_rule, refused.refused_field) == ("REFUSED", "V003", "300.CARD_NO")
    assert night.seal().lines == 2, "what was repaired by then goes out with the next file"


def test_a_line_that_stays_wrong_stays_out(night: Night) -> None:
    payer = {**stories.PAYER, "address": None}
    night.tell(
        "booking.modified", "booking/bkg_500", 2, booking=night.booking(payer=payer), price_effect=stories.NO_EFFECT
    )
    assert "V010 300.CUST_PLACE" in night.sold().note
    assert night.seal().lines == 0
    assert night.states() == {"sale": "REFUSED"}
    assert [line.refused_rule for line in night.store.tamara.listing(AGENCY, states=("REFUSED",))] == ["V010"]


def test_a_card_that_expired_between_staging_and_night_is_caught(night: Night) -> None:
    night.sold()
    night.lodge(expiry="1025")
    assert night.seal().lines == 0
    assert night.states() == {"sale": "REFUSED"}


def test_a_value_without_room_stops_its_line_and_not_the_file(night: Night) -> None:
    night.document("invoice", "inv:pay_1001", "F" * 21, 30000, payment_id="pay_1001")
    assert "V028 300.INV_NO" in night.cells.record_payment(night.paid()).note
    night.sold("pay_1002", 5000)
    assert night.seal().lines == 1


def test_the_mandatory_field_of_a_customer_is_asked_for(store: Store, airplus: DropBoxSite) -> None:
    profiles = [{"name": "ACME", "customers": ["cus_77"], "codes": {"PR": {"use": "mandatory"}}}]
    night = Night(store, settings_of(profiles=profiles))
    assert "V019 400.PR" in night.sold().note


def test_sealing_a_day_twice_gives_the_same_file(night: Night) -> None:
    night.sold()
    first = night.seal()
    night.sold("pay_1002", 12000)
    assert night.seal() == first
    assert night.seal(NEXT).lines == 1


def test_an_empty_night_sends_an_empty_file(night: Night, airplus: DropBoxSite) -> None:
    sent(night)
    [file] = airplus.stand_in.state()["files"]
    assert (file["status"], file["records"]) == ("A", 2)


def test_an_empty_file_needs_no_vault(tmp_path: Any, airplus: DropBoxSite) -> None:
    store = Store.open(migrated_url("sqlite", tmp_path))
    night = Night(store, airplus.settings, lodge=False)
    sent(night)
    assert [file["status"] for file in airplus.stand_in.state()["files"]] == ["A"]
    store.close()


def test_a_closed_vault_stops_the_night_and_loses_nothing(store: Store) -> None:
    night = Night(store, settings_of())
    night.sold()
    night.cells = TamaraActivities(Store(store.database), {AGENCY: night.settings}, clock=lambda: night.now)
    assert failure(night.seal).type == Unauthorised.__name__
    assert store.tamara.last_number(PARTNER, "MA", "T") == 0
    assert night.states() == {"sale": "STAGED"}


def test_numbers_are_contiguous_per_kind_and_mode(night: Night) -> None:
    assert [night.seal(DAY + dt.timedelta(n)).seq for n in range(3)] == [1, 2, 3]
    assert night.seal(kind="BSP").seq == 1
    assert _in_production(night).seal().seq == 1


def _in_production(night: Night) -> Night:
    return Night(night.store, night.settings.model_copy(update={"mode": "P"}))


def test_test_lines_never_reach_a_production_file(night: Night) -> None:
    night.sold()
    assert _in_production(night).seal().lines == 0


def test_a_crash_between_sealing_and_rendering_goes_on_with_the_same_number(night: Night) -> None:
    night.sold()
    full = Sealer(night.store, AGENCY, night.settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(night.store.tamara, "rendered", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            full.seal("MA", DAY, night.now, lambda line: line)
    assert night.states() == {"sale": "SEALED"}
    assert (night.seal().seq, night.seal().lines) == (1, 1)


def test_no_row_and_no_word_contains_the_card(
    night: Night, airplus: DropBoxSite, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    caplog.set_level(0)
    words = [night.sold().note]
    sealed = night.seal()
    airplus.stand_in.faults.set({"operation": "put", "kind": "malformed"})
    words.append(repr(failure(lambda: night.deliver(sealed))))
    night.deliver(sealed)
    night.lodge(number="192000000000016")
    words.append(night.sold("pay_1002", 5000).note)
    with night.store.database.read() as connection:
        tables = [row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [repr(row) for table in tables for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"')]
    told = "\n".join((*words, *rows, caplog.text))
    assert "192000000000016" not in told
    assert CARD not in told
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert stored
    assert CARD.encode() not in stored
    assert CARD.encode() in b"".join(airplus.lying().values()), "the file itself is where the number belongs"


def test_a_side_that_produces_no_lines_stages_none(store: Store, airplus: DropBoxSite) -> None:
    night = Night(store, airplus.settings.model_copy(update={"producer": "midoco"}))
    assert night.sold().outcome == "skipped"
    assert night.states() == {}
