"""The invariants that an auditor checks, as code (contracts: money-rules 3). Pure, tolerance zero, read-only.

`ALWAYS` must hold in the middle of a crash, `AT_REST` for every booking of which nothing waits.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from domain.books import BookingBooks, Books, Invoice


class When(StrEnum):
    """When an invariant must hold."""

    ALWAYS = "always"
    AT_REST = "at rest"


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where an invariant does not hold; `where` is a booking, a series, a file or an account."""

    where: str
    found: str


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule by its id in the contract, in words, and as a function over the books."""

    id: str
    words: str
    when: When
    check: Callable[[Books], Iterator[Violation]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check of one invariant gave. `looked_at` counts the places that were compared."""

    invariant: Invariant
    violations: tuple[Violation, ...]

    @property
    def holds(self) -> bool:
        return not self.violations


INVARIANTS: list[Invariant] = []
"""All invariants, in the order of the nightly audit."""

Check = Callable[[Books], Iterator[Violation]]
BookingCheck = Callable[[BookingBooks], Iterator[str]]


def _books(id: str, words: str, when: When = When.ALWAYS) -> Callable[[Check], Check]:
    def declare(check: Check) -> Check:
        INVARIANTS.append(Invariant(id, words, when, check))
        return check

    return declare


def _each_booking(id: str, words: str, when: When = When.AT_REST) -> Callable[[BookingCheck], BookingCheck]:
    """An invariant of every single booking; at rest only those of which nothing waits are looked at."""

    def declare(check: BookingCheck) -> BookingCheck:
        def over_all(books: Books) -> Iterator[Violation]:
            for booking in books.bookings:
                if when is When.ALWAYS or booking.waiting == 0:
                    yield from (Violation(booking.booking_id, found) for found in check(booking))

        INVARIANTS.append(Invariant(id, words, when, over_all))
        return check

    return declare


def audit(books: Books) -> list[Verdict]:
    """Check everything; an invariant that cannot be evaluated is a defect and raises."""
    return [Verdict(invariant, tuple(invariant.check(books))) for invariant in INVARIANTS]


def _originals(booking: BookingBooks) -> list[Invoice]:
    return [i for i in booking.invoices if i.kind == "original"]


def _differs(name: str, found: int, wanted: int) -> Iterator[str]:
    if found != wanted:
        yield f"{name} is {found}, should be {wanted}"


# Structure ------------------------------------------------------------------------------------------------------------


@_books("L1", "every journal entry balances and the trial balance is zero")
def _l1(books: Books) -> Iterator[Violation]:
    if books.trial_balance:
        yield Violation("trial balance", str(books.trial_balance))
    yield from (Violation(entry, "debit differs from credit") for entry in books.unbalanced_entries)


@_books("N1", "invoice numbers of a series run from 1 without holes or repeats")
def _n1(books: Books) -> Iterator[Violation]:
    for series, invoices in _by_series(books).items():
        numbers = [int(i.number.rpartition("-")[2]) for i in invoices]
        repeated = [n for n, count in Counter(numbers).items() if count > 1]
        holes = sorted(set(range(1, max(numbers) + 1)) - set(numbers))
        if repeated:
            yield Violation(series, f"repeated: {repeated[:5]}")
        if holes:
            yield Violation(series, f"holes: {holes[:5]}")


@_books("N2", "issue dates do not go down as numbers go up in a series")
def _n2(books: Books) -> Iterator[Violation]:
    for series, invoices in _by_series(books).items():
        ordered = sorted(invoices, key=lambda i: int(i.number.rpartition("-")[2]))
        for before, after in itertools.pairwise(ordered):
            if after.issued_on < before.issued_on:
                yield Violation(series, f"{after.number} is dated before {before.number}")


@_books("N3", "credit notes only in their own series")
def _n3(books: Books) -> Iterator[Violation]:
    for series, invoices in _by_series(books).items():
        kinds = {i.kind == "credit_note" for i in invoices}
        if len(kinds) > 1:
            yield Violation(series, "credit notes and invoices share it")


