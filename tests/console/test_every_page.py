"""What holds for every page of the console, also for those that are added later."""

import re

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from store import Store
from tests.console.areas import address, routes, seed
from tests.console.conftest import EVERYBODY, PASSWORD, client_of, counted_statements, csrf


@pytest.fixture
def ada(console: FastAPI, store: Store) -> TestClient:
    return signed_in(console, "ada")


def signed_in(console: FastAPI, name: str) -> TestClient:
    client = client_of(console)
    client.post("/sign-in", data={"name": name, "password": PASSWORD, "csrf": csrf(client, "/sign-in")})
    return client


@pytest.mark.parametrize("route", routes())
def test_a_page_has_an_example_and_shows_it(ada: TestClient, store: Store, route: str) -> None:
    assert "{" not in address(route), f"give {route} an example in tests/console/areas"
    seed(store, 2)
    answer = ada.get(address(route))
    assert answer.status_code == 200, answer.text
    if answer.headers["content-type"].startswith("text/html"):
        assert "<h1>" in answer.text
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=", answer.text)


@pytest.mark.parametrize("route", routes())
def test_a_page_is_shown_with_nothing_in_the_store(ada: TestClient, route: str) -> None:
    assert ada.get(address(route)).status_code in (200, 404)


@pytest.mark.parametrize("route", routes())
def test_a_page_asks_the_store_as_often_for_many_things_as_for_few(ada: TestClient, store: Store, route: str) -> None:
    counts = []
    for times in (3, 20):
        seed(store, times)
        with counted_statements(store) as sent:
            assert ada.get(address(route)).status_code == 200
        counts.append(len(sent))
    assert counts[0] == counts[1], f"{route} asks {counts} times"


@pytest.mark.parametrize("name", EVERYBODY)
def test_a_role_sees_in_the_navigation_what_it_may_open(console: FastAPI, store: Store, name: str) -> None:
    client = signed_in(console, name)
    links = re.findall(r'<li><a href="([^"]+)"', client.get("/").text)
    assert links
    assert {client.get(link).status_code for link in links} == {200}
