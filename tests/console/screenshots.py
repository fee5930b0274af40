"""The pictures of docs/images, taken from a console on which a season was played: `make screenshots`.

With a folder of an earlier `bookings demo --once --data FOLDER` as argument that season is shown instead of a new one.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from starter.console.app import build_console
from starter.demo import CONSOLE_NAME, DemoState
from starter.opening import opened_store, read_settings
from tests.console.browsing import launched
from tests.console.conftest import no_temporal
from tests.starter.conftest import serving

IMAGES = Path(__file__).parents[2] / "docs" / "images"
DESK = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}
BOOKING = "bkg_7206"
PAGES = {
    "booking": f"/bookings/demo/{BOOKING}",
    "experiences": "/experiences",
    "payments": "/payments?status=",
    "integrations": "/integrations",
}


def main(arguments: list[str]) -> int:
    if arguments:
        take(Path(arguments[0]))
        return 0
    with tempfile.TemporaryDirectory(prefix="season-") as folder:
        command = [sys.executable, "-m", "starter", "demo", "--once", "--any-ports", "--data", f"{folder}/data"]
        ended = subprocess.run(command, check=False)
        if ended.returncode == 0:
            take(Path(folder) / "data")
        return ended.returncode


def take(data: Path) -> None:
    """One picture of each page, as the demo's administrator sees it."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    password = DemoState.of(data).console_password
    installation = read_settings(data / "settings.toml")
    with (
        opened_store(installation) as store,
        serving(build_console(installation, store, connect=no_temporal)) as address,
        launched() as browser,
    ):
        desk = browser.new_page(viewport=DESK, locale="es-ES", device_scale_factor=1)
        desk.goto(f"{address}/sign-in")
        desk.fill("input[name=name]", CONSOLE_NAME)
        desk.fill("input[name=password]", password)
        desk.click("form.sign-in button")
        desk.wait_for_selector("a.who")
        for name, path in PAGES.items():
            desk.goto(address + path)
            desk.screenshot(path=IMAGES / f"{name}.png")
        phone = browser.new_page(viewport=PHONE, storage_state=desk.context.storage_state(), color_scheme="dark")
        phone.goto(address + PAGES["booking"])
        phone.screenshot(path=IMAGES / "phone.png")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