def _by_series(books: Books) -> dict[str, list[Invoice]]:
    series: dict[str, list[Invoice]] = defaultdict(list)
    for booking in books.bookings:
        for invoice in booking.invoices:
            series[invoice.series].append(invoice)
    return series


@_books("G3", "every document that we created carries an external key, each key once")
def _g3(books: Books) -> Iterator[Violation]:
    keys: Counter[str] = Counter()
    for booking in books.bookings:
        for invoice in booking.invoices:
            if invoice.external_key is None:
                yield Violation(booking.booking_id, f"{invoice.number} has no key")
            else:
                keys[invoice.external_key] += 1
    yield from (Violation(key, f"stands on {count} documents") for key, count in keys.items() if count > 1)
    yield from (Violation(stranger, "belongs to no booking and no fact") for stranger in books.strangers)


# Money, booking by booking --------------------------------------------------------------------------------------------


@_each_booking("M1", "cobros less reembolsos = captured less refunded less disputed")
def _m1(b: BookingBooks) -> Iterator[str]:
    yield from _differs("COB − DEV", b.collected - b.returned, b.captured - b.refunded - b.disputed)


@_each_booking(
    "M2", "no payment has two cobros or two original invoices, and none exists without a payment", When.ALWAYS
)
def _m2_never_two(b: BookingBooks) -> Iterator[str]:
    known = {p.id for p in b.platform.payments} | {c.id for c in b.platform.chargebacks}
    for name, facts in (
        ("cobro", [r.fact_id for r in b.receipts if r.kind == "Cobro"]),
        ("original invoice", [i.fact_id for i in _originals(b) if i.refers_to is None]),
    ):
        for fact, count in Counter(facts).items():
            if fact not in known:
                yield f"{name} of an unknown payment {fact}"
            elif count > 1:
                yield f"{count} × {name} for {fact}"


@_each_booking("M2", "each captured payment has its cobro and its original invoice")
def _m2_never_none(b: BookingBooks) -> Iterator[str]:
    cobros = {r.fact_id for r in b.receipts if r.kind == "Cobro"}
    originals = {i.fact_id for i in _originals(b)}
    for payment in b.platform.payments:
        if payment.id not in cobros:
            yield f"{payment.id} has no cobro"
        if payment.id not in originals:
            yield f"{payment.id} has no invoice"


@_each_booking("M3", "invoiced + penalties = captured less refunded + penalty still unpaid")
def _m3(b: BookingBooks) -> Iterator[str]:
    yield from _differs("INV + PEN", b.invoiced + b.penalties, b.captured - b.refunded + b.unpaid_penalty)


@_each_booking("M4", "an original invoice, its cobro and its payment have one amount", When.ALWAYS)
def _m4(b: BookingBooks) -> Iterator[str]:
    captured = {p.id: p.amount for p in b.platform.payments}
    for receipt in b.receipts:
        if receipt.kind == "Cobro" and receipt.fact_id in captured:
            yield from _differs(f"cobro of {receipt.fact_id}", receipt.amount, captured[receipt.fact_id])
    for invoice in _originals(b):
        if invoice.fact_id in captured and invoice.refers_to is None:
            yield from _differs(f"invoice of {invoice.fact_id}", invoice.total, captured[invoice.fact_id])


@_each_booking("M5", "refunds of a payment never exceed it", When.ALWAYS)
def _m5(b: BookingBooks) -> Iterator[str]:
    back: Counter[str] = Counter()
    for refund in b.platform.refunds:
        back[refund.payment_id] += refund.amount
    captured = {p.id: p.amount for p in b.platform.payments}
    for payment, amount in back.items():
        if amount > captured.get(payment, 0):
            yield f"{payment}: {amount} given back of {captured.get(payment, 0)}"


@_each_booking("M7", "due on the platform = pending collection in the ERP")
def _m7(b: BookingBooks) -> Iterator[str]:
    for reserva in b.reservas:
        yield from _differs("pending in the ERP", reserva.sale - (b.collected - b.returned), b.platform.due)


