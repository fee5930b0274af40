"""The payer of a duplicate is asked once by their own language, and a person is asked where no letter can go (payment-sync 19)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from temporalio.exceptions import ApplicationError

from activities.mailing.duplicates import DuplicateLetters
from domain.duplicates import DuplicateLetter
from domain.money import Money
from domain.plan_letters import MailSettings
from store import Store
from tests import stories
from tests.activities.mailing.test_mailing import Inbox
from tests.databases import MASTER_KEY, migrated_url

ASKED = DuplicateLetter(
    agency=stories.AGENCY,
    booking_id="bkg_500",
    experience_id="exp_31",
    payment_id="pay_1001",
    amount=Money(amount=30000, currency="EUR"),
    method="card",
    occasion="asked",
    number=5,
)


def known(tmp_path: Path, **payer: Any) -> Store:
    store = Store.open(migrated_url("sqlite", tmp_path), master_key=MASTER_KEY)
    told = stories.booking(payer=stories.PAYER | payer, booker=stories.PAYER | {"email": None})
    store.inbox.accept(stories.event(1, "booking.created", stories.data("booking/bkg_500", booking=told)))
    return store


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def settings(inbox: Inbox) -> Iterator[MailSettings]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    yield MailSettings(host="127.0.0.1", port=port, security="none", sender="viajes@agency.example")
    server.stop()


@pytest.mark.covers("F-C18")
@pytest.mark.parametrize(
    ("language", "words"), [("es", "pagado dos veces"), ("en", "paid twice"), (None, "pagado dos veces")]
)
def test_the_payer_is_asked_once_in_their_language(
    tmp_path: Path, inbox: Inbox, settings: MailSettings, language: str | None, words: str
) -> None:
    store = known(tmp_path, email="ana@example.test", language=language)
    letters = DuplicateLetters(store, {stories.AGENCY: settings}, {stories.AGENCY: "Viajes Sol"})
    for _ in range(2):
        letters.tell_of_duplicate(ASKED)
    (told,) = inbox.letters
    assert told["To"] == "ana@example.test"
    assert words in told["Subject"]
    assert "Viajes Sol" in told.get_content()
    store.close()


def test_after_a_restored_backup_no_letter_about_a_duplicate_goes_before_a_person_was_asked(
    tmp_path: Path, inbox: Inbox, settings: MailSettings
) -> None:
    store = known(tmp_path, email="ana@example.test")
    store.restores.begin(datetime(2026, 11, 20, 3, 0, tzinfo=UTC), "ana", "backup of the night")
    letters = DuplicateLetters(store, {stories.AGENCY: settings}, {})
    for _ in range(2):
        with pytest.raises(ApplicationError) as asked:
            letters.tell_of_duplicate(ASKED)
        assert (asked.value.type, asked.value.details[0]["code"]) == ("NeedsPerson", "restored_unseen")
    assert inbox.letters == []
    assert store.effects.rearm(asked.value.details[0]["effect"]), "what `retry` does: it did not go out before"
    for _ in range(2):
        letters.tell_of_duplicate(ASKED)
    assert len(inbox.letters) == 1
    store.close()


@pytest.mark.parametrize("lacking", ["address", "server"])
def test_where_no_letter_can_go_a_person_is_asked_to_tell_them_and_reads_no_name(
    tmp_path: Path, settings: MailSettings, lacking: str
) -> None:
    store = known(tmp_path, email=None if lacking == "address" else "ana@example.test")
    letters = DuplicateLetters(store, {} if lacking == "server" else {stories.AGENCY: settings}, {})
    with pytest.raises(ApplicationError) as asked:
        letters.tell_of_duplicate(ASKED)
    assert asked.value.type == "NeedsPerson"
    assert asked.value.details[0]["code"] == "message_unsent"
    assert "Ana" not in asked.value.message
    assert "ana@" not in asked.value.message
    store.close()
