from datetime import date

import pytest
from pydantic import ValidationError
from temporalio.exceptions import ApplicationError

from activities.accounting.activities import JournalActivities
from activities.accounting.settings import JournalSettings
from domain.ledger import Chart
from domain.money import Money
from domain.platform import Chargeback, Payment, Refund
from domain.steps import BookingStep, CancellationStep, ChargebackStep, Done, PaymentStep, RefundStep, RevenueStep
from store import Store
from store.documents import Document
from tests import stories
from tests.stories import AGENCY

B = "bkg_500"


@pytest.fixture
def cells(store: Store) -> JournalActivities:
    return JournalActivities(store, {AGENCY: JournalSettings()})


def balances(store: Store) -> dict[str, int]:
    """Every account that is not zero, in cents; the sum must be zero."""
    sums: dict[str, int] = {}
    for line in store.journal.trial_balance(AGENCY):
        sums[line.account] = sums.get(line.account, 0) + line.balance.amount
    assert sum(sums.values()) == 0
    return {account: amount for account, amount in sums.items() if amount}


def keys(store: Store) -> list[str]:
    return [posted.entry.key for posted in store.journal.entries_of(AGENCY, B)]


def pay(cells: JournalActivities, payment: Payment, *, known: bool = True) -> Done:
    return cells.record_payment(
        PaymentStep(
            agency=AGENCY,
            booking_id=B,
            experience_id=payment.experience_id,
            payment_id=payment.id,
            amount=payment.amount,
            method=payment.method,
            known_booking=known,
        )
    )


def captured(store: Store, number: int = 2, **changes: object) -> Payment:
    told = stories.captured(number, **changes)
    store.inbox.accept(told)
    assert told.data is not None
    assert told.data.payment is not None
    return told.data.payment


def give_back(cells: JournalActivities, store: Store, number: int = 4, **changes: object) -> Done:
    told = stories.refunded(number, **changes)
    store.inbox.accept(told)
    assert told.data is not None
    assert told.data.refund is not None
    return cells.record_refund(refund_step(told.data.refund, told.event_id))


def refund_step(refund: Refund, event_id: str) -> RefundStep:
    return RefundStep(
        agency=AGENCY,
        booking_id=B,
        payment_id=refund.payment_id,
        refund_id=refund.id,
        amount=refund.amount,
        event_id=event_id,
    )


def dispute(cells: JournalActivities, store: Store, number: int, stage: str) -> Done:
    told = stories.disputed(number, stage, revision=number)
    store.inbox.accept(told)
    assert told.data is not None
    chargeback = told.data.chargeback
    assert isinstance(chargeback, Chargeback)
    return cells.record_chargeback(
        ChargebackStep(
            agency=AGENCY,
            booking_id=B,
            payment_id=chargeback.payment_id,
            chargeback_id=chargeback.id,
            stage=stage,
            amount=chargeback.amount,
            event_id=told.event_id,
        )
    )


def issued(store: Store, kind: str, key: str, amount: int, number: str, refers_to: str | None = None) -> None:
    """A document that the ERP activity recorded before the journal is asked."""
    day = date(2027, 3, 1)
    store.documents.record(
        Document.model_validate(
            {
                "agency": AGENCY,
                "system": "giav",
                "kind": kind,
                "key": key,
                "number": number,
                "outside_id": number,
                "booking_id": B,
                "payment_id": None if kind == "penalty" else "pay_1001",
                "refers_to": refers_to,
                "amount": Money(amount=amount, currency="EUR"),
                "issued_on": day,
                "operation_date": day,
            }
        )
    )


def cancel(cells: JournalActivities, store: Store, treatment: str = "indemnity_not_subject") -> Done:
    told = stories.cancelled(3, treatment=treatment)
    store.inbox.accept(told)
    return cells.cancel_booking(
        CancellationStep(
            agency=AGENCY,
            booking_id=B,
            experience_id="exp_31",
            event_id=told.event_id,
            revision=3,
            cancellation_id="cxl_12",
        )
    )


