"""The auditor's invariants hold on sound books, and each of them sees the fault that it is there for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.books import (
    AirPlusFile,
    AirPlusLine,
    BookingBooks,
    Books,
    Cancelled,
    CapturedPayment,
    DealBooks,
    DueLine,
    ExperienceBooks,
    Invoice,
    MoneyBack,
    Order,
    PaymentSyncBooks,
    PlatformBooks,
    Receipt,
    Reserva,
    SupplierSale,
)
from domain.invariants import INVARIANTS, When, audit, changed_since

DAY = date(2027, 3, 1)
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
LATER = datetime(2027, 3, 2, 12, tzinfo=UTC)
EXPEDIENTE = "11"


class Office:
    """Writes sound books: every fact in all systems at once, numbers in the order of issue."""

    def __init__(self) -> None:
        self.numbers: Counter[str] = Counter()
        self.bookings: list[BookingBooks] = []
        self.clearing: Counter[str] = Counter()

    def issue(self, series: str, kind: str, fact: str | None, total: int, refers_to: str | None = None) -> Invoice:
        self.numbers[series] += 1
        number = f"{series}-{self.numbers[series]:06d}"
        return Invoice.model_validate(
            {
                "id": number,
                "number": number,
                "series": series,
                "kind": kind,
                "fact_id": fact,
                "total": total,
                "issued_on": DAY,
                "refers_to": refers_to,
                "external_key": f"ORQ-{number}",
            }
        )

    def write(
        self,
        name: str,
        sale: int,
        payments: Sequence[int] = (),
        *,
        method: str = "card",
        refunds: Sequence[int] = (),
        chargebacks: Sequence[MoneyBack] = (),
        cancelled: Sequence[Cancelled] = (),
        keep: int | None = None,
        penalty: int = 0,
        too_high: int = 0,
        plan: Sequence[DueLine] = (),
        **changes: Any,
    ) -> None:
        """`refunds` are of the first payment; `keep` is what stays invoiced of it after a credit note of the whole,
        `too_high` a first penalty that was taken back."""
        captured = [
            CapturedPayment(id=f"pay_{name}{n}", amount=amount, method=method, processor="stripe", day=DAY, at=NOON)
            for n, amount in enumerate(payments)
        ]
        given_back = [
            MoneyBack(id=f"ref_{name}{n}", payment_id=captured[0].id, amount=amount, at=LATER)
            for n, amount in enumerate(refunds)
        ]
        invoices = [self.issue("E", "original", p.id, p.amount) for p in captured]
        if keep is not None:
            first = invoices[0]
            invoices.append(self.issue("ER", "credit_note", None, -first.total, first.number))
            if keep:
                invoices.append(self.issue("E", "original", first.fact_id, keep, first.number))
        if too_high:
            wrong = self.issue("P", "penalty", cancelled[0].id, too_high)
            invoices += [wrong, self.issue("ER", "penalty", None, -too_high, wrong.number)]
        if penalty:
            invoices.append(self.issue("P", "penalty", cancelled[0].id, penalty))
        receipts = [Receipt(id=p.id, fact_id=p.id, kind="Cobro", amount=p.amount) for p in captured]
        receipts += [Receipt(id=r.id, fact_id=r.id, kind="Reembolso", amount=r.amount) for r in given_back]
        receipts += [
            Receipt(id=c.id, fact_id=c.id, kind="Reembolso" if c.amount > 0 else "Cobro", amount=abs(c.amount))
            for c in chargebacks
        ]
        in_, back, disputed = sum(payments), sum(refunds), sum(c.amount for c in chargebacks)
        invoiced = sum(i.total for i in invoices if i.kind != "penalty")
        self.clearing[method] += in_ - back - disputed - sum(c.fee for c in chargebacks)
        status = "cancelled" if any(c.scope == "full" for c in cancelled) else "confirmed"
        cost = 0 if status == "cancelled" else sale // 2
        books = BookingBooks(
            booking_id=name,
            currency="EUR",
            platform=PlatformBooks(
                experience_id="exp_1",
                status=status,
                payer_document="00000000T",
                sale=sale,
                cost=cost,
                margin=sale - cost,
                due=sale - in_ + back + disputed,
                payments=tuple(captured),
                refunds=tuple(given_back),
                chargebacks=tuple(chargebacks),
                cancellations=tuple(cancelled),
                plan=tuple(plan),
                line_costs={"lin_01": cost},
            ),
            reservas=(
                Reserva(
                    id=name,
                    expediente_id=EXPEDIENTE,
                    client_document="00000000T",
                    sale=sale,
                    cost=cost,
                    line_costs={"lin_01": cost},
                ),
            ),
            receipts=tuple(receipts),
            invoices=tuple(invoices),
            orders=(Order(id=name, cancelled=status == "cancelled", price=cost),),
            transferable=status != "cancelled",
            airplus=self._lines(name, in_ - back) if method == "airplus" else (),
            accounts={
                "430": invoiced + penalty - in_ + back,
                "4309": disputed,
                "438": -invoiced,
                "778": -penalty,
                "626": sum(c.fee for c in chargebacks),
            },
        )
        self.bookings.append(books.model_copy(update=changes))

    @staticmethod
    def _lines(name: str, gross: int) -> tuple[AirPlusLine, ...]:
        return (AirPlusLine(ref=name, invoice_number="E-000001", debit=True, gross=gross, accepted=True),)

    def books(self) -> Books:
        return Books(
            agency="sol",
            experiences=(ExperienceBooks(experience_id="exp_1", expedientes=(EXPEDIENTE,)),),
            bookings=tuple(self.bookings),
            files=tuple(
                AirPlusFile(partner_id="P", kind="MA", seq=seq, digest=f"d{seq}", sound=True, accepted=True)
                for seq in (1, 2)
            ),
            processor_balances={"stripe": self.clearing["card"]},
            airplus_balance=self.clearing["airplus"],
        )


def full(penalty: int, treatment: str = "indemnity_not_subject", cancelled_id: str = "cxl_1") -> Cancelled:
    return Cancelled(id=cancelled_id, scope="full", treatment=treatment, penalty=penalty, effective_at=NOON)


def dispute(payment_id: str, amount: int, *, fee: int = 0) -> MoneyBack:
    return MoneyBack(id=f"cbk_{payment_id}{amount}", payment_id=payment_id, amount=amount, fee=fee, at=NOON)


def sound_books() -> Books:
    """One booking for every way that a sound booking may stand."""
    office = Office()
    office.write("paid", 30000, [30000])
    office.write("unpaid", 30000)
    office.write("airplus", 96700, [96700], method="airplus")
    office.write("cancelled", 3000, [30000], refunds=[27000], cancelled=[full(3000)], keep=0, penalty=3000)
    office.write(
        "penalty lowered", 1000, [30000], refunds=[29000], cancelled=[full(1000)], keep=0, penalty=1000, too_high=3000
    )
    office.write("discounted", 136350, [148350], refunds=[12000], keep=136350)
    lines = [DueLine(id=f"ins_{n}", amount=10000, status="paid", payment_id=f"pay_plan{n}") for n in (0, 1)]
    lines += [DueLine(id="ins_2", amount=10000, status="scheduled"), DueLine(id="ins_3", amount=5, status="waived")]
    office.write("plan", 30000, [10000, 10000], plan=lines)
    office.write("disputed", 30000, [30000], chargebacks=[dispute("pay_disputed0", 30000, fee=2000)])
    won = [dispute("pay_won0", 30000, fee=2000), dispute("pay_won0", -30000)]
    office.write("won", 30000, [30000], chargebacks=won)
    office.write("lost", 30000, [30000], chargebacks=[dispute("pay_lost0", 30000)], accounts=LOST)
    office.write("penalty unpaid", 3000, [1000], cancelled=[full(3000)], keep=0, penalty=3000)
    office.write("refund awaited", 3000, [30000], cancelled=[full(3000)], keep=0, penalty=3000)
    nobody_came = full(0, "no_show_consideration").model_copy(update={"no_show": True})
    office.write("no-show", 30000, [30000], cancelled=[nobody_came], orders=(LIVE,))
    part = Cancelled(id="cxl_3", scope="partial", treatment="taxable_fee", penalty=2000, effective_at=NOON)
    office.write("fee of a part unpaid", 17000, [1000], cancelled=[part], keep=0, penalty=2000)
    part = Cancelled(id="cxl_2", scope="partial", treatment="taxable_fee", penalty=2000, effective_at=NOON)
    office.write("one of two cancelled", 17000, [30000], refunds=[13000], cancelled=[part], keep=15000, penalty=2000)
    office.write("withdrawn unpaid", 0, cancelled=[full(0, "none")])
    office.write("hotel ordered", 30000, supplied=(ordered(15000, sold=True),))
    office.write("hotel given up", 0, cancelled=[full(0, "none")], supplied=(ordered(0, status="cancelled"),))
    return office.books()


def ordered(payable: int, **more: Any) -> SupplierSale:
    """The supplier's own order for the booking's one line."""
    told: dict[str, Any] = {
        "partner_order_id": "one",
        "status": "completed",
        "currency": "EUR",
        "line_ids": ("lin_01",),
    }
    return SupplierSale.model_validate(told | {"payable": payable} | more)


LIVE = Order(id="1", cancelled=False, price=1)
LOST = {"430": 0, "4309": 0, "436": 30000, "438": -30000}
SOUND = sound_books()


def booking(name: str) -> BookingBooks:
    return next(b for b in SOUND.bookings if b.booking_id == name)


def nested_nowhere() -> Reserva:
    """The whole cost under the reserva, but under no line."""
    return booking("hotel ordered").reservas[0].model_copy(update={"line_costs": {}})


def with_booking(name: str, **changes: Any) -> Books:
    """The sound books with one booking changed."""
    others = (b if b.booking_id != name else b.model_copy(update=changes) for b in SOUND.bookings)
    return SOUND.model_copy(update={"bookings": tuple(others)})


def with_platform(name: str, **changes: Any) -> Books:
    return with_booking(name, platform=booking(name).platform.model_copy(update=changes))


def a_deal(status: str) -> DealBooks:
    """Without a single document; `test_deal_invariants` has the rest of its ways to be wrong."""
    return DealBooks(deal_id=1, status=status, asked=30000, link="", number="")


def with_books(**changes: Any) -> Books:
    return SOUND.model_copy(update=changes)


def with_invoice(name: str, at: int, **changes: Any) -> Books:
    invoices = list(booking(name).invoices)
    invoices[at] = invoices[at].model_copy(update=changes)
    return with_booking(name, invoices=tuple(invoices))


def with_receipt(name: str, at: int, **changes: Any) -> Books:
    receipts = list(booking(name).receipts)
    receipts[at] = receipts[at].model_copy(update=changes)
    return with_booking(name, receipts=tuple(receipts))


def with_reserva(**changes: Any) -> Books:
    return with_booking("paid", reservas=(booking("paid").reservas[0].model_copy(update=changes),))


def with_payment(name: str, **changes: Any) -> Books:
    first, *others = booking(name).platform.payments
    return with_platform(name, payments=(first.model_copy(update=changes), *others))


def with_order(name: str, *orders: Order) -> Books:
    return with_booking(name, orders=orders)


def with_second_invoice(number: str) -> Books:
    second = booking("paid").invoices[0].model_copy(update={"number": number, "external_key": "ORQ-second"})
    return with_booking("paid", invoices=(*booking("paid").invoices, second))


def with_file(**changes: Any) -> Books:
    return with_books(files=(SOUND.files[0], SOUND.files[1].model_copy(update=changes)))


def with_plan(at: int, **changes: Any) -> Books:
    plan = list(booking("plan").platform.plan)
    plan[at] = plan[at].model_copy(update=changes)
    return with_platform("plan", plan=tuple(plan))


def paid_twice() -> Books:
    """Both payments are in all systems, as they must be."""
    office = Office()
    office.write("twice", 30000, [30000, 30000])
    return office.books()


def still_owed() -> Books:
    """Cancelled and credited; the money has not gone back, three weeks later."""
    office = Office()
    office.write("owed", 0, [30000], cancelled=[full(0, "none")], keep=0)
    return office.books().model_copy(update={"taken_at": NOON + timedelta(days=21)})


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


def broken(books: Books) -> set[str]:
    return {verdict.invariant.id for verdict in audit(books) if not verdict.holds}


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
