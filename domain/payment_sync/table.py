"""The table of moves, row by row as in the contract; a number on several rows was several moves there (payment-sync 4)."""

from __future__ import annotations

from domain.payment_sync import conditions as c
from domain.payment_sync import guards as g
from domain.payment_sync.events import Failing, Kind, Role
from domain.payment_sync.moves import Effect, Keeps, Move, Target, When, always, nothing
from domain.payment_sync.states import SYNCED, WITH_MONEY, State
from domain.payment_sync.verdicts import Verdict

S, K, E, V, F = State, Kind, Effect, Verdict, Failing

SYSTEM = (Role.SYSTEM,)
GATEWAY = (Role.GATEWAY,)
PEOPLE = (Role.OPERATOR, Role.SUPERVISOR)
SUPERVISOR = (Role.SUPERVISOR,)
CHOOSER = (Role.CUSTOMER, *PEOPLE)

WAITING = (S.UNSYNCED, S.RETRY_WAIT, S.SYNC_UNKNOWN)
STILL = (S.CAPTURED, S.SYNCING, *WAITING, S.DUPLICATE, S.AWAITING_CUSTOMER)
"""Money is in hand and nothing that moves it is under way: no credit being posted, no refund being executed."""


def row(
    number: int,
    of: State | tuple[State, ...] | frozenset[State],
    on: Kind,
    to: Target,
    by: tuple[Role, ...] = SYSTEM,
    *does: Effect,
    when: When = always,
    guard: g.Guard = g.free,
    keeps: Keeps = nothing,
) -> Move:
    states = frozenset({of}) if isinstance(of, State) else frozenset(of)
    return Move(number, states, on, to, frozenset(by), when, guard, does, keeps)