def test_a_captured_payment_is_invoiced_and_collected(store: Store, cells: JournalActivities) -> None:
    payment = captured(store)
    done = pay(cells, payment)
    assert balances(store) == {"5729": 30000, "438": -30000}
    assert keys(store) == ["led:cob:pay_1001", "led:inv:pay_1001"]
    assert set(done.ids) == {"led:cob:pay_1001"}


def test_a_second_run_of_the_cell_changes_nothing(store: Store, cells: JournalActivities) -> None:
    payment = captured(store)
    assert pay(cells, payment) == pay(cells, payment)
    assert len(keys(store)) == 2


def test_a_crash_between_entry_and_settlement_is_taken_up(store: Store, cells: JournalActivities) -> None:
    payment = captured(store)
    pay(cells, payment)
    (effect,) = store.effects.of_booking(AGENCY, B, "journal")
    store.effects.rearm(str(effect.key))
    with store.database.begin() as connection:
        connection.exec_driver_sql("UPDATE effects SET state = 'intended', outside_id = NULL")
    assert pay(cells, payment).ids == {"led:cob:pay_1001": effect.outside_id}
    assert len(keys(store)) == 2


def test_an_airplus_payment_waits_on_its_own_clearing_account(store: Store, cells: JournalActivities) -> None:
    pay(cells, captured(store, method="airplus"))
    assert balances(store) == {"5728": 30000, "438": -30000}


def test_the_day_of_an_entry_is_the_agency_s_day_of_capture(store: Store, cells: JournalActivities) -> None:
    pay(cells, captured(store, captured_at="2026-11-20T23:30:00Z"))
    assert {p.entry.on for p in store.journal.entries(AGENCY)} == {date(2026, 11, 21)}


def test_money_of_an_unknown_booking_is_suspended_and_matched_later(store: Store, cells: JournalActivities) -> None:
    payment = captured(store)
    pay(cells, payment, known=False)
    assert balances(store) == {"5729": 30000, "555": -30000}
    pay(cells, payment)
    assert balances(store) == {"5729": 30000, "438": -30000}
    assert keys(store) == ["led:sus:pay_1001", "led:mat:pay_1001", "led:inv:pay_1001"]


def test_money_that_is_posted_is_not_suspended_afterwards(store: Store, cells: JournalActivities) -> None:
    payment = captured(store)
    pay(cells, payment)
    assert pay(cells, payment, known=False).outcome == "skipped"
    assert balances(store) == {"5729": 30000, "438": -30000}


def test_the_worked_case_of_a_cancellation_ends_at_the_penalty(store: Store, cells: JournalActivities) -> None:
    store.inbox.accept(stories.created(1))
    pay(cells, captured(store))
    issued(store, "invoice", "inv:pay_1001", 30000, "E-1")
    issued(store, "credit_note", "rect:cxl_12:pay_1001", -30000, "R-1")
    issued(store, "penalty", "pen:cxl_12", 3000, "P-1")
    cancel(cells, store)
    assert store.journal.balance(AGENCY, "430", "cus_77", booking_id=B).amount == -27000
    give_back(cells, store)
    assert balances(store) == {"5729": 3000, "778": -3000}


def test_a_management_fee_is_a_service_and_not_an_indemnity(store: Store, cells: JournalActivities) -> None:
    issued(store, "penalty", "pen:cxl_12", 3000, "P-1")
    cancel(cells, store, "taxable_fee")
    assert balances(store) == {"430": 3000, "705": -3000}


@pytest.mark.covers("F-X6")
@pytest.mark.parametrize(("treatment", "account"), [("indemnity_not_subject", "778"), ("taxable_fee", "705")])
def test_a_penalty_that_was_too_high_is_taken_back_as_it_was_posted(
    store: Store, cells: JournalActivities, treatment: str, account: str
) -> None:
    issued(store, "penalty", "pen:cxl_12", 3000, "P-1")
    cancel(cells, store, treatment)
    issued(store, "penalty", "rect:cxl_12@4:pen:cxl_12", -3000, "R-2", refers_to="pen:cxl_12")
    issued(store, "penalty", "pen:cxl_12@4", 1000, "P-2")
    for _ in range(2):
        cancel(cells, store, treatment)
    assert balances(store) == {"430": 1000, account: -1000}


