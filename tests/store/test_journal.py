from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from domain.errors import ContractBroken
from domain.ledger import Chart, Entry, Fact, Movement, entry_of
from domain.money import Money
from store import Store
from store.statements import StatementLine

DAY = date(2026, 11, 20)


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


def entry(fact: Fact, key: str, amount: int = 30000, *, fee: int = 0, booking_id: str = "bkg_500") -> Entry:
    movement = Movement(
        fact=fact,
        key=key,
        on=DAY,
        booking_id=booking_id,
        text="x",
        amount=eur(amount),
        fee=eur(fee),
        payer_id="cus_77",
        payment_id="pay_1001",
        processor="stripe",
    )
    return entry_of(movement, Chart())


INVOICE = entry(Fact.INVOICE, "led:inv:pay_1001")
COLLECTION = entry(Fact.COLLECTION, "led:cob:pay_1001")


def test_an_entry_is_posted_once_by_its_key(store: Store) -> None:
    (number,) = store.journal.append("sol", INVOICE)
    assert store.journal.append("sol", INVOICE) == [number]
    (posted,) = store.journal.entries_of("sol", "bkg_500")
    assert posted.entry == INVOICE
    assert store.journal.find("sol", INVOICE.key) == posted


def test_a_key_cannot_be_used_for_another_amount(store: Store) -> None:
    store.journal.append("sol", INVOICE)
    with pytest.raises(ContractBroken):
        store.journal.append("sol", entry(Fact.INVOICE, INVOICE.key, 30001))


def test_entries_posted_together_stand_or_fall_together(store: Store) -> None:
    store.journal.append("sol", INVOICE)
    with pytest.raises(ContractBroken):
        store.journal.append("sol", COLLECTION, entry(Fact.INVOICE, INVOICE.key, 1))
    assert store.journal.find("sol", COLLECTION.key) is None


def test_what_is_posted_already_is_left_alone_among_what_is_new(store: Store) -> None:
    (first,) = store.journal.append("sol", INVOICE)
    others = [INVOICE.model_copy(update={"key": f"led:inv:other_{number}"}) for number in range(3)]
    numbers = store.journal.append("sol", others[0], INVOICE, *others[1:], others[1])
    assert numbers[1] == first
    assert numbers[2] == numbers[4]
    posted = store.journal.entries("sol")
    assert [each.entry for each in posted] == [INVOICE, *others]
    assert [each.number for each in posted] == sorted({*numbers})
    with pytest.raises(ContractBroken):
        store.journal.append("sol", *_twins())
    assert len(store.journal.entries("sol")) == 4


def _twins() -> tuple[Entry, Entry]:
    """Two different entries under one key."""
    one = INVOICE.model_copy(update={"key": "led:inv:twin"})
    return one, one.model_copy(update={"fact": "another"})


def test_balances_are_added_up_by_account_sub_account_and_booking(store: Store) -> None:
    store.journal.append("sol", INVOICE, COLLECTION)
    store.journal.append("sol", entry(Fact.INVOICE, "led:inv:pay_2", 100, booking_id="bkg_600"))
    journal = store.journal
    assert journal.balance("sol", "430") == eur(100)
    assert journal.balance("sol", "430", booking_id="bkg_500") == eur(0)
    assert journal.balance("sol", "438") == eur(-30100)
    assert journal.balance("sol", "438", "bkg_600") == eur(-100)
    assert journal.balance("sol", "5729", "stripe") == eur(30000)
    assert journal.balance("luna", "430") == eur(0)


def test_the_trial_balance_is_zero(store: Store) -> None:
    store.journal.append("sol", INVOICE, COLLECTION, entry(Fact.WITHDRAWN, "led:dev:cbk_2", fee=2000))
    lines = store.journal.trial_balance("sol")
    assert [(line.account, line.sub, line.balance.amount) for line in lines] == [
        ("430", "cus_77", 0),
        ("4309", "cus_77", 30000),
        ("438", "bkg_500", -30000),
        ("5729", "stripe", -2000),
        ("626", "", 2000),
    ]
    assert sum(line.balance.amount for line in lines) == 0
    assert store.journal.trial_balance("sol", until=date(2026, 11, 19)) == []


def test_entries_are_listed_by_day(store: Store) -> None:
    store.journal.append("sol", INVOICE)
    assert [p.entry.key for p in store.journal.entries("sol", since=DAY, until=DAY)] == [INVOICE.key]
    assert store.journal.entries("sol", since=date(2026, 11, 21)) == []


def insert_entry(connection: Connection, lines: int, number: int = 900) -> None:
    connection.execute(
        text(
            "INSERT INTO journal_entries"
            " (id, agency, key, fact, on_date, booking_id, text, currency, zero, lines, created_at)"
            " VALUES (:id, 'sol', :key, 'invoice', :day, 'bkg_1', '', 'EUR', 0, :lines, :now)"
        ),
        {
            "id": number,
            "key": f"led:{number}",
            "day": DAY if connection.dialect.name == "postgresql" else DAY.isoformat(),
            "lines": lines,
            "now": datetime(2026, 11, 20, tzinfo=UTC)
            if connection.dialect.name == "postgresql"
            else "2026-11-20T00:00:00.000000Z",
        },
    )


def insert_posting(
    connection: Connection, line: int, side: str, amount: int, currency: str = "EUR", number: int = 900
) -> None:
    connection.execute(
        text(
            "INSERT INTO journal_postings (entry_id, line, account, sub, side, amount, currency)"
            " VALUES (:entry, :line, '430', '', :side, :amount, :currency)"
        ),
        {"entry": number, "line": line, "side": side, "amount": amount, "currency": currency},
    )


