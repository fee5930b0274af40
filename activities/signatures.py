"""The verbs × systems table: each cell's name, queue, input, output and patience (DESIGN section 3).

This is all that workflows may know of activities. The implementations carry the same names (`@implements(VERB)`),
and a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from pydantic import BaseModel

from domain.check_steps import FilesCheck, FilesChecked, InvoicesCheck, InvoicesChecked
from domain.connector_steps import (
    Admission,
    AdmitStep,
    BreakerKept,
    BreakerReport,
    ConnectorStep,
    Described,
    DescribeStep,
    ReconcilePage,
    ReconcileStep,
    TellPayment,
    WaitingPayments,
    WaitingQuestion,
)
from domain.deal_steps import (
    BotStep,
    DealMoneyStep,
    DealPicture,
    DealRead,
    DealReading,
    DealRefundStep,
    DealsFound,
    DealShown,
    DealStep,
    DealSweep,
    LinkAtWork,
    LinksSeen,
    LinksStep,
    RefundedSoFar,
    RequestStep,
    Standing,
)
from domain.duplicates import CreditPlan, DuplicateLetter, DuplicateStep, RefundOrderStep
from domain.naming import Queue
from domain.payment_steps import ProbeStep, TransitionLog
from domain.payment_sync import Evidence
from domain.plan_steps import PlanOrderStep, ReturnVerdict, TellStep
from domain.ports import RefundCase
from domain.steps import (
    AnswersStep,
    BackfillProgress,
    BookingQuestion,
    BookingStep,
    CancellationStep,
    ChargebackStep,
    ChargeResult,
    ClaimStep,
    Done,
    ExperienceStep,
    InstalmentStep,
    IntegrationActivation,
    IntegrationBackfill,
    IntegrationStep,
    LifecycleOutcome,
    MoneyAtStake,
    Parked,
    Parking,
    PaymentStep,
    PlanArrangement,
    PlanStep,
    RefundStep,
    RevenueStep,
    SealedFile,
    Step,
    TamaraFileStep,
    TamaraRetention,
    TamaraStep,
    Unparking,
    UntoldBookings,
)
from domain.supplier_steps import (
    ChargeStep,
    FeedPage,
    FeedStep,
    HandedOver,
    OrderCancelled,
    OrderStep,
    OrderVerdict,
    SupplierOrderStep,
    SupplierPlan,
    SupplierStep,
)
from domain.tamara_steps import TamaraAnswersOrder, TamaraAnswersRead, TamaraSettlement, TamaraTroubleStep

In = TypeVar("In", bound=BaseModel)
Out = TypeVar("Out", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Verb(Generic[In, Out]):
    """One cell. `limit` bounds one attempt; after `silence` without the worker's pulse another worker takes it over."""

    name: str
    queue: Queue
    takes: type[In]
    gives: type[Out]
    limit: timedelta = timedelta(minutes=5)
    silence: timedelta = timedelta(seconds=10)


GIAV_OPEN_EXPERIENCE = Verb("giav.open_experience", Queue.GIAV, ExperienceStep, Done)
GIAV_AMEND_EXPERIENCE = Verb("giav.amend_experience", Queue.GIAV, ExperienceStep, Done)
GIAV_CLOSE_EXPERIENCE = Verb("giav.close_experience", Queue.GIAV, ExperienceStep, Done)
GIAV_UNDO_OPEN_EXPERIENCE = Verb("giav.undo_open_experience", Queue.GIAV, ExperienceStep, Done)
GIAV_CHECK_FILES = Verb("giav.check_files", Queue.GIAV, FilesCheck, FilesChecked, limit=timedelta(minutes=30))
GIAV_CHECK_INVOICES = Verb("giav.check_invoices", Queue.GIAV, InvoicesCheck, InvoicesChecked)
GIAV_REGISTER_BOOKING = Verb("giav.register_booking", Queue.GIAV, BookingStep, Done)
GIAV_UNDO_REGISTER_BOOKING = Verb("giav.undo_register_booking", Queue.GIAV, BookingStep, Done)
GIAV_AMEND_BOOKING = Verb("giav.amend_booking", Queue.GIAV, BookingStep, Done)
GIAV_CANCEL_BOOKING = Verb("giav.cancel_booking", Queue.GIAV, CancellationStep, Done)
GIAV_RECORD_PAYMENT = Verb("giav.record_payment", Queue.GIAV, PaymentStep, Done)
GIAV_PROBE_PAYMENT = Verb("giav.probe_payment", Queue.GIAV, ProbeStep, Evidence)
GIAV_DESCRIBE = Verb("giav.describe", Queue.GIAV, DescribeStep, Described)
GIAV_RECONCILE = Verb("giav.reconcile", Queue.GIAV, ReconcileStep, ReconcilePage, limit=timedelta(minutes=30))
GIAV_RECORD_REFUND = Verb("giav.record_refund", Queue.GIAV, RefundStep, Done)
GIAV_RECORD_CHARGEBACK = Verb("giav.record_chargeback", Queue.GIAV, ChargebackStep, Done)
GIAV_REPORT_DECLINE = Verb("giav.report_decline", Queue.GIAV, InstalmentStep, Done)

