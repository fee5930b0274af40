"""`privacy export`, `privacy erase`, `privacy due`: a person gets their data, and is forgotten as far as the law allows."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from domain.deals import DealSaid
from domain.effects import EffectKey
from domain.money import Money
from domain.supplier import OrderGuest, OrderRoom, SupplierOrder
from starter import privacy
from starter.answers import CommandError
from starter.cli import app
from starter.events import take_in
from starter.opening import opened_store, read_settings
from store import Store
from store.installation import Installation
from store.people_sought import Wanted
from store.supplier_orders import supplier_orders
from tests.starter.agency import DEMO, MASTER_KEY, booking_created, event, payment_captured, raw
from tests.store.test_supplier_orders import order

SETTINGS = f"""
data = "data"
[store]
master_key = "{MASTER_KEY}"
{DEMO}
"""
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ANA = {
    "id": "cus_77",
    "kind": "person",
    "name": "Ana Prueba Ejemplo",
    "first_name": "Ana",
    "last_name": "Prueba Ejemplo",
    "tax_id": {"type": "NIF", "value": "00000000T", "country": "ES"},
    "address": {"line1": "Calle Mayor 11", "postcode": "28013", "city": "Madrid", "country": "ES"},
    "email": "Ana@mail.example",
    "phone": "+34600111222",
    "fiscal_complete": True,
}
LUIS = {"id": "trv_02", "first_name": "Luis", "last_name": "Ferrer Pons", "kind": "adult"}
CONTACT = ("ana@mail.example", "600111222")
FISCAL = ("Ana Prueba Ejemplo", "00000000T", "Calle Mayor 11")
SECOND = "bkg_501"


def booking(own: str = "bkg_500", number: int = 2, revision: int = 1, **changes: Any) -> dict[str, Any]:
    told = copy.deepcopy(booking_created(number))
    snapshot = told["data"]["booking"]
    snapshot |= {
        "id": own,
        "payer": ANA,
        "booker": ANA,
        "status": "cancelled",
        "notes": "Ana@mail.example called",
    } | changes
    snapshot["travellers"] = [
        {"id": "trv_01", "first_name": "Ana", "last_name": "Prueba Ejemplo", "kind": "adult", "is_payer": True},
        LUIS,
    ]
    snapshot["totals"]["captured"], snapshot["totals"]["due"] = (
        snapshot["totals"]["total"],
        {"amount": 0, "currency": "EUR"},
    )
    told["subject"], told["partitionkey"] = f"booking/{own}", own
    told["data"]["aggregate"] |= {"id": own, "revision": revision}
    return told


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS)
    return path


@pytest.fixture
def installation(settings: Path) -> Installation:
    return read_settings(settings)


@pytest.fixture
def store(installation: Installation) -> Iterator[Store]:
    with opened_store(installation, migrate=True) as opened:
        yield opened


def tell(store: Store, installation: Installation, document: dict[str, Any]) -> str:
    return take_in(store, installation, raw(document).encode(), received_at=NOW).result


@pytest.fixture
def known(store: Store, installation: Installation) -> Store:
    """Ana paid a booking that is over, and Luis travelled with her; a deal of hers was paid, too."""
    tell(store, installation, booking())
    tell(store, installation, payment_captured(3, amount=82_500))
    client = EffectKey("demo", "giav", "cliente", "cus_77:AB2C", "create")
    asked = {
        "Nombre": "Ana",
        "Apellidos": "Prueba Ejemplo",
        "NIF": "00000000T",
        "Email": "ana@mail.example",
        "CP": "28013",
    }
    store.effects.intend(client, booking_id="bkg_500", request=asked)
    store.effects.done(client, "12")
    passenger = EffectKey("demo", "giav", "pasajero", "bkg_500/trv_02", "create")
    store.effects.intend(passenger, booking_id="bkg_500", request={"Nombre": "Luis", "Apellidos": "Ferrer Pons"})
    store.effects.done(passenger, "13")
    said = DealSaid(
        name="Ana Prueba Ejemplo",
        amount=Money(amount=10_000, currency="EUR"),
        email="ana@mail.example",
        phone="+34600111222",
        tax_number="00000000T",
    )
    store.payment_requests.ask("demo", 4711, said)
    return store


def content(installation: Installation) -> bytes:
    return b"".join(path.read_bytes() for path in installation.data.glob("store.db*")).lower()


def held(content: bytes, *words: str) -> list[str]:
    return [word for word in words if word.lower().encode() in content]


def run(settings: Path, *words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["privacy", *words, "--settings", str(settings)])
    assert done.exit_code == code, done.output
    return done.output


def test_a_person_is_found_by_mail_by_customer_and_as_a_traveller(known: Store) -> None:
    by_mail = known.privacy.find(Wanted("demo", email="ana@MAIL.example"))
    assert {one.thing: sorted(one.roles) for one in by_mail.appearances} == {
        "bkg_500": ["booker", "payer", "traveller"],
        "deal/4711": ["customer"],
    }
    by_id = known.privacy.find(Wanted("demo", customer="cus_77"))
    assert {one.thing for one in by_id.appearances} == {"bkg_500", "deal/4711"}
    luis = known.privacy.find(Wanted("demo", booking="bkg_500", party="trv_02"))
    assert [(one.thing, sorted(one.roles)) for one in luis.appearances] == [("bkg_500", ["traveller"])]
    assert known.privacy.find(Wanted("demo", email="nobody@mail.example")).appearances == ()


def test_while_invoices_have_to_be_kept_contact_goes_and_the_recipient_stays(
    known: Store, settings: Path, installation: Installation
) -> None:
    told = json.loads(
        run(
            settings,
            "erase",
            "demo",
            "--email",
            "ana@mail.example",
            "--by",
            "sofia",
            "--why",
            "letter of 20 November",
            "--json",
        )
    )
    parts = {part["thing"]: (part["erase"], part["rest_on"]) for part in told["parts"]}
    assert parts == {"bkg_500": ("contact", "2033-01-01"), "deal/4711": ("all", None)}
    now = known.facts.booking("demo", "bkg_500")
    assert now is not None
    assert (now.payer.name, now.payer.email, now.payer.phone) == ("Ana Prueba Ejemplo", None, None)
    known.close()
    assert held(content(installation), *CONTACT) == []
    assert held(content(installation), "Ana Prueba Ejemplo", "00000000T") == ["Ana Prueba Ejemplo", "00000000T"]


def test_after_the_time_of_keeping_nothing_of_the_person_is_left_and_the_books_are_as_they_were(
    known: Store, installation: Installation
) -> None:
    agency = installation.agencies["demo"]
    money = known.facts.payments_of("demo", "bkg_500")
    before = known.facts.booking("demo", "bkg_500")
    for today in (date(2026, 11, 22), date(2033, 1, 1)):
        found = known.privacy.find(Wanted("demo", customer="cus_77"))
        privacy.erase(known, agency, found, Wanted("demo", customer="cus_77"), "sofia", "her letter", today)
    after = known.facts.booking("demo", "bkg_500")
    assert before is not None
    assert after is not None
    assert (after.totals, after.lines, after.payer.id) == (before.totals, before.lines, "cus_77")
    assert known.facts.payments_of("demo", "bkg_500") == money
    assert known.facts.booking_in("demo", "evt_01JD0000000000000000000002").payer.name == "[erased]"
    (client,) = [row for row in known.effects.history("demo", "bkg_500") if row.record.key.entity == "cliente"]
    assert client.record.outside_id == "12"
    known.close()
    left = content(installation)
    assert held(left, *CONTACT, *FISCAL) == []
    assert held(left, "Ferrer Pons") == ["Ferrer Pons"], "who travelled with her is somebody else"


def test_what_had_to_be_kept_goes_by_itself_when_its_day_comes(known: Store, installation: Installation) -> None:
    agency, wanted = installation.agencies["demo"], Wanted("demo", customer="cus_77")
    privacy.erase(known, agency, known.privacy.find(wanted), wanted, "sofia", "her letter", date(2026, 11, 22))
    assert list(privacy.due(known, "demo", agency, "timer", date(2032, 12, 31))) == []
    assert list(privacy.due(known, "demo", agency, "timer", date(2033, 1, 1)))
    assert list(privacy.due(known, "demo", agency, "timer", date(2033, 1, 1))) == []
    now = known.facts.booking("demo", "bkg_500")
    assert now is not None
    assert now.payer.name == "[erased]"


def test_a_contract_that_is_not_fulfilled_keeps_its_people(
    store: Store, installation: Installation, settings: Path
) -> None:
    trip = {"id": "exp_31", "title": "Mallorca", "sales_mode": "seat_b2c", "status": "on_sale", "currency": "EUR",
            "timezone": "Europe/Madrid", "starts_on": "2096-06-20", "ends_on": "2096-06-23", "services": [],
            "cancellation_policy": {"basis": "total", "tiers": []}}  # fmt: skip
    tell(store, installation, event("experience.created", ("experience", "exp_31", 1), {"experience": trip}, 1))
    tell(store, installation, booking(status="confirmed"))
    words = ("erase", "demo", "--customer", "cus_77", "--by", "sofia", "--why", "her letter", "--json")
    (part,) = json.loads(run(settings, *words))["parts"]
    assert (part["erase"], "the trip ends 2096-06-23" in part["because"]) == ("nothing", True)
    now = store.facts.booking("demo", "bkg_500")
    assert now is not None
    assert now.payer.email == "Ana@mail.example"


def test_a_late_event_or_a_repeated_one_does_not_bring_the_person_back_and_somebody_is_told(
    known: Store, installation: Installation
) -> None:
    agency, wanted = installation.agencies["demo"], Wanted("demo", customer="cus_77")
    privacy.erase(known, agency, known.privacy.find(wanted), wanted, "sofia", "her letter", date(2040, 1, 1))
    assert tell(known, installation, booking()) == "duplicate"
    assert tell(known, installation, booking(number=9, revision=2)) == "new"
    other_body = booking()
    other_body["data"]["reason"] = "Ana@mail.example called again"
    assert tell(known, installation, other_body) == "conflict"
    (item,) = [one for one in known.parked.list("demo") if one.reason == "erased_person_told"]
    assert (item.booking_id, item.owner, item.decisions) == ("bkg_500", "operations", ("skip",))
    now = known.facts.booking("demo", "bkg_500")
    assert now is not None
    assert now.payer.name == "[erased]"
    assert [one.first_name for one in now.travellers] == ["[erased]", "Luis"]
    known.close()
    assert held(content(installation), *CONTACT, *FISCAL) == []


def test_a_new_booking_of_the_same_customer_is_a_new_contract(known: Store, installation: Installation) -> None:
    agency, wanted = installation.agencies["demo"], Wanted("demo", customer="cus_77")
    privacy.erase(known, agency, known.privacy.find(wanted), wanted, "sofia", "her letter", date(2040, 1, 1))
    assert tell(known, installation, booking(SECOND, number=10)) == "new"
    again = known.facts.booking("demo", SECOND)
    assert again is not None
    assert again.payer.email == "Ana@mail.example"


def test_erasing_twice_changes_nothing_more(known: Store, installation: Installation) -> None:
    agency, wanted = installation.agencies["demo"], Wanted("demo", customer="cus_77")
    rows = [
        privacy.erase(known, agency, known.privacy.find(wanted), wanted, "sofia", "her letter", date(2040, 1, 1))[
            "rows"
        ]
        for _ in range(2)
    ]
    assert rows[0]["events"] == 1
    assert rows[1] == {}


def test_a_dry_run_changes_nothing_and_says_what_would_go(
    known: Store, settings: Path, installation: Installation
) -> None:
    words = (
        "erase",
        "demo",
        "--email",
        "ana@mail.example",
        "--by",
        "sofia",
        "--why",
        "her letter",
        "--dry-run",
        "--json",
    )
    told = json.loads(run(settings, *words))
    assert told["rows"]["events"] == 1
    assert {one["system"] for one in told["outside"]} >= {"giav", "platform", "kommo"}
    assert known.erasures.list("demo") == []
    known.close()
    assert held(content(installation), *CONTACT) == list(CONTACT)


def test_who_erased_and_who_exported_is_written_down_without_the_person(
    known: Store, settings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "ana.json"
    run(settings, "export", "demo", "--email", "ana@mail.example", "--by", "sofia", "--out", str(out))
    run(settings, "erase", "demo", "--email", "ana@mail.example", "--by", "sofia", "--why", "her letter")
    deeds = [(line.deed.actor, line.deed.action, line.deed.object) for line in known.audit_trail.list()]
    assert deeds == [("sofia", "privacy erase", "an e-mail address"), ("sofia", "privacy export", "an e-mail address")]


def test_an_export_holds_what_is_hers_and_nobody_else(known: Store, settings: Path, tmp_path: Path) -> None:
    out = tmp_path / "ana.json"
    run(settings, "export", "demo", "--email", "ana@mail.example", "--by", "sofia", "--out", str(out))
    assert out.stat().st_mode & 0o077 == 0
    text = out.read_text("utf-8")
    told = json.loads(text)
    assert {"events", "bookings", "effects", "payment_requests"} <= set(told["held_here"])
    assert all(word in text for word in ("Ana Prueba Ejemplo", "00000000T", "600111222"))
    assert "Ferrer Pons" not in text
    with pytest.raises(AssertionError):
        run(settings, "export", "demo", "--email", "ana@mail.example", "--by", "sofia", "--out", str(out))


@pytest.mark.parametrize("words", [(), ("--email", "a@b.example", "--customer", "cus_1"), ("--booking", "bkg_500")])
def test_a_person_is_named_in_one_way(known: Store, settings: Path, words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(
        app, ["privacy", "erase", "demo", *words, "--by", "x", "--why", "her letter", "--settings", str(settings)]
    )
    assert isinstance(done.exception, CommandError)
    assert "in one way" in str(done.exception)


def test_a_deal_that_the_crm_tells_again_asks_nobody_for_money_and_brings_nobody_back(
    known: Store, installation: Installation
) -> None:
    agency, wanted = installation.agencies["demo"], Wanted("demo", email="ana@mail.example")
    said = known.payment_requests.asked("demo", 4711, 1).said
    privacy.erase(known, agency, known.privacy.find(wanted), wanted, "sofia", "her letter", date(2040, 1, 1))
    assert known.payment_requests.ask("demo", 4711, said) == (1, False)
    assert known.payment_requests.asked("demo", 4711, 1).said.email == "[erased]"
    assert [one.reason for one in known.parked.list("demo")] == ["erased_person_told"]
    dearer = said.model_copy(update={"amount": Money(amount=20_000, currency="EUR")})
    assert known.payment_requests.ask("demo", 4711, dearer) == (2, True), "other money is asked for anew"


def test_a_suppliers_order_that_changes_again_keeps_its_guests_away(known: Store, installation: Installation) -> None:
    first = supplier_order(3, modified=1)
    known.supplier_orders.record("demo", "ratehawk", [first])
    erased = Wanted("demo", customer="cus_77")
    with known.database.begin() as connection:
        connection.execute(update(supplier_orders).values(booking_id="bkg_500"))
    found = known.privacy.find(erased)
    privacy.erase(known, installation.agencies["demo"], found, erased, "sofia", "her letter", date(2040, 1, 1))
    assert known.supplier_orders.record("demo", "ratehawk", [supplier_order(3, modified=2)]) == 1
    again = known.supplier_orders.get("demo", "ratehawk", 3)
    assert again is not None
    assert {guest.last_name for room in again.order.rooms for guest in room.guests} == {"[erased]"}


def supplier_order(number: int, modified: int) -> SupplierOrder:
    """An order with Ana and Luis as its guests."""
    told = order(number, minutes=modified)
    ana, luis = (
        OrderGuest(first_name="Ana", last_name="Prueba Ejemplo"),
        OrderGuest(first_name="Luis", last_name="Ferrer"),
    )
    room = OrderRoom(index=1, name="doble", guests=(ana, luis))
    return told.model_copy(update={"rooms": (room,), "hotel_confirmation": f"H{modified}"})