def test_a_lower_price_is_credited_and_invoiced_again(store: Store, cells: JournalActivities) -> None:
    told = stories.created(1)
    store.inbox.accept(told)
    pay(cells, captured(store))
    issued(store, "invoice", "inv:pay_1001", 30000, "E-1")
    issued(store, "credit_note", "rect:dsc_3:pay_1001", -30000, "R-1")
    issued(store, "invoice", "inv:pay_1001:dsc_3", 25000, "E-2")
    step = BookingStep(agency=AGENCY, booking_id=B, experience_id="exp_31", event_id=told.event_id, revision=2)
    for _ in range(2):
        cells.amend_booking(step)
    assert balances(store) == {"5729": 30000, "430": -5000, "438": -25000}


def test_money_that_pays_a_penalty_posts_the_credit_note_that_it_caused(store: Store, cells: JournalActivities) -> None:
    store.inbox.accept(stories.created(1))
    payment = captured(store)
    pay(cells, payment)
    issued(store, "invoice", "inv:pay_1001", 30000, "E-1")
    issued(store, "credit_note", "rect:pay_1001:pay_1001", -30000, "R-1")
    told = stories.captured(2).event_id
    step = BookingStep(agency=AGENCY, booking_id=B, experience_id="exp_31", event_id=told, revision=1)
    for _ in range(2):
        assert cells.amend_booking(step).outcome == "done"
    assert balances(store) == {"5729": 30000, "430": -30000}


def test_a_change_without_documents_posts_nothing(store: Store, cells: JournalActivities) -> None:
    told = stories.created(1)
    store.inbox.accept(told)
    step = BookingStep(agency=AGENCY, booking_id=B, experience_id="exp_31", event_id=told.event_id, revision=1)
    assert cells.amend_booking(step).outcome == "skipped"


def test_what_a_supplier_invoices_is_posted_once_and_followed(store: Store, cells: JournalActivities) -> None:
    def told(number: int, cost: int, status: str) -> None:
        """The same sale, its first line at a cost of so many cents each."""
        lines = [stories.line("lin_01", "svc_hotel", 41250, cost), stories.line("lin_02", "svc_bus", 9000, 6500)]
        lines[0]["cost"]["status"] = status
        totals = stories.booking()["totals"] | {
            "cost": stories.eur(2 * cost + 13000),
            "margin": stories.eur(100500 - 2 * cost - 13000),
        }
        changed = stories.modified(number, number, lines=lines, totals=totals)
        store.inbox.accept(changed)
        step = BookingStep(
            agency=AGENCY, booking_id=B, experience_id="exp_31", event_id=changed.event_id, revision=number
        )
        for _ in range(2):
            cells.amend_booking(step)

    told(2, 33000, "confirmed")
    assert balances(store) == {}
    told(3, 33000, "invoiced")
    assert balances(store) == {"607": 66000, "400": -66000}
    told(4, 32500, "invoiced")
    assert balances(store) == {"607": 65000, "400": -65000}


def test_advances_become_revenue_when_the_trip_starts_and_follow_a_later_correction(
    store: Store, cells: JournalActivities
) -> None:
    trip = stories.data("experience/exp_31", experience=stories.experience())
    store.inbox.accept(stories.event(8, "experience.created", trip))
    store.inbox.accept(stories.created(1))
    pay(cells, captured(store))
    start = RevenueStep(agency=AGENCY, day=date(2027, 6, 20))
    assert cells.recognise_revenue(start.model_copy(update={"day": date(2027, 6, 19)})).outcome == "skipped"
    assert cells.recognise_revenue(start).outcome == "done"
    assert cells.recognise_revenue(start).outcome == "skipped"
    assert balances(store) == {"5729": 30000, "705": -30000}
    issued(store, "credit_note", "rect:cxl_12:pay_1001", -30000, "R-1")
    cancel(cells, store)
    assert cells.recognise_revenue(start).outcome == "done"
    assert balances(store) == {"5729": 30000, "430": -30000}