MIDOFFICE_REGISTER_BOOKING = Verb("midoffice.register_booking", Queue.MIDOFFICE, BookingStep, Done)
MIDOFFICE_UNDO_REGISTER_BOOKING = Verb("midoffice.undo_register_booking", Queue.MIDOFFICE, BookingStep, Done)
MIDOFFICE_AMEND_BOOKING = Verb("midoffice.amend_booking", Queue.MIDOFFICE, BookingStep, Done)
MIDOFFICE_CANCEL_BOOKING = Verb("midoffice.cancel_booking", Queue.MIDOFFICE, CancellationStep, Done)
MIDOFFICE_RECORD_PAYMENT = Verb("midoffice.record_payment", Queue.MIDOFFICE, PaymentStep, Done)
MIDOFFICE_RESEND = Verb("midoffice.resend", Queue.MIDOFFICE, BookingQuestion, Done)
MIDOFFICE_UNTOLD = Verb("midoffice.untold", Queue.MIDOFFICE, IntegrationBackfill, UntoldBookings)
MIDOFFICE_READ_ANSWERS = Verb("midoffice.read_answers", Queue.MIDOFFICE, AnswersStep, Done)

JOURNAL_RECORD_PAYMENT = Verb("journal.record_payment", Queue.ACCOUNTING, PaymentStep, Done)
JOURNAL_SET_ASIDE = Verb("journal.set_aside", Queue.ACCOUNTING, DuplicateStep, Done)
JOURNAL_RELEASE = Verb("journal.release", Queue.ACCOUNTING, DuplicateStep, Done)
JOURNAL_PROBE_PAYMENT = Verb("journal.probe_payment", Queue.ACCOUNTING, ProbeStep, Evidence)
JOURNAL_DESCRIBE = Verb("journal.describe", Queue.ACCOUNTING, DescribeStep, Described)
JOURNAL_RECONCILE = Verb("journal.reconcile", Queue.ACCOUNTING, ReconcileStep, ReconcilePage)
JOURNAL_AMEND_BOOKING = Verb("journal.amend_booking", Queue.ACCOUNTING, BookingStep, Done)
JOURNAL_CANCEL_BOOKING = Verb("journal.cancel_booking", Queue.ACCOUNTING, CancellationStep, Done)
JOURNAL_RECORD_REFUND = Verb("journal.record_refund", Queue.ACCOUNTING, RefundStep, Done)
JOURNAL_RECORD_CHARGEBACK = Verb("journal.record_chargeback", Queue.ACCOUNTING, ChargebackStep, Done)
JOURNAL_SETTLE_CLAIM = Verb("journal.settle_claim", Queue.ACCOUNTING, ClaimStep, Done)
JOURNAL_RECOGNISE_REVENUE = Verb("journal.recognise_revenue", Queue.ACCOUNTING, RevenueStep, Done)

TAMARA_RECORD_PAYMENT = Verb("tamara.record_payment", Queue.TAMARA, PaymentStep, Done)
TAMARA_CANCEL_BOOKING = Verb("tamara.cancel_booking", Queue.TAMARA, CancellationStep, Done)
TAMARA_RECORD_REFUND = Verb("tamara.record_refund", Queue.TAMARA, RefundStep, Done)
TAMARA_SEAL_FILE = Verb("tamara.seal_file", Queue.TAMARA, TamaraStep, SealedFile)
TAMARA_DELIVER_FILE = Verb(
    "tamara.deliver_file",
    Queue.TAMARA,
    TamaraFileStep,
    Done,
    limit=timedelta(minutes=30),
)
TAMARA_READ_ANSWERS = Verb("tamara.read_answers", Queue.TAMARA, TamaraAnswersOrder, TamaraAnswersRead)
TAMARA_EXAMINE = Verb("tamara.examine", Queue.TAMARA, TamaraTroubleStep, TamaraAnswersRead)
TAMARA_SETTLE = Verb("tamara.settle", Queue.TAMARA, TamaraSettlement, Done)
TAMARA_RETIRE_FILES = Verb("tamara.retire_files", Queue.TAMARA, TamaraRetention, Done)
TAMARA_SEARCH_CARDS = Verb("tamara.search_cards", Queue.TAMARA, TamaraRetention, Done)

