import re

from starlette.testclient import TestClient

from domain.people import Role
from store import Store
from tests.console.conftest import PASSWORD, SignIn, csrf


def post(client: TestClient, path: str, page: str = "/me", **fields: str | list[str]) -> str:
    answer = client.post(path, data={"csrf": csrf(client, page), **fields})
    assert answer.status_code in (200, 303), answer.text
    return client.get(answer.headers["location"]).text if answer.status_code == 303 else answer.text


def test_only_administrators_see_people_and_the_trail(signed_in: SignIn) -> None:
    for name in ("vera", "olga", "sofia"):
        client = signed_in(name)
        assert [client.get(page).status_code for page in ("/people", "/people/ada", "/trail")] == [403, 403, 403]


def test_a_new_person_gets_a_first_password_that_is_shown_once(
    signed_in: SignIn, stranger: TestClient, store: Store
) -> None:
    ada = signed_in("ada")
    shown = post(ada, "/people", name="Nora", role="operator", agencies=["demo"])
    password = re.search(r"<code>([^<]+)</code>", shown)
    assert password
    assert password.group(1) not in ada.get("/people/nora").text
    form = {"name": "nora", "password": password.group(1), "csrf": csrf(stranger, "/sign-in")}
    assert stranger.post("/sign-in", data=form).status_code == 303
    entry = store.people.get("nora")
    assert entry is not None
    assert entry.person.agencies == frozenset({"demo"})


def test_another_role_ends_the_open_sessions_of_the_person(signed_in: SignIn) -> None:
    olga, ada = signed_in("olga"), signed_in("ada")
    post(ada, "/people/olga/role", role="viewer", agencies=["demo"], why="new duties")
    assert olga.get("/").status_code == 303
    assert signed_in("olga").post("/parked/prk_1", data={}).status_code == 403


def test_a_locked_person_is_out_at_once_and_comes_back_when_unlocked(signed_in: SignIn, store: Store) -> None:
    olga, ada = signed_in("olga"), signed_in("ada")
    post(ada, "/people/olga/lock", why="left")
    assert olga.get("/").status_code == 303
    assert store.people.sign_in("olga", PASSWORD).person is None
    post(ada, "/people/olga/unlock")
    assert store.people.sign_in("olga", PASSWORD).person is not None


def test_the_last_administrator_is_told_why_nothing_changed(signed_in: SignIn, store: Store) -> None:
    ada = signed_in("ada")
    assert "last administrator" in post(ada, "/people/ada/lock", why="holiday")
    entry = store.people.get("ada")
    assert entry is not None
    assert entry.person.role is Role.ADMINISTRATOR
    assert not entry.person.locked


def test_sessions_are_ended_by_an_administrator(signed_in: SignIn) -> None:
    olga, ada = signed_in("olga"), signed_in("ada")
    post(ada, "/people/olga/sessions/end")
    assert olga.get("/").status_code == 303


def test_people_change_their_own_password_and_other_sessions_end(signed_in: SignIn, store: Store) -> None:
    here, there = signed_in("vera"), signed_in("vera")
    new = "quite another phrase"
    post(here, "/me/password", password=PASSWORD, new=new, again=new)
    assert here.get("/").status_code == 200
    assert there.get("/").status_code == 303
    assert store.people.sign_in("vera", new).person is not None


def test_a_wrong_present_password_changes_nothing_and_counts_as_a_failure(signed_in: SignIn, store: Store) -> None:
    client = signed_in("vera")
    new = "quite another phrase"
    assert "no es correcta" in post(client, "/me/password", password="wrong password", new=new, again=new)
    entry = store.people.get("vera")
    assert entry is not None
    assert entry.failures == 1


def test_the_trail_is_filtered_by_who_and_what(signed_in: SignIn, store: Store) -> None:
    ada = signed_in("ada")
    post(ada, "/people/olga/lock", why="left the agency")
    assert "left the agency" in ada.get("/trail?actor=ada&object=olga").text
    assert "left the agency" not in ada.get("/trail?actor=vera").text
