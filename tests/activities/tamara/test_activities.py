"""From a payment to AirPlus' acceptance: lines, nightly files, credits (contracts: tamara 3.5, 3.12; money-rules T1 to T3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.tamara.activities import TamaraActivities
from activities.tamara.sealing import Sealer
from activities.tamara.settings import TamaraSettings
from domain.errors import NeedsPerson, Refused, Transient, Unauthorised, UnknownOutcome
from domain.steps import Done
from store import Store
from tests import stories
from tests.activities.tamara.night import AGENCY, BOOKING, CARD, DAY, PARTNER, TOKEN, DropBoxSite, Night, settings_of
from tests.databases import migrated_url

NEXT = DAY + dt.timedelta(1)


@pytest.fixture
def night(store: Store, airplus: DropBoxSite) -> Night:
    return Night(store, airplus.settings)


def failure(attempt: Callable[[], object]) -> ApplicationError:
    with pytest.raises(ApplicationError) as raised:
        attempt()
    return raised.value


def transactions(airplus: DropBoxSite) -> list[dict[str, Any]]:
    """What AirPlus holds, its own check included."""
    found: list[dict[str, Any]] = airplus.stand_in.state()["transactions"]
    return found


def sent(night: Night, day: dt.date = DAY) -> None:
    night.deliver(night.seal(day))


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


def test_files_leave_in_the_order_of_their_numbers(night: Night, airplus: DropBoxSite) -> None:
    first, second = night.seal(DAY), night.seal(NEXT)
    error = failure(lambda: night.deliver(second))
    assert (error.type, "file 1 goes first" in error.message) == (Transient.__name__, True)
    night.deliver(first)
    night.deliver(second)
    assert [file["problems"] for file in airplus.stand_in.state()["files"]] == [[], []]


def test_a_delivered_file_is_not_even_connected_for_again(night: Night, airplus: DropBoxSite) -> None:
    sealed = night.seal()
    night.deliver(sealed)
    airplus.stand_in.calls.clear()
    night.deliver(sealed)
    assert airplus.operations() == []


@pytest.mark.covers("F-C17")
def test_a_drop_after_the_rename_delivers_once(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    sealed = night.seal()
    airplus.stand_in.faults.set({"operation": "rename", "kind": "drop-after"})
    assert failure(lambda: night.deliver(sealed)).type == UnknownOutcome.__name__
    night.deliver(sealed)
    assert [file["status"] for file in airplus.stand_in.state()["files"]] == ["A"]
    assert airplus.operations().count("put") == 1
    assert night.states() == {"sale": "SENT"}


@pytest.mark.covers("F-C17")
def test_a_drop_before_the_rename_is_looked_for_with_patience_then_sent(night: Night, airplus: DropBoxSite) -> None:
    sealed = night.seal()
    airplus.stand_in.faults.set({"operation": "rename", "kind": "drop-before"})
    waits = []
    for _ in range(3):
        error = failure(lambda: night.deliver(sealed))
        waits.append((error.type, error.next_retry_delay))
    assert waits == [(UnknownOutcome.__name__, dt.timedelta(seconds=s)) for s in (2, 5, 15)]
    night.deliver(sealed)
    assert list(airplus.lying()) == [sealed.name]


def test_a_torn_upload_goes_on_at_once(night: Night, airplus: DropBoxSite) -> None:
    sealed = night.seal()
    airplus.stand_in.faults.set({"operation": "put", "kind": "malformed"})
    assert failure(lambda: night.deliver(sealed)).type == Transient.__name__
    night.deliver(sealed)
    assert list(airplus.lying()) == [sealed.name]


def _fetched_while_in_doubt(night: Night, airplus: DropBoxSite) -> tuple[Any, ApplicationError]:
    sealed = night.seal()
    airplus.stand_in.faults.set({"operation": "rename", "kind": "drop-after"})
    failure(lambda: night.deliver(sealed))
    (airplus.stand_in.home() / "in" / sealed.name).unlink()
    return sealed, failure(lambda: night.deliver(sealed))


def test_a_file_in_doubt_waits_for_a_person(night: Night, airplus: DropBoxSite) -> None:
    sealed, error = _fetched_while_in_doubt(night, airplus)
    assert (error.type, error.non_retryable) == (NeedsPerson.__name__, True)
    [details] = error.details
    assert details["code"] == "DELIVERY_UNKNOWN"
    [file] = night.store.tamara.files_of(AGENCY)
    assert file.state == "DELIVERY_UNKNOWN"
    assert failure(lambda: night.deliver(sealed)).type == NeedsPerson.__name__
    night.store.effects.adopt(details["effect"], sealed.name)
    night.deliver(sealed)
    assert [file.state for file in night.store.tamara.files_of(AGENCY)] == ["DELIVERED"]
    assert airplus.lying() == {}


def test_a_person_may_have_a_file_in_doubt_sent_again(night: Night, airplus: DropBoxSite) -> None:
    sealed, error = _fetched_while_in_doubt(night, airplus)
    night.store.effects.rearm(error.details[0]["effect"])
    night.deliver(sealed)
    assert list(airplus.lying()) == [sealed.name]


def test_a_foreign_file_under_our_name_is_refused(night: Night, airplus: DropBoxSite) -> None:
    sealed = night.seal()
    (airplus.stand_in.home() / "in" / sealed.name).write_bytes(b"other")
    assert failure(lambda: night.deliver(sealed)).type == Refused.__name__
    assert "are stopped" in str(failure(lambda: night.deliver(sealed)))
    assert airplus.lying() == {sealed.name: b"other"}


def test_cancelled_before_the_night_nothing_is_sent(night: Night) -> None:
    night.sold()
    night.credited()
    night.cancel()
    assert night.states() == {"sale": "WITHDRAWN"}
    assert night.seal().lines == 0
    assert night.cells.record_payment(night.paid()).outcome == "done"
    assert night.states() == {"sale": "WITHDRAWN"}, "a late repetition stages nothing again"


def test_cancelled_before_the_night_the_penalty_is_charged_on_its_own_document(
    night: Night, airplus: DropBoxSite
) -> None:
    night.sold()
    night.credited()
    night.penalised()
    night.cancel()
    sent(night)
    [line] = transactions(airplus)
    assert (line["type"], line["gross"], line["inv_no"], line["status"]) == ("SA", 3000, "P-12", "A")


@pytest.mark.covers("F-X15")
def test_cancelled_after_delivery_one_net_credit_follows(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    sent(night)
    night.credited()
    night.penalised()
    night.cancel()
    night.cancel()
    sent(night, NEXT)
    sale, credit = sorted(transactions(airplus), key=lambda line: str(line["dc"]), reverse=True)
    assert (credit["type"], credit["gross"], credit["cn_no"], credit["inv_no"]) == ("RF", 27000, "R-1001-12", "F-1001")
    assert (credit["orig_ref"], credit["status"], sale["credited"]) == (sale["txn_ref"], "A", 27000)


def test_cancelled_free_of_charge_after_delivery_the_sale_is_reversed(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    sent(night)
    night.credited()
    night.cancel()
    sent(night, NEXT)
    [credit] = [line for line in transactions(airplus) if line["dc"] == "C"]
    assert (credit["type"], credit["gross"], credit["status"]) == ("CX", 30000, "A")


def test_a_penalty_is_borne_once_by_two_payments(night: Night, airplus: DropBoxSite) -> None:
    night.sold("pay_1001", 30000)
    night.sold("pay_1002", 10000)
    sent(night)
    for payment_id, amount in (("pay_1001", 30000), ("pay_1002", 10000)):
        night.credited(payment_id, amount)
    night.penalised(2001)
    night.cancel()
    sent(night, NEXT)
    credits_ = {line["inv_no"]: line["gross"] for line in transactions(airplus) if line["dc"] == "C"}
    assert credits_ == {"F-1001": 30000 - 2001, "F-1002": 10000}
    assert {line["status"] for line in transactions(airplus)} == {"A"}


def test_a_credit_waits_until_airplus_has_the_sale(night: Night) -> None:
    night.sold()
    undelivered = night.seal()
    night.credited()
    night.cancel()
    assert night.seal(NEXT).lines == 0
    night.deliver(undelivered)
    assert night.seal(NEXT + dt.timedelta(1)).lines == 1


def test_a_cancellation_without_rectifying_invoice_credits_nothing(night: Night) -> None:
    night.sold()
    sent(night)
    assert night.cancel() == Done(note="AirPlus is in step with the documents")


def test_a_refund_after_its_cancellation_adds_nothing(night: Night) -> None:
    night.sold()
    sent(night)
    night.credited()
    night.penalised()
    night.cancel()
    assert night.refund() == Done(note="AirPlus is in step with the documents")
    assert len(night.states()) == 2


def test_a_refund_waits_for_its_credit_note(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    sent(night)
    error = failure(lambda: night.refund(amount=5000, cause="discount", cancellation_id=None))
    assert (error.type, error.next_retry_delay) == (Transient.__name__, dt.timedelta(seconds=2))
    night.credited(amount=5000, cause="dsc_31")
    night.refund(amount=5000, cause="discount", cancellation_id=None)
    sent(night, NEXT)
    [credit] = [line for line in transactions(airplus) if line["dc"] == "C"]
    assert (credit["type"], credit["gross"], credit["status"]) == ("RF", 5000, "A")


def test_two_credits_of_one_sale_stay_within_it(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    sent(night)
    night.credited(amount=5000, cause="dsc_31")
    night.refund(amount=5000, cause="discount", cancellation_id=None)
    night.credited(amount=25000)
    night.cancel()
    sent(night, NEXT)
    credits_ = [line for line in transactions(airplus) if line["dc"] == "C"]
    assert sorted((line["type"], line["gross"], line["status"]) for line in credits_) == [
        ("RF", 5000, "A"),
        ("RF", 25000, "A"),
    ]


def test_what_the_erp_issued_again_stays_charged(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    sent(night)
    night.credited(cause="chg_77")
    again = {"payment_id": "pay_1001", "refers_to": "rect:chg_77:pay_1001"}
    night.document("invoice", "inv:pay_1001:chg_77", "F-2001", 20000, **again)
    night.refund(amount=10000, cause="service_change", cancellation_id=None)
    sent(night, NEXT)
    [credit] = [line for line in transactions(airplus) if line["dc"] == "C"]
    assert (credit["type"], credit["gross"], credit["cn_no"], credit["status"]) == ("RF", 10000, "R-1001-77", "A")


def test_before_the_night_the_invoice_that_was_issued_again_is_the_one_told(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    night.credited(cause="chg_77")
    again = {"payment_id": "pay_1001", "refers_to": "rect:chg_77:pay_1001"}
    night.document("invoice", "inv:pay_1001:chg_77", "F-2001", 20000, **again)
    night.refund(amount=10000, cause="service_change", cancellation_id=None)
    sent(night)
    [line] = transactions(airplus)
    assert (line["type"], line["gross"], line["inv_no"], line["status"]) == ("SA", 20000, "F-2001", "A")


def test_the_refund_decides_which_of_two_accounts_bore_the_penalty(night: Night, airplus: DropBoxSite) -> None:
    """AirPlus 300.00 and a bank card 200.00, penalty 30.00: the planner gives AirPlus all of it back."""
    night.sold()
    night.paid("pay_1002", 20000, "card")
    night.invoiced("pay_1002", 20000)
    sent(night)
    night.credited()
    night.credited("pay_1002", 20000)
    night.penalised()
    night.cancel()
    night.refund(amount=30000)
    sent(night, NEXT)
    credits_ = [line for line in transactions(airplus) if line["dc"] == "C"]
    assert sum(line["gross"] for line in credits_) == 30000
    assert {line["status"] for line in credits_} == {"A"}


def test_a_penalty_fixed_late_is_charged_on_its_own(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    sent(night)
    night.credited()
    night.cancel()
    sent(night, NEXT)
    night.penalised()
    night.cancel()
    sent(night, NEXT + dt.timedelta(1))
    [late] = [line for line in transactions(airplus) if line["inv_no"] == "P-12"]
    assert (late["type"], late["gross"], late["status"]) == ("SA", 3000, "A")


@pytest.mark.covers("F-X6")
def test_a_penalty_that_was_too_high_is_given_back_on_its_own_credit_note(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    sent(night)
    night.credited()
    night.penalised()
    night.cancel()
    sent(night, NEXT)
    night.document("penalty", "rect:cxl_12@4:pen:cxl_12", "R-PEN", -3000, refers_to="pen:cxl_12")
    night.document("penalty", "pen:cxl_12@4", "P-2", 1000)
    night.cancel()
    night.cancel()
    sent(night, NEXT + dt.timedelta(1))
    held = [(line["dc"], line["gross"], line["cn_no"]) for line in transactions(airplus)]
    assert held == [("D", 30000, ""), ("C", 27000, "R-1001-12"), ("C", 2000, "R-PEN")]


def test_what_airplus_holds_is_what_the_documents_say(night: Night, airplus: DropBoxSite) -> None:
    """T2: debits less credits = invoices, rectifying ones negative, plus penalties."""
    night.sold("pay_1001", 30000)
    sent(night)
    night.sold("pay_1002", 10000)
    night.credited("pay_1001", 30000)
    night.credited("pay_1002", 10000)
    night.penalised(3000)
    night.cancel()
    sent(night, NEXT)
    held = sum(line["gross"] if line["dc"] == "D" else -line["gross"] for line in transactions(airplus))
    documents = sum(document.amount.amount for document in night.store.documents.of_booking(AGENCY, BOOKING))
    assert held == documents == 3000


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


def _flies(night: Night, reference: str | None) -> None:
    """The booking is one flight of a supplier that is an airline."""
    service = {
        "id": "svc_flight",
        "kind": "flight",
        "description": "MAD-FRA",
        "supplier": {"id": "sup_lh", "name": "Lufthansa"},
        "unit": "traveller",
        "price": stories.eur(41250),
        "cost_estimated": stories.eur(33000),
    }
    night.tell("experience.updated", "experience/exp_31", 2, experience=stories.experience(services=[service]))
    line = stories.line("lin_01", "svc_flight", 50250, 39500)
    line["cost"]["supplier_ref"] = reference
    told = night.booking(lines=[line])
    night.tell("booking.modified", "booking/bkg_500", 2, booking=told, price_effect=stories.NO_EFFECT)


def _flying(store: Store, airplus: DropBoxSite, *, bsp: bool, reference: str | None) -> Night:
    settings = TamaraSettings.model_validate(
        {**airplus.settings.model_dump(), "airlines": {"sup_lh": {"carrier": "LH", "bsp": bsp}}}
    )
    night = Night(store, settings)
    _flies(night, reference)
    return night


def test_a_flight_settled_through_the_bsp_goes_into_the_bsp_file_and_so_does_its_refund(
    store: Store, airplus: DropBoxSite
) -> None:
    night = _flying(store, airplus, bsp=True, reference="220-1234567890")
    night.sold()
    assert night.seal(kind="MA").lines == 0
    sealed = night.seal(kind="BSP")
    assert (sealed.seq, sealed.lines) == (1, 1)
    night.deliver(sealed)
    night.credited()
    night.cancel()
    night.deliver(night.seal(NEXT, kind="BSP"))
    found = transactions(airplus)
    assert {(line["type"], line["service"], line["ticket"], line["status"]) for line in found} == {
        ("SA", "FL", "2201234567890", "A"),
        ("CX", "FL", "2201234567890", "A"),
    }


def test_a_ticket_without_thirteen_digits_is_refused_by_its_rule(store: Store, airplus: DropBoxSite) -> None:
    assert "V007 500.DOC_NO" in _flying(store, airplus, bsp=True, reference="220-12345").sold().note


def test_a_low_cost_flight_that_the_agency_paid_goes_into_the_ma_file(store: Store, airplus: DropBoxSite) -> None:
    night = _flying(store, airplus, bsp=False, reference="XY7Z9Q")
    night.sold()
    sent(night)
    [line] = transactions(airplus)
    assert (line["service"], line["status"]) == ("LC", "A")


def test_what_the_routing_table_sends_nowhere_is_said_and_not_staged(store: Store, airplus: DropBoxSite) -> None:
    night = _flying(store, airplus, bsp=True, reference="220-1234567890")
    layout = night.settings.used_layout
    nowhere = layout.model_copy(update={"routing": {**layout.routing, "FL": {"merchant": "none", "agency": "none"}}})
    night.settings.__dict__["used_layout"] = nowhere
    assert "routing table" in night.sold().note
    assert night.states() == {}


def test_a_side_that_produces_no_lines_stages_none(store: Store, airplus: DropBoxSite) -> None:
    night = Night(store, airplus.settings.model_copy(update={"producer": "midoco"}))
    assert night.sold().outcome == "skipped"
    assert night.states() == {}
