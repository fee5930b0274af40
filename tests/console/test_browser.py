"""The console in a real browser."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser

from domain.people import Role
from domain.plan_steps import PlanCommand
from starter.console.app import build_console
from store import Store
from tests import stories
from tests.activities.tamara.night import AGENCY, Night, settings_of
from tests.console.areas import address, bookings, routes, seed
from tests.console.browsing import Seen, launched
from tests.console.conftest import PASSWORD, Clock, opened_store
from tests.console.partners_at_work import PROFILES, Plans, with_airplus
from tests.starter.agency import installation
from tests.starter.conftest import serving

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Store]:
    with opened_store(tmp_path_factory.mktemp("store"), clock) as opened:
        seed(opened, 3)
        opened.people.add("oscar", Role.OPERATOR, ["demo", AGENCY], password=PASSWORD, by="tests")
        yield opened


@pytest.fixture(scope="module")
def plans(store: Store) -> Plans:
    return Plans(store)


@pytest.fixture(scope="module")
def served(store: Store, clock: Clock, plans: Plans, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settled = with_airplus(installation(tmp_path_factory.mktemp("data")))
    with serving(build_console(settled, store, connect=plans.connect, now=clock)) as where:
        yield where


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture
def seen(browser: Browser, served: str) -> Iterator[Seen]:
    context = browser.new_context(viewport=DESK, locale="es-ES")
    yield Seen(context.new_page(), served)
    context.close()


@pytest.fixture(scope="module")
def ada(browser: Browser, served: str) -> Iterator[Seen]:
    """The administrator's page, for the walk."""
    context = browser.new_context(viewport=DESK, locale="es-ES")
    found = Seen(context.new_page(), served)
    found.sign_in("ada")
    yield found
    context.close()


@pytest.mark.parametrize("route", routes())
def test_a_page_keeps_nobody_out_obeys_its_policy_and_fits_a_phone(ada: Seen, route: str) -> None:
    ada.complaints.clear()
    answer = ada.page.request.get(ada.address + address(route))
    if not answer.headers["content-type"].startswith("text/html"):
        assert answer.status == 200
        return
    ada.open(address(route))
    assert ada.barriers() == []
    ada.page.set_viewport_size(PHONE)
    wide = ada.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    ada.page.set_viewport_size(DESK)
    assert wide <= 0, f"{route} is {wide} pixels wider than a phone"
    assert ada.complaints == []


@pytest.mark.parametrize("path", ["/", "/parked/prk_1", "/integrations", "/sign-in"])
def test_a_page_keeps_nobody_out_in_the_dark(browser: Browser, served: str, path: str) -> None:
    context = browser.new_context(viewport=DESK, locale="es-ES", color_scheme="dark")
    seen = Seen(context.new_page(), served)
    if path != "/sign-in":
        seen.sign_in("sofia")
    seen.open(path)
    assert seen.barriers() == []
    context.close()


def test_somebody_signs_in_changes_the_language_and_signs_out(seen: Seen) -> None:
    seen.sign_in("vera")
    assert seen.page.inner_text("h1") == "Hoy"
    seen.page.click("button[value=pl]")
    seen.page.wait_for_selector("html[lang=pl]")
    assert seen.page.inner_text("h1") == "Dzisiaj"
    seen.page.click("button[value=en]")
    seen.page.wait_for_selector("html[lang=en]")
    seen.page.click("text=Sign out")
    seen.page.wait_for_selector("input[name=password]")
    seen.open("/parked")
    assert seen.page.url.endswith("/sign-in?next=/parked")


def test_a_viewer_is_offered_no_action(seen: Seen) -> None:
    seen.sign_in("vera")
    seen.open("/parked/prk_3")
    assert seen.page.locator("main form").count() == 0
    assert seen.page.locator("a[href='/people']").count() == 0


def test_an_operator_decides_with_a_reason(seen: Seen, store: Store) -> None:
    seen.sign_in("olga")
    seen.open("/parked/prk_2")
    seen.page.check("input[name=decision][value=skip]")
    seen.page.fill("textarea[name=explanation]", "told twice by the platform")
    seen.page.check("input[name=meant]")
    seen.page.click("form.act button")
    seen.page.wait_for_selector(".message.good")
    found = store.parked.get("prk_2")
    assert found is not None
    assert (found.state, found.taken[0].taken.explanation) == ("closed", "told twice by the platform")


def test_a_form_whose_proof_was_changed_is_refused(seen: Seen, store: Store) -> None:
    seen.sign_in("olga")
    seen.open("/parked/prk_3")
    seen.page.evaluate("document.querySelectorAll('[name=csrf]').forEach((field) => { field.value = 'forged'; })")
    seen.page.check("input[name=decision][value=retry]")
    seen.page.fill("textarea[name=explanation]", "by somebody else")
    seen.page.click("form.act button")
    seen.page.wait_for_selector("h1:text('Formulario caducado')")
    found = store.parked.get("prk_3")
    assert found is not None
    assert found.state == "open"


