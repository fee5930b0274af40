"""Every command line that the documentation names exists, with its options: nobody finds out at night that it does not."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from starter.cli import app

PROJECT = Path(__file__).resolve().parents[2]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
PROGRAM: Any = typer.main.get_command(app)
ENDS = re.compile(r"^(?:[|>#;&…]|&&|\|\||\.\.\.|->|→)")
"""Where the command ends and the shell or a remark begins."""
OPTION = re.compile(r"^--[a-z][a-z-]*")


def written(page: Path) -> Iterator[tuple[int, str]]:
    """What is in code, line by line: fenced blocks, and spans that begin with the command."""
    text = page.read_text("utf-8")
    for block in re.finditer(r"^```(?:\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        line = text.count("\n", 0, block.start(1)) + 1
        for number, each in enumerate(block[1].replace("\\\n", " ").splitlines()):
            yield line + number, each.strip().removeprefix("$ ")
    for span in re.finditer(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)):
        yield 0, re.sub(r"\s+", " ", span[1])


def commands() -> list[tuple[str, str]]:
    return [
        (f"{page.relative_to(PROJECT)}:{line or ''} {text}", text)
        for page in PAGES
        for line, text in written(page)
        if re.match(r"bookings (?=[a-z])", text)
    ]


def missing(text: str) -> str:
    """What of a command line does not exist; empty when all of it does."""
    words = iter(shlex.split(text.replace("'", "’"), comments=True)[1:])
    command = PROGRAM
    for word in words:
        if ENDS.match(word):
            return ""
        if hasattr(command, "commands") and not word.startswith("-"):
            if word not in command.commands:
                # `bookings plan` alone names the group, `park list/show` several of it.
                some = re.split(r"[/|,]", word)
                return "" if all(each in command.commands for each in some) else f"no command '{word}'"
            command = command.commands[word]
        elif OPTION.match(word):
            known = {name: each for each in command.params for name in (*each.opts, *each.secondary_opts)}
            option, given, _ = word.partition("=")
            if option not in known:
                return "" if option == "--help" else f"no option '{option}'"
            if not given and not known[option].is_flag:
                next(words, "")
    return ""


def test_every_command_that_is_written_down_exists_with_its_options() -> None:
    found = commands()
    assert len(found) > 200
    assert [f"{where}: {why}" for where, text in found if (why := missing(text))] == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("bookings store migrate", ""),
        ("bookings store imigrate", "no command 'imigrate'"),
        ("bookings park decide PK-1 --by Ana --retri", "no option '--retri'"),
        ("bookings park list | less --chop", ""),
    ],
)
def test_what_does_not_exist_is_named(text: str, why: str) -> None:
    assert missing(text) == why
