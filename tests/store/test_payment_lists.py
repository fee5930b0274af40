"""Lists of payments: what comes first, filters that combine, pages that lose and repeat nothing, an index for each question."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from benchmarks.many_payments import fill
from domain.money import Money
from domain.payment_sync import Evidence, PaymentSync, State, Verdict, cause_of
from store import Store
from store.payment_lists import BrokenPlace, PaymentFilter, Place, page_query
from tests.databases import migrated_url
from tests.store.test_payment_sync import NOW, refused, report

DAY = timedelta(days=1)


def names(store: Store, **wanted: Any) -> list[str]:
    page = store.payment_lists.page(["sol"], PaymentFilter(**wanted))
    return [each.sync.payment_id for each in page.payments]


def test_the_list_begins_with_what_is_not_synchronised_and_oldest_and_can_be_narrowed(store: Store) -> None:
    done = report("pay_done", age=9 * DAY)
    done = done.model_copy(update={"sync": done.sync.model_copy(update={"state": State.SYNCED_AUTO, "reason": ""})})
    young = report("pay_young", refused("period closed"), amount=500)
    old = report("pay_old", refused("period closed"), age=2 * DAY)
    for log in (done, young, old):
        store.payment_sync.moved(log)
    assert names(store) == ["pay_old", "pay_young", "pay_done"]
    assert names(store, states=[State.UNSYNCED]) == ["pay_old", "pay_young"]
    assert names(store, captured_before=NOW - DAY) == ["pay_old", "pay_done"]
    assert names(store, captured_before=NOW - DAY, causes=["business"]) == ["pay_old"]
    assert names(store, causes=["business", "auth"]) == ["pay_old", "pay_young"]
    assert (names(store, most=500), names(store, least=501)) == (["pay_young"], ["pay_old", "pay_done"])
    assert (names(store, connector="journal"), names(store, currency="USD")) == ([], [])
    assert names(store, text="pay_young") == ["pay_young"]
    assert names(store, text="bkg_1", least=501) == ["pay_old", "pay_done"]
    assert store.payment_lists.page(["luna"], PaymentFilter()).payments == []
    newest = store.payment_lists.page(["sol"], PaymentFilter(), order="newest").payments
    assert [each.sync.payment_id for each in newest] == ["pay_young", "pay_old", "pay_done"]
    (waiting,) = store.payment_lists.waiting(["sol"])
    assert (waiting.cause, waiting.number, waiting.oldest) == ("business", 2, NOW - 2 * DAY)


@pytest.mark.parametrize("order", ["urgent", "newest"])
def test_pages_follow_each_other_without_loss_or_repetition_while_payments_come_and_move(
    store: Store, order: Any
) -> None:
    for number in range(7):
        log = report(f"pay_{number}", refused("closed"), age=DAY)
        store.payment_sync.moved(log)
        store.payment_sync.moved(log.model_copy(update={"agency": "luna"}))
    seen: list[str] = []
    place = None
    while True:
        page = store.payment_lists.page(["luna", "sol"], PaymentFilter(), order=order, after=place, limit=3)
        seen += [f"{each.agency} {each.sync.payment_id}" for each in page.payments]
        if page.next is None:
            break
        place = Place.parse(str(page.next))
        age = timedelta() if order == "newest" else 2 * DAY
        store.payment_sync.moved(report(f"pay_new{len(seen)}", refused("closed"), age=age))
    assert sorted(seen) == [f"{agency} pay_{number}" for agency in ("luna", "sol") for number in range(7)]


@pytest.mark.parametrize("text", ["", "é", "bm9uc2Vuc2U", "W10", "WyJ1cmdlbnQiLCAyLCAiMjAyNi0xMS0yMiIsICJwIiwgImEiXQ"])
def test_a_place_that_no_page_gave_is_refused(text: str) -> None:
    with pytest.raises(BrokenPlace):
        Place.parse(text)


@pytest.mark.parametrize(
    ("reason", "verdict", "cause"),
    [
        ("", None, ""),
        ("transient", Verdict.UNPAID, "transient"),
        ("reversed in ERP", None, "reversed"),
        ("manual mark undone", Verdict.SAME_PAYMENT, "undone"),
        ("the receivable is paid by receipt 7", Verdict.PAID_OTHERWISE, "paid_otherwise"),
        ("nobody knows whether it arrived", Verdict.UNPAID, "other"),
    ],
)
def test_what_waits_for_the_same_thing_has_the_same_cause(reason: str, verdict: Verdict | None, cause: str) -> None:
    evidence = Evidence(verdict=verdict, at=NOW, words=reason) if verdict else None
    sync = PaymentSync(
        payment_id="p", amount=Money(amount=1, currency="EUR"), since=NOW, reason=reason, evidence=evidence
    )
    assert cause_of(sync) == cause


QUESTIONS: dict[str, dict[str, Any]] = {
    "nothing asked": {},
    "paid and not synchronised": {"states": ["unsynced", "retry_wait", "sync_unknown", "in_review", "captured"]},
    "one state that is rare": {"states": ["refund_failed"]},
    "one state that is everywhere": {"states": ["synced_auto"]},
    "a cause": {"causes": ["business"]},
    "a cause that nothing has": {"causes": ["auth"]},
    "an ERP that nothing has": {"connector": "nowhere"},
    "older than everything": {"captured_before": datetime(2020, 1, 1, tzinfo=UTC)},
    "between two moments": {"captured_before": NOW, "captured_after": NOW - timedelta(hours=1)},
    "small amounts": {"most": 105},
    "an amount that nothing has": {"least": 10**9},
    "a band of amounts of unsynchronised ones": {"least": 5000, "most": 6000, "states": ["unsynced"]},
    "somebody's": {"claimed_by": "ana"},
    "a name that nothing has": {"text": "F-2026-999"},
    "a booking's": {"booking_id": "bkg_77"},
    "a currency that nothing has": {"currency": "USD", "states": ["unsynced"]},
    "everything at once": {"states": ["unsynced"], "causes": ["business"], "connector": "giav", "least": 1,
                           "captured_before": NOW, "currency": "EUR"},
}  # fmt: skip


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """Thirty thousand payments on PostgreSQL, which has counted them."""
    store = Store.open(migrated_url("postgresql", tmp_path_factory.mktemp("many")))
    fill(store, 30_000, now=NOW)
    with store.database.read() as connection:
        yield connection
    store.close()


@pytest.mark.parametrize("order", ["urgent", "newest"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_is_answered_by_reading_every_payment(many: Connection, question: str, order: Any) -> None:
    query = page_query("sol", PaymentFilter(**QUESTIONS[question]), order=order)
    whole = query.compile(many.engine, compile_kwargs={"literal_binds": True})
    lines = "\n".join(many.exec_driver_sql(f"EXPLAIN {whole}").scalars())
    assert "Seq Scan on payment_syncs" not in lines, lines
    assert "Index" in lines, lines


def test_what_waits_is_counted_without_reading_every_payment(many: Connection) -> None:
    counted = (
        "SELECT cause, count(*), min(captured_at) FROM payment_syncs WHERE agency = 'sol' AND settled = 0 GROUP BY 1"
    )
    assert "Seq Scan" not in "\n".join(many.execute(text(f"EXPLAIN {counted}")).scalars())
