"""A store and a gateway on a real port, for the tests of the ways in."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from rich.console import Console

from starter import answers
from starter.gateway.app import build_app
from store import Store
from tests.databases import MASTER_KEY as KEY_BYTES
from tests.databases import migrated_url
from tests.starter.agency import DEMO, MASTER_KEY, NOW, installation


@pytest.fixture(autouse=True)
def consoles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test its own: a console that was told where to write would go on writing there in the next test."""
    monkeypatch.setattr(answers, "out", Console(highlight=False, width=answers.PIPED_WIDTH))
    monkeypatch.setattr(answers, "err", Console(stderr=True, highlight=False))


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A settings file with one agency and a store of its own."""
    path = tmp_path / "settings.toml"
    path.write_text(
        f"""
        data = "."
        [store]
        url = "{migrated_url("sqlite", tmp_path)}"
        master_key = "{MASTER_KEY}"
        {DEMO}
        """
    )
    return path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(migrated_url("sqlite", tmp_path), master_key=KEY_BYTES)
    yield opened
    opened.close()


@contextmanager
def serving(application: Any) -> Iterator[str]:
    """The application behind a real HTTP server on a free loopback port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_level="error", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture
def clock() -> Callable[[], datetime]:
    return lambda: datetime.fromtimestamp(NOW, UTC)


@pytest.fixture
def gateway(store: Store, tmp_path: Path, clock: Callable[[], datetime]) -> Iterator[httpx.Client]:
    """A client of a gateway whose clock stands at the test vector's time."""
    with (
        serving(build_app(installation(tmp_path), store, now=clock)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client
