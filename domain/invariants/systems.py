"""Invariants between systems: ERP, mid-office, AirPlus, journal, inbox (contracts: money-rules 3: G, S, T, L, O).

T4 is in `across` (what AirPlus settled is what a person posted: no statement reaches us), K1 in `deals`, K2 in `deadlines`. S2
needs a supplier that is read; for all others our costs are estimates until an invoice comes. S1 is stricter than S3 in the
mid-office, and S3 is judged before the deadline already: at rest a cancelled booking has no live order at all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from domain.books import BookingBooks, Books, SupplierSale
from domain.invariants.deals import RECEIPTS
from domain.invariants.declaring import Rules, Violation, When, at_rest, differs
from domain.invariants.money import family_nets

RULES = Rules()

PAGES = "easycount"
"""The processor behind the pages on which deals are paid."""
RECEIVABLES = ("430", "4309", "436", "650")
"""Where a payer's debt stands: owed, disputed, doubtful, or written off by a person (a lost dispute moves it on)."""


@RULES.of_the_books("G1", "each experience has exactly one expediente", When.AT_REST)
def _g1_experiences(books: Books) -> Iterator[Violation]:
    waiting = {b.platform.experience_id for b in books.bookings if b.waiting}
    for experience in books.experiences:
        if len(experience.expedientes) != 1 and experience.experience_id not in waiting:
            yield Violation(experience.experience_id, f"{len(experience.expedientes)} expedientes")


@RULES.of_the_books("G1", "each reserva is in the expediente of its experience", When.AT_REST)
def _g1_places(books: Books) -> Iterator[Violation]:
    places = {experience.experience_id: experience.expedientes for experience in books.experiences}
    for booking in books.bookings:
        for reserva in booking.reservas:
            if not booking.waiting and reserva.expediente_id not in places.get(booking.platform.experience_id, ()):
                yield Violation(booking.booking_id, f"its reserva is in expediente {reserva.expediente_id}")


@RULES.of_each_booking("G1", "each booking has exactly one reserva, whose client is the payer")
def _g1(b: BookingBooks) -> Iterator[str]:
    yield from differs("number of reservas", len(b.reservas), 1)
    for reserva in b.reservas:
        if b.platform.payer_document and reserva.client_document != b.platform.payer_document:
            yield "the client of the reserva is not the payer"


@RULES.of_each_booking(
    "G2", "the ERP's margin = sale less nested costs = the platform's margin while costs are estimated"
)
def _g2(b: BookingBooks) -> Iterator[str]:
    for reserva in b.reservas:
        yield from differs("sale in the ERP", reserva.sale, b.platform.sale)
        if b.platform.costs_estimated:
            wanted = b.platform.margin - sum(_dearer_than_estimated(b, order) for order in b.supplied)
            yield from differs("margin in the ERP", reserva.sale - reserva.cost, wanted)


def _dearer_than_estimated(b: BookingBooks, order: SupplierSale) -> int:
    """What an order costs more than the platform thought; nothing is known of another currency."""
    if order.currency != b.currency or not order.line_ids:
        return 0
    return order.payable - sum(b.platform.line_costs.get(line, 0) for line in order.line_ids)


@RULES.of_each_booking(
    "S1", "a booking with a hotel has one live order in the mid-office, a cancelled one only after a no-show"
)
def _s1(b: BookingBooks) -> Iterator[str]:
    live = [order for order in b.orders if not order.cancelled]
    if len(live) == 1 and _nobody_came(b):
        return
    wanted = 1 if b.transferable and b.platform.status != "cancelled" else 0
    if len(live) != wanted:
        yield f"{len(live)} live orders, should be {wanted}"


@RULES.of_each_booking("S1", "every order at the supplier serves what is sold, and what is sold with one has it there")
def _s1_supplied(b: BookingBooks) -> Iterator[str]:
    yield from (f"the supplier does not have {partner}" for partner in b.unsupplied)
    for order in b.supplied:
        if not order.line_ids and (order.alive or order.payable):
            yield f"{order.partner_order_id} serves no line"
        if order.sold and order.status in ("cancelled", "failed", "rejected"):
            yield f"{order.partner_order_id} is {order.status}, and its line is sold"
        if order.line_ids and order.alive and not order.sold and not _nobody_came(b):
            yield f"{order.partner_order_id} is alive, and its line is not sold"


@RULES.of_each_booking("S2", "nested costs = what the supplier's own orders cost")
def _s2(b: BookingBooks) -> Iterator[str]:
    for order in b.supplied:
        if order.currency != b.currency:
            yield f"{order.partner_order_id} is in {order.currency}"
            continue
        for reserva in b.reservas:
            nested = sum(reserva.line_costs.get(line, 0) for line in order.line_ids)
            yield from differs(f"cost of {order.partner_order_id}", nested, order.payable)


@RULES.of_each_booking("S3", "a cancelled booking has no live order at the supplier, unless nobody came")
def _s3(b: BookingBooks) -> Iterator[str]:
    if b.platform.status == "cancelled" and not _nobody_came(b):
        for order in b.supplied:
            if order.alive:
                yield f"{order.partner_order_id} is alive, free until {order.free_until}"


