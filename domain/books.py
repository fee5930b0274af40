"""What all systems say about the same bookings, side by side: the input of the invariants (contracts: money-rules 3).

Amounts are integer minor units; one snapshot has one currency per booking. The collector fills it by reading the
systems themselves, never from what we believe we wrote.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Seen(BaseModel):
    model_config = ConfigDict(frozen=True)


class CapturedPayment(Seen):
    id: str
    amount: int
    method: str
    processor: str
    day: date
    """Local day of the capture."""
    at: datetime | None = None
    charged_by_us: bool = False
    """An instalment that the orchestrator collected, not one that the payer paid."""


class MoneyBack(Seen):
    """A refund, or the funds that a chargeback took (`won` gives them back: negative).

    `at` is when the refund was started or the chargeback opened; `by_bank` a refund past the payment's processor, `voucher`
    one that moved no money.
    """

    id: str
    payment_id: str
    amount: int
    fee: int = 0
    at: datetime | None = None
    by_bank: bool = False
    voucher: bool = False


class Cancelled(Seen):
    id: str
    scope: Literal["full", "partial"]
    treatment: str
    penalty: int
    effective_at: datetime | None = None
    no_show: bool = False
    """The trip was there and nobody came: the supplier's order stands and is owed."""


class DueLine(Seen):
    id: str
    amount: int
    status: str
    payment_id: str | None = None


class PlatformBooks(Seen):
    """The platform's truth about one booking."""

    experience_id: str
    status: str
    payer_document: str | None
    sale: int
    cost: int
    margin: int
    due: int
    payments: tuple[CapturedPayment, ...] = ()
    refunds: tuple[MoneyBack, ...] = ()
    failed_refunds: tuple[MoneyBack, ...] = ()
    """Announced, and failed afterwards: their money never left, or came back."""
    chargebacks: tuple[MoneyBack, ...] = ()
    cancellations: tuple[Cancelled, ...] = ()
    plan: tuple[DueLine, ...] = ()
    costs_estimated: bool = True
    line_costs: dict[str, int] = {}
    """What each line costs by the platform's estimate; a cancelled line what its supplier charges."""


class Reserva(Seen):
    """A container reservation in the ERP, with the cost nested under it."""

    id: str
    expediente_id: str
    client_document: str | None
    sale: int
    cost: int
    line_costs: dict[str, int] = {}
    """The nested cost of each line that has one."""


class Receipt(Seen):
    """A cobro (`Cobro`, or `Reembolso` with a positive amount) and the fact that its reference names."""

    id: str
    fact_id: str | None
    kind: Literal["Cobro", "Reembolso"]
    amount: int


class Invoice(Seen):
    """An issued document. `refers_to` is the number of the credited original on a credit note (negative), that of the
    invoice it follows on an invoice issued again, and nothing on the first invoice of a payment. What takes a penalty back
    is a negative penalty."""

    id: str
    number: str
    series: str
    kind: Literal["original", "credit_note", "penalty"]
    fact_id: str | None
    total: int
    issued_on: date
    refers_to: str | None = None
    external_key: str | None = None
    by_hand: bool = False
    """Typed by a person, for a payment that they name."""

    @property
    def takes_back(self) -> bool:
        """A credit note, of a sale or of a penalty."""
        return self.kind == "credit_note" or self.total < 0


class Order(Seen):
    """A mid-office order; `cancelled` when all its services are."""

    id: str
    cancelled: bool
    price: int


class SupplierSale(Seen):
    """An order as the supplier itself holds it, and the lines of the booking that it serves."""

    partner_order_id: str
    status: str
    payable: int
    """The price, or the fee once it is cancelled."""
    currency: str
    free_until: str | None = None
    line_ids: tuple[str, ...] = ()
    sold: bool = False
    """Whether one of its lines is active."""

    @property
    def alive(self) -> bool:
        return self.status == "completed"


class AirPlusLine(Seen):
    """One transaction in a file that AirPlus holds."""

    ref: str
    invoice_number: str
    debit: bool
    gross: int
    accepted: bool


class PaymentSyncBooks(Seen):
    """Where a payment stands on its way into the ERP, in our own queue (contracts: payment-sync 2)."""

    payment_id: str
    state: str
    explanation: str = ""
    """Of a person who settled it by hand."""


