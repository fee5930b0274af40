"""The table of moves: every state meets every event, and whatever happens no receipt is sent twice unseen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.money import Money
from domain.payment_sync import (
    MOVES,
    SHOWN_AS,
    TERMINAL,
    UNSYNCHRONISED,
    Effect,
    Event,
    Evidence,
    Failing,
    Forbidden,
    Kind,
    PaymentSync,
    Role,
    State,
    Verdict,
    decide,
    possible,
)

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
AMOUNT = Money(amount=30000, currency="EUR")
WHY = "the customer paid at the counter"
PEOPLE = (Role.OPERATOR, Role.SUPERVISOR)


def payment(state: State, **known: object) -> PaymentSync:
    return PaymentSync.model_validate({"payment_id": "pay_1", "amount": AMOUNT, "state": state, "since": NOW} | known)


def seen(verdict: Verdict, *, ours: bool = False, at: datetime = NOW, open_amount: Money | None = AMOUNT) -> Evidence:
    return Evidence(verdict=verdict, at=at, words="seen", ours=ours, receipt_id="77", open_amount=open_amount)


def event(kind: Kind, role: Role = Role.SYSTEM, **more: object) -> Event:
    actor = "ana" if role in PEOPLE else ""
    return Event.model_validate({"kind": kind, "role": role, "actor": actor, "at": NOW} | more)


S, K, R, V, F = State, Kind, Role, Verdict, Failing
ALLOWED: list[tuple[State, Event, State, set[Effect]]] = [
    (S.REQUESTED, event(K.CAPTURED, R.GATEWAY), S.CAPTURED, set()),
    (S.REQUESTED, event(K.EXPIRED), S.EXPIRED, set()),
    (S.REQUESTED, event(K.CANCELLED, R.OPERATOR), S.CANCELLED, set()),
    (S.EXPIRED, event(K.CAPTURED, R.GATEWAY), S.CAPTURED, {Effect.ALERT_LATE}),
    (S.CANCELLED, event(K.CAPTURED, R.GATEWAY), S.CAPTURED, {Effect.ALERT_LATE}),
    *[(state, event(K.START), S.SYNCING, {Effect.PROBE}) for state in (S.CAPTURED, S.RETRY_WAIT)],
    *[(state, event(K.HELD, text="breaker open"), state, {Effect.WAIT}) for state in (S.CAPTURED, S.RETRY_WAIT)],
    *[
        (state, event(K.HELD, failing=failing), S.UNSYNCED, set())
        for state in (S.CAPTURED, S.RETRY_WAIT)
        for failing in (F.CONTRACT, F.AUTH)
    ],
    (S.SYNCING, event(K.PROBED, evidence=seen(V.UNPAID)), S.SYNCING, {Effect.POST}),
    (S.SYNCING, event(K.ACKNOWLEDGED, receipt_id="77"), S.SYNCED_AUTO, {Effect.STOP_TIMERS}),
    (S.SYNCING, event(K.FAILED, failing=F.TRANSIENT), S.RETRY_WAIT, {Effect.WAIT}),
    (S.SYNCING, event(K.FAILED, failing=F.UNKNOWN), S.SYNC_UNKNOWN, {Effect.PROBE_LATER}),
    (S.SYNCING, event(K.FAILED, failing=F.CONTRACT), S.UNSYNCED, {Effect.OPEN_BREAKER}),
    (S.SYNCING, event(K.FAILED, failing=F.AUTH), S.UNSYNCED, {Effect.ALERT_CREDENTIALS}),
    (S.SYNCING, event(K.FAILED, failing=F.BUSINESS), S.UNSYNCED, set()),
    (S.SYNCING, event(K.FAILED, failing=F.ALREADY_PAID), S.SYNCING, {Effect.PROBE}),
    *[
        move
        for state in (S.SYNCING, S.SYNC_UNKNOWN)
        for move in [
            (state, event(K.PROBED, evidence=seen(V.SAME_PAYMENT, ours=True)), S.SYNCED_AUTO, {Effect.STOP_TIMERS}),
            (state, event(K.PROBED, evidence=seen(V.SAME_PAYMENT)), S.UNSYNCED, set()),
            (state, event(K.PROBED, evidence=seen(V.PAID_OTHERWISE)), S.UNSYNCED, set()),
            (state, event(K.PROBED, evidence=seen(V.INCONCLUSIVE)), S.UNSYNCED, set()),
            (state, event(K.PROBED, evidence=seen(V.PARTIAL)), S.IN_REVIEW, {Effect.STOP_TIMERS, Effect.ALERT_OPERATOR}),
        ]
    ],
    *[
        (state, event(K.PROBED, evidence=seen(V.SAME_PAYMENT, ours=True)), S.SYNCED_AUTO, {Effect.STOP_TIMERS})
        for state in (S.UNSYNCED, S.IN_REVIEW)
    ],
    (S.SYNC_UNKNOWN, event(K.PROBED, evidence=seen(V.UNPAID)), S.SYNC_UNKNOWN, {Effect.PROBE_LATER}),
    (S.SYNC_UNKNOWN, event(K.PROBES_EXHAUSTED), S.UNSYNCED, {Effect.STOP_TIMERS}),
    *[
        (state, event(K.CLAIM, role), S.IN_REVIEW, {Effect.STOP_TIMERS, Effect.PROBE})
        for state in (S.UNSYNCED, S.RETRY_WAIT, S.SYNC_UNKNOWN, S.IN_REVIEW)
        for role in PEOPLE
    ],
    (S.IN_REVIEW, event(K.RELEASE), S.UNSYNCED, {Effect.WAIT}),
    *[
        (state, event(K.SYNC_NOW, R.OPERATOR, evidence=seen(V.UNPAID)), S.SYNCING, {Effect.STOP_TIMERS, Effect.PROBE})
        for state in (S.IN_REVIEW, S.UNSYNCED, S.RETRY_WAIT)
    ],
    *[
        (
            state,
            event(K.SYNC_MANUALLY, R.OPERATOR, evidence=seen(V.SAME_PAYMENT), explanation=WHY),
            S.SYNCED_MANUAL,
            {Effect.STOP_TIMERS},
        )
        for state in (S.IN_REVIEW, S.UNSYNCED)
    ],
    (S.IN_REVIEW, event(K.DECLARE_DUPLICATE, R.OPERATOR, evidence=seen(V.PAID_OTHERWISE)), S.DUPLICATE, set()),
    (S.DUPLICATE, event(K.ASK_CUSTOMER), S.AWAITING_CUSTOMER, {Effect.ASK}),
    (S.AWAITING_CUSTOMER, event(K.CHOOSE_CREDIT, R.CUSTOMER), S.CREDITING, {Effect.POST_CREDIT}),
    (S.AWAITING_CUSTOMER, event(K.CHOOSE_REFUND, R.CUSTOMER), S.REFUND_REQUESTED, {Effect.REQUEST_REFUND}),
    (S.DUPLICATE, event(K.CHOOSE_REFUND, R.OPERATOR), S.REFUND_REQUESTED, {Effect.REQUEST_REFUND}),
    *[(S.AWAITING_CUSTOMER, event(K.UNANSWERED, day=day), S.AWAITING_CUSTOMER, {Effect.REMIND}) for day in (1, 3, 7)],
    (S.AWAITING_CUSTOMER, event(K.UNANSWERED, day=10), S.AWAITING_CUSTOMER, {Effect.PROPOSE_REFUND}),
    (S.CREDITING, event(K.ACKNOWLEDGED, receipt_id="78"), S.CREDITED, {Effect.TELL_CUSTOMER}),
    (S.CREDITING, event(K.FAILED, failing=F.TRANSIENT), S.CREDITING, {Effect.WAIT}),
    (S.CREDITING, event(K.FAILED, failing=F.BUSINESS), S.DUPLICATE, {Effect.ALERT_OPERATOR}),
    (S.REFUND_REQUESTED, event(K.REFUND_DONE, R.GATEWAY, amount=AMOUNT), S.REFUNDED, {Effect.TELL_CUSTOMER}),
    (S.REFUND_REQUESTED, event(K.REFUND_REFUSED, R.GATEWAY), S.REFUND_FAILED, {Effect.ALERT_OPERATOR}),
    (S.REFUND_FAILED, event(K.RETRY_REFUND, R.OPERATOR), S.REFUND_REQUESTED, {Effect.REQUEST_REFUND}),
    (S.REFUND_FAILED, event(K.CHOOSE_CREDIT, R.OPERATOR), S.CREDITING, {Effect.POST_CREDIT}),
    (S.REFUND_FAILED, event(K.REFUND_DONE, R.OPERATOR, amount=AMOUNT), S.REFUNDED, {Effect.TELL_CUSTOMER}),
    *[
        (state, event(K.REVERSED), S.UNSYNCED, {Effect.ALERT_OPERATOR})
        for state in (S.SYNCED_AUTO, S.SYNCED_MANUAL, S.CREDITED)
    ],
    (S.SYNCED_MANUAL, event(K.UNDO_MANUAL, R.SUPERVISOR, explanation=WHY), S.UNSYNCED, set()),
    *[
        (state, event(K.CHARGEBACK, R.GATEWAY), S.CHARGED_BACK, {Effect.STOP_TIMERS})
        for state in State
        if state not in (S.REQUESTED, S.EXPIRED, S.CANCELLED, S.CHARGED_BACK)
    ],
    *[
        (state, event(K.SPLIT_DETECTED), S.IN_REVIEW, {Effect.STOP_TIMERS, Effect.ALERT_OPERATOR})
        for state in (
            S.CAPTURED, S.SYNCING, S.SYNC_UNKNOWN, S.RETRY_WAIT, S.UNSYNCED, S.DUPLICATE, S.AWAITING_CUSTOMER
        )
    ],
]  # fmt: skip


@pytest.mark.parametrize(
    ("state", "told", "after", "effects"), ALLOWED, ids=lambda v: v.kind.value if isinstance(v, Event) else ""
)
def test_a_move_of_the_table_does_what_its_row_says(
    state: State, told: Event, after: State, effects: set[Effect]
) -> None:
    step = decide(payment(state), told)
    assert (step.after.state, set(step.effects)) == (after, effects)
    assert step.after.version == 1


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("kind", Kind)
def test_what_has_no_row_is_refused_with_a_reason(state: State, kind: Kind) -> None:
    """Every state meets every event: it is in the list of moves above, or it is refused in words."""
    listed = {(before, told.kind) for before, told, _, _ in ALLOWED}
    assert (kind in possible(payment(state))) == ((state, kind) in listed)
    if (state, kind) in listed:
        return
    for role in Role:
        with pytest.raises(Forbidden, match=state.value):
            decide(payment(state), event(kind, role))


@pytest.mark.parametrize(("state", "told", "after", "effects"), ALLOWED)
def test_nobody_else_may_make_a_move(state: State, told: Event, after: State, effects: set[Effect]) -> None:
    roles = {role for move in MOVES if state in move.of and move.on is told.kind for role in move.by}
    for role in set(Role) - roles:
        with pytest.raises(Forbidden):
            decide(payment(state), told.model_copy(update={"role": role, "actor": "ana"}))


def test_every_number_of_the_contract_has_a_row() -> None:
    assert {move.number for move in MOVES} == set(range(1, 32))


def test_every_state_has_words_and_eight_of_them_are_paid_and_not_synchronised() -> None:
    assert set(SHOWN_AS) == set(State)
    assert len(UNSYNCHRONISED) == 9  # the eight of the contract's list, and the credit that is being posted
    assert all(SHOWN_AS[state].startswith("Pagado sin sincronizar") for state in UNSYNCHRONISED)


REFUSED: list[tuple[PaymentSync, Event, str]] = [
    (payment(S.UNSYNCED), event(K.SYNC_NOW, R.OPERATOR, evidence=seen(V.PAID_OTHERWISE)), "paid_otherwise"),
    (payment(S.UNSYNCED), event(K.SYNC_NOW, R.OPERATOR), "look at the ERP"),
    (payment(S.UNSYNCED), event(K.SYNC_NOW, R.OPERATOR, evidence=seen(V.UNPAID, at=NOW - timedelta(minutes=2))), "too old"),
    (payment(S.UNSYNCED), event(K.SYNC_NOW, R.OPERATOR, evidence=seen(V.UNVERIFIED)), "unverified"),
    (payment(S.UNSYNCED), event(K.SYNC_NOW, R.OPERATOR, evidence=seen(V.UNPAID), permitted=False, because="the breaker"),
     "the breaker"),
    (payment(S.UNSYNCED), event(K.SYNC_MANUALLY, R.OPERATOR, evidence=seen(V.SAME_PAYMENT), explanation="ok"), "10 char"),
    (payment(S.UNSYNCED), event(K.SYNC_MANUALLY, R.OPERATOR, evidence=seen(V.UNPAID), explanation=WHY), "supervisor"),
    (payment(S.UNSYNCED), event(K.SYNC_MANUALLY, R.SUPERVISOR, evidence=seen(V.UNPAID), explanation=WHY), "second"),
    (payment(S.UNSYNCED), event(K.SYNC_MANUALLY, R.SUPERVISOR, evidence=seen(V.UNPAID), explanation=WHY, override=WHY),
     "second"),
    (payment(S.IN_REVIEW, claimed_by="luis", claimed_until=NOW + timedelta(minutes=1)),
     event(K.CLAIM, R.OPERATOR), "luis"),
    (payment(S.IN_REVIEW, claimed_by="luis", claimed_until=NOW + timedelta(minutes=1)),
     event(K.RELEASE, R.OPERATOR), "luis"),
    (payment(S.IN_REVIEW), event(K.DECLARE_DUPLICATE, R.OPERATOR, evidence=seen(V.UNPAID)), "does not show"),
    (payment(S.SYNCING, posting=True), event(K.PROBED, evidence=seen(V.UNPAID)), "sent already"),
    (payment(S.SYNCING), event(K.ACKNOWLEDGED), "no receipt"),
    (payment(S.SYNCING), event(K.ACKNOWLEDGED, receipt_id="77", permitted=False), "exactly one"),
    (payment(S.REFUND_REQUESTED), event(K.REFUND_DONE, R.GATEWAY, amount=Money(amount=1, currency="EUR")), "0.01"),
    (payment(S.SYNCED_MANUAL, since=NOW - timedelta(days=31)), event(K.UNDO_MANUAL, R.SUPERVISOR, explanation=WHY), "30"),
    (payment(S.UNSYNCED, version=3), event(K.CLAIM, R.OPERATOR, version=2), "moved on"),
]  # fmt: skip


@pytest.mark.parametrize(("sync", "told", "words"), REFUSED)
def test_a_guard_refuses_in_words(sync: PaymentSync, told: Event, words: str) -> None:
    with pytest.raises(Forbidden, match=words):
        decide(sync, told)


def test_a_supervisor_overrules_the_erp_with_two_explanations_and_both_are_kept() -> None:
    told = event(
        K.SYNC_MANUALLY, R.SUPERVISOR, evidence=seen(V.UNPAID), explanation=WHY, override="receipt 88 on paper"
    )
    after = decide(payment(S.UNSYNCED), told).after
    assert (after.state, after.explanation) == (S.SYNCED_MANUAL, f"{WHY} / receipt 88 on paper")


def test_a_claim_that_lapsed_is_anybody_s() -> None:
    claimed = payment(S.IN_REVIEW, claimed_by="luis", claimed_until=NOW, returns_to=S.SYNC_UNKNOWN)
    assert decide(claimed, event(K.CLAIM, R.OPERATOR)).after.claimed_by == "ana"
    assert decide(claimed, event(K.RELEASE)).after.state is S.SYNC_UNKNOWN


def test_transient_failures_end_with_a_person_after_the_last_wait() -> None:
    sync = payment(S.CAPTURED)
    attempts = 0
    while sync.state is not S.UNSYNCED:
        sync = decide(sync, event(K.START)).after
        sync = decide(sync, event(K.FAILED, failing=F.TRANSIENT)).after
        attempts += 1
    assert attempts == 6


def test_a_receipt_that_got_lost_is_sent_again_only_after_two_looks_apart() -> None:
    sync = payment(S.SYNC_UNKNOWN, posting=True)
    look = event(K.PROBED, evidence=seen(V.UNPAID))
    sync = decide(sync, look).after
    sync = decide(sync, look.model_copy(update={"at": NOW + timedelta(minutes=4)})).after
    assert (sync.state, sync.posting) == (S.SYNC_UNKNOWN, True)
    sync = decide(sync, look.model_copy(update={"at": NOW + timedelta(minutes=5)})).after
    assert (sync.state, sync.posting) == (S.RETRY_WAIT, False)


events = st.builds(
    Event,
    kind=st.sampled_from(Kind),
    role=st.sampled_from(Role),
    actor=st.sampled_from(["ana", "luis"]),
    at=st.just(NOW),
    evidence=st.none() | st.builds(seen, st.sampled_from(Verdict), ours=st.booleans()),
    failing=st.none() | st.sampled_from(Failing),
    permitted=st.booleans(),
    explanation=st.sampled_from(["", WHY]),
    receipt_id=st.none() | st.just("77"),
    day=st.sampled_from([0, 1, 3, 7, 10]),
)


@settings(max_examples=400)
@given(st.lists(st.tuples(events, st.integers(0, 600)), max_size=40))
def test_on_no_path_is_a_receipt_sent_twice_unseen_or_an_end_left_but_by_its_own_doors(
    path: list[tuple[Event, int]],
) -> None:
    sync = payment(S.REQUESTED)
    now = NOW
    looked = False
    for told, seconds in path:
        now += timedelta(seconds=seconds)
        evidence = told.evidence.model_copy(update={"at": now}) if told.evidence else None
        try:
            step = decide(sync, told.model_copy(update={"at": now, "evidence": evidence}))
        except Forbidden:
            continue
        looked = looked or (evidence is not None and evidence.verdict is Verdict.UNPAID)
        if Effect.POST in step.effects:
            assert looked, "a receipt was sent without a look in between"
            assert not step.before.posting
            looked = False
        if step.before.state in TERMINAL:
            assert told.kind in (Kind.REVERSED, Kind.UNDO_MANUAL, Kind.CHARGEBACK)
        if step.after.state is State.SYNCED_MANUAL:
            assert told.role in PEOPLE
            assert step.after.explanation
        assert (step.after.claimed_by is None) or step.after.state is State.IN_REVIEW
        sync = step.after
