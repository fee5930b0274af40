"""Payments of a window against the cobros of GIAV, both ways; read only (contracts: payment-sync 7, rows 28 and 31)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from activities.effects import beat
from activities.giav.client import SYSTEM
from activities.giav.elements import Record
from activities.giav.issuing import LINK
from activities.giav.mapping.values import carries, day_of, money_of
from activities.giav.office import CREATE, Office
from activities.giav.probing import probe_payment
from domain.connector_steps import Happening, ReconcilePage, ReconcileStep, TellPayment
from domain.effects import EffectKey, EffectRecord, EffectState
from domain.errors import BackOfficeError, NotYet
from domain.payment_steps import ProbeStep
from domain.payment_sync import TERMINAL, UNSYNCHRONISED, Kind, State, Verdict
from domain.platform import Booking, Payment
from store.payment_sync import SyncedPayment
from store.reconciliations import Pair

PAGE = 20
"""Files that one step reads, one search each."""
BY_HAND = frozenset({"transfer", "cash", "default"})
"""Methods by which an office takes money without a gateway."""
GIVEN_UP = frozenset({State.REFUND_REQUESTED, State.REFUND_FAILED, State.REFUNDED, State.CHARGED_BACK})
"""Where a payment needs no receipt; if it has one, that is the business of its refund."""
PART_OF = frozenset({State.UNSYNCED, State.RETRY_WAIT, State.DUPLICATE, State.AWAITING_CUSTOMER})


@dataclass
class Read:
    """What one file showed."""

    pairs: list[Pair] = field(default_factory=list)
    told: list[TellPayment] = field(default_factory=list)


def reconcile_page(office: Office, step: ReconcileStep) -> tuple[ReconcilePage, list[Pair], list[str]]:
    """The next files in the order of the experiences' ids. What cannot be read is named, and the rest goes on."""
    payments = office.store.connectors.captured(office.agency, SYSTEM, step.first, step.last)
    by_trip: dict[str, list[SyncedPayment]] = {}
    for each in payments:
        by_trip.setdefault(each.experience_id, []).append(each)
    due = sorted(each for each in by_trip if each > step.after)
    page, pairs, told, unread = due[:PAGE], [], [], []
    for trip in page:
        beat(f"reconcile {trip}")
        try:
            read = _file(office, step, trip, by_trip[trip])
        except BackOfficeError as error:
            unread.append(f"{trip}: {error}")
            continue
        pairs += read.pairs
        told += read.told
    after = page[-1] if len(due) > PAGE else None
    differing = sum(each.verdict not in ("agrees", "waits") for each in pairs)
    counted = ReconcilePage(
        after=after, compared=len(pairs), left_out=len(unread), differing=differing, told=tuple(told)
    )
    return counted, pairs, unread


def _file(office: Office, step: ReconcileStep, trip: str, payments: list[SyncedPayment]) -> Read:
    own = office.made(office.key("expediente", trip, CREATE))
    cobros = {r["Id"]: r for r in office.lookups.cobros_of(own) if r["TipoOperacion"] == "Cobro"} if own else {}
    bookings = office.store.facts.bookings(office.agency, trip)
    ledger = {
        record.key.business_id: record
        for booking in bookings
        for record in office.records(booking.id)
        if record.key.entity == "cobro" and record.key.operation == CREATE
    }
    read = Read()
    for each in payments:
        paid = office.store.facts.payment(office.agency, each.sync.payment_id)
        if paid is not None:
            _payment(office, read, each, paid, ledger.get(paid.id), cobros)
    read.pairs += _strangers(office, step, bookings, ledger, cobros)
    return read