def test_a_refund_by_bank_does_not_pass_the_processor(store: Store, cells: JournalActivities) -> None:
    pay(cells, captured(store))
    give_back(cells, store, destination="transfer")
    assert balances(store) == {"5729": 30000, "572": -27000, "430": 27000, "438": -30000}


def test_a_voucher_moves_no_money(store: Store, cells: JournalActivities) -> None:
    captured(store)
    assert give_back(cells, store, destination="voucher").outcome == "skipped"
    assert balances(store) == {}


@pytest.mark.parametrize("failure_first", [False, True])
def test_a_refund_that_failed_is_reversed_in_whatever_order_it_is_told(
    store: Store, cells: JournalActivities, failure_first: bool
) -> None:
    pay(cells, captured(store))
    failed = stories.refund_failed(5)
    assert failed.data is not None
    assert failed.data.refund is not None
    step = refund_step(failed.data.refund, failed.event_id)
    if failure_first:
        store.inbox.accept(failed)
        assert cells.record_refund(step).outcome == "skipped"
        give_back(cells, store)
    else:
        give_back(cells, store)
        store.inbox.accept(failed)
        cells.record_refund(step)
    assert balances(store) == {"5729": 30000, "438": -30000}
    assert keys(store)[-2:] == ["led:dev:ref_9", "led:dev:ref_9:reversed"]


def test_a_refund_waits_for_its_payment(store: Store, cells: JournalActivities) -> None:
    with pytest.raises(ApplicationError) as raised:
        give_back(cells, store)
    assert (raised.value.type, raised.value.non_retryable) == ("Transient", False)


@pytest.mark.covers("1.7.10")
def test_a_dispute_that_is_won_leaves_only_its_fee(store: Store, cells: JournalActivities) -> None:
    pay(cells, captured(store))
    assert dispute(cells, store, 4, "opened").outcome == "skipped"
    dispute(cells, store, 5, "funds_withdrawn")
    assert balances(store) == {"4309": 30000, "626": 2000, "5729": -2000, "438": -30000}
    dispute(cells, store, 6, "won")
    assert balances(store) == {"626": 2000, "5729": 28000, "438": -30000}


def test_a_dispute_that_is_lost_becomes_a_doubtful_claim_once(store: Store, cells: JournalActivities) -> None:
    pay(cells, captured(store))
    dispute(cells, store, 4, "funds_withdrawn")
    dispute(cells, store, 5, "lost")
    dispute(cells, store, 6, "accepted")
    assert balances(store) == {"436": 30000, "626": 2000, "5729": -2000, "438": -30000}


def test_a_dispute_won_after_it_was_lost_takes_the_claim_back(store: Store, cells: JournalActivities) -> None:
    pay(cells, captured(store))
    for number, stage in enumerate(("funds_withdrawn", "lost", "won"), start=4):
        dispute(cells, store, number, stage)
    assert balances(store) == {"626": 2000, "5729": 28000, "438": -30000}


def test_the_accounts_are_the_agency_s_own(store: Store) -> None:
    settings = JournalSettings(accounts=Chart(customers="4300001", advances="4380001"))
    pay(JournalActivities(store, {AGENCY: settings}), captured(store))
    assert balances(store) == {"5729": 30000, "4380001": -30000}


def test_the_settings_section_is_checked() -> None:
    settings = JournalSettings.model_validate({"accounts": {"bank": "5720001"}, "timezone": "Atlantic/Canary"})
    assert (settings.accounts.bank, settings.zone.key) == ("5720001", "Atlantic/Canary")
    with pytest.raises(ValidationError, match="acounts"):
        JournalSettings.model_validate({"acounts": {}})
