"""What only xMid has: its JSON, `If-Revision`, closed periods, replays (midoffice 7)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from activities.midoffice.booking import MidOfficeBooking, MidOfficePayment
from activities.midoffice.codec import Accepted, Announce, AnnouncePayment, Fault, Meaning, Question, Unreadable
from activities.midoffice.xmid.codec import XmidCodec, amount
from activities.midoffice.xmid.settings import XmidSettings
from domain.errors import Refused, Transient, UnknownOutcome
from sandbox.xmid import schema
from sandbox.xmid.schema import SchemaError
from sandbox.xmid.stand_in import XmidStandIn, page
from tests.activities.midoffice.systems.xmid import xmid
from tests.activities.midoffice.test_mapping import mapped, only
from tests.activities.midoffice.under_test import UnderTest
from tests.activities.midoffice.written import KEY, PAYMENT, dearer, record
from tests.activities.platform import trip

GOLDEN = Path(__file__).parent / "golden" / "xmid"
SETTINGS = XmidSettings.model_validate(
    {"url": "http://127.0.0.1:1", "token": "t", "agency_no": "AG01", "supplier_numbers": {"sup_rh": "70012"}}
)
CODEC = XmidCodec(SETTINGS)
COMPANY = {"id": "cus_88", "kind": "company", "name": "Colegio Ejemplo, S.L.", "phone": "+34 600 000 000"}
RECORD = only(mapped(trip.booking()))
CANCELLED = only(mapped(trip.cancelled([trip.hotel()], penalty=3000, supplier_fee=1000)))
SENT: dict[str, tuple[Question, schema.Check]] = {
    "create": (Announce(RECORD, "70012"), schema.BOOKING),
    "company": (Announce(only(mapped(trip.booking(payer=COMPANY), tax_regime="mediation")), "70012"), schema.BOOKING),
    "cancel": (Announce(CANCELLED.as_message("CANCEL", 2), "70012"), schema.CANCELLATION),
    "payment": (AnnouncePayment(RECORD.ref, "70012", PAYMENT), schema.PAYMENT),
}


@pytest.fixture
def system() -> Iterator[UnderTest]:
    with xmid() as opened:
        yield opened


@pytest.mark.parametrize("name", SENT)
@pytest.mark.covers("midoffice: format")
def test_body_is_the_golden_file_and_of_the_form(name: str) -> None:
    question, form = SENT[name]
    body = CODEC.encode(question)
    said = json.dumps(json.loads(body), indent=2, ensure_ascii=False) + "\n"
    assert said == (GOLDEN / f"{name}.json").read_text("utf-8")
    schema.read(body, form)


@pytest.mark.parametrize(
    ("value", "text"),
    [("312.4", "312.40"), ("312", "312.00"), ("-0.005", "-0.005"), ("1.230", "1.23"), ("0", "0.00")],
)
def test_amounts_have_two_decimals_at_least(value: str, text: str) -> None:
    assert amount(Decimal(value)) == text


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"vorgangsnummer": 7}', b'{"vorgangsnummer": "V1"', b"\xff"])
@pytest.mark.covers("midoffice: format")
def test_an_answer_that_is_none_of_theirs_is_unreadable(answer: bytes) -> None:
    with pytest.raises(Unreadable):
        CODEC.decode(answer)


def test_a_refusal_names_code_words_and_field() -> None:
    said = b'{"code": "WERT", "meldung": "ist keine Zahl", "feld": "leistungen[0].naechte"}'
    assert CODEC.decode(said) == Fault("WERT", "ist keine Zahl", Meaning.REFUSED, "leistungen[0].naechte")


def test_warnings_come_through() -> None:
    assert CODEC.decode(b'{"vorgangsnummer": "V1", "revision": 1, "warnungen": ["UST_ID_FEHLT"]}') == Accepted(
        "V1", "V1", ("UST_ID_FEHLT",)
    )


def test_a_refused_value_is_named_by_its_path(system: UnderTest) -> None:
    one = record(system)
    service = one.services[0].model_copy(update={"hotel": one.services[0].hotel.model_copy(update={"name": "X" * 256})})
    customer = one.customer.model_copy(update={"email": "no address"})
    with pytest.raises(Refused, match=r"FORMAT: anmelder\.email: must be an e-mail address"):
        send(system, one.model_copy(update={"customer": customer, "services": (service,)}))
    assert not system.held()


def test_the_same_message_again_is_told_apart_by_its_replay(system: UnderTest) -> None:
    push = system.account.adapter.push_booking
    assert [push(record(system)).outcome for _ in range(2)] == ["ACCEPTED", "DUPLICATE"]
    pay = system.account.adapter.push_payment
    assert [pay(record(system).ref, PAYMENT).outcome for _ in range(2)] == ["ACCEPTED", "DUPLICATE"]


@pytest.mark.covers("midoffice: amend")
def test_a_change_over_a_gap_builds_on_what_they_hold(system: UnderTest) -> None:
    """Revision 2 was refused there, so they hold 1 when 3 comes: 3 must not be taken for outdated."""
    send(system, record(system))
    result = system.account.adapter.push_booking(dearer(record(system)).as_message("CHANGE", 3))
    assert result.outcome == "ACCEPTED"
    assert system.held()[KEY][1:] == (Decimal("900.00"), Decimal("660.00"), 2, 3)


@pytest.mark.covers("midoffice: amend")
def test_a_newer_revision_there_is_left_alone_and_said_to_be_stale(system: UnderTest) -> None:
    send(system, record(system))
    send(system, dearer(record(system)).as_message("CHANGE", 5))
    assert system.account.adapter.push_booking(record(system).as_message("CHANGE", 2)).outcome == "STALE"
    assert system.held()[KEY].revision == 5


def test_a_closed_period_is_refused_for_a_person(system: UnderTest) -> None:
    shut(system, "2027-12-31")
    with pytest.raises(Refused, match="PERIODE_GESCHLOSSEN"):
        send(system, record(system))
    assert not system.held()


@pytest.mark.covers("midoffice: cancel")
def test_a_cancellation_of_what_they_do_not_hold_is_refused(system: UnderTest) -> None:
    with pytest.raises(Refused, match="VORGANG_UNBEKANNT"):
        system.account.adapter.cancel_booking(CANCELLED.as_message("CANCEL", 2))


@pytest.mark.covers("midoffice: pay")
def test_a_payment_that_comes_otherwise_is_refused(system: UnderTest) -> None:
    send(system, record(system))
    pay = system.account.adapter.push_payment
    pay(record(system).ref, PAYMENT)
    with pytest.raises(Refused, match="ZAHLUNG_ABWEICHEND: transaktion"):
        pay(record(system).ref, PAYMENT.model_copy(update={"amount": Decimal("301.00")}))


def test_busy_says_when_to_come_back_and_a_broken_gateway_is_in_doubt(system: UnderTest) -> None:
    system.fault("create", "throttle", seconds=7)
    with pytest.raises(Transient) as caught:
        send(system, record(system))
    assert caught.value.retry_after == 7
    system.fault("create", "error-after")
    with pytest.raises(UnknownOutcome):
        send(system, record(system))
    assert list(system.held()) == [KEY]


def test_ids_with_signs_of_their_own_do_not_leave_their_place_in_the_path(system: UnderTest) -> None:
    odd = record(system).model_copy(update={"supplier_booking_id": "a b?c#d%e&é"})
    send(system, odd)
    assert list(system.held()) == ["a b?c#d%e&é"]
    assert len(system.account.adapter.read_status(replace(odd.ref))) == 1


def test_the_page_shows_what_arrived_and_no_markup_of_ours(system: UnderTest) -> None:
    send(system, record(system).model_copy(update={"supplier_booking_id": "<b>1"}))
    shown = page(system.stand_in.state())
    assert "&lt;b&gt;1" in shown
    assert "<b>1" not in shown


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"neu": 1}, "neu"),
        ({"revision": True}, "revision"),
        ({"vkBrutto": 362.4}, "vkBrutto"),
        ({"waehrung": "eur"}, "waehrung"),
        ({"leistungen": []}, "leistungen"),
        ({"teilnehmer": [{"nr": 1}]}, "teilnehmer[0].name"),
    ],
)
def test_the_stand_in_refuses_what_is_not_of_the_form(change: dict[str, object], field: str) -> None:
    body = json.loads(CODEC.encode(SENT["create"][0])) | change
    with pytest.raises(SchemaError) as caught:
        schema.read(json.dumps(body).encode(), schema.BOOKING)
    assert caught.value.field == field


def test_the_stand_in_keeps_its_books_over_a_restart(tmp_path: Path) -> None:
    body = json.loads(CODEC.encode(SENT["create"][0]))
    first = XmidStandIn(tmp_path)
    first._books.put("AG01", body, None)
    first.close()
    second = XmidStandIn(tmp_path)
    assert [one["buchungsnummer"] for one in second.state()["bookings"]] == [KEY]
    second.close()


def send(system: UnderTest, one: MidOfficeBooking, payment: MidOfficePayment | None = None) -> str:
    adapter = system.account.adapter
    return (adapter.push_booking(one) if payment is None else adapter.push_payment(one.ref, payment)).external_ref


def shut(system: UnderTest, until: str) -> None:
    httpx.post(f"{system.section['url']}/control/closed", json={"until": until})
