from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from store import Store
from tests.console.conftest import PASSWORD, Clock, SignIn, csrf


def test_a_page_asks_strangers_to_sign_in_and_brings_them_back(stranger: TestClient) -> None:
    answer = stranger.get("/?agency=demo")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/%3Fagency%3Ddemo"
    form = {"name": "vera", "password": PASSWORD, "csrf": csrf(stranger, "/sign-in"), "next": "/?agency=demo"}
    assert stranger.post("/sign-in", data=form).headers["location"] == "/?agency=demo"


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_signing_in_never_leads_to_another_site(stranger: TestClient, target: str) -> None:
    form = {"name": "vera", "password": PASSWORD, "csrf": csrf(stranger, "/sign-in"), "next": target}
    assert stranger.post("/sign-in", data=form).headers["location"] == "/"


def test_a_wrong_password_and_an_unknown_name_look_the_same(stranger: TestClient) -> None:
    proof = csrf(stranger, "/sign-in")
    answers = [
        stranger.post("/sign-in", data={"name": name, "password": "not this one", "csrf": proof})
        for name in ("vera", "mira")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].text.replace("vera", "mira") == answers[1].text


def test_after_five_wrong_passwords_the_right_one_has_to_wait(stranger: TestClient, clock: Clock) -> None:
    proof = csrf(stranger, "/sign-in")
    for _ in range(5):
        stranger.post("/sign-in", data={"name": "vera", "password": "not this one", "csrf": proof})
    right = {"name": "vera", "password": PASSWORD, "csrf": proof}
    refused = stranger.post("/sign-in", data=right)
    assert refused.status_code == 401
    assert "Demasiados intentos" in refused.text
    clock.now += timedelta(minutes=2)
    assert stranger.post("/sign-in", data=right).status_code == 303


def test_the_session_cookie_is_hidden_from_scripts_and_bound_to_the_site(signed_in: SignIn) -> None:
    client = signed_in("vera")
    again = client.post("/sign-in", data={"name": "vera", "password": PASSWORD, "csrf": csrf(client)})
    cookie = next(line for line in again.headers.get_list("set-cookie") if line.startswith("console_8081="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_signing_in_again_ends_the_session_before(signed_in: SignIn, stranger: TestClient) -> None:
    client = signed_in("vera")
    old = client.cookies["console_8081"]
    client.post("/sign-in", data={"name": "vera", "password": PASSWORD, "csrf": csrf(client)})
    assert client.cookies["console_8081"] != old
    stranger.cookies.set("console_8081", old)
    assert stranger.get("/").status_code == 303


def test_a_session_left_alone_runs_out(signed_in: SignIn, clock: Clock) -> None:
    client = signed_in("vera")
    assert client.get("/").status_code == 200
    clock.now += timedelta(minutes=31)
    assert client.get("/").status_code == 303


def test_a_session_in_use_ends_after_its_longest_time(signed_in: SignIn, clock: Clock) -> None:
    client = signed_in("vera")
    for _ in range(int(12 * 60 / 25)):
        clock.now += timedelta(minutes=25)
        assert client.get("/").status_code == 200
    clock.now += timedelta(minutes=25)
    assert client.get("/").status_code == 303


def test_signing_out_ends_the_session_on_the_server(signed_in: SignIn, stranger: TestClient) -> None:
    client = signed_in("vera")
    token = client.cookies["console_8081"]
    client.post("/sign-out", data={"csrf": csrf(client)})
    stranger.cookies.set("console_8081", token)
    assert stranger.get("/").status_code == 303


def test_signing_in_and_out_is_on_the_trail(signed_in: SignIn, store: Store) -> None:
    client = signed_in("vera")
    client.post("/sign-out", data={"csrf": csrf(client)})
    assert [line.deed.action for line in store.audit_trail.list(actor="vera")] == ["sign-out", "sign-in"]


def test_a_timer_of_an_ended_session_sends_the_whole_page_to_sign_in(stranger: TestClient) -> None:
    answer = stranger.get("/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (204, "/sign-in")


def test_the_chosen_language_stays_with_the_person(signed_in: SignIn) -> None:
    client = signed_in("vera")
    client.post("/language", data={"language": "pl", "csrf": csrf(client), "next": "/"})
    assert '<html lang="pl">' in client.get("/").text
    assert '<html lang="pl">' in signed_in("vera").get("/").text


def test_a_strangers_browser_is_answered_in_its_language(stranger: TestClient) -> None:
    assert '<html lang="en">' in stranger.get("/sign-in", headers={"Accept-Language": "en-GB,en;q=0.9"}).text
    assert '<html lang="es">' in stranger.get("/sign-in", headers={"Accept-Language": "fi"}).text
