"""People at the pages of payments, in a real browser (contracts: payment-sync 4, 8; the three cases of section 5)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from domain.payment_sync import Failing, State, Verdict
from starter.console.app import build_console
from store import Store
from tests.console.browsing import launched, patient
from tests.console.conftest import Clock, people
from tests.databases import MASTER_KEY, hurried, migrated_url
from tests.desk.payments_at_work import ErpAndTemporal
from tests.starter.agency import installation
from tests.starter.conftest import serving


class Desk:
    """A console that is served, and browsers of the people at it."""

    def __init__(self, browser: Browser, address: str, store: Store, erp: ErpAndTemporal, cookie: str) -> None:
        self.browser, self.address, self.store, self.erp, self.cookie = browser, address, store, erp, cookie

    def sits_down(self, name: str, path: str = "/payments") -> Page:
        context = self.browser.new_context(locale="es-ES", viewport={"width": 1280, "height": 1000})
        context.add_cookies([{"name": self.cookie, "value": self.store.sessions.begin(name), "url": self.address}])
        page = patient(context.new_page())
        page.goto(self.address + path)
        return page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as opened:
        yield opened


@pytest.fixture(scope="module")
def desk(browser: Browser, tmp_path_factory: pytest.TempPathFactory, _cheap_hashes: None) -> Iterator[Desk]:
    folder, clock = tmp_path_factory.mktemp("desk"), Clock()
    store = hurried(Store.open(migrated_url("sqlite", folder), master_key=MASTER_KEY, clock=clock))
    people(store)
    settled, erp = installation(folder), ErpAndTemporal(store, clock)
    erp.sold(settled, "pay_same")
    with serving(build_console(settled, store, connect=erp.connect, now=clock)) as address:
        yield Desk(browser, address, store, erp, f"console_{settled.console.port}")
    store.close()


@pytest.fixture(autouse=True)
def _close(desk: Desk) -> Iterator[None]:
    yield
    for context in desk.browser.contexts:
        context.close()


def test_an_operator_finds_the_payment_with_the_filters(desk: Desk) -> None:
    desk.erp.refused("pay_find", failing=Failing.CONTRACT, age=timedelta(days=2), amount=98_765)
    desk.erp.refused("pay_young", failing=Failing.CONTRACT, age=timedelta(minutes=3))
    page = desk.sits_down("olga")
    expect(page.get_by_role("combobox", name="Estado")).to_have_value("unsynchronised")
    page.get_by_role("combobox", name="Motivo").select_option(label="el ERP ha cambiado")
    expect(page.get_by_role("link", name="pay_young")).to_be_visible()
    page.get_by_role("combobox", name="Antigüedad").select_option(label="más de 24 horas")
    expect(page.get_by_role("link", name="pay_young")).to_have_count(0)
    expect(page.get_by_role("row", name="pay_find")).to_contain_text("987,65")
    page.get_by_role("link", name="pay_find").click()
    expect(page.get_by_role("heading", name="Cobro pay_find")).to_be_visible()


def test_case_one_the_erp_does_not_have_it_and_it_is_synchronised_now(desk: Desk) -> None:
    desk.erp.refused("pay_now")
    page = desk.sits_down("olga", "/payments/demo/pay_now")
    page.get_by_role("button", name="Sincronizar ahora", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Sincronizar ahora: hecho. Estado: Pagado.")
    expect(page.get_by_label("Acciones")).to_contain_text("Este cobro ha terminado")
    assert desk.erp.state("pay_now") is State.SYNCED_AUTO


def test_case_two_it_is_there_by_hand_and_is_synchronised_manually_with_words(desk: Desk) -> None:
    desk.erp.seen("pay_same", Verdict.SAME_PAYMENT)
    page = desk.sits_down("olga", "/payments/demo/pay_same")
    row = page.locator("#sides tr", has_text="Autorización")
    expect(row).to_contain_text("0A-4711")
    expect(row.locator("td.same")).to_contain_text("a4711")
    form = page.locator("#sync-manually")
    form.get_by_label("Por qué").select_option(index=1)
    form.get_by_label("Explicación").fill("Lo marcó Marta el lunes.")
    form.get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("Pagado (manual)")
    expect(page.get_by_role("region", name="Historial")).to_contain_text("Lo marcó Marta el lunes.")
    assert desk.erp.state("pay_same") is State.SYNCED_MANUAL


@pytest.mark.parametrize(("payment", "choice", "state"), [
    ("pay_credit", "Abonar a otra cuota", State.CREDITED), ("pay_refund", "Devolver el dinero", State.REFUNDED),
])  # fmt: skip
def test_case_three_it_was_paid_otherwise_and_the_customer_chooses(
    desk: Desk, payment: str, choice: str, state: State
) -> None:
    desk.erp.seen(payment, Verdict.PAID_OTHERWISE)
    page = desk.sits_down("olga", f"/payments/demo/{payment}")
    for step in ("Revisarlo yo", "Declarar duplicado", "Preguntar al cliente"):
        page.get_by_role("button", name=step, exact=True).click()
        expect(page.get_by_role("status")).to_contain_text(f"{step}: hecho")
    desk.erp.shows[payment] = Verdict.UNPAID  # a later instalment is open
    article = page.locator("article", has=page.get_by_role("button", name=choice))
    article.get_by_label("Explicación").fill("Lo ha dicho por teléfono.")
    article.get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text(f"{choice}: hecho")
    if state is State.REFUNDED:
        page.get_by_label("Referencia de la devolución").fill("re_4711")
        page.get_by_role("button", name="Confirmar la devolución").click()
        expect(page.get_by_role("status")).to_contain_text("Devuelto")
    assert desk.erp.state(payment) is state


@pytest.mark.covers("K2")
def test_of_two_operators_the_second_is_told_and_keeps_what_was_typed(desk: Desk) -> None:
    desk.erp.seen("pay_two", Verdict.SAME_PAYMENT)
    first, second = (desk.sits_down(name, "/payments/demo/pay_two") for name in ("olga", "sofia"))
    words = second.locator("#sync-manually").get_by_label("Explicación")
    words.fill("Lo estoy comprobando con contabilidad.")
    first.get_by_role("button", name="Revisarlo yo").click()
    expect(first.get_by_role("status")).to_contain_text("hecho")
    expect(second.locator("#state")).to_contain_text("El cobro ha cambiado")
    expect(words).to_have_value("Lo estoy comprobando con contabilidad.")
    second.locator("#sync-manually").get_by_role("button").click()
    expect(second.get_by_role("alert").first).to_contain_text("se ha adelantado")
    expect(second.get_by_label("Acciones")).to_contain_text("lo está revisando olga")
    assert desk.erp.state("pay_two") is State.IN_REVIEW


def test_what_is_not_possible_is_off_and_says_why(desk: Desk) -> None:
    desk.erp.seen("pay_off", Verdict.PAID_OTHERWISE)
    page = desk.sits_down("olga", "/payments/demo/pay_off")
    page.get_by_text("Lo que ahora no es posible, y por qué").click()
    off = page.locator("details.off")
    expect(off.get_by_role("button", name="Sincronizar ahora")).to_be_disabled()
    expect(off).to_contain_text("el ERP dice «pagado por otro medio»")
    expect(page.get_by_role("button", name="Sincronizar manualmente")).to_have_count(1)


def test_all_that_wait_for_one_cause_are_synchronised_at_once(desk: Desk) -> None:
    for payment in ("pay_b1", "pay_b2"):
        desk.erp.refused(payment, failing=Failing.AUTH)
    page = desk.sits_down("olga", "/payments?cause=auth")
    page.get_by_role("button", name="Sincronizar ahora todos").click()
    expect(page.get_by_role("status")).to_contain_text("Sincronizados: 2 de 2.")
    expect(page.get_by_text("Ningún cobro responde a este filtro.")).to_be_visible()


@pytest.mark.parametrize(("language", "word"), [("en", "Payments"), ("pl", "Płatności")])
def test_the_pages_speak_the_persons_language(desk: Desk, language: str, word: str) -> None:
    desk.erp.refused("pay_words")
    desk.store.people.set_language("vera", language)
    page = desk.sits_down("vera")
    expect(page.get_by_role("heading", level=1)).to_have_text(word)
    desk.store.people.set_language("vera", "es")