MOVES: tuple[Move, ...] = (
    # Money comes, or does not.
    row(1, S.REQUESTED, K.CAPTURED, S.CAPTURED, GATEWAY, guard=g.permitted, keeps=c.captured),
    row(2, S.REQUESTED, K.EXPIRED, S.EXPIRED, (*SYSTEM, *PEOPLE), guard=g.permitted),
    row(2, S.REQUESTED, K.CANCELLED, S.CANCELLED, (*SYSTEM, *PEOPLE), guard=g.permitted),
    row(3, (S.EXPIRED, S.CANCELLED), K.CAPTURED, S.CAPTURED, GATEWAY, E.ALERT_LATE, guard=g.permitted, keeps=c.captured),
    # The ERP is looked at before anything is written into it.
    row(4, (S.CAPTURED, S.RETRY_WAIT), K.START, S.SYNCING, SYSTEM, E.PROBE, guard=g.permitted),
    row(10, (S.CAPTURED, S.RETRY_WAIT), K.HELD, S.UNSYNCED, when=c.fails(F.CONTRACT, F.AUTH), keeps=c.failed("sync_now")),
    row(4, S.CAPTURED, K.HELD, S.CAPTURED, SYSTEM, E.WAIT, keeps=c.held),
    row(4, S.RETRY_WAIT, K.HELD, S.RETRY_WAIT, SYSTEM, E.WAIT, keeps=c.held),
    row(5, S.SYNCING, K.PROBED, S.SYNCING, SYSTEM, E.POST, when=c.says(V.UNPAID), guard=g.not_posting, keeps=c.posting),
    row(6, S.SYNCING, K.ACKNOWLEDGED, S.SYNCED_AUTO, SYSTEM, E.STOP_TIMERS, guard=g.read_back, keeps=c.synced),
    row(7, S.SYNCING, K.PROBED, S.SYNCED_AUTO, SYSTEM, E.STOP_TIMERS, when=c.ours, keeps=c.synced),
    row(7, (S.UNSYNCED, S.IN_REVIEW), K.PROBED, S.SYNCED_AUTO, SYSTEM, E.STOP_TIMERS, when=c.ours, keeps=c.synced),
    row(8, S.SYNCING, K.PROBED, S.UNSYNCED, when=c.says(V.SAME_PAYMENT), keeps=c.suggesting("sync_manually")),
    row(9, S.SYNCING, K.PROBED, S.UNSYNCED, when=c.says(V.PAID_OTHERWISE), keeps=c.suggesting("declare_duplicate")),
    row(9, S.SYNCING, K.PROBED, S.UNSYNCED, when=c.says(V.INCONCLUSIVE, V.NO_TARGET, V.MISMATCH), keeps=c.suggesting("claim")),
    # What fails waits, is looked for, or goes to a person.
    row(10, S.SYNCING, K.FAILED, S.RETRY_WAIT, SYSTEM, E.WAIT, when=c.may_retry, keeps=c.counted),
    row(10, S.SYNCING, K.FAILED, S.SYNC_UNKNOWN, SYSTEM, E.PROBE_LATER, when=c.fails(F.UNKNOWN), keeps=c.suggesting("")),
    row(10, S.SYNCING, K.FAILED, S.SYNCING, SYSTEM, E.PROBE, when=c.fails(F.ALREADY_PAID), keeps=c.gone),
    row(10, S.SYNCING, K.FAILED, S.UNSYNCED, SYSTEM, E.OPEN_BREAKER, when=c.fails(F.CONTRACT), keeps=c.failed("sync_now")),
    row(10, S.SYNCING, K.FAILED, S.UNSYNCED, SYSTEM, E.ALERT_CREDENTIALS, when=c.fails(F.AUTH), keeps=c.failed("sync_now")),
    row(10, S.SYNCING, K.FAILED, S.UNSYNCED, when=c.fails(F.BUSINESS, F.TRANSIENT), keeps=c.failed("sync_now")),
    # A receipt whose sending had no clear end is looked for, never sent again before.
    row(11, S.SYNC_UNKNOWN, K.PROBED, S.SYNCED_AUTO, SYSTEM, E.STOP_TIMERS, when=c.ours, keeps=c.synced),
    row(12, S.SYNC_UNKNOWN, K.PROBED, S.RETRY_WAIT, SYSTEM, E.WAIT, when=c.absent_twice, keeps=c.gone),
    row(12, S.SYNC_UNKNOWN, K.PROBED, S.SYNC_UNKNOWN, SYSTEM, E.PROBE_LATER, when=c.says(V.UNPAID), keeps=c.absent),
    row(8, S.SYNC_UNKNOWN, K.PROBED, S.UNSYNCED, when=c.says(V.SAME_PAYMENT), keeps=c.suggesting("sync_manually")),
    row(9, S.SYNC_UNKNOWN, K.PROBED, S.UNSYNCED, when=c.says(V.PAID_OTHERWISE), keeps=c.suggesting("declare_duplicate")),
    row(9, S.SYNC_UNKNOWN, K.PROBED, S.UNSYNCED, when=c.says(V.INCONCLUSIVE, V.NO_TARGET, V.MISMATCH), keeps=c.suggesting("claim")),
    row(13, S.SYNC_UNKNOWN, K.PROBES_EXHAUSTED, S.UNSYNCED, SYSTEM, E.STOP_TIMERS, keeps=c.suggesting("claim")),
    # A person looks at it and decides.
    row(14, (*WAITING, S.IN_REVIEW), K.CLAIM, S.IN_REVIEW, PEOPLE, E.STOP_TIMERS, E.PROBE, guard=g.unclaimed, keeps=c.claimed),
    row(15, S.IN_REVIEW, K.RELEASE, c.back, (*SYSTEM, *PEOPLE), E.WAIT, guard=g.own_claim),
    row(16, (S.IN_REVIEW, S.UNSYNCED, S.RETRY_WAIT), K.SYNC_NOW, S.SYNCING, PEOPLE, E.STOP_TIMERS, E.PROBE,
        guard=g.all_of(g.unclaimed, g.freshly_unpaid, g.permitted), keeps=c.gone),
    row(17, (S.IN_REVIEW, S.UNSYNCED), K.SYNC_MANUALLY, S.SYNCED_MANUAL, PEOPLE, E.STOP_TIMERS,
        guard=g.all_of(g.unclaimed, g.explained), keeps=c.told),
    row(18, S.IN_REVIEW, K.DECLARE_DUPLICATE, S.DUPLICATE, PEOPLE, guard=g.all_of(g.unclaimed, g.paid_otherwise)),
    # A duplicate is the customer's to decide.
    row(19, S.DUPLICATE, K.ASK_CUSTOMER, S.AWAITING_CUSTOMER, (*SYSTEM, *PEOPLE), E.ASK, guard=g.permitted, keeps=c.asked),
    row(20, S.AWAITING_CUSTOMER, K.CHOOSE_CREDIT, S.CREDITING, CHOOSER, E.POST_CREDIT, guard=g.permitted),
    row(21, (S.AWAITING_CUSTOMER, S.DUPLICATE), K.CHOOSE_REFUND, S.REFUND_REQUESTED, CHOOSER, E.REQUEST_REFUND,
        guard=g.permitted, keeps=c.case),
    row(22, S.AWAITING_CUSTOMER, K.UNANSWERED, S.AWAITING_CUSTOMER, SYSTEM, E.REMIND, when=c.on_day(1, 3, 7)),
    row(22, S.AWAITING_CUSTOMER, K.UNANSWERED, S.AWAITING_CUSTOMER, SYSTEM, E.PROPOSE_REFUND, when=c.on_day(10)),
    row(23, S.CREDITING, K.ACKNOWLEDGED, S.CREDITED, SYSTEM, E.TELL_CUSTOMER, guard=g.read_back, keeps=c.credited),
    row(24, S.CREDITING, K.FAILED, S.DUPLICATE, SYSTEM, E.ALERT_OPERATOR, when=c.fails(F.BUSINESS, F.ALREADY_PAID),
        keeps=c.suggesting("choose_refund")),
    row(24, S.CREDITING, K.FAILED, S.CREDITING, SYSTEM, E.WAIT, keeps=c.counted),
    row(25, S.REFUND_REQUESTED, K.REFUND_DONE, S.REFUNDED, (*GATEWAY, *PEOPLE), E.TELL_CUSTOMER, guard=g.whole_refund,
        keeps=c.case),
    row(26, S.REFUND_REQUESTED, K.REFUND_REFUSED, S.REFUND_FAILED, (*GATEWAY, *SYSTEM), E.ALERT_OPERATOR,
        keeps=c.suggesting("retry_refund")),
    row(27, S.REFUND_FAILED, K.RETRY_REFUND, S.REFUND_REQUESTED, PEOPLE, E.REQUEST_REFUND, guard=g.permitted, keeps=c.case),
    row(27, S.REFUND_FAILED, K.CHOOSE_CREDIT, S.CREDITING, PEOPLE, E.POST_CREDIT, guard=g.permitted),
    row(27, S.REFUND_FAILED, K.REFUND_DONE, S.REFUNDED, (*GATEWAY, *PEOPLE), E.TELL_CUSTOMER, guard=g.whole_refund,
        keeps=c.case),
    # What was settled comes apart.
    row(28, SYNCED | {S.CREDITED}, K.REVERSED, S.UNSYNCED, SYSTEM, E.ALERT_OPERATOR, keeps=c.reversed_in_erp),
    row(29, S.SYNCED_MANUAL, K.UNDO_MANUAL, S.UNSYNCED, SUPERVISOR, guard=g.undoable, keeps=c.undone),
    row(30, WITH_MONEY - {S.CHARGED_BACK}, K.CHARGEBACK, S.CHARGED_BACK, GATEWAY, E.STOP_TIMERS, E.REVERSE, when=c.posted,
        keeps=c.case),
    row(30, WITH_MONEY - {S.CHARGED_BACK}, K.CHARGEBACK, S.CHARGED_BACK, GATEWAY, E.STOP_TIMERS, keeps=c.case),
    row(31, STILL, K.SPLIT_DETECTED, S.IN_REVIEW, SYSTEM, E.STOP_TIMERS, E.ALERT_OPERATOR, keeps=c.split),
    row(31, (S.SYNCING, S.SYNC_UNKNOWN), K.PROBED, S.IN_REVIEW, SYSTEM, E.STOP_TIMERS, E.ALERT_OPERATOR,
        when=c.says(V.PARTIAL), keeps=c.split),
)  # fmt: skip
