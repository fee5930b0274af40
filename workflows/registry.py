"""All workflow types, for workers and the replay of stored histories."""

from __future__ import annotations

from workflows.activate_integration import ActivateIntegration
from workflows.booking import Booking
from workflows.cancel_booking import CancelBooking
from workflows.chase_refund import ChaseRefund, ConfirmRefund
from workflows.check_files import CheckFiles
from workflows.connector import Connector
from workflows.create_booking import CreateBooking
from workflows.experience import Experience
from workflows.export_tamara import ExportTamara
from workflows.follow_dispute import FollowDispute
from workflows.follow_supplier import FollowSupplier
from workflows.modify_booking import ModifyBooking
from workflows.payment_plan import CollectInstalment, PaymentPlan
from workflows.pursue_instalment import PursueInstalment
from workflows.read_tamara_answers import ReadTamaraAnswers, TamaraTroubleshooting
from workflows.recognise_revenue import RecogniseRevenue
from workflows.reconcile import Reconcile
from workflows.record_payment import RecordPayment
from workflows.refund_booking import RefundBooking
from workflows.request_payment import RequestPayment
from workflows.resend_booking import ResendBooking
from workflows.retire_tamara import RetireTamara
from workflows.search_cards import SearchCards
from workflows.supplier_feed import SupplierFeed, TransferOrder
from workflows.sweep_deals import SweepDeals
from workflows.watch_crm import WatchCrm

WORKFLOWS: list[type] = [
    ActivateIntegration,
    Booking,
    CancelBooking,
    ChaseRefund,
    CheckFiles,
    CollectInstalment,
    ConfirmRefund,
    Connector,
    CreateBooking,
    Experience,
    ExportTamara,
    FollowDispute,
    FollowSupplier,
    ModifyBooking,
    PaymentPlan,
    PursueInstalment,
    ReadTamaraAnswers,
    RecogniseRevenue,
    Reconcile,
    RecordPayment,
    RefundBooking,
    RequestPayment,
    ResendBooking,
    RetireTamara,
    SearchCards,
    SupplierFeed,
    SweepDeals,
    TransferOrder,
    TamaraTroubleshooting,
    WatchCrm,
]
