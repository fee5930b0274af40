"""The customer gets the link once, from the agency's own mail server; what the server says decides what is done next."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from temporalio.exceptions import ApplicationError

from activities.mailing.activities import MailActivities
from activities.mailing.letters import letter
from domain.deal_steps import RequestStep
from domain.deals import DealRules, DealSaid, SmtpSettings
from domain.money import Money
from store import Store
from tests.databases import MASTER_KEY, migrated_url

SAID = DealSaid(
    name="Ana Prueba",
    amount=Money(amount=30000, currency="EUR"),
    description="Lisboa",
    terms="Within three days",
    email="ana@example.test",
)
STEP = RequestStep(agency="demo", deal_id=500, revision=1)


class Inbox:
    """A mail server that keeps what it takes, and answers as told."""

    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.answers: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 the server's own name
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return self.answers.pop(0) if self.answers else "250 taken"


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def mailing(inbox: Inbox, tmp_path: Path) -> Iterator[MailActivities]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    store = Store.open(migrated_url("sqlite", tmp_path), master_key=MASTER_KEY)
    store.payment_requests.ask("demo", 500, SAID)
    expires = datetime.now(UTC) + timedelta(hours=72)
    assert SAID.amount is not None
    store.payment_pages.made("demo", 500, 1, 1, "https://pay.example/p1", "secret", SAID.amount, expires)
    smtp = SmtpSettings(host="127.0.0.1", port=port, security="none", sender="viajes@agency.example")
    yield MailActivities(store, {"demo": DealRules(mail="smtp", smtp=smtp)}, {"demo": "Viajes Demo"})
    store.close()
    server.stop()


def test_the_customer_is_written_to_once(mailing: MailActivities, inbox: Inbox) -> None:
    mailing.mail_request(STEP)
    mailing.mail_request(STEP)
    (told,) = inbox.letters
    assert told["To"] == "ana@example.test"
    for words in ("https://pay.example/p1", "300.00 EUR", "Within three days", "Viajes Demo"):
        assert words in told.get_content()


def test_a_letter_that_was_put_off_is_the_same_letter(mailing: MailActivities, inbox: Inbox) -> None:
    inbox.answers = ["451 come back later"]
    with pytest.raises(ApplicationError) as put_off:
        mailing.mail_request(STEP)
    assert (put_off.value.type, put_off.value.non_retryable) == ("Transient", False)
    mailing.mail_request(STEP)
    assert len({told["Message-ID"] for told in inbox.letters}) == 1


def test_an_address_that_is_refused_is_a_persons(mailing: MailActivities, inbox: Inbox) -> None:
    inbox.answers = ["554 no such user"]
    with pytest.raises(ApplicationError) as refused:
        mailing.mail_request(STEP)
    assert refused.value.type == "Refused"
    assert "ana" not in refused.value.message


def test_what_a_deal_says_cannot_add_headers() -> None:
    smtp = SmtpSettings(host="h", sender="a@b.example")
    told = letter(SAID.model_copy(update={"description": "x\r\nBcc: all@example.test"}), "u", "ORQ-1", smtp, "Demo")
    assert told["Bcc"] is None
    assert told["Subject"] == "Your payment: x Bcc: all@example.test"


def test_nobody_writes_where_easycount_does(tmp_path: Path) -> None:
    store = Store.open(migrated_url("sqlite", tmp_path), master_key=MASTER_KEY)
    assert MailActivities(store, {}, {}).mail_request(STEP).outcome == "skipped"
    store.close()