@pytest.mark.parametrize(
    ("announced", "postings"),
    [
        (2, [("debit", 300), ("credit", 299)]),
        (2, [("debit", 300), ("debit", 300)]),
        (1, [("debit", 300)]),
        (0, []),
        (2, []),
        (3, [("debit", 300), ("credit", 300)]),
        (2, [("debit", 300), ("credit", 300), ("debit", 1), ("credit", 1)]),
    ],
    ids=["one cent off", "one-sided", "single line", "empty", "nothing posted", "line missing", "lines too many"],
)
def test_the_database_itself_refuses_an_unbalanced_entry_at_commit(
    store: Store, announced: int, postings: list[tuple[str, int]]
) -> None:
    reached_commit = []

    def post() -> None:
        with store.database.begin() as connection:
            insert_entry(connection, announced)
            for line, (side, amount) in reversed(list(enumerate(postings, start=1))):
                insert_posting(connection, line, side, amount)
            reached_commit.append(True)

    with pytest.raises(IntegrityError):
        post()
    assert reached_commit
    assert store.journal.entries("sol") == []


def test_the_database_takes_a_balanced_entry_even_if_it_balances_half_way(store: Store) -> None:
    with store.database.begin() as connection:
        insert_entry(connection, 4)
        for line, (side, amount) in zip(
            (4, 3, 2, 1), [("debit", 5), ("credit", 5), ("credit", 7), ("debit", 7)], strict=True
        ):
            insert_posting(connection, line, side, amount)
    assert len(store.journal.entries("sol")) == 1


@pytest.mark.parametrize(("side", "amount", "currency"), [("both", 1, "EUR"), ("debit", 0, "EUR"), ("debit", 1, "GBP")])
def test_a_posting_needs_a_side_an_amount_and_its_entry_s_currency(
    store: Store, side: str, amount: int, currency: str
) -> None:
    def post() -> None:
        with store.database.begin() as connection:
            insert_entry(connection, 2)
            insert_posting(connection, 2, side, amount, currency)
            insert_posting(connection, 1, "credit", amount, currency)

    with pytest.raises(IntegrityError):
        post()


def test_nothing_can_be_added_to_an_entry_that_was_committed(store: Store) -> None:
    (number,) = store.journal.append("sol", INVOICE)

    def add() -> None:
        with store.database.begin() as connection:
            insert_posting(connection, 3, "debit", 1, number=number)
            insert_posting(connection, 4, "credit", 1, number=number)

    with pytest.raises(IntegrityError):
        add()
    assert store.journal.balance("sol", "430") == eur(30000)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal_entries SET text = 'other'",
        "DELETE FROM journal_entries",
        "UPDATE journal_postings SET amount = amount + 1",
        "DELETE FROM journal_postings",
        "UPDATE journal_balances SET balance = 1",
        "DELETE FROM journal_balances",
    ],
)
def test_the_journal_is_append_only(store: Store, statement: str) -> None:
    store.journal.append("sol", INVOICE)
    with pytest.raises(DBAPIError), store.database.begin() as connection:
        connection.execute(text(statement))
    (posted,) = store.journal.entries("sol")
    assert posted.entry == INVOICE


def test_postgresql_refuses_to_truncate_the_journal_too(store: Store, dialect: str) -> None:
    statement = "TRUNCATE journal_postings" if dialect == "postgresql" else "DELETE FROM journal_postings WHERE 1"
    store.journal.append("sol", INVOICE)
    with pytest.raises(DBAPIError, match="append-only"), store.database.begin() as connection:
        connection.execute(text(statement))


def test_what_is_kept_by_day_says_what_the_postings_say(store: Store) -> None:
    days = [DAY + timedelta(days=number % 5) for number in range(20)]
    entries = [
        entry(
            Fact.INVOICE if number % 3 else Fact.COLLECTION, f"led:{number}", 100 + number, booking_id=f"b{number % 4}"
        )
        for number in range(20)
    ]
    for each, day in zip(entries, days, strict=True):
        store.journal.append("sol", each.model_copy(update={"on": day}), each.model_copy(update={"on": day}))
    store.journal.append("luna", INVOICE)
    since, until = DAY + timedelta(days=1), DAY + timedelta(days=3)
    for period in ({}, {"since": since}, {"since": since, "until": until}):
        summed: dict[str, list[int]] = {}
        for row in store.journal.trial_balance("sol", **period):
            known = summed.setdefault(row.account, [0, 0])
            known[0] += row.debit.amount
            known[1] += row.credit.amount
        kept = store.journal_pages.accounts("sol", **period)
        assert {row.account: [row.debit.amount, row.credit.amount] for row in kept} == summed
        assert summed


@pytest.mark.parametrize(("account", "sub"), [("43", None), ("430", None), ("430", "cus_77"), ("438", "nobody")])
def test_a_statement_goes_on_where_its_last_page_ended(store: Store, account: str, sub: str | None) -> None:
    for number in range(12):
        each = entry(Fact.INVOICE if number % 3 else Fact.COLLECTION, f"led:{number}", 100 + number)
        store.journal.append("sol", each.model_copy(update={"on": DAY + timedelta(days=number // 4)}))
    since = DAY + timedelta(days=1)
    whole = store.statements.statement("sol", account, sub, since=since)
    paged, after, opening = list[StatementLine](), None, whole.opening
    while True:
        page = store.journal_pages.statement("sol", account, sub, since=since, after=after, limit=3)
        assert page.opening == opening
        if not page.lines:
            break
        paged += page.lines
        after, opening = page.places[-1], page.closing
    assert tuple(paged) == whole.lines
    assert opening == whole.closing
