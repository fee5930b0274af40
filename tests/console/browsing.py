"""A real browser on a served console, for what only a browser can show."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.console.conftest import PASSWORD

AXE = Path(__file__).parent / "vendor" / "axe" / "axe.min.js"
GRAVE = frozenset({"serious", "critical"})
PATIENCE = 120_000
"""Milliseconds that a page may take on a busy machine."""


def chromium() -> str:
    """The path of the browser; the tests fail without one, and say what to install."""
    named = os.environ.get("CHROMIUM")
    found = named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        pytest.fail("browser tests need Chromium: apt-get install chromium, or name one by the variable CHROMIUM")
    return found


@contextmanager
def launched() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


def patient(page: Page) -> Page:
    """A page whose waits give up late, and what is expected of it, too."""
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    return page


class Seen:
    """A page and what its browser complained of."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = patient(page)
        self.address = address
        self.complaints: list[str] = []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def open(self, path: str) -> None:
        self.page.goto(self.address + path, wait_until="load")

    def sign_in(self, name: str) -> None:
        self.open("/sign-in")
        self.page.fill("input[name=name]", name)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("form.sign-in button")
        self.page.wait_for_selector("a.who")

    def barriers(self) -> list[str]:
        """What axe finds that keeps people out, one line per rule and place."""
        self.page.evaluate(AXE.read_text("utf-8"))
        found = self.page.evaluate("async () => (await axe.run({resultTypes: ['violations']})).violations")
        return [
            f"{violation['id']} at {node['target']}: {node['failureSummary']}"
            for violation in found
            if violation["impact"] in GRAVE
            for node in violation["nodes"]
        ]
