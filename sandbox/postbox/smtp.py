"""As much of SMTP as a client needs to hand over a letter (RFC 5321 4.1, 4.5.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sandbox.faults import FaultBoard, Kind

GREETING = "220 postbox ready"
REFUSALS = {
    Kind.REFUSE: "554 5.1.1 no such mailbox",
    Kind.ERROR_BEFORE: "451 4.3.0 come back later",
    Kind.THROTTLE: "452 4.5.3 too many letters",
}
LONGEST = 1_000_000

Take = Callable[[list[str], bytes], None]
"""Keeps a letter: its recipients and its bytes."""


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, faults: FaultBoard, take: Take) -> None:
    """One connection, until QUIT or until the line is cut."""

    async def say(line: str) -> None:
        writer.write(f"{line}\r\n".encode())
        await writer.drain()

    recipients: list[str] = []
    try:
        await say(GREETING)
        while line := (await reader.readline()).decode("utf-8", "replace").strip():
            verb = line.split(" ", 1)[0].upper()
            match verb:
                case "EHLO" | "HELO":
                    await say("250 postbox")
                case "MAIL" | "RSET":
                    recipients = []
                    await say("250 ok")
                case "RCPT":
                    recipients.append(line.partition(":")[2].split(" ", 1)[0].strip("<>"))
                    await say("250 ok")
                case "DATA":
                    await say("354 go on")
                    letter = await _letter(reader)
                    fault = faults.take("send")
                    if fault is not None and fault.kind in REFUSALS:
                        await say(REFUSALS[fault.kind])
                        continue
                    if fault is None or fault.kind is not Kind.DROP_BEFORE:
                        take(recipients, letter)
                    if fault is not None:
                        return
                    await say("250 taken")
                case "QUIT":
                    await say("221 bye")
                    return
                case "NOOP":
                    await say("250 ok")
                case _:
                    await say("502 not here")
    except (ConnectionError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()


async def _letter(reader: asyncio.StreamReader) -> bytes:
    """Up to the line with a single full stop; doubled ones at the beginning of a line are taken back."""
    lines: list[bytes] = []
    size = 0
    while (line := await reader.readline()) not in (b".\r\n", b".\n", b""):
        size += len(line)
        if size <= LONGEST:
            lines.append(line[1:] if line.startswith(b"..") else line)
    return b"".join(lines)