PLATFORM_READ_BOOKING = Verb("platform.read_booking", Queue.PLATFORM, BookingStep, Done)
GATEWAY_REQUEST_REFUND = Verb("gateway.request_refund", Queue.PLATFORM, RefundOrderStep, RefundCase)
GATEWAY_GET_REFUND = Verb("gateway.get_refund", Queue.PLATFORM, RefundOrderStep, RefundCase)
PLATFORM_COLLECT_INSTALMENT = Verb("platform.collect_instalment", Queue.PLATFORM, InstalmentStep, ChargeResult)

OFFICE_ARRANGE_PLAN = Verb("office.arrange_plan", Queue.OFFICE, PlanStep, PlanArrangement)
OFFICE_DUE_INSTALMENTS = Verb("office.due_instalments", Queue.OFFICE, PlanStep, PlanArrangement)
OFFICE_FREEZE_PLAN = Verb("office.freeze_plan", Queue.OFFICE, BookingQuestion, Done)
OFFICE_THAW_PLAN = Verb("office.thaw_plan", Queue.OFFICE, BookingQuestion, Done)
OFFICE_ORDER_PLAN = Verb("office.order_plan", Queue.OFFICE, PlanOrderStep, PlanArrangement)
OFFICE_JUDGE_RETURN = Verb("office.judge_return", Queue.OFFICE, ChargebackStep, ReturnVerdict)
OFFICE_TELL_PAYER = Verb("office.tell_payer", Queue.OFFICE, TellStep, Done)
OFFICE_PLAN_CREDIT = Verb("office.plan_credit", Queue.OFFICE, PaymentStep, CreditPlan)
OFFICE_TELL_OF_DUPLICATE = Verb("office.tell_of_duplicate", Queue.OFFICE, DuplicateLetter, Done)
OFFICE_REFUND_SHOWN = Verb("office.refund_shown", Queue.OFFICE, RefundStep, Done)
OFFICE_MONEY_AT_STAKE = Verb("office.money_at_stake", Queue.OFFICE, BookingQuestion, MoneyAtStake)
OFFICE_PARK = Verb("office.park", Queue.OFFICE, Parking, Parked)
OFFICE_UNPARK = Verb("office.unpark", Queue.OFFICE, Unparking, Done)
OFFICE_CLOSE_LIFECYCLE = Verb("office.close_lifecycle", Queue.OFFICE, LifecycleOutcome, Done)
OFFICE_LOG_TRANSITION = Verb("office.log_transition", Queue.OFFICE, TransitionLog, Done)
OFFICE_ADMIT_PAYMENT = Verb("office.admit_payment", Queue.OFFICE, AdmitStep, Admission)
OFFICE_AGE_PAYMENTS = Verb("office.age_payments", Queue.OFFICE, ConnectorStep, Done)
OFFICE_TELL_PAYMENT = Verb("office.tell_payment", Queue.OFFICE, TellPayment, Done)
OFFICE_KEEP_BREAKER = Verb("office.keep_breaker", Queue.OFFICE, BreakerReport, BreakerKept)
OFFICE_WAITING_PAYMENTS = Verb("office.waiting_payments", Queue.OFFICE, WaitingQuestion, WaitingPayments)

RATEHAWK_READ_PAGE = Verb("ratehawk.read_page", Queue.SUPPLIER, FeedStep, FeedPage)
RATEHAWK_READ_NUDGED = Verb("ratehawk.read_nudged", Queue.SUPPLIER, FeedStep, FeedPage)
RATEHAWK_HAND_OVER = Verb("ratehawk.hand_over", Queue.SUPPLIER, FeedStep, HandedOver)
RATEHAWK_JUDGE_ORDER = Verb("ratehawk.judge_order", Queue.SUPPLIER, SupplierStep, OrderVerdict)
RATEHAWK_ACCEPT_COST = Verb("ratehawk.accept_cost", Queue.SUPPLIER, SupplierStep, Done)
RATEHAWK_PLAN_ORDERS = Verb("ratehawk.plan_orders", Queue.SUPPLIER, BookingStep, SupplierPlan)
RATEHAWK_CONFIRM_ORDER = Verb("ratehawk.confirm_order", Queue.SUPPLIER, OrderStep, Done)
RATEHAWK_CANCEL_ORDER = Verb("ratehawk.cancel_order", Queue.SUPPLIER, OrderStep, OrderCancelled)
RATEHAWK_WEIGH_CHARGE = Verb("ratehawk.weigh_charge", Queue.SUPPLIER, ChargeStep, Done)
GIAV_CONFIRM_COSTS = Verb("giav.confirm_costs", Queue.GIAV, SupplierStep, Done)
MIDOFFICE_CONFIRM_COSTS = Verb("midoffice.confirm_costs", Queue.MIDOFFICE, SupplierStep, Done)
MIDOFFICE_TRANSFER_ORDER = Verb("midoffice.transfer_order", Queue.MIDOFFICE, SupplierOrderStep, Done)

