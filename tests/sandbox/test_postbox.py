"""The mail server that delivers to nobody takes letters as a client sends them, and shows them."""

from __future__ import annotations

import asyncio
import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest

from sandbox.postbox.stand_in import PostboxStandIn


def letter(subject: str = "Tu próximo pago") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "viajes@agency.example", "ana@mail.example", subject
    message["Message-ID"] = "<orq-1@agency.example>"
    message.set_content("Hola, Ana:\n\n.un punto al principio\n\nGracias.\n")
    return message


def sent(port: int, *letters: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as line:
        for each in letters:
            line.send_message(each)


async def test_letters_are_kept_in_order_and_survive_a_restart(tmp_path: Path) -> None:
    box = PostboxStandIn(tmp_path)
    port = await box.start_smtp()
    await asyncio.to_thread(sent, port, letter(), letter("Segundo"))
    await box.stop_smtp()
    box.close()
    again = PostboxStandIn(tmp_path)
    assert [each["subject"] for each in again.letters()] == ["Tu próximo pago", "Segundo"]
    assert again.letters()[0]["to"] == ["ana@mail.example"]
    assert "\n.un punto al principio" in again.letters()[0]["text"]
    again.close()


@pytest.mark.parametrize(
    ("kind", "error", "kept"),
    [
        ("refuse", smtplib.SMTPDataError, 0),
        ("error-before", smtplib.SMTPDataError, 0),
        ("drop-before", smtplib.SMTPServerDisconnected, 0),
        ("drop-after", smtplib.SMTPServerDisconnected, 1),
    ],
)
async def test_faults_strike_a_letter(kind: str, error: type[Exception], kept: int) -> None:
    box = PostboxStandIn()
    port = await box.start_smtp()
    box.faults.set({"operation": "send", "kind": kind})
    with pytest.raises(error):
        await asyncio.to_thread(sent, port, letter())
    assert len(box.letters()) == kept
    await box.stop_smtp()
    box.close()
