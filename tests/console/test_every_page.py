"""What holds for every page of the console, also for those that are added later."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from starter.console.app import build_console
from store import Store
from tests.console.areas import address, routes, seed
from tests.console.conftest import (
    EVERYBODY,
    PASSWORD,
    Clock,
    client_of,
    counted_statements,
    csrf,
    no_temporal,
    opened_store,
)
from tests.starter.agency import installation

EMPTY, FEW, MANY = 0, 3, 20


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, tuple[Store, TestClient]]]:
    """Stores with nothing, few and many things of each area, and the administrator's browser on each: looked at only."""
    found = {}
    with ExitStack() as stack:
        for times in (EMPTY, FEW, MANY):
            folder = tmp_path_factory.mktemp(f"store{times}")
            clock = Clock()
            store = stack.enter_context(opened_store(folder, clock))
            if times:
                seed(store, times)
            console = build_console(installation(folder), store, connect=no_temporal, now=clock)
            found[times] = (store, signed_in(console, "ada"))
        yield found


def signed_in(console: FastAPI, name: str) -> TestClient:
    client = client_of(console)
    client.post("/sign-in", data={"name": name, "password": PASSWORD, "csrf": csrf(client, "/sign-in")})
    return client


@pytest.mark.parametrize("route", routes())
def test_a_page_has_an_example_and_shows_it(stores: dict[int, tuple[Store, TestClient]], route: str) -> None:
    assert "{" not in address(route), f"give {route} an example in tests/console/areas"
    _, ada = stores[FEW]
    answer = ada.get(address(route))
    assert answer.status_code == 200, answer.text
    if answer.headers["content-type"].startswith("text/html"):
        assert "<h1>" in answer.text
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=", answer.text)


@pytest.mark.parametrize("route", routes())
def test_a_page_is_shown_with_nothing_in_the_store(stores: dict[int, tuple[Store, TestClient]], route: str) -> None:
    _, ada = stores[EMPTY]
    assert ada.get(address(route)).status_code in (200, 404)


@pytest.mark.parametrize("route", routes())
def test_a_page_asks_the_store_as_often_for_many_things_as_for_few(
    stores: dict[int, tuple[Store, TestClient]], route: str
) -> None:
    counts = {}
    for times in (FEW, MANY):
        store, ada = stores[times]
        with counted_statements(store) as sent:
            assert ada.get(address(route)).status_code == 200
        counts[times] = len(sent)
    assert counts[FEW] == counts[MANY], f"{route} asks {counts} times"


@pytest.mark.parametrize("name", EVERYBODY)
def test_a_role_sees_in_the_navigation_what_it_may_open(console: FastAPI, store: Store, name: str) -> None:
    client = signed_in(console, name)
    links = re.findall(r'<li><a href="([^"]+)"', client.get("/").text)
    assert links
    assert {client.get(link).status_code for link in links} == {200}