CRM_READ_DEAL = Verb("crm.read_deal", Queue.CRM, DealReading, DealRead)
CRM_SHOW_DEAL = Verb("crm.show_deal", Queue.CRM, DealPicture, DealShown)
CRM_ANSWER_BOT = Verb("crm.answer_bot", Queue.CRM, BotStep, Done)
CRM_SWEEP_DEALS = Verb("crm.sweep_deals", Queue.CRM, DealSweep, DealsFound)
EASYCOUNT_STANDING = Verb("easycount.standing", Queue.ACCOUNTING, DealStep, Standing)
EASYCOUNT_MAKE_LINK = Verb("easycount.make_link", Queue.ACCOUNTING, RequestStep, LinkAtWork)
EASYCOUNT_ISSUE_DOCUMENT = Verb("easycount.issue_document", Queue.ACCOUNTING, RequestStep, Done)
EASYCOUNT_CHECK_LINKS = Verb("easycount.check_links", Queue.ACCOUNTING, LinksStep, LinksSeen)
EASYCOUNT_ISSUE_RECEIPT = Verb("easycount.issue_receipt", Queue.ACCOUNTING, DealMoneyStep, Done)
EASYCOUNT_HAND_OVER = Verb("easycount.hand_over", Queue.ACCOUNTING, DealMoneyStep, Done)
EASYCOUNT_SETTLE_PAYMENT = Verb("easycount.settle_payment", Queue.ACCOUNTING, DealMoneyStep, Done)
EASYCOUNT_CREDIT = Verb("easycount.credit", Queue.ACCOUNTING, DealRefundStep, RefundedSoFar)
EASYCOUNT_HAND_OVER_REFUND = Verb("easycount.hand_over_refund", Queue.ACCOUNTING, DealRefundStep, Done)
EASYCOUNT_WITHDRAW = Verb("easycount.withdraw", Queue.ACCOUNTING, RequestStep, Done)
JOURNAL_RECORD_DEAL = Verb("journal.record_deal", Queue.ACCOUNTING, DealMoneyStep, Done)
JOURNAL_REFUND_DEAL = Verb("journal.refund_deal", Queue.ACCOUNTING, DealRefundStep, Done)
OFFICE_MAIL_REQUEST = Verb("office.mail_request", Queue.OFFICE, RequestStep, Done)

EASYCOUNT_CHECK_ACCOUNT = Verb("easycount.check_account", Queue.ACCOUNTING, IntegrationStep, Done)
EASYCOUNT_TRY_ACCOUNT = Verb("easycount.try_account", Queue.ACCOUNTING, IntegrationStep, Done)
EASYCOUNT_USE_ACCOUNT = Verb("easycount.use_account", Queue.ACCOUNTING, IntegrationStep, Done)
KOMMO_CHECK_ACCOUNT = Verb("kommo.check_account", Queue.CRM, IntegrationStep, Done)
KOMMO_INSTALL = Verb("kommo.install", Queue.CRM, IntegrationStep, Done)
KOMMO_USE_ACCOUNT = Verb("kommo.use_account", Queue.CRM, IntegrationStep, Done)
KOMMO_WATCH_ACCOUNT = Verb("kommo.watch_account", Queue.CRM, Step, Done)

INTEGRATION_CHECK = Verb("integration.check", Queue.GIAV, IntegrationStep, Done)
INTEGRATION_INSTALL_FIELDS = Verb("integration.install_fields", Queue.GIAV, IntegrationStep, Done)
INTEGRATION_ACTIVATE = Verb("integration.activate", Queue.GIAV, IntegrationActivation, BackfillProgress)
MIDOFFICE_CHECK_ACCOUNT = Verb("midoffice.check_account", Queue.MIDOFFICE, IntegrationStep, Done)
MIDOFFICE_CONFIRM_ACCOUNT = Verb("midoffice.confirm_account", Queue.MIDOFFICE, IntegrationStep, Done)
MIDOFFICE_USE_ACCOUNT = Verb("midoffice.use_account", Queue.MIDOFFICE, IntegrationStep, Done)
INTEGRATION_BACKFILL = Verb("integration.backfill", Queue.PLATFORM, IntegrationBackfill, BackfillProgress)

VERBS: dict[str, Verb[BaseModel, BaseModel]] = {
    value.name: value for value in list(globals().values()) if isinstance(value, Verb)
}
"""Every cell by its name."""