@_each_booking("M8", "instalments that are not waived add up to the sale; the paid ones are captured payments")
def _m8(b: BookingBooks) -> Iterator[str]:
    live = [line for line in b.platform.plan if line.status not in ("waived", "cancelled")]
    if live and b.platform.status != "cancelled":
        yield from _differs("Σ instalments", sum(line.amount for line in live), b.platform.sale)
    captured = {p.id for p in b.platform.payments}
    for line in live:
        if line.status == "paid" and line.payment_id not in captured:
            yield f"{line.id} is paid by an unknown payment {line.payment_id}"


@_each_booking("M9", "what was captured and kept does not exceed the sale")
def _m9(b: BookingBooks) -> Iterator[str]:
    if b.captured - b.refunded > b.platform.sale:
        yield f"{b.captured - b.refunded} kept, sale {b.platform.sale}"


@_each_booking("C1", "a cancelled booking's invoices are rectified, unless the money was kept as consideration")
def _c1(b: BookingBooks) -> Iterator[str]:
    full = [c for c in b.platform.cancellations if c.scope == "full"]
    if not full or any(c.treatment == "no_show_consideration" for c in full):
        return
    yield from _differs("net of the payment invoices", b.invoiced, 0)


@_each_booking("C2", "every cancellation has one penalty treatment")
def _c2(b: BookingBooks) -> Iterator[str]:
    for cancelled in b.platform.cancellations:
        if cancelled.treatment == "undecided":
            yield f"{cancelled.id} is undecided"
        if (cancelled.treatment == "none") != (cancelled.penalty == 0):
            yield f"{cancelled.id}: treatment {cancelled.treatment}, penalty {cancelled.penalty}"


@_each_booking("C4", "an original is never rectified by more than its total", When.ALWAYS)
def _c4(b: BookingBooks) -> Iterator[str]:
    totals = {i.number: i.total for i in b.invoices}
    rectified: Counter[str] = Counter()
    for note in b.invoices:
        if note.kind == "credit_note":
            if note.refers_to not in totals:
                yield f"{note.number} rectifies an unknown original {note.refers_to}"
            rectified[note.refers_to or ""] -= note.total
    for number, amount in rectified.items():
        if amount > totals.get(number, amount):
            yield f"{number}: {amount} rectified of {totals[number]}"


# Systems against each other -------------------------------------------------------------------------------------------


@_books("G1", "each experience has exactly one expediente", When.AT_REST)
def _g1_experiences(books: Books) -> Iterator[Violation]:
    waiting = {b.platform.experience_id for b in books.bookings if b.waiting}
    for experience in books.experiences:
        if len(experience.expedientes) != 1 and experience.experience_id not in waiting:
            yield Violation(experience.experience_id, f"{len(experience.expedientes)} expedientes")


@_each_booking("G1", "each booking has exactly one reserva, whose client is the payer")
def _g1(b: BookingBooks) -> Iterator[str]:
    yield from _differs("number of reservas", len(b.reservas), 1)
    for reserva in b.reservas:
        if b.platform.payer_document and reserva.client_document != b.platform.payer_document:
            yield "the client of the reserva is not the payer"


@_each_booking("G2", "the ERP's margin = sale less nested costs = the platform's margin")
def _g2(b: BookingBooks) -> Iterator[str]:
    if b.platform.costs_estimated:
        for reserva in b.reservas:
            yield from _differs("sale in the ERP", reserva.sale, b.platform.sale)
            yield from _differs("margin in the ERP", reserva.sale - reserva.cost, b.platform.margin)


@_each_booking("S1", "a hotel booking has one live order in the mid-office, a cancelled one has none")
def _s1(b: BookingBooks) -> Iterator[str]:
    live = [order for order in b.orders if not order.cancelled]
    if b.platform.status == "cancelled" and live:
        yield f"{len(live)} live orders of a cancelled booking"
    if b.platform.status != "cancelled" and b.transferable and len(live) != 1:
        yield f"{len(live)} live orders"


