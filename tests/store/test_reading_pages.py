"""Figures, debts, lists, calendar and timeline as the database tells them: the same as the rules say, on both databases."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from alembic import command
from sqlalchemy import Connection, select, text
from sqlalchemy import event as sqlalchemy_event

from domain.allocation import open_amounts
from domain.collecting import taken_back
from domain.plan_orders import PlanOrder
from domain.platform import Booking
from domain.reporting import Ages, ages_of, dues_of, figures_of, summed
from store import Store, migrations
from store.booking_lists import BookingFilter
from store.debts import debt_parts, debts
from store.journal_days import journal_days
from tests import stories
from tests.store.test_journal import COLLECTION, INVOICE
from tests.store.test_records import document

MADRID = ZoneInfo("Europe/Madrid")
TODAY = date(2027, 3, 1)
AGENCY = stories.AGENCY


class Season:
    """Bookings with every kind of debt, told as events; the dice are loaded, so that a failure can be repeated."""

    def __init__(self, store: Store, bookings: int) -> None:
        self._store, self._number, self._dice = store, 0, random.Random(7)
        for experience in range(1, 5):
            self._experience(f"exp_{experience}", TODAY + timedelta(days=30 * experience - 60))
        for number in range(bookings):
            self._booking(f"bkg_{number:04d}", self._dice.choice(("exp_1", "exp_2", "exp_3", "exp_4", "exp_untold")))

    def _tell(self, kind: str, data: dict[str, Any]) -> None:
        self._number += 1
        assert self._store.inbox.accept(stories.event(self._number, kind, data)) == "new"

    def _experience(self, own: str, day: date) -> None:
        snapshot = stories.experience(f"Viaje {own}", id=own, starts_on=day.isoformat(), ends_on=day.isoformat())
        self._tell("experience.created", stories.data(f"experience/{own}", experience=snapshot))

    def _booking(self, own: str, experience: str) -> None:
        dice = self._dice
        lines = stories.booking()["lines"]
        for line in lines:
            line["cost"]["status"] = dice.choice(("estimated", "confirmed", "invoiced"))
        changes: dict[str, Any] = {"experience_id": experience, "locator": f"L{own[4:]}", "lines": lines}
        if dice.random() < 0.2:
            ended = TODAY - timedelta(days=dice.choice((-2, 0, 15, 45, 75, 120)))
            changes |= {"status": "cancelled", "cancelled_at": f"{ended}T23:30:00Z"}
        snapshot = stories.booking(own, **changes)
        self._tell("booking.created", stories.data(f"booking/{own}", booking=snapshot))
        if dice.random() < 0.7:
            self._plan(own)
        for place in range(dice.randrange(4)):
            self._payment(own, place)

    def _plan(self, own: str) -> None:
        plan = stories.plan(revision=1, balance=32300) | {
            "id": f"plan_{own[4:]}",
            "booking_id": own,
            "total": stories.eur(100500),
        }
        for each in plan["installments"]:
            each["id"] += f"x{own[4:]}"
            each["due_on"] = (TODAY + timedelta(days=self._dice.randrange(-150, 60))).isoformat()
            each["status"] = self._dice.choice(("scheduled", "scheduled", "paid", "failed", "waived"))
        self._tell("payment_plan.created", stories.data(f"payment_plan/plan_{own[4:]}", payment_plan=plan))

    def _payment(self, own: str, place: int) -> None:
        dice, payment = self._dice, f"pay_{own[4:]}x{place}"
        told = stories.payment(payment, amount=dice.choice((10000, 30000, 60000)), booking_id=own)
        if dice.random() < 0.2:
            told["amount"]["currency"] = "USD"
            told["fee"] = told["net"] = None
        if dice.random() < 0.3:
            told["installment_id"] = f"ins_0{dice.randrange(1, 4)}x{own[4:]}"
        self._tell("payment.captured", stories.data(f"payment/{payment}", payment=told))
        if dice.random() < 0.2:
            refund = stories.refund(f"ref_{payment[4:]}", amount=5000, payment_id=payment, booking_id=own)
            refund["amount"] = told["amount"] | {"amount": 5000}
            data = stories.data(f"payment/{payment}", 2, refund=refund, payment_ref=stories.PAYMENT_REF)
            self._tell("payment.refunded", data)
        if told["amount"]["currency"] == "EUR":
            self._store.documents.record(
                document(f"inv:{payment}", 9000, booking_id=own, payment_id=payment, number=f"F-{payment}")
            )


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    sqlalchemy_event.listen(store.database.engine, "before_cursor_execute", note)
    yield asked
    sqlalchemy_event.remove(store.database.engine, "before_cursor_execute", note)


def _ages(store: Store, booking: Booking, moved: Any) -> Iterator[tuple[str, Ages]]:
    """As `bookings report receivables` goes about it, one booking after another."""
    experience = store.facts.experience(AGENCY, booking.experience_id)
    for currency, figures in figures_of(booking, moved).items():
        plan = store.facts.plan(AGENCY, booking.id)
        ended = booking.cancelled_at if booking.status == "cancelled" else None
        otherwise = ended.astimezone(MADRID).date() if ended else experience.starts_on if experience else None
        paid = {each.installment_id for each in store.facts.payments_of(AGENCY, booking.id) if each.installment_id}
        dues = dues_of(plan, paid) if plan and plan.currency == currency and not ended else []
        yield currency, ages_of(figures.pending, dues, otherwise, TODAY)


def test_the_database_adds_up_what_the_rules_add_up(store: Store) -> None:
    Season(store, 60)
    moved = store.sums.moved(AGENCY, "giav")
    bookings = store.facts.bookings(AGENCY)
    expected = {each.id: list(figures_of(each, moved.get(each.id, {})).values()) for each in bookings}
    assert store.added_figures.of_bookings(AGENCY, [each.id for each in bookings]) == expected
    per_experience: dict[str, dict[str, Any]] = {}
    for each in bookings:
        for figures in expected[each.id]:
            sums = per_experience.setdefault(each.experience_id, {})
            known = sums.get(figures.sale.currency)
            sums[figures.sale.currency] = known + figures if known else figures
    found = store.added_figures.of_experiences(AGENCY, list(per_experience))
    told = {own: {one.figures.sale.currency: one.figures for one in each} for own, each in found.items()}
    assert told == per_experience
    assert len(per_experience) == 5


def test_debts_are_as_old_as_the_rules_say(store: Store) -> None:
    Season(store, 120)
    moved = store.sums.moved(AGENCY, "giav")
    aged = [pair for each in store.facts.bookings(AGENCY) for pair in _ages(store, each, moved.get(each.id, {}))]
    expected = summed(aged)
    found = store.receivables.ages(AGENCY, MADRID, TODAY)
    assert found == expected
    assert all(found["EUR"].__getattribute__(name).amount for name in ("not_due", "days_0_30", "over_90", "owed"))


def test_each_booking_has_debts_of_its_own_age(store: Store) -> None:
    Season(store, 40)
    moved = store.sums.moved(AGENCY, "giav")
    bookings = store.facts.bookings(AGENCY)
    aged = ((each.id, *pair) for each in bookings for pair in _ages(store, each, moved.get(each.id, {})))
    expected = {(own, currency): ages for own, currency, ages in aged if ages.pending}
    found = store.receivables.ages_of_bookings(AGENCY, [each.id for each in bookings], MADRID, TODAY)
    assert found == expected
    assert store.receivables.ages_of_bookings("other", [each.id for each in bookings], MADRID, TODAY) == {}


def test_a_store_of_before_keeps_what_it_would_have_kept(store: Store) -> None:
    Season(store, 60)
    store.journal.append(AGENCY, INVOICE, COLLECTION)
    tables = (debts, debt_parts, journal_days)

    def kept(connection: Connection) -> list[list[Any]]:
        return [[tuple(row) for row in connection.execute(select(t).order_by(*t.primary_key))] for t in tables]

    config = migrations._config()
    with store.database.engine.connect() as connection:
        expected = kept(connection)
        assert all(expected)
        for table in tables:
            table.drop(connection)
        connection.execute(text("DROP INDEX ix_parked_items_state_closed_at"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0022'"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0023")
        assert kept(connection) == expected


def test_debts_follow_whatever_comes_late(store: Store) -> None:
    """Money before its booking, a trip that is moved, a dispute, a refund that failed, and a plan of a superseded booking."""

    def pending() -> dict[str, int]:
        ages = store.receivables.ages(AGENCY, MADRID, TODAY)["EUR"]
        return {name: each.amount for name in ages.__slots__ if (each := getattr(ages, name)).amount}

    def tell(number: int, kind: str, about: str, revision: int = 1, **members: Any) -> None:
        assert store.inbox.accept(stories.event(number, kind, stories.data(about, revision, **members))) == "new"

    store.inbox.accept(stories.captured(1))
    assert store.receivables.ages(AGENCY, MADRID, TODAY) == {}
    tell(2, "booking.created", "booking/bkg_500", 2, booking=stories.booking())
    assert pending() == {"not_due": 70500}, "nobody knows yet when the trip begins"
    for number, revision, day in ((3, 1, TODAY), (4, 2, TODAY - timedelta(days=40))):
        snapshot = stories.experience(starts_on=day.isoformat(), ends_on=day.isoformat())
        tell(number, "experience.updated", "experience/exp_31", revision, experience=snapshot)
        assert pending() == ({"days_0_30": 70500} if revision == 1 else {"days_31_60": 70500})
    plan = stories.plan(revision=1, balance=32300) | {"total": stories.eur(100500)}
    tell(5, "booking.created", "booking/bkg_500", 1, booking=stories.booking(), payment_plan=plan)
    assert sum(pending().values()) == 70500
    assert pending() != {"days_31_60": 70500}
    store.inbox.accept(stories.disputed(6))
    assert sum(pending().values()) == 100500
    refund = stories.refund(amount=5000)
    data = {"refund": refund, "payment_ref": stories.PAYMENT_REF}
    tell(7, "payment.refunded", "payment/pay_1001", 3, **data)
    assert sum(pending().values()) == 105500
    store.inbox.accept(stories.refund_failed(8))
    assert sum(pending().values()) == 100500


def test_debtors_come_page_by_page_the_largest_debt_first(store: Store) -> None:
    Season(store, 40)
    whole = store.receivables.debts(AGENCY, limit=500)
    sizes = [each.pending.amount for each in whole]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] > 0
    paged, after = [], None
    while page := store.receivables.debts(AGENCY, after=after, limit=7):
        paged += page
        after = page[-1].place
    assert paged == whole
    owed = store.receivables.debts(AGENCY, owed=True, limit=500)
    assert owed
    assert all(each.pending.amount < 0 for each in owed)


def test_bookings_come_page_by_page_and_none_twice(store: Store) -> None:
    Season(store, 30)
    paged, after = [], None
    while page := store.booking_lists.bookings(AGENCY, BookingFilter(), after=after, limit=4):
        paged += page
        after = page[-1].place
    assert sorted(each.booking_id for each in paged) == [each.id for each in store.facts.bookings(AGENCY)]
    assert [each.place for each in paged] == sorted((each.place for each in paged), reverse=True)


def test_a_booking_is_found_by_everything_it_is_called(store: Store) -> None:
    Season(store, 30)
    payment = store.facts.payments_of(AGENCY, "bkg_0003")[0].id
    for name in ("bkg_0003", "L0003", "l0003", payment, f"F-{payment}"):
        found = store.booking_lists.bookings(AGENCY, BookingFilter(reference=name))
        assert [each.booking_id for each in found] == ["bkg_0003"], name
    assert store.booking_lists.bookings(AGENCY, BookingFilter(reference="nobody")) == []
    assert store.booking_lists.bookings("other", BookingFilter(reference="bkg_0003")) == []


def test_bookings_are_narrowed_by_state_experience_and_departure(store: Store) -> None:
    Season(store, 60)
    lists = store.booking_lists
    cancelled = lists.bookings(AGENCY, BookingFilter(status="cancelled"), limit=100)
    assert {each.status for each in cancelled} == {"cancelled"}
    second = lists.bookings(AGENCY, BookingFilter(experience="exp_2"), limit=100)
    day = second[0].departs_on
    assert day == TODAY
    assert second[0].title == "Viaje exp_2"
    assert lists.bookings(AGENCY, BookingFilter(departs_from=day, departs_to=day), limit=100) == second


def test_experiences_come_by_departure_and_those_nobody_told_of_last(store: Store) -> None:
    Season(store, 60)
    whole = store.booking_lists.experiences(AGENCY)
    assert [each.experience_id for each in whole] == ["exp_1", "exp_2", "exp_3", "exp_4", "exp_untold"]
    assert whole[-1].departs_on is None
    paged, after = [], None
    while page := store.booking_lists.experiences(AGENCY, after=after, limit=2):
        paged += page
        after = page[-1].place
    assert paged == whole
    narrowed = store.booking_lists.experiences(AGENCY, departs_from=TODAY, departs_to=TODAY)
    assert [each.experience_id for each in narrowed] == ["exp_2"]


def test_the_newest_plan_is_in_the_calendar_and_what_people_hold(store: Store) -> None:
    for number, revision in ((1, 2), (2, 1), (3, 3)):
        plan = stories.plan(revision=revision)
        plan["installments"][0]["due_on"] = f"2027-05-1{revision}"
        store.inbox.accept(
            stories.event(number, "payment_plan.changed", stories.data("payment_plan/plan_50", payment_plan=plan))
        )
    may = store.plan_calendar.days(AGENCY, date(2027, 5, 1), date(2027, 5, 31))
    assert [(each.day.day, each.status, each.instalments, each.amount.amount) for each in may] == [
        (13, "scheduled", 1, 30000)
    ]
    order = PlanOrder(order="skip", by="ana", why="transfer on its way", instalment_id="ins_01", at=stories.START)
    store.plan_orders.give(AGENCY, "plan_50", "order-1", "bkg_500", order)
    [one] = store.plan_calendar.instalments(AGENCY, date(2027, 5, 1), date(2027, 5, 31))
    assert one.held is not None
    assert (one.held.by, one.plan_id, one.seq) == ("ana", "plan_50", 1)
    assert list(store.plan_calendar.paused(AGENCY)) == ["bkg_500"]


def test_instalments_come_page_by_page(store: Store) -> None:
    Season(store, 20)
    span = (TODAY - timedelta(days=200), TODAY + timedelta(days=200))
    whole = store.plan_calendar.instalments(AGENCY, *span, limit=500)
    paged, after = [], None
    while page := store.plan_calendar.instalments(AGENCY, *span, after=after, limit=5):
        paged += page
        after = page[-1].place
    assert paged == whole
    assert len(whole) > 20
    paid = store.plan_calendar.instalments(AGENCY, *span, status="paid", limit=500)
    assert {each.status for each in paid} == {"paid"}


def test_one_line_of_time_tells_what_every_system_did(store: Store) -> None:
    for event in (stories.created(1), stories.captured(2), stories.disputed(3)):
        store.inbox.accept(event)
    store.documents.record(document("inv:pay_1001", 30000))
    store.transfers.record(AGENCY, "midoco", "bkg_500", "lin_01", "not_transferred", "no supplier there")
    told = store.timelines.of_booking(AGENCY, "bkg_500")
    assert [each.at for each in told] == sorted(each.at for each in told)
    assert {(each.system, each.what) for each in told} == {
        ("platform", "booking.created"),
        ("platform", "payment.captured"),
        ("platform", "payment.chargeback"),
        ("giav", "invoice"),
        ("midoco", "line"),
    }
    captured = next(each for each in told if each.what == "payment.captured")
    assert captured.amount is not None
    assert captured.amount.amount == 30000
    assert store.timelines.of_booking("other", "bkg_500") == []


def test_no_list_asks_more_when_there_is_more(store: Store) -> None:
    def asked() -> list[int]:
        numbers = []
        span = (TODAY - timedelta(days=300), TODAY + timedelta(days=300))
        known = [each.booking_id for each in store.booking_lists.bookings(AGENCY, BookingFilter(), limit=500)]
        for question in (
            lambda: store.booking_lists.bookings(AGENCY, BookingFilter(), limit=500),
            lambda: store.booking_lists.experiences(AGENCY, limit=500),
            lambda: store.added_figures.of_bookings(AGENCY, known),
            lambda: store.added_figures.of_experiences(AGENCY, ["exp_1", "exp_2"]),
            lambda: store.receivables.ages(AGENCY, MADRID, TODAY),
            lambda: store.receivables.debts(AGENCY, limit=500),
            lambda: store.plan_calendar.instalments(AGENCY, *span, limit=500),
            lambda: store.timelines.of_booking(AGENCY, "bkg_0001"),
        ):
            with statements(store) as found:
                question()
            numbers.append(len([each for each in found if each.lstrip().upper().startswith(("SELECT", "WITH"))]))
        return numbers

    Season(store, 5)
    few = asked()
    for number in range(1000, 1030):
        store.inbox.accept(
            stories.event(
                number,
                "booking.created",
                stories.data(f"booking/bkg_{number}", booking=stories.booking(f"bkg_{number}", experience_id="exp_1")),
            )
        )
    assert asked() == few


def test_a_page_of_plans_says_of_each_what_its_own_facts_say(store: Store) -> None:
    Season(store, 60)
    paused = PlanOrder(order="pause", by="ana", why="asked by phone", at=stories.START)
    store.plan_orders.give(AGENCY, "plan_0003", "ord_1", "bkg_0003", paused)
    found = store.plan_pages.page(AGENCY, "", 200)
    facts, own = store.facts, [each.plan.booking_id for each in found]
    assert own == sorted(own)
    assert any(paid.amount.currency != each.plan.currency for each in found for paid in each.payments)
    for each in found:
        booking = each.plan.booking_id
        told = facts.booking(AGENCY, booking)
        assert told is not None
        assert facts.plan(AGENCY, booking) == each.plan
        by_itself = open_amounts(
            each.plan,
            facts.payments_of(AGENCY, booking),
            facts.refunds_of(AGENCY, booking),
            taken_back(facts.chargebacks_of(AGENCY, booking)),
            store.payment_sync.duplicates_of(AGENCY, booking),
        )
        assert each.open == ({} if told.status == "cancelled" else by_itself)
        assert each.orders == store.plan_orders.of(AGENCY, each.plan.id)
    assert [each.plan.booking_id for each in found if each.standing.paused] == ["bkg_0003"]
    assert {bool(each.open) for each in found} == {True, False}
    first = store.plan_pages.page(AGENCY, "", 7)
    rest = store.plan_pages.page(AGENCY, first[-1].plan.booking_id, 200)
    assert [each.plan.booking_id for each in first + rest] == own
    assert store.plan_pages.of(AGENCY, own[0]) == found[0]
    assert store.plan_pages.of(AGENCY, "bkg_nobody") is None


def test_a_page_of_plans_takes_as_many_statements_as_one_plan(store: Store) -> None:
    Season(store, 60)
    with statements(store) as of_one:
        assert len(store.plan_pages.page(AGENCY, "", 1)) == 1
    with statements(store) as of_many:
        assert len(store.plan_pages.page(AGENCY, "", 12)) == 12
    assert len(of_many) == len(of_one)
