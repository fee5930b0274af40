"""The books of an office in which everything is right, and how to make one thing of them wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

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
    PlatformBooks,
    Receipt,
    Reserva,
    SupplierSale,
)
from domain.invariants import audit

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


def broken(books: Books) -> set[str]:
    return {verdict.invariant.id for verdict in audit(books) if not verdict.holds}
