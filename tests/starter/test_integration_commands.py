"""`bookings integration`: every step from the command line, keys never shown, one line for what can be mended."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.giav import seeds
from sandbox.giav.stand_in import PATH, GiavStandIn
from sandbox.running import running
from sandbox.tina.stand_in import PASSWORD as TINA_PASSWORD
from sandbox.tina.stand_in import TinaStandIn
from store import Store
from store.installation import load_installation
from tests.databases import MASTER_KEY as KEY_BYTES
from tests.starter.test_command_line import bookings, one_line, settings

__all__ = ["bookings", "settings"]


@pytest.fixture
def store(settings: Path) -> Iterator[Store]:
    opened = Store.open(load_installation(settings).store_url, master_key=KEY_BYTES)
    yield opened
    opened.close()


@pytest.fixture
def giav() -> Iterator[str]:
    with running(GiavStandIn()) as url:
        yield f"{url}{PATH}"


@pytest.fixture
def say_key(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda key: monkeypatch.setattr(sys, "stdin", io.StringIO(f"{key}\n"))


def test_an_integration_is_prepared_step_by_step(bookings: Any, store: Store, giav: str, say_key: Any) -> None:
    assert bookings("integration", "request", "demo", "--by", "ana").code == 0
    say_key(seeds.API_KEY)
    assert bookings("integration", "key", "demo", "--by", "ana").code == 0
    assert bookings("integration", "set", "demo", f"url={giav}", "payment_methods.bizum=10", "--by", "ana").code == 0
    checked = bookings("integration", "check", "demo", "--json")
    assert (checked.code, checked.json["ready"], checked.json["state"]) == (0, True, "checked")
    shown = bookings("integration", "show", "demo", "--json").json
    assert shown["key"] == "sealed"
    assert shown["settings"]["payment_methods"] == {"bizum": 10}
    assert shown["catalogue"]["proposed"]["office_id"] == seeds.OFFICE
    steps = bookings("integration", "history", "demo", "--json").json
    assert [step["step"] for step in steps] == ["requested", "key stored", "settings", "checked"]
    assert [step["by"] for step in steps][:3] == ["ana"] * 3
    assert "office_id" in bookings("integration", "show", "demo").out
    assert "checked" in bookings("integration", "list").out


def test_the_key_is_never_shown(bookings: Any, giav: str, say_key: Any) -> None:
    bookings("integration", "request", "demo")
    say_key("sandbox-giav-secret")
    said = [bookings("integration", "key", "demo")]
    bookings("integration", "set", "demo", f"url={giav}")
    said += [bookings("integration", *words) for words in (["show", "demo"], ["list"], ["history", "demo"])]
    refused = bookings("integration", "check", "demo")
    one_line(refused, "bookings integration key demo")
    assert all("sandbox-giav-secret" not in each.out + each.err for each in [*said, refused])


def test_what_a_check_leaves_open_is_named_with_its_candidates(bookings: Any, say_key: Any) -> None:
    stand_in = GiavStandIn()
    stand_in.books.records.add("Oficina", {"Id": 4, "Codigo": "004", "Denominacion": "Oficina playa"})
    stand_in.books.records.commit()
    with running(stand_in) as url:
        bookings("integration", "request", "demo")
        say_key(seeds.API_KEY)
        bookings("integration", "key", "demo")
        bookings("integration", "set", "demo", f"url={url}{PATH}")
        open_question = bookings("integration", "check", "demo")
        assert open_question.code == 1
        assert "needed: office_id" in open_question.out
        assert "Oficina playa" in open_question.out
        bookings("integration", "set", "demo", "office_id=4")
        assert bookings("integration", "check", "demo").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "demo"], "bookings integration request demo"),
        (["key", "demo"], "never requested"),
        (["activate", "demo"], "never requested"),
        (["request", "nobody"], "known: demo"),
        (["request", "demo", "--system", "sage"], "known: easycount, giav, kommo, midoco"),
    ],
)
def test_what_was_not_requested_cannot_go_on(bookings: Any, words: list[str], said: str) -> None:
    one_line(bookings("integration", *words), said)


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("office_id", "NAME=VALUE"),
        ("office_id=many", "office_id"),
        ("office_id=-1", "office_id"),
        ("colour=red", "colour"),
        ("api_key=secret", "bookings integration key"),
        ("url.host=x", "url"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_and_changes_nothing(
    bookings: Any, store: Store, assignment: str, said: str
) -> None:
    bookings("integration", "request", "demo")
    refused = bookings("integration", "set", "demo", assignment)
    one_line(refused, said)
    assert "secret" not in refused.err
    assert store.integrations.known("demo", "giav").settings == {}


def test_a_setting_without_a_value_is_guessed_again(bookings: Any, store: Store) -> None:
    bookings("integration", "request", "demo")
    bookings("integration", "set", "demo", "office_id=3", "payment_methods.card=10")
    bookings("integration", "set", "demo", "office_id=", "payment_methods.card=")
    assert store.integrations.known("demo", "giav").settings == {}


def test_an_active_integration_keeps_what_it_needs(bookings: Any, store: Store) -> None:
    given = {"office_id": 3, "agency_supplier_id": 501, "default_supplier_id": 502, "b2c_holder_client_id": 1}
    given |= {"payment_methods": {"default": 10}, "refund_methods": {"default": 10}}  # type: ignore[dict-item]
    store.integrations.request("demo", "giav", by="ana")
    store.integrations.activate("demo", "giav", given, by="ana")
    one_line(bookings("integration", "set", "demo", "office_id="), "office_id is needed")
    assert bookings("integration", "set", "demo", "office_id=4").code == 0
    assert bookings("integration", "suspend", "demo", "--why", "leaving").code == 0
    assert store.integrations.known("demo", "giav").state == "suspended"


def test_a_system_of_the_settings_file_is_not_requested_again(bookings: Any, settings: Path) -> None:
    settings.write_text(settings.read_text() + "\n[agencies.demo.giav]\noffice_id = 3\n")
    one_line(bookings("integration", "request", "demo"), "counts first")


def test_a_key_of_nothing_is_refused(bookings: Any, say_key: Any) -> None:
    bookings("integration", "request", "demo")
    say_key("")
    one_line(bookings("integration", "key", "demo"), "no key")


def test_an_activation_needs_temporal_and_a_day_is_a_day(bookings: Any) -> None:
    bookings("integration", "request", "demo")
    one_line(bookings("integration", "activate", "demo"), "Temporal does not answer")
    one_line(bookings("integration", "activate", "demo", "--ended-since", "soon"), "2026-01-31")


def test_a_mid_office_is_connected_from_the_command_line(bookings: Any, say_key: Any) -> None:
    with running(TinaStandIn()) as url:
        requested = bookings("integration", "request", "demo", "--system", "tina")
        assert "send to the RateHawk account manager, first" in requested.out
        say_key(TINA_PASSWORD)
        bookings("integration", "key", "demo", "--system", "tina")
        given = [f"url={url}", "username=orchestrator", "reseller_code=AG01", "supplier_numbers.sup_rh=RHK01"]
        assert bookings("integration", "set", "demo", *given, "--system", "tina").code == 0
        one_line(bookings("integration", "confirm", "demo", "--system", "tina"), "integration check demo --system tina")
        assert bookings("integration", "check", "demo", "--system", "tina").code == 0
        shown = bookings("integration", "show", "demo", "--system", "tina").out
        assert "account manager told: not yet" in shown
        assert "hotel bookings are transferred automatically" in shown.lower().replace("\n", " ")
        told = bookings("integration", "confirm", "demo", "--system", "tina", "--note", "by e-mail", "--by", "ana")
        assert told.code == 0
        assert "account manager told: by ana" in bookings("integration", "show", "demo", "--system", "tina").out
    steps = bookings("integration", "history", "demo", "--system", "tina", "--json").json
    assert [step["step"] for step in steps] == [
        "requested",
        "key stored",
        "settings",
        "checked",
        "account manager told",
    ]


def test_an_agency_has_one_mid_office(bookings: Any) -> None:
    bookings("integration", "request", "demo", "--system", "tina")
    one_line(bookings("integration", "request", "demo", "--system", "sapeig"), "an agency has one mid-office")


def test_the_password_of_a_mid_office_is_no_setting(bookings: Any) -> None:
    bookings("integration", "request", "demo", "--system", "tina")
    one_line(bookings("integration", "set", "demo", "password=x", "--system", "tina"), "bookings integration key")
