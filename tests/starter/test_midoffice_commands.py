"""`bookings midoffice`: every booking with its state on both sides, and nothing is sent that they have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from domain.effects import EffectKey
from sandbox.running import running
from sandbox.xmid.stand_in import TOKEN, XmidStandIn
from store import Store
from tests.activities.platform import trip
from tests.starter.test_command_line import bookings, one_line, settings, store

__all__ = ["bookings", "settings", "store"]


@pytest.fixture(autouse=True)
def mid_office(settings: Path) -> None:
    """The agency's mid-office is xMid, at an address where nobody answers."""
    section = f"""
        [agencies.demo.midoffice]
        kind = "xmid"
        url = "http://127.0.0.1:1"
        token = "{TOKEN}"
        agency_no = "AG01"
        supplier_numbers = {{ sup_rh = "70012" }}
    """
    settings.write_text(settings.read_text("utf-8") + section, "utf-8")


def key(booking: str, revision: int = 1) -> EffectKey:
    return EffectKey("demo", "xmid", "booking", f"{booking}/{booking}-lin_1", "announce", revision)


def sent(store: Store, booking: str, revision: int = 1) -> EffectKey:
    content = {
        "agency_id": "demo",
        "booking_key": booking,
        "supplier_code": "sup_rh",
        "supplier_booking_id": f"{booking}-lin_1",
    }
    request = {"content_hash": "h", "content": content}
    store.effects.intend(key(booking, revision), booking_id=booking, request=request)
    return key(booking, revision)


@pytest.fixture
def several(store: Store) -> None:
    store.effects.done(sent(store, "bkg_1"), "V410001")
    store.transfers.record("demo", "xmid", "bkg_1", "lin_1", "transferred", outside_id="V410001")
    store.transfers.record(
        "demo", "xmid", "bkg_1", "lin_2", "not_transferred", "xmid takes hotel only, this is transport"
    )
    store.effects.refused(sent(store, "bkg_2"), "KREDITOR_UNBEKANNT: kreditorNr: creditor 70012 is not known")
    store.effects.queued(sent(store, "bkg_3"), "in/file.csv")
    store.effects.refused(sent(store, "bkg_4", 1), "an old refusal")
    store.effects.done(sent(store, "bkg_4", 2), "V410004")
    store.transfers.record("demo", "xmid", "bkg_4", "lin_1", "transferred", outside_id="V410004")


@pytest.mark.usefixtures("several")
def test_every_booking_is_listed_with_its_state_there_and_why(bookings: Any) -> None:
    rows = {row["booking"]: row for row in bookings("midoffice", "list", "--json").json}
    states = {booking: row["theirs"] for booking, row in rows.items()}
    assert states == {"bkg_1": "partial", "bkg_2": "refused", "bkg_3": "queued", "bkg_4": "transferred"}
    assert rows["bkg_1"]["orders"] == ["V410001"]
    assert rows["bkg_1"]["notes"] == ["lin_2: xmid takes hotel only, this is transport"]
    assert "kreditorNr" in rows["bkg_2"]["notes"][0]
    assert rows["bkg_4"]["notes"] == []
    shown = bookings("midoffice", "list").out
    assert "bkg_2" in shown
    assert "refused" in shown


@pytest.mark.usefixtures("several")
def test_a_state_can_be_asked_for(bookings: Any) -> None:
    found = bookings("midoffice", "list", "--state", "refused", "--agency", "demo", "--json").json
    assert [row["booking"] for row in found] == ["bkg_2"]
    one_line(bookings("midoffice", "list", "--state", "lost"), "lost", "queued")
    one_line(bookings("midoffice", "list", "--agency", "nobody"), "nobody", "demo")


@pytest.mark.usefixtures("several")
def test_a_booking_is_shown_with_its_messages_and_the_lines_that_stayed_behind(bookings: Any) -> None:
    shown = bookings("midoffice", "show", "demo", "bkg_1", "--json").json
    assert [line["state"] for line in shown["lines"]] == ["transferred", "not_transferred"]
    assert [(one["revision"], one["state"], one["id"]) for one in shown["messages"]] == [(1, "done", "V410001")]
    assert "held" not in shown
    assert "xmid takes hotel only" in bookings("midoffice", "show", "demo", "bkg_1").out


@pytest.mark.usefixtures("several")
def test_a_mid_office_that_does_not_answer_is_said_so_and_breaks_nothing(bookings: Any) -> None:
    (held,) = bookings("midoffice", "show", "demo", "bkg_1", "--ask", "--json").json["held"]
    assert held["problem"].startswith("Transient")


@pytest.mark.usefixtures("several")
def test_what_they_hold_now_can_be_asked(bookings: Any, settings: Path) -> None:
    stand_in = XmidStandIn()
    with running(stand_in) as url:
        settings.write_text(
            settings.read_text("utf-8").replace('url = "http://127.0.0.1:1"', f'url = "{url}"'), "utf-8"
        )
        (held,) = bookings("midoffice", "show", "demo", "bkg_1", "--ask", "--json").json["held"]
    stand_in.close()
    assert held == {"supplier_booking": "bkg_1-lin_1", "problem": "they hold nothing"}


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("booking", "words"), [("bkg_4", ("nothing to send", "V410004")), ("bkg_3", ("nothing to send", "in its queue"))]
)
def test_what_they_have_is_not_sent_again(bookings: Any, booking: str, words: tuple[str, ...]) -> None:
    one_line(bookings("midoffice", "resend", "demo", booking, "--by", "ana"), *words)


@pytest.mark.usefixtures("several")
def test_what_was_refused_goes_to_temporal_which_is_away_here(bookings: Any) -> None:
    one_line(bookings("midoffice", "resend", "demo", "bkg_2", "--by", "ana"), "Temporal")


def test_a_booking_that_was_made_before_goes_to_temporal_too(bookings: Any, store: Store) -> None:
    trip.tell(store, "experience.created", agency="demo", experience=trip.experience())
    trip.tell(store, "booking.created", agency="demo", booking=trip.booking())
    one_line(bookings("midoffice", "resend", "demo", "bkg_500", "--by", "ana"), "Temporal")


def test_an_unknown_booking_is_one_line(bookings: Any) -> None:
    one_line(bookings("midoffice", "show", "demo", "bkg_9"), "bkg_9", "midoffice list")
    one_line(bookings("midoffice", "resend", "demo", "bkg_9", "--by", "ana"), "bkg_9")