def test_a_session_that_ran_out_leads_to_the_form_and_back(seen: Seen, clock: Clock) -> None:
    seen.sign_in("sofia")
    clock.now += timedelta(hours=13)
    seen.page.click("nav a[href='/parked']")
    seen.page.wait_for_selector("input[name=password]")
    seen.page.fill("input[name=name]", "sofia")
    seen.page.fill("input[name=password]", "a horse and a battery")
    seen.page.click("form.sign-in button")
    seen.page.wait_for_selector("#items")
    assert seen.page.url.endswith("/parked")


def test_a_list_refreshes_itself_but_never_under_somebodys_hands(seen: Seen, store: Store) -> None:
    seen.page.clock.install()
    seen.sign_in("sofia")
    seen.open("/")
    seen.page.evaluate("document.querySelector('#today').dataset.mark = 'old'")
    with seen.page.expect_response(lambda answer: "hx-request" in answer.request.headers):
        seen.page.clock.fast_forward(16_000)
    seen.page.wait_for_selector("#today:not([data-mark])")
    seen.page.evaluate(
        "document.querySelector('#today').dataset.mark = 'old';"
        "document.querySelector('#today').append(document.createElement('textarea'))"
    )
    asked: list[str] = []
    seen.page.on("request", lambda request: asked.append(request.url))
    seen.page.fill("#today textarea", "half a sentence")
    seen.page.clock.fast_forward(46_000)
    assert seen.page.input_value("#today textarea") == "half a sentence"
    assert asked == []


def test_a_stopped_line_is_corrected_in_its_form(seen: Seen, store: Store) -> None:
    night = Night(store, settings_of(profiles=PROFILES), first=2_000)
    night.sold()
    [stopped] = store.tamara.lines_of(AGENCY, "bkg_500")
    seen.sign_in("oscar")
    seen.open(f"/tamara/lines/{AGENCY}/{stopped.id}")
    project, others = seen.page.get_by_label("400.PR"), seen.page.get_by_label("300.PNR")
    assert "V019" in seen.page.inner_text(".facts")
    project.fill("X" * 18)
    others.fill("ABC123")
    seen.page.click("form[action$='/fix'] button")
    said = seen.page.wait_for_selector(".wrong:text('room for 17')")
    assert said is not None
    assert project.get_attribute("aria-describedby") == said.get_attribute("id")
    assert (project.input_value(), others.input_value()) == ("X" * 18, "ABC123")
    assert [line.state for line in store.tamara.lines_of(AGENCY, "bkg_500")] == ["REFUSED"]
    project.fill("P-77")
    seen.page.click("form[action$='/fix'] button")
    seen.page.wait_for_selector(".message.good")
    assert [line.state for line in store.tamara.lines_of(AGENCY, "bkg_500")] == ["STAGED"]
    assert night.seal().lines == 1


def test_a_plan_is_paused_and_its_page_shows_by_whom_and_why(seen: Seen, store: Store, plans: Plans) -> None:
    booking, plan = stories.booking("bkg_90"), stories.plan() | {"id": "plan_90", "booking_id": "bkg_90"}
    bookings.told(store, 901, "booking.created", stories.data("booking/bkg_90", booking=booking))
    bookings.told(store, 902, "payment_plan.created", stories.data("payment_plan/plan_90", payment_plan=plan))
    seen.sign_in("oscar")
    seen.open("/plans/demo/bkg_90")
    seen.page.fill("textarea[name=why]", "asked us by telephone")
    seen.page.click("button[value=pause]")
    seen.page.wait_for_selector(".message.good")
    assert seen.page.inner_text(".facts dd:last-of-type").startswith("asked us by telephone oscar")
    assert seen.page.locator("button[value=pause]").count() == 0
    # What `bookings plan pause` tells it, to the same workflow.
    assert plans.told == [("plan/demo/bkg_90", PlanCommand(order="pause", by="oscar", why="asked us by telephone"))]


def test_without_script_a_person_can_still_decide(browser: Browser, served: str, store: Store) -> None:
    context = browser.new_context(viewport=PHONE, locale="en-GB", java_script_enabled=False)
    seen = Seen(context.new_page(), served)
    seen.sign_in("olga")
    seen.open("/parked/prk_1")
    seen.page.check("input[name=decision][value=skip]")
    seen.page.fill("textarea[name=explanation]", "from an old telephone")
    seen.page.check("input[name=meant]")
    seen.page.click("form.act button")
    seen.page.wait_for_selector(".message.good")
    context.close()
    found = store.parked.get("prk_1")
    assert found is not None
    assert found.state == "closed"
