import re

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from starter.console.areas import every_area
from store import Store
from tests.console.conftest import PASSWORD, SignIn, csrf

OPEN_TO_STRANGERS = {
    "/sign-in",
    "/language",
    "/sign-in/openid",
    "/sign-in/openid/back",
    "/static/{name:path}",
    "/health/live",
}


def routes() -> list[tuple[str, str]]:
    return sorted(
        (method, route.path)
        for area in every_area()
        for route in area.router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    )


def filled(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "1", path)


def test_every_route_but_a_few_needs_somebody_signed_in(stranger: TestClient) -> None:
    proof = csrf(stranger, "/sign-in")
    seen = 0
    for method, path in routes():
        if path in OPEN_TO_STRANGERS:
            continue
        answer = stranger.request(method, filled(path), headers={"X-CSRF-Token": proof})
        assert answer.status_code in (303, 401), f"{method} {path} answers strangers with {answer.status_code}"
        seen += 1
    assert seen > 1


def test_no_change_is_made_without_the_proof_of_our_own_page(signed_in: SignIn) -> None:
    client = signed_in("ada")
    for method, path in routes():
        if method in ("GET", "HEAD"):
            continue
        answer = client.request(method, filled(path))
        assert answer.status_code == 403, f"{method} {path} needs no proof"


@pytest.mark.parametrize("header", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_change_from_another_site_is_refused_even_with_the_proof(signed_in: SignIn, header: dict[str, str]) -> None:
    client = signed_in("vera")
    assert client.post("/sign-out", data={"csrf": csrf(client)}, headers=header).status_code == 403
    assert client.get("/").status_code == 200


def test_the_proof_of_one_session_is_worth_nothing_in_another(signed_in: SignIn) -> None:
    mine, theirs = signed_in("vera"), signed_in("ada")
    assert theirs.post("/sign-out", data={"csrf": csrf(mine)}).status_code == 403


def test_every_answer_forbids_foreign_code_frames_and_caches(stranger: TestClient, signed_in: SignIn) -> None:
    for answer in (stranger.get("/sign-in"), signed_in("vera").get("/"), stranger.get("/nowhere")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"


def test_pages_have_no_script_and_no_style_of_their_own(signed_in: SignIn) -> None:
    text = signed_in("ada").get("/").text
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text.replace("http://127.0.0.1:8233/", "/"))


def test_static_files_are_kept_by_the_browser_and_nothing_else_is_served(stranger: TestClient) -> None:
    address = re.search(r'href="(/static/console\.[0-9a-f]{12}\.css)"', stranger.get("/sign-in").text)
    assert address
    answer = stranger.get(address.group(1))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in answer.headers["cache-control"]
    for other in ("/static/console.css", "/static/../app.py", "/static/%2e%2e/app.py", "/static/vendor/README.md"):
        assert stranger.get(other).status_code == 404


def test_an_agency_of_others_is_answered_like_one_that_does_not_exist(signed_in: SignIn) -> None:
    client = signed_in("vera")
    foreign, unknown = client.get("/?agency=other"), client.get("/?agency=nowhere")
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.text.replace("other", "nowhere") == unknown.text
    assert signed_in("ada").get("/?agency=other").status_code == 200


def test_another_host_name_is_not_answered(stranger: TestClient) -> None:
    assert stranger.get("/sign-in", headers={"Host": "rebound.example"}).status_code == 400


def test_large_bodies_are_not_read(stranger: TestClient) -> None:
    answer = stranger.post("/sign-in", content=b"x" * (5 * 1024 * 1024 + 1))
    assert answer.status_code == 413


def test_what_people_typed_is_escaped_everywhere(stranger: TestClient, store: Store) -> None:
    proof = csrf(stranger, "/sign-in")
    answer = stranger.post(
        "/sign-in", data={"name": '"><script>alert(1)</script>', "password": PASSWORD, "csrf": proof}
    )
    assert "<script>alert" not in answer.text