def _payment(
    office: Office,
    read: Read,
    known: SyncedPayment,
    paid: Payment,
    record: EffectRecord | None,
    cobros: dict[int, Record],
) -> None:
    sync = known.sync
    day = (sync.captured_at or sync.since).date()
    pair = Pair(
        verdict="agrees",
        day=day,
        payment_id=paid.id,
        booking_id=known.booking_id,
        paid=paid.amount,
        state=sync.state.value,
    )
    is_there = record is not None and record.state is EffectState.DONE and (record.outside_id or "").isdigit()
    receipt = _receipt_of(office, sync.receipt_id if not is_there or record is None else record.outside_id, cobros)
    if sync.state in GIVEN_UP:
        read.pairs.append(pair)
    elif receipt is not None:
        found = money_of(receipt["Importe"])
        pair = pair.model_copy(update={"receipt_id": str(receipt["Id"]), "received": found})
        if found != paid.amount:
            words = f"cobro {receipt['Id']} of {paid.id} amounts to {found}, {paid.amount} were captured"
            pair = pair.model_copy(update={"verdict": "amount", "words": words})
        read.pairs.append(pair)
    elif sync.state in TERMINAL and (is_there or (sync.receipt_id or "").isdigit()):
        gone = record.outside_id if is_there and record is not None else sync.receipt_id
        words = f"cobro {gone} of {paid.id} was in GIAV and is not there any more"
        read.pairs.append(pair.model_copy(update={"verdict": "reversed", "words": words}))
        effect = str(record.key) if record is not None else ""
        _forget(office, known, record)
        read.told.append(_tell(known, Happening(kind=Kind.REVERSED, text=words, effect=effect)))
    elif sync.state is State.SYNCED_MANUAL:
        read.pairs.append(pair.model_copy(update={"words": f"marked by hand: {sync.explanation}"}))
    elif sync.state in UNSYNCHRONISED:
        part = _part(office, known, paid) if sync.state in PART_OF else None
        if part is not None:
            read.told.append(_tell(known, part))
        verdict = "waits" if part is None else "split"
        read.pairs.append(pair.model_copy(update={"verdict": verdict, "words": part.text if part else sync.reason}))
    else:
        words = f"{paid.id} is {sync.state.value} and has no cobro"
        read.pairs.append(pair.model_copy(update={"verdict": "no_receipt", "words": words}))


def _receipt_of(office: Office, receipt_id: str | None, cobros: dict[int, Record]) -> Record | None:
    """In the file, or wherever people have moved it."""
    if receipt_id is None or not receipt_id.isdigit():
        return None
    return cobros.get(int(receipt_id)) or office.lookups.cobro_by_id(int(receipt_id))


def _part(office: Office, known: SyncedPayment, paid: Payment) -> Happening | None:
    """Row 31: less is open than was captured."""
    step = ProbeStep(
        agency=office.agency,
        booking_id=known.booking_id,
        experience_id=known.experience_id,
        payment_id=paid.id,
        amount=paid.amount,
        method=paid.method,
    )
    try:
        evidence = probe_payment(office, step)
    except NotYet:
        return None
    if evidence.verdict is not Verdict.PARTIAL:
        return None
    return Happening(kind=Kind.SPLIT_DETECTED, text=evidence.words, evidence=evidence)


def _forget(office: Office, known: SyncedPayment, record: EffectRecord | None) -> None:
    """Our ledger must not answer for what is gone: the cobro and its links may be made again, once a person says so."""
    if record is None:
        return
    links = [
        each.key
        for each in office.records(known.booking_id)
        if each.key.entity == LINK and each.key.business_id == record.key.business_id
    ]
    office.store.effects.gone(record.key, *links)


def _strangers(
    office: Office,
    step: ReconcileStep,
    bookings: list[Booking],
    ledger: dict[str, EffectRecord],
    cobros: dict[int, Record],
) -> Iterator[Pair]:
    """Receipts of a gateway's method that no payment explains, and receipts that stand twice."""
    ours = {record.outside_id: key for key, record in ledger.items() if record.outside_id}
    references = {
        paid.processor.payment_ref
        for booking in bookings
        for paid in office.store.facts.payments_of(office.agency, booking.id)
    }
    methods = {own for name, own in office.settings.payment_methods.items() if name not in BY_HAND}
    field_key = office.settings.custom_fields.cobro
    marks = {record.key.reference: record for record in ledger.values()}
    for own, record in cobros.items():
        on, amount = day_of(record["FechaCobro"]), money_of(record["Importe"])
        if str(own) in ours or not step.first <= on <= step.last:
            continue
        twin = next((made for mark, made in marks.items() if carries(record, field_key, mark)), None)
        if twin is not None and twin.outside_id:
            words = f"cobro {own} carries the reference of cobro {twin.outside_id} ({twin.key.business_id})"
            yield _alone("twice", on, own, record, words, twin.key)
        elif record.get("IdFormaPago") in methods and (record["Documento"] or "") not in references:
            words = f"cobro {own} of {amount} by the gateway's method has no payment of ours"
            yield _alone("no_payment", on, own, record, words)


def _alone(verdict: str, on: date, own: int, record: Record, words: str, key: EffectKey | None = None) -> Pair:
    return Pair.model_validate(
        {
            "verdict": verdict,
            "day": on,
            "payment_id": key.business_id if key else "",
            "receipt_id": str(own),
            "received": money_of(record["Importe"]),
            "words": words,
        }
    )


def _tell(known: SyncedPayment, happening: Happening) -> TellPayment:
    return TellPayment(agency=known.agency, payment_id=known.sync.payment_id, happening=happening)
