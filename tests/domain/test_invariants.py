"""The auditor's invariants hold on sound books, and each of them sees the fault that it is there for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from domain.books import (
    AirPlusLine,
    Books,
    ExperienceBooks,
    MoneyBack,
    PaymentSyncBooks,
    Receipt,
)
from domain.invariants import INVARIANTS, When, audit, changed_since
from tests.domain.sound_books import (
    EXPEDIENTE,
    LATER,
    LIVE,
    SOUND,
    Office,
    a_deal,
    booking,
    broken,
    full,
    nested_nowhere,
    ordered,
    paid_twice,
    still_owed,
    with_booking,
    with_books,
    with_file,
    with_invoice,
    with_order,
    with_payment,
    with_plan,
    with_platform,
    with_receipt,
    with_reserva,
    with_second_invoice,
)


def highest(series: str) -> int:
    return max(int(i.number.rpartition("-")[2]) for b in SOUND.bookings for i in b.invoices if i.series == series)


NEXT = f"E-{highest('E') + 1:06d}"
TWO_RECEIPTS = (*booking("paid").receipts, booking("paid").receipts[0])
TWO_REFUNDS = (*booking("discounted").receipts, booking("discounted").receipts[1])
MORE_BACK = MoneyBack(id="ref_more", payment_id="pay_paid0", amount=30001)
TAKEN_TWICE = MoneyBack(id="cbk_more", payment_id="pay_paid0", amount=30001)
BACK_IN_DISPUTE = MoneyBack(id="ref_late", payment_id="pay_disputed0", amount=100, at=LATER)
STRAY_LINE = AirPlusLine(ref="stray", invoice_number="E-000001", debit=True, gross=1, accepted=True)
CHARGED_LATE = {"charged_by_us": True, "at": LATER}


@dataclass(frozen=True)
class Fault:
    """What goes wrong, the invariant that is there for it, and the others that see it too."""

    what: str
    breaks: str
    books: Callable[[], Books]
    also: str = ""


FAULTS = (
    Fault("a document of no deal", "K1", lambda: with_books(stray_documents=("320/9",))),
    Fault("a deal that waits links to no page", "K1", lambda: with_books(deals=(a_deal("awaiting_payment"),))),
    Fault("a deal is paid without a receipt", "K1", lambda: with_books(deals=(a_deal("paid"),))),
    Fault("the trial balance is a cent off", "L1", lambda: with_books(trial_balance=1)),
    Fault("an entry does not balance", "L1", lambda: with_books(unbalanced_entries=("led:inv:pay_1",))),
    Fault("a number is missing", "N1", lambda: with_invoice("won", 0, number="E-000099")),
    Fault("a number is there twice", "N1", lambda: with_invoice("won", 0, number="E-000001")),
    Fault("a later number has an earlier date", "N2", lambda: with_invoice("won", 0, issued_on=date(2027, 2, 28)), "N4"),
    Fault("a credit note in the series of invoices", "N3",
          lambda: with_invoice("refund awaited", 1, series="E", number=NEXT), "N1"),
    Fault("an invoice is dated before its money", "N4", lambda: with_payment("paid", day=date(2027, 3, 2))),
    Fault("a document has no key", "G3", lambda: with_invoice("paid", 0, external_key=None)),
    Fault("two documents have one key", "G3",
          lambda: with_invoice("paid", 0, external_key=booking("won").invoices[0].external_key)),
    Fault("a document of nobody", "G3", lambda: with_books(strangers=("Invoice 7",))),
    Fault("a cobro has another amount", "M1", lambda: with_receipt("paid", 0, amount=29999), "M4 M7 L2"),
    Fault("a disputed payment's money never left the ERP", "M1",
          lambda: with_booking("disputed", receipts=booking("disputed").receipts[:1]), "M7 L2"),
    Fault("a payment was collected twice", "M2", lambda: with_booking("paid", receipts=TWO_RECEIPTS), "M1 M7 L2"),
    Fault("a refund was paid twice", "M2", lambda: with_booking("discounted", receipts=TWO_REFUNDS), "M1 M7 L2"),
    Fault("a payment was invoiced twice", "M2", lambda: with_second_invoice(NEXT), "M3 M4 L2"),
    Fault("a payment was not collected", "M2", lambda: with_booking("paid", receipts=()), "M1 M7 L2"),
    Fault("a payment was not invoiced", "M2",
          lambda: with_booking("no-show", invoices=()), "N1 M3 L2"),
    Fault("an invoice of an unknown payment", "M2", lambda: with_invoice("paid", 0, fact_id="pay_unknown")),
    Fault("a second invoice follows nothing", "M2", lambda: with_invoice("discounted", 2, refers_to="E-000077")),
    Fault("a second invoice of another payment", "M2", lambda: with_invoice("discounted", 2, fact_id="pay_9")),
    Fault("a credit note is missing", "M3", lambda: with_booking("refund awaited",
          invoices=booking("refund awaited").invoices[::2]), "N1 M9 C1 L2"),
    Fault("a penalty that was too high is not taken back", "M3", lambda: with_booking("penalty lowered",
          invoices=tuple(i for i in booking("penalty lowered").invoices if i.kind != "penalty" or i.total > 0)), "N1 L2"),
    Fault("more of a penalty is taken back than it was", "C4",
          lambda: with_invoice("penalty lowered", 3, total=-3001), "M3 L2"),
    Fault("a penalty is taken back in the series of invoices", "N3",
          lambda: with_invoice("penalty lowered", 3, series="E", number="E-000099"), "N1"),
    Fault("a penalty has no document", "M3",
          lambda: with_booking("penalty unpaid", invoices=booking("penalty unpaid").invoices[:2]), "N1 L2"),
    Fault("an invoice has another amount", "M4", lambda: with_invoice("paid", 0, total=29999), "M3 L2"),
    Fault("a refund has another amount in the ERP", "M4", lambda: with_receipt("discounted", 1, amount=11999), "M1 M7 L2"),
    Fault("more is invoiced again than was paid", "M4", lambda: with_invoice("discounted", 2, total=148351), "M3 L2"),
    Fault("more goes back than came", "M5", lambda: with_platform("paid", refunds=(MORE_BACK,)), "M1 M3 L3 I3"),
    Fault("a refund while the payment is disputed", "M6",
          lambda: with_platform("disputed", refunds=(BACK_IN_DISPUTE,)), "M1 M3 L3 I3"),
    Fault("the ERP shows another debt than the platform", "M7", lambda: with_platform("paid", due=1)),
    Fault("the instalments do not add up", "M8", lambda: with_plan(2, amount=10001)),
    Fault("an instalment is paid by nothing", "M8", lambda: with_plan(0, payment_id=None)),
    Fault("one payment pays two instalments", "M8", lambda: with_plan(1, payment_id="pay_plan0")),
    Fault("the customer paid twice and nobody noticed", "M9", lambda: paid_twice()),
    Fault("a price fell after invoicing and nothing was credited", "M9", lambda: with_platform("paid", sale=20000), "G2"),
    Fault("a cancelled booking is still invoiced", "C1",
          lambda: with_platform("no-show", cancellations=(full(0, "none"),)), "S1"),
    Fault("a penalty is undecided", "C2", lambda: with_platform("no-show", cancellations=(full(0, "undecided"),)), "C1 S1"),
    Fault("a penalty without a treatment", "C2", lambda: with_platform("cancelled", cancellations=(full(3000, "none"),))),
    Fault("a treatment without a penalty", "C2", lambda: with_platform("withdrawn unpaid", cancellations=(full(0),))),
    Fault("a credit note takes back too much", "C4", lambda: with_invoice("discounted", 1, total=-148351), "M3 L2"),
    Fault("a credit note of nothing", "C4",
          lambda: with_invoice("discounted", 1, refers_to="E-000077"), "M2 M4"),
    Fault("charged after the cancellation and kept", "C6", lambda: with_payment("cancelled", **CHARGED_LATE)),
    Fault("an experience has two expedientes", "G1",
          lambda: with_books(experiences=(ExperienceBooks(experience_id="exp_1", expedientes=(EXPEDIENTE, "12")),))),
    Fault("a reserva is in another expediente", "G1", lambda: with_reserva(expediente_id="12")),
    Fault("a booking has two reservas", "G1", lambda: with_booking("paid", reservas=booking("paid").reservas * 2)),
    Fault("a booking has no reserva", "G1", lambda: with_booking("paid", reservas=())),
    Fault("a reserva of another client", "G1", lambda: with_reserva(client_document="99999999R")),
    Fault("a cost is missing in the ERP", "G2", lambda: with_reserva(cost=0)),
    Fault("the ERP has another price", "G2", lambda: with_reserva(sale=30001, cost=15001), "M7"),
    Fault("a hotel without an order", "S1", lambda: with_order("paid")),
    Fault("a hotel ordered twice", "S1", lambda: with_order("paid", LIVE, LIVE)),
    Fault("an order of a cancelled booking lives", "S1", lambda: with_order("cancelled", LIVE)),
    Fault("an order of a booking without a hotel", "S1", lambda: with_booking("unpaid", transferable=False)),
    Fault("a hotel that the supplier does not know", "S1", lambda: with_booking("hotel ordered", unsupplied=("two",))),
    Fault("an order that serves nothing", "S1",
          lambda: with_booking("paid", supplied=(ordered(0, line_ids=()),))),
    Fault("a sold hotel whose order is cancelled", "S1",
          lambda: with_booking("hotel ordered", supplied=(ordered(15000, status="cancelled", sold=True),))),
    Fault("an order whose line is not sold any more", "S1", lambda: with_booking("hotel ordered",
          supplied=(ordered(15000, sold=False),))),
    Fault("the supplier's price is not in the ERP", "S2", lambda: with_booking("hotel ordered",
          supplied=(ordered(15100, sold=True),)), "G2"),
    Fault("the supplier's price is in the platform's estimate alone", "S2", lambda: with_booking("hotel ordered",
          reservas=(nested_nowhere(),))),
    Fault("the supplier's price is in another currency", "S2", lambda: with_booking("hotel ordered",
          supplied=(ordered(15000, sold=True, currency="USD"),))),
    Fault("a cancelled booking still has its room", "S3",
          lambda: with_booking("hotel given up", supplied=(ordered(0),)), "S1"),
    Fault("a file that the receiver refuses", "T1", lambda: with_file(sound=False)),
    Fault("a line is in no file", "T2", lambda: with_booking("airplus", airplus=())),
    Fault("a line is in two files", "I8", lambda: with_booking("airplus", airplus=booking("airplus").airplus * 2), "T2"),
    Fault("a line of another card", "T2", lambda: with_booking("paid", airplus=(STRAY_LINE,))),
    Fault("a file number is missing", "T3", lambda: with_file(seq=3)),
    Fault("a file number has two contents", "T3",
          lambda: with_books(files=(*SOUND.files, SOUND.files[1].model_copy(update={"digest": "other"})))),
    Fault("an invoice was not posted", "L2", lambda: with_booking("paid", accounts={"430": -30000})),
    Fault("revenue that was never an invoice", "L2", lambda: with_booking("paid", rendered=1)),
    Fault("a lost dispute vanished from the accounts", "L2", lambda: with_booking("lost", accounts={"438": -30000})),
    Fault("a processor's account differs", "L3", lambda: with_books(processor_balances={"stripe": 1})),
    Fault("a processor nobody knows", "L3",
          lambda: with_books(processor_balances=SOUND.processor_balances | {"redsys": 1})),
    Fault("the AirPlus account differs", "T4", lambda: with_books(airplus_balance=1), "L3"),
    Fault("a dispute takes more than was paid", "I3", lambda: with_platform("paid", chargebacks=(TAKEN_TWICE,)),
          "M1 L3"),
    Fault("a refund is owed for three weeks and nobody is asked", "C5", still_owed),
    Fault("a payment is not synced and nobody has it", "K2",
          lambda: with_booking("paid", syncs=(PaymentSyncBooks(payment_id="pay_paid0", state="unsynced"),))),
    Fault("a payment was marked by hand without a word", "K2",
          lambda: with_booking("paid", syncs=(PaymentSyncBooks(payment_id="pay_paid0", state="synced_manual"),))),
    Fault("a payout that the clearing account does not show", "L3", lambda: with_books(settled={"stripe": 1})),
    Fault("money in suspense and nobody asked", "L4", lambda: with_books(suspense_balance=-100)),
    Fault("an event waits", "O1", lambda: with_books(stale_events=("evt_1",))),
    Fault("an event was lost", "O1", lambda: with_books(missing_events=("evt_1",))),
    Fault("an item of nobody", "O2", lambda: with_books(unlisted_parkings=("PK-1",))),
)  # fmt: skip


def test_every_invariant_holds_on_sound_books() -> None:
    found = {v.invariant.id: v.violations for v in audit(SOUND) if not v.holds}
    assert found == {}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what.replace(" ", "-"))
def test_a_fault_is_seen_by_its_invariant_and_by_those_that_are_named(fault: Fault) -> None:
    assert broken(fault.books()) == {fault.breaks, *fault.also.split()}


def test_every_part_of_every_invariant_sees_a_fault() -> None:
    seen = {id(v.invariant) for fault in FAULTS for v in audit(fault.books()) if not v.holds}
    assert [i.words for i in INVARIANTS if id(i) not in seen] == []
    assert {fault.breaks for fault in FAULTS} == {i.id for i in INVARIANTS}


def waiting_books(**changes: Any) -> Books:
    """The sound books and a booking whose payment is on its way: nothing of it is in any system yet."""
    office = Office()
    office.write("waiting", 30000, [30000], waiting=1)
    books = office.bookings[0].model_copy(
        update={"receipts": (), "invoices": (), "orders": (), "reservas": (), "accounts": {}} | changes
    )
    return SOUND.model_copy(update={"bookings": (*SOUND.bookings, books)})


def test_what_waits_is_not_judged_as_if_it_were_at_rest() -> None:
    assert broken(waiting_books()) == set()


def test_what_waits_is_still_judged_by_what_must_always_hold() -> None:
    twice = (Receipt(id="1", fact_id="pay_waiting0", kind="Cobro", amount=30000),) * 2
    assert broken(waiting_books(receipts=twice)) == {"M2"}


def test_a_waiting_booking_excuses_no_other_booking() -> None:
    rest = waiting_books()
    spoilt = [b if b.booking_id != "paid" else b.model_copy(update={"receipts": ()}) for b in rest.bookings]
    assert broken(rest.model_copy(update={"bookings": tuple(spoilt)})) == {"M1", "M2", "M7", "L2"}


def test_money_that_must_go_back_is_owed_only_while_it_was_credited() -> None:
    owed = booking("refund awaited")
    assert (owed.owed, owed.invoiced + owed.penalties) == (27000, 3000)
    assert booking("disputed").owed == 0


def test_invariants_say_when_they_hold_and_always_ones_come_without_a_look_at_what_waits() -> None:
    critical = {i.id for i in INVARIANTS if i.when is When.ALWAYS}
    assert critical == {"L1", "N1", "N2", "N3", "G3", "M2", "M4", "M5", "M6", "C4", "T1", "T3", "I8", "O2"}


def test_an_issued_document_that_vanishes_or_changes_is_seen_between_two_snapshots() -> None:
    gone = with_booking("paid", invoices=())
    (number,) = [invoice.number for invoice in booking("paid").invoices]
    assert changed_since(SOUND, SOUND) == []
    assert [each.where for each in changed_since(SOUND, gone)] == [number]
    assert [each.where for each in changed_since(SOUND, with_invoice("paid", 0, total=1))] == [number]
    assert changed_since(gone, SOUND) == [], "what is new has not changed"
