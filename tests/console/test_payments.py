"""Pages of payments: what they show, what they refuse and say about it, in the visitor's language (contracts: payment-sync 8)."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from domain.payment_sync import MOVES, Failing, State, Verdict
from domain.payment_sync.commands import COMMANDS
from starter.console import labels
from starter.console.app import build_console
from starter.console.languages import speaker
from starter.console.pages.payments_words import in_words
from store import Store
from store.installation import Installation
from tests.console.conftest import Clock, SignIn, csrf
from tests.desk.payments_at_work import ErpAndTemporal

WHY = "lo he visto en el ERP con contabilidad"


@pytest.fixture
def erp(store: Store, clock: Clock) -> ErpAndTemporal:
    return ErpAndTemporal(store, clock)


@pytest.fixture
def console(settled: Installation, store: Store, clock: Clock, erp: ErpAndTemporal) -> FastAPI:
    return build_console(settled, store, connect=erp.connect, now=clock)


def shown(client: TestClient, **asked: str) -> list[str]:
    return re.findall(r'<td class="id"><a href="/payments/demo/(\w+)"', client.get("/payments", params=asked).text)


def tell(client: TestClient, payment: str, command: str, **form: Any) -> Any:
    path = f"/payments/demo/{payment}"
    seen = re.search(r'name="seen" value="(\d+)"', client.get(path).text)
    assert seen
    given = {"csrf": csrf(client, path), "version": seen[1], **form}
    return client.post(f"{path}/{command}", data=given, headers={"referer": f"http://127.0.0.1:8081{path}"})


def test_the_list_begins_with_what_is_paid_and_not_synchronised(erp: ErpAndTemporal, signed_in: SignIn) -> None:
    erp.refused("pay_young", age=timedelta(minutes=5))
    erp.refused("pay_old", age=timedelta(days=3), amount=50_050)
    erp.refused("pay_login", failing=Failing.AUTH, age=timedelta(days=2))
    erp.refused("pay_done")
    olga = signed_in("olga")
    tell(olga, "pay_done", "sync-now")
    assert shown(olga) == ["pay_old", "pay_login", "pay_young"]
    assert shown(olga, status="") == ["pay_old", "pay_login", "pay_young", "pay_done"]
    assert shown(olga, status="synced_auto") == ["pay_done"]
    assert shown(olga, cause="business", age="24") == ["pay_old"]
    assert shown(olga, least="500,50") == ["pay_old"]
    assert shown(olga, most="500.49", cause="auth") == ["pay_login"]
    assert shown(olga, name=" pay_young ") == ["pay_young"]
    text = olga.get("/payments").text
    assert "el ERP rechaza el acceso" in text
    assert "más de 24 horas" in text
    assert "/workflows/payment%2Fdemo%2Fpay_old" in text


@pytest.mark.parametrize(
    "asked", [{"status": "nonsense"}, {"least": "much"}, {"cause": "nonsense"}, {"after": "nonsense"}]
)
def test_a_filter_that_makes_no_sense_is_refused(signed_in: SignIn, asked: dict[str, str]) -> None:
    assert signed_in("vera").get("/payments", params=asked).status_code == 400


def test_both_sides_stand_side_by_side_with_what_is_the_same(
    erp: ErpAndTemporal, settled: Installation, signed_in: SignIn
) -> None:
    erp.sold(settled, "pay_1")
    erp.seen("pay_1", Verdict.SAME_PAYMENT)
    text = signed_in("olga").get("/payments/demo/pay_1").text
    assert text.count("coincide") == 4
    assert "Ana Prueba Ejemplo" in text
    assert "el ERP dice «el mismo cobro»: el recibo 77 tiene el mismo código" in text
    assert "A. P. E." in signed_in("vera").get("/payments/demo/pay_1").text


def test_actions_that_are_not_possible_say_why(erp: ErpAndTemporal, signed_in: SignIn) -> None:
    erp.refused("pay_1", "la serie está cerrada")
    text = signed_in("olga").get("/payments/demo/pay_1").text
    assert 'action="/payments/demo/pay_1/sync-now"' in text
    assert 'action="/payments/demo/pay_1/declare-duplicate"' not in text
    assert "no es posible en este estado: Pagado sin sincronizar (por decidir)" in text
    assert ">la serie está cerrada</pre>" in text
    watching = signed_in("vera").get("/payments/demo/pay_1").text
    assert "<form" in watching
    assert 'action="/payments/demo/pay_1/' not in watching
    assert "su función solo permite consultar" in watching


def test_what_is_refused_is_said_and_what_was_typed_is_kept(
    erp: ErpAndTemporal, signed_in: SignIn, store: Store
) -> None:
    erp.refused("pay_1")
    erp.shows["pay_1"] = Verdict.PAID_OTHERWISE
    answer = tell(signed_in("olga"), "pay_1", "sync-manually", explanation=WHY)
    assert answer.status_code == 409
    assert "Sincronizar manualmente: no se ha hecho" in answer.text
    assert "solo un supervisor puede decidir otra cosa" in answer.text
    assert "Recibo 77 del ERP" in answer.text
    assert f"<pre>{WHY}</pre>" in answer.text
    (line,) = store.audit_trail.list(actor="olga", action="payment.sync_manually")
    assert (line.deed.outcome, line.deed.way, line.deed.agency) == ("refused", "console", "demo")
    assert WHY in line.deed.why


def test_a_supervisor_overrules_with_a_second_explanation(erp: ErpAndTemporal, signed_in: SignIn, store: Store) -> None:
    erp.seen("pay_1", Verdict.INCONCLUSIVE)
    assert "Segunda explicación" not in signed_in("olga").get("/payments/demo/pay_1").text
    sofia = signed_in("sofia")
    assert "Segunda explicación" in sofia.get("/payments/demo/pay_1").text
    done = tell(
        sofia, "pay_1", "sync-manually", template="accounting", explanation=WHY, override="lo confirma el banco"
    )
    assert done.status_code == 303
    assert "Pagado (manual)" in sofia.get("/payments/demo/pay_1").text
    last = store.payment_sync.transitions("demo", "pay_1")[-1]
    assert last.explanation.startswith("Contabilidad lo ha comprobado")
    assert last.explanation.endswith(f"{WHY} / lo confirma el banco")


@pytest.mark.covers("K2")
def test_the_second_of_two_operators_is_told(erp: ErpAndTemporal, signed_in: SignIn) -> None:
    erp.refused("pay_1")
    olga, sofia = signed_in("olga"), signed_in("sofia")
    path = "/payments/demo/pay_1"
    page = sofia.get(path).text
    seen = re.search(r'name="seen" value="(\d+)"', page)
    assert seen
    assert tell(olga, "pay_1", "claim").status_code == 303
    assert "El cobro ha cambiado" in sofia.get(path, params={"seen": seen[1]}).text
    late = sofia.post(f"{path}/sync-now", data={"csrf": csrf(sofia, path), "version": seen[1]})
    assert late.status_code == 409
    assert "se ha adelantado" in late.text
    assert erp.state("pay_1") is State.IN_REVIEW


def test_a_batch_synchronises_what_waits_for_one_cause(erp: ErpAndTemporal, signed_in: SignIn) -> None:
    for payment in ("pay_1", "pay_2"):
        erp.refused(payment)
    erp.shows["pay_2"] = Verdict.PAID_OTHERWISE
    olga = signed_in("olga")
    assert 'action="/payments/sync-now"' in olga.get("/payments?cause=business").text
    given = {"csrf": csrf(olga, "/payments"), "agency": "demo", "cause": "business"}
    answer = olga.post("/payments/sync-now", data=given)
    told = olga.get(answer.headers["location"]).text
    assert "Sincronizados: 1 de 2." in told
    assert "pay_2: el ERP dice «pagado por otro medio»" in told
    vera = signed_in("vera")
    assert 'action="/payments/sync-now"' not in vera.get("/payments?cause=business").text
    assert vera.post("/payments/sync-now", data=given | {"csrf": csrf(vera, "/payments")}).status_code == 403


def test_viewers_command_nothing_and_others_agencies_are_nowhere(erp: ErpAndTemporal, signed_in: SignIn) -> None:
    erp.refused("pay_1")
    erp.refused("pay_2", agency="other")
    assert tell(signed_in("vera"), "pay_1", "claim").status_code == 403
    olga = signed_in("olga")
    assert olga.get("/payments/other/pay_2").status_code == 404
    given = {"csrf": csrf(olga, "/payments"), "version": "1"}
    assert olga.post("/payments/other/pay_2/claim", data=given).status_code == 404
    assert olga.post("/payments/demo/pay_1/captured", data=given).status_code == 404
    assert erp.told == []


def test_the_csv_has_what_the_filter_finds_and_no_formula(erp: ErpAndTemporal, signed_in: SignIn) -> None:
    erp.refused("pay_1", failing=Failing.AUTH)
    erp.refused("pay_2")
    answer = signed_in("olga").get("/payments.csv", params={"cause": "auth"})
    assert [row["payment"] for row in csv.DictReader(io.StringIO(answer.text))] == ["pay_1"]


def test_when_temporal_is_away_the_page_says_so(erp: ErpAndTemporal, signed_in: SignIn) -> None:
    erp.refused("pay_1")
    erp.away = True
    answer = tell(signed_in("olga"), "pay_1", "claim")
    assert answer.status_code == 503
    assert "Temporal no responde: no se ha hecho nada" in answer.text


def test_every_state_and_command_has_a_word() -> None:
    for kind, values in (("sync_state", State), ("payment_command", COMMANDS), ("verdict", Verdict)):
        for value in values:
            assert labels.label(kind, value) != str(value), (kind, value)
    for event in {move.on for move in MOVES}:
        assert labels.label("payment_event", event) != str(event), event


@pytest.mark.parametrize("language", ["es", "en", "pl"])
def test_reasons_are_told_in_the_visitors_language(language: str) -> None:
    told = in_words(
        "the ERP shows paid_otherwise: the receivable is paid by receipt 7 (Transferencia); only a supervisor may overrule that",
        speaker(language),
    )
    assert "receivable" not in told
    assert "Transferencia" in told
    assert "paid_otherwise" not in told
    assert in_words("GIAV: la serie está cerrada", speaker(language)) == "GIAV: la serie está cerrada"