@_books("T1", "AirPlus' own reader finds every file's totals, counts and digest right")
def _t1(books: Books) -> Iterator[Violation]:
    yield from (Violation(f"{f.kind} {f.seq}", "refused by the reader") for f in books.files if not f.sound)


@_books("T3", "file numbers are contiguous from 1, none twice with other content")
def _t3(books: Books) -> Iterator[Violation]:
    per_counter: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for file in books.files:
        per_counter[f"{file.partner_id} {file.kind}"][file.seq].add(file.digest)
    for counter, numbers in per_counter.items():
        holes = sorted(set(range(1, max(numbers) + 1)) - set(numbers))
        if holes:
            yield Violation(counter, f"holes: {holes[:5]}")
        yield from (Violation(counter, f"{seq} has two contents") for seq, found in numbers.items() if len(found) > 1)


@_each_booking("T2", "what AirPlus accepted for a booking = its invoices on that account")
def _t2(b: BookingBooks) -> Iterator[str]:
    on_account = {p.id for p in b.platform.payments if p.method == "airplus"}
    if not on_account:
        if b.airplus:
            yield f"{len(b.airplus)} AirPlus lines without an AirPlus payment"
        return
    sent = sum(line.gross if line.debit else -line.gross for line in b.airplus if line.accepted)
    paid = sum(p.amount for p in b.platform.payments if p.id in on_account)
    back = sum(r.amount for r in b.platform.refunds if r.payment_id in on_account)
    yield from _differs("accepted by AirPlus and staged", sent + b.airplus_staged, paid - back)


@_each_booking("L2", "430 and 4309 show what the documents show; 438 the invoices until departure")
def _l2(b: BookingBooks) -> Iterator[str]:
    receivable = b.accounts.get("430", 0) + b.accounts.get("4309", 0)
    yield from _differs("430 + 4309", receivable, b.invoiced + b.penalties - b.collected + b.returned)
    yield from _differs("438", -b.accounts.get("438", 0), b.invoiced)


@_books("L3", "each processor's clearing account = captured − refunded − disputed − dispute fees", When.AT_REST)
def _l3(books: Books) -> Iterator[Violation]:
    if any(b.waiting for b in books.bookings):
        return
    wanted: Counter[str] = Counter()
    airplus = 0
    for booking in books.bookings:
        processor_of = {p.id: p.processor for p in booking.platform.payments}
        on_airplus = {p.id for p in booking.platform.payments if p.method == "airplus"}
        moves = [(p.id, p.amount) for p in booking.platform.payments]
        moves += [(r.payment_id, -r.amount) for r in booking.platform.refunds]
        moves += [(c.payment_id, -c.amount - c.fee) for c in booking.platform.chargebacks]
        for payment_id, amount in moves:
            if payment_id in on_airplus:
                airplus += amount
            else:
                wanted[processor_of.get(payment_id, "unknown")] += amount
    for processor in sorted(set(wanted) | set(books.processor_balances)):
        found = books.processor_balances.get(processor, 0)
        yield from (Violation(f"5729 {processor}", words) for words in _differs("balance", found, wanted[processor]))
    yield from (Violation("5728", words) for words in _differs("balance", books.airplus_balance, airplus))


@_books("L4", "the suspense account holds only what is parked", When.AT_REST)
def _l4(books: Books) -> Iterator[Violation]:
    if books.suspense_balance and not any(b.waiting for b in books.bookings):
        yield Violation("555", f"balance {books.suspense_balance} and nothing parked")


@_books(
    "O1",
    "every event is applied, superseded or parked; the platform's log holds none that we do not have",
    When.AT_REST,
)
def _o1(books: Books) -> Iterator[Violation]:
    yield from (Violation(event, "waits in the inbox") for event in books.stale_events)
    yield from (Violation(event, "never arrived") for event in books.missing_events)


@_books("O2", "every parked item has a reason, an owner and a deadline")
def _o2(books: Books) -> Iterator[Violation]:
    yield from (Violation(item, "reason, owner or deadline is missing") for item in books.unlisted_parkings)
