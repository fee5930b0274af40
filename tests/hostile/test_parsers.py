"""Everything that is read from outside, given what nobody sends: sorted into our own classes, never a defect."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.giav.wire import NotXml, SoapFault, WireError, operations
from activities.kommo import wire as kommo
from activities.midoffice.codec import Unreadable
from activities.midoffice.midoco.answers import read_answer
from activities.midoffice.soap import first_in_body, parsed
from domain.errors import BackOfficeError
from starter.events import BrokenEnvelope, UnknownSource, read_envelope, take_in
from starter.gateway.deals import _pairs, entities
from starter.gateway.problems import Problem
from starter.gateway.suppliers import read_nudge
from tests.hostile.budget import examples
from tests.hostile.conftest import House
from tests.starter.agency import booking_created, payment_captured

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        ["bkg_500", "EUR", "2026-11-20T10:05:00Z", "9" * 400, "\x00", "\ud800", "../../etc/passwd", "'; --"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
EVENTS = (booking_created(), payment_captured())


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a document."""
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [path] * bool(path) + [place for name, each in inner for place in places(each, (*path, name))]


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    head, *rest = path
    new = value if not rest else replaced(document[head], tuple(rest), value)
    if isinstance(document, dict):
        return {**document, head: new}
    return [new if place == head else each for place, each in enumerate(document)]


@st.composite
def spoiled_events(draw: st.DrawFn) -> bytes:
    """A genuine event with something else in one or two places."""
    document: Any = draw(st.sampled_from(EVENTS))
    for _ in range(draw(st.integers(1, 2))):
        document = replaced(document, draw(st.sampled_from(places(document))), draw(JSON))
        if not isinstance(document, dict):
            break
    return json.dumps(document, default=str).encode("utf-8", "surrogatepass")


@examples(120)
@given(st.binary(max_size=300) | spoiled_events())
def test_an_envelope_is_read_or_broken(raw: bytes) -> None:
    with contextlib.suppress(BrokenEnvelope):
        read_envelope(raw)


@examples(60)
@given(spoiled_events())
def test_a_spoiled_event_is_kept_or_broken_and_never_stops_the_inbox(house: House, raw: bytes) -> None:
    installation, store, _ = house
    with contextlib.suppress(BrokenEnvelope, UnknownSource):
        take_in(store, installation, raw, received_at=NOW)


@pytest.mark.parametrize("depth", [2_000, 100_000])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_what_is_nested_too_deeply_is_broken(house: House, depth: int, brackets: str) -> None:
    opening = '{"a":' if brackets == "{}" else "["
    raw = (opening * depth + "1" + brackets[1] * depth).encode()
    with pytest.raises(BrokenEnvelope):
        read_envelope(raw)
    with pytest.raises(Problem):
        read_nudge(raw)


@examples(80)
@given(st.binary(max_size=200) | JSON.map(lambda told: json.dumps(told).encode()))
def test_a_nudge_of_the_supplier_is_read_or_broken(raw: bytes) -> None:
    with contextlib.suppress(Problem):
        read_nudge(raw)


FORM_NAMES = st.sampled_from(["leads[status][0][id]", "leads[update][9999][last_modified]", "account[id]"]) | st.text(
    max_size=20
)


@examples(80)
@given(st.lists(st.tuples(FORM_NAMES, st.text(max_size=20)), max_size=8), st.binary(max_size=60))
def test_a_form_of_the_crm_is_read_or_broken(pairs: list[tuple[str, str]], noise: bytes) -> None:
    raw = "&".join(f"{name}={value}" for name, value in pairs).encode("utf-8", "replace") + noise
    with contextlib.suppress(Problem):
        for told in entities(_pairs(raw, "application/x-www-form-urlencoded")):
            assert told.lead_id > 0


ENVELOPE = b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>%s</s:Body></s:Envelope>'
TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="<>&\x00"), max_size=12)


@st.composite
def soap_answers(draw: st.DrawFn) -> bytes:
    """Answers of some operation with elements that nobody expects, cut off at random."""
    name = draw(st.sampled_from(sorted(operations())))
    inside = draw(st.lists(st.tuples(st.sampled_from(["Id", "WsClient", "int", "Importe", "x"]), TEXTS), max_size=4))
    content = "".join(f"<{tag}>{text}</{tag}>" for tag, text in inside)
    body = f'<{name}Response xmlns="http://tempuri.org/"><{name}Result>{content}</{name}Result></{name}Response>'
    raw = ENVELOPE % body.encode()
    return raw[: draw(st.integers(0, len(raw)))] if draw(st.booleans()) else raw


@examples(120)
@given(soap_answers() | st.binary(max_size=120))
def test_an_answer_of_the_erp_is_read_or_sorted(raw: bytes) -> None:
    for name in ("Cobro_SEARCH", "Cliente_POST", "Expediente_InfoEconomica_GET"):
        with contextlib.suppress(NotXml, SoapFault, WireError):
            operations()[name].answer(raw)


@examples(100)
@given(soap_answers() | st.binary(max_size=120))
def test_an_answer_of_a_mid_office_is_read_or_unreadable(raw: bytes) -> None:
    with contextlib.suppress(Unreadable):
        read_answer(raw)


BOMBS = {
    "a billion laughs": b'<!DOCTYPE l [<!ENTITY a "lol">%s]><l>&j;</l>'
    % b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)),
    "one long entity many times": b'<!DOCTYPE l [<!ENTITY a "%s">]><l>%s</l>' % (b"x" * 100_000, b"&a;" * 5_000),
    "a file of ours": b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>',
    "an address of ours": b'<!DOCTYPE l [<!ENTITY a SYSTEM "http://127.0.0.1:1/">]><l>&a;</l>',
    "a type from elsewhere": b'<!DOCTYPE l SYSTEM "http://127.0.0.1:1/l.dtd"><l/>',
    "a parameter entity": b'<!DOCTYPE l [<!ENTITY % p SYSTEM "file:///etc/passwd">%p;]><l/>',
    "nested without end": b"<a>" * 100_000,
    "an attribute without end": b'<a b="' + b"x" * 11_000_000 + b'"/>',
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_bombs_and_entities_are_no_answers(bomb: bytes) -> None:
    for raw in (bomb, b'<?xml version="1.0"?>' + bomb):
        with pytest.raises(NotXml):
            operations()["Cliente_POST"].answer(raw)
        with pytest.raises(Unreadable):
            parsed(raw)
        with pytest.raises(Unreadable):
            first_in_body(raw)


@examples(60)
@given(JSON)
def test_records_of_the_crm_are_read_or_sorted(told: Any) -> None:
    for read in (kommo.lead_of, kommo.contact_of, kommo.field_of, kommo.pipeline_of, kommo.stage_change_of):
        with contextlib.suppress(BackOfficeError):
            read(told)