class BookingBooks(Seen):
    """One booking in every system. `waiting` counts parked items and undelivered events: then Q invariants may not hold."""

    booking_id: str
    currency: str
    platform: PlatformBooks
    reservas: tuple[Reserva, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    orders: tuple[Order, ...] = ()
    supplied: tuple[SupplierSale, ...] = ()
    unsupplied: tuple[str, ...] = ()
    """Orders that the platform names and the supplier does not have."""
    transferable: bool = False
    airplus: tuple[AirPlusLine, ...] = ()
    airplus_staged: int = 0
    accounts: dict[str, int] = {}
    """Balance (debit − credit) of every ledger account for this booking."""
    rendered: int = 0
    """What has gone from 438 to 705 since the trip started."""
    waiting: int = 0
    syncs: tuple[PaymentSyncBooks, ...] = ()

    @property
    def captured(self) -> int:
        return sum(p.amount for p in self.platform.payments)

    @property
    def refunded(self) -> int:
        """REF: money that went back; a voucher is not money (money-rules F-R10)."""
        return sum(r.amount for r in self.platform.refunds if not r.voucher)

    @property
    def vouchers(self) -> int:
        """What the payer accepted instead of money; it still stands to their credit here."""
        return sum(r.amount for r in self.platform.refunds if r.voucher)

    @property
    def reopened(self) -> int:
        """Refunds that failed and were not made again: their credit notes stand, and their money is owed (money-rules F-R3)."""
        failed = sum(r.amount for r in self.platform.failed_refunds)
        first = min((r.at for r in self.platform.failed_refunds if r.at), default=None)
        ids = {r.payment_id for r in self.platform.failed_refunds}
        again = (r for r in self.platform.refunds if r.payment_id in ids and r.at and first and r.at > first)
        return max(0, failed - sum(r.amount for r in again))

    @property
    def disputed(self) -> int:
        return sum(c.amount for c in self.platform.chargebacks)

    @property
    def collected(self) -> int:
        """COB: positive cobros in the ERP."""
        return sum(r.amount for r in self.receipts if r.kind == "Cobro")

    @property
    def returned(self) -> int:
        """DEV: negative cobros in the ERP."""
        return sum(r.amount for r in self.receipts if r.kind == "Reembolso")

    @property
    def invoiced(self) -> int:
        """INV: issued invoices, credit notes negative, without penalty documents."""
        return sum(i.total for i in self.invoices if i.kind != "penalty")

    @property
    def penalties(self) -> int:
        """PEN: penalty documents."""
        return sum(i.total for i in self.invoices if i.kind == "penalty")

    @property
    def unpaid_penalty(self) -> int:
        """What the payer still owes of a penalty (money-rules F-X12); a no-show pays a price, not a penalty."""
        full = [c for c in self.platform.cancellations if c.scope == "full"]
        if any(c.treatment == "no_show_consideration" for c in full):
            return 0
        wanted = self.platform.sale if self.platform.status == "cancelled" else self.penalties
        return max(0, wanted - (self.captured - self.refunded))

    @property
    def owed(self) -> int:
        """What was captured and not given back although less is sold; a chargeback gives nothing back."""
        return max(0, self.captured - self.refunded - self.platform.sale)


class ExperienceBooks(Seen):
    """One experience and the expedientes that carry its reference."""

    experience_id: str
    expedientes: tuple[str, ...]


class AirPlusFile(Seen):
    """One file that AirPlus holds: its number, and whether its own reader found the totals right."""

    partner_id: str
    kind: str
    seq: int
    digest: str
    sound: bool
    accepted: bool


class DealDocument(Seen):
    """A document of a deal, as EasyCount issued it; `total` is negative on a receipt of a refund."""

    number: str
    type: int
    total: int


class DealPage(Seen):
    """A page that a deal's customer could pay on."""

    url: str
    amount: int
    paid: bool


class DealBooks(Seen):
    """One deal in the CRM, and what EasyCount holds for it."""

    deal_id: int
    status: str
    asked: int | None
    link: str
    number: str
    documents: tuple[DealDocument, ...] = ()
    pages: tuple[DealPage, ...] = ()
    gone: bool = False
    """Deleted in the CRM: it shows nothing any more."""
    booked: bool = False
    """It names a booking, in whose books its money stands."""
    waiting: int = 0


class Books(Seen):
    """The whole snapshot of one agency."""

    agency: str
    taken_at: datetime | None = None
    """When the systems were read; what depends on a clock is not judged without."""
    experiences: tuple[ExperienceBooks, ...] = ()
    bookings: tuple[BookingBooks, ...] = ()
    files: tuple[AirPlusFile, ...] = ()
    deals: tuple[DealBooks, ...] = ()
    stray_documents: tuple[str, ...] = ()
    """Documents at EasyCount that belong to no deal."""
    trial_balance: int = 0
    """Sum of all balances of the journal; zero or something is very wrong."""
    unbalanced_entries: tuple[str, ...] = ()
    processor_balances: dict[str, int] = {}
    """Balance of the clearing account of each processor (5729)."""
    airplus_balance: int = 0
    """Balance of the AirPlus clearing account (5728)."""
    settled: dict[str, int] = {}
    """What each clearing account was relieved of by payouts, charges included: by processor, AirPlus as `5728`."""
    suspense_balance: int = 0
    stale_events: tuple[str, ...] = ()
    """Events older than a quarter of an hour that are neither applied, superseded nor parked."""
    unlisted_parkings: tuple[str, ...] = ()
    """Parked items without reason, owner or deadline."""
    strangers: tuple[str, ...] = ()
    """Documents and receipts in the ERP that belong to no booking and no fact."""
    missing_events: tuple[str, ...] = ()
    """Events in the platform's own log that our inbox does not have."""
