"""Invariants of money, booking by booking (contracts: money-rules 3: M1-M9).

At rest the contract's M3 is `invoiced + penalties = captured − refunded + penalty still unpaid`. Three states of a sound
booking are added here: money that is already credited but not yet given back (the planner decides when), money that a
chargeback took although the trip is cancelled, and a refund that failed after its credit note. In all of them the documents
show the sale, and the payer's account the rest. A voucher moves no money: what it stands for stays to the payer's credit.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from domain.books import BookingBooks, CapturedPayment, Invoice
from domain.invariants.declaring import Rules, When, differs, first_invoices

RULES = Rules()


@RULES.of_each_booking("M1", "cobros less reembolsos = captured less refunded less disputed")
def _m1(b: BookingBooks) -> Iterator[str]:
    yield from differs("COB − DEV", b.collected - b.returned, b.captured - b.refunded - b.disputed)


@RULES.of_each_booking(
    "M2", "no fact has two receipts or two original invoices, and none exists without a fact", When.ALWAYS
)
def _m2_never_two(b: BookingBooks) -> Iterator[str]:
    payments = {p.id for p in b.platform.payments}
    won = {c.id for c in b.platform.chargebacks if c.amount < 0}
    back = {r.id for r in b.platform.refunds} | {c.id for c in b.platform.chargebacks if c.amount > 0}
    # A refund that failed was deleted, or a cobro of its own sets it off.
    failed = {r.id for r in b.platform.failed_refunds}
    for name, facts, known in (
        ("cobro", [r.fact_id for r in b.receipts if r.kind == "Cobro"], payments | won | failed),
        ("reembolso", [r.fact_id for r in b.receipts if r.kind == "Reembolso"], back | failed),
        ("original invoice", [i.fact_id for i in first_invoices(b)], payments),
    ):
        for fact, count in Counter(facts).items():
            if fact not in known:
                yield f"{name} of an unknown fact {fact}"
            elif count > 1:
                yield f"{count} × {name} for {fact}"


@RULES.of_each_booking("M2", "each captured payment has its cobro and its original invoice")
def _m2_never_none(b: BookingBooks) -> Iterator[str]:
    cobros = {r.fact_id for r in b.receipts if r.kind == "Cobro"}
    originals = {i.fact_id for i in first_invoices(b)}
    for payment in b.platform.payments:
        if _never_came(b, payment):
            continue
        if payment.id not in cobros:
            yield f"{payment.id} has no cobro"
        if payment.id not in originals:
            yield f"{payment.id} has no invoice"


def _never_came(b: BookingBooks, payment: CapturedPayment) -> bool:
    """A duplicate that went back in full without ever reaching the ERP: neither its money nor its refund is there (F-C18)."""
    back = [r for r in b.platform.refunds if r.payment_id == payment.id and not r.voucher]
    facts = {payment.id, *(r.id for r in back)}
    nothing = not any(r.fact_id in facts for r in b.receipts) and not any(i.fact_id in facts for i in b.invoices)
    return nothing and sum(r.amount for r in back) == payment.amount


@RULES.of_each_booking("M2", "what is invoiced again names a credited invoice of the same payment", When.ALWAYS)
def _m2_families(b: BookingBooks) -> Iterator[str]:
    by_number = {i.number: i for i in b.invoices}
    credited = {i.refers_to for i in b.invoices if i.kind == "credit_note"}
    for invoice in b.invoices:
        if invoice.kind == "original" and invoice.refers_to is not None:
            before = by_number.get(invoice.refers_to)
            if before is None or before.fact_id != invoice.fact_id or before.number not in credited:
                yield f"{invoice.number} follows {invoice.refers_to}, which is no credited invoice of {invoice.fact_id}"


@RULES.of_each_booking(
    "M3", "invoiced + penalties = captured less refunded + penalty still unpaid, or the sale while money is owed"
)
def _m3(b: BookingBooks) -> Iterator[str]:
    documents = b.invoiced + b.penalties
    if b.owed and documents == b.platform.sale:
        return
    if b.reopened and documents == b.captured - b.refunded - b.reopened:
        return
    yield from differs("INV + PEN", documents, b.captured - b.refunded + b.unpaid_penalty)


@RULES.of_each_booking("M4", "an original invoice, its cobro and its payment have one amount; so have a refund and its reembolso",
                 When.ALWAYS)  # fmt: skip
def _m4_originals(b: BookingBooks) -> Iterator[str]:
    captured = {p.id: p.amount for p in b.platform.payments}
    failed = {r.id: r.amount for r in b.platform.failed_refunds}
    back = {r.id: r.amount for r in b.platform.refunds} | failed
    for receipt in b.receipts:
        wanted = (captured | failed if receipt.kind == "Cobro" else back).get(receipt.fact_id or "")
        if wanted is not None:
            yield from differs(f"{receipt.kind} of {receipt.fact_id}", receipt.amount, wanted)
    for invoice in first_invoices(b):
        if invoice.fact_id in captured:
            yield from differs(f"invoice of {invoice.fact_id}", invoice.total, captured[invoice.fact_id])


@RULES.of_each_booking("M4", "the invoices of a payment net to something between nothing and its amount")
def _m4_families(b: BookingBooks) -> Iterator[str]:
    captured = {p.id: p.amount for p in b.platform.payments}
    for fact, net in family_nets(b).items():
        if not 0 <= net <= captured.get(fact, net):
            yield f"{fact} of {captured.get(fact)} nets to {net}"


@RULES.of_each_booking("M5", "refunds of a payment never exceed it", When.ALWAYS)
def _m5(b: BookingBooks) -> Iterator[str]:
    back: Counter[str] = Counter()
    for refund in b.platform.refunds:
        back[refund.payment_id] += refund.amount
    captured = {p.id: p.amount for p in b.platform.payments}
    for payment, amount in back.items():
        if amount > captured.get(payment, 0):
            yield f"{payment}: {amount} given back of {captured.get(payment, 0)}"


@RULES.of_each_booking("M6", "no refund of a payment is started while a chargeback of it stands", When.ALWAYS)
def _m6(b: BookingBooks) -> Iterator[str]:
    disputed: Counter[str] = Counter()
    for chargeback in b.platform.chargebacks:
        disputed[chargeback.payment_id] += chargeback.amount
    for chargeback in b.platform.chargebacks:
        for refund in b.platform.refunds:
            same = refund.payment_id == chargeback.payment_id and disputed[chargeback.payment_id] > 0
            if same and refund.at and chargeback.at and refund.at >= chargeback.at:
                yield f"{refund.id} was started after {chargeback.id} opened"


@RULES.of_each_booking("M7", "due on the platform = pending collection in the ERP")
def _m7(b: BookingBooks) -> Iterator[str]:
    for reserva in b.reservas:
        pending = reserva.sale - (b.collected - b.returned) + b.vouchers
        yield from differs("pending in the ERP", pending, b.platform.due)


@RULES.of_each_booking(
    "M8", "instalments that are not waived add up to the sale; each paid one has a captured payment of its own"
)
def _m8(b: BookingBooks) -> Iterator[str]:
    live = [line for line in b.platform.plan if line.status not in ("waived", "cancelled")]
    if live and b.platform.status != "cancelled":
        yield from differs("Σ instalments", sum(line.amount for line in live), b.platform.sale)
    captured = {p.id for p in b.platform.payments}
    used = Counter(line.payment_id for line in live if line.status == "paid")
    for payment, count in used.items():
        if payment not in captured:
            yield f"an instalment is paid by an unknown payment {payment}"
        elif count > 1:
            yield f"{payment} pays {count} instalments"


@RULES.of_each_booking("M9", "what was captured and kept does not exceed the sale, unless credit notes show it as owed")
def _m9(b: BookingBooks) -> Iterator[str]:
    if b.owed and b.invoiced + b.penalties > b.platform.sale:
        yield f"{b.captured - b.refunded} kept, sale {b.platform.sale}"


def family_nets(b: BookingBooks) -> dict[str, int]:
    """Payment → Σ of its first invoice, credit notes and re-issues."""
    by_number = {i.number: i for i in b.invoices}
    nets: dict[str, int] = defaultdict(int)
    for invoice in b.invoices:
        owner: Invoice | None = invoice
        if invoice.kind == "credit_note":
            owner = by_number.get(invoice.refers_to or "")
        if owner is not None and owner.kind == "original" and owner.fact_id is not None:
            nets[owner.fact_id] += invoice.total
    return dict(nets)