def _nobody_came(b: BookingBooks) -> bool:
    return any(c.no_show for c in b.platform.cancellations)


@RULES.of_the_books("T1", "AirPlus' own reader finds every file's totals, counts and digest right")
def _t1(books: Books) -> Iterator[Violation]:
    yield from (Violation(f"{f.kind} {f.seq}", "refused by the reader") for f in books.files if not f.sound)


@RULES.of_the_books("T3", "file numbers are contiguous from 1, none twice with other content")
def _t3(books: Books) -> Iterator[Violation]:
    per_counter: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for file in books.files:
        per_counter[f"{file.partner_id} {file.kind}"][file.seq].add(file.digest)
    for counter, numbers in per_counter.items():
        holes = sorted(set(range(1, max(numbers) + 1)) - set(numbers))
        if holes:
            yield Violation(counter, f"holes: {holes[:5]}")
        yield from (Violation(counter, f"{seq} has two contents") for seq, found in numbers.items() if len(found) > 1)


@RULES.of_each_booking("T2", "what AirPlus accepted for a booking = its invoices and penalties on that account")
def _t2(b: BookingBooks) -> Iterator[str]:
    on_account = {p.id for p in b.platform.payments if p.method == "airplus"}
    if not on_account:
        if b.airplus:
            yield f"{len(b.airplus)} AirPlus lines without an AirPlus payment"
        return
    sent = sum(line.gross if line.debit else -line.gross for line in b.airplus if line.accepted)
    if len(on_account) == len(b.platform.payments):
        wanted = b.invoiced + b.penalties - b.unpaid_penalty
    elif not b.penalties:
        wanted = sum(net for fact, net in family_nets(b).items() if fact in on_account)
    else:
        # Which payment bears a penalty shows in what went back to each.
        wanted = sum(p.amount for p in b.platform.payments if p.id in on_account)
        wanted -= sum(r.amount for r in b.platform.refunds if r.payment_id in on_account)
    yield from differs("accepted by AirPlus and staged", sent + b.airplus_staged, wanted)


@RULES.of_each_booking(
    "L2", "the payer's accounts show what the documents show; 438 the invoices less what departure made revenue"
)
def _l2(b: BookingBooks) -> Iterator[str]:
    receivable = sum(b.accounts.get(account, 0) for account in RECEIVABLES)
    yield from differs(" + ".join(RECEIVABLES), receivable, b.invoiced + b.penalties - b.collected + b.returned)
    yield from differs("438", -b.accounts.get("438", 0), b.invoiced - b.rendered)


@RULES.of_the_books(
    "L3", "each processor's clearing account = captured − refunded − disputed − dispute fees − settled", When.AT_REST
)
def _l3(books: Books) -> Iterator[Violation]:
    if not at_rest(books):
        return
    wanted: Counter[str] = Counter()
    airplus = 0
    for booking in books.bookings:
        processor_of = {p.id: p.processor for p in booking.platform.payments}
        on_airplus = {p.id for p in booking.platform.payments if p.method == "airplus"}
        moves = [(p.id, p.amount) for p in booking.platform.payments]
        moves += [(r.payment_id, -r.amount) for r in booking.platform.refunds if not (r.by_bank or r.voucher)]
        moves += [(c.payment_id, -c.amount - c.fee) for c in booking.platform.chargebacks]
        for payment_id, amount in moves:
            if payment_id in on_airplus:
                airplus += amount
            else:
                wanted[processor_of.get(payment_id, "unknown")] += amount
    for deal in books.deals:
        if not deal.booked:
            wanted[PAGES] += sum(document.total for document in deal.documents if document.type in RECEIPTS)
    for processor in sorted(set(wanted) | set(books.processor_balances)):
        found = books.processor_balances.get(processor, 0) + books.settled.get(processor, 0)
        yield from (Violation(f"5729 {processor}", words) for words in differs("balance", found, wanted[processor]))
    yield from (
        Violation("5728", words)
        for words in differs("balance", books.airplus_balance + books.settled.get("5728", 0), airplus)
    )


@RULES.of_the_books("L4", "the suspense account holds only what is parked", When.AT_REST)
def _l4(books: Books) -> Iterator[Violation]:
    if books.suspense_balance and at_rest(books):
        yield Violation("555", f"balance {books.suspense_balance} and nothing parked")


@RULES.of_the_books("O1", "every event is applied, superseded or parked; the platform's log holds none that we do not have",
              When.AT_REST)  # fmt: skip
def _o1(books: Books) -> Iterator[Violation]:
    yield from (Violation(event, "waits in the inbox") for event in books.stale_events)
    yield from (Violation(event, "never arrived") for event in books.missing_events)


@RULES.of_the_books("O2", "every parked item has a reason, an owner and a deadline")
def _o2(books: Books) -> Iterator[Violation]:
    yield from (Violation(item, "reason, owner or deadline is missing") for item in books.unlisted_parkings)
