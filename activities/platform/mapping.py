"""Answers of the platform as events of the inbox, and what may be charged of an instalment (contracts: platform-events 3, 5;
money-rules 4.6 F-P13 to F-P15).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import ValidationError

from activities.platform.settings import PlatformAccount
from domain.errors import ContractBroken
from domain.money import Money, total
from domain.owing import CLOSED_STAGES
from domain.platform import (
    Booking,
    Chargeback,
    CloudEvent,
    Instalment,
    Payment,
    PaymentPlan,
    Refund,
)
from domain.steps import ChargeResult
from store.inbox import AcceptedEvent
from store.intake import examine, first_fault


def event_of(
    account: PlatformAccount, agency: str, document: Mapping[str, Any], received_at: datetime
) -> AcceptedEvent:
    """A whole event, as the platform would have delivered it: the same bytes, so that a later delivery is a duplicate.

    Unusable `data` comes back as a problem, to be parked; a broken envelope raises `ContractBroken`.
    """
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        envelope = CloudEvent.model_validate(document)
    except ValidationError as error:
        raise ContractBroken(f"event: {first_fault(error)}", system="platform", operation="read events") from None
    if envelope.source != account.settings.source:
        raise ContractBroken("an event of another source", system="platform", operation="read events")
    return examine(account.settings, account.environment, agency, envelope, body, received_at)


def told_by_snapshot(
    account: PlatformAccount,
    entity: Literal["experience", "booking"],
    snapshot: Mapping[str, Any],
    known_total: Money | None = None,
) -> dict[str, Any]:
    """The event that would have told this snapshot, for platforms whose log has lost it.

    Its id follows from the aggregate and its revision, so that reading twice tells once. `known_total` is the total of
    the revision we knew before; with it the event is a modification. It has no place in the platform's sequence.
    """
    content = {name: value for name, value in snapshot.items() if name != "revision"}
    revision = snapshot.get("revision")
    identity = f"{account.settings.source}\x1f{entity}\x1f{content.get('id')}\x1f{revision}"
    extra: dict[str, Any] = {}
    if known_total is not None:
        now = Money.model_validate(content["totals"]["total"])
        prices = {"before": known_total, "after": now, "delta": now - known_total}
        extra = {"changes": [], "price_effect": {name: price.model_dump() for name, price in prices.items()}}
    verb = "created" if known_total is None else "modified"
    moments = [content[name] for name in ("created_at", "confirmed_at", "cancelled_at") if content.get(name)]
    return {
        "specversion": "1.0",
        "id": f"evt_read{hashlib.sha256(identity.encode()).hexdigest()[:32]}",
        "source": account.settings.source,
        "type": f"{account.settings.event_prefix}.{entity}.{verb}.v1",
        "subject": f"{entity}/{content.get('id')}",
        "time": max(moments, default=datetime(1970, 1, 1, tzinfo=UTC).isoformat()),
        "datacontenttype": "application/json",
        "partitionkey": str(content.get("id")),
        "sequence": "0" * 20,
        "data": {
            **_circumstances(account, entity, content.get("id"), revision),
            entity: content,
            **extra,
        },
    }


def told_by_listing(account: PlatformAccount, listed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The events that would have told a listed payment: captured, given back, disputed. What failed told nothing that lasts."""
    payment = {name: value for name, value in listed.items() if name not in ("refunds", "chargebacks", "updated_at")}
    refunds = [refund for refund in listed.get("refunds", ()) if refund.get("status") != "failed"]
    given_back = total((Money.model_validate(refund["amount"]) for refund in refunds), payment["amount"]["currency"])
    reference = {"id": payment["id"], "amount": payment["amount"], "refunded_total": given_back.model_dump()}
    told = [_told_fact(account, "captured", payment, payment["id"], payment["captured_at"], payment=payment)]
    for refund in refunds:
        moment = refund.get("settled_at") or refund["requested_at"]
        told.append(
            _told_fact(account, "refunded", payment, refund["id"], moment, refund=refund, payment_ref=reference)
        )
    for chargeback in listed.get("chargebacks", ()):
        # What was lost had been withdrawn before; the list only has the last stage.
        withdrawn = ("funds_withdrawn",) if chargeback["stage"] in ("lost", "accepted") else ()
        for stage in (*withdrawn, chargeback["stage"]):
            fact = {**chargeback, "stage": stage}
            identity, moment = f"{chargeback['id']}:{stage}", chargeback["opened_at"]
            told.append(
                _told_fact(account, "chargeback", payment, identity, moment, chargeback=fact, payment_ref=reference)
            )
    return told


def _told_fact(
    account: PlatformAccount, verb: str, about: Mapping[str, Any], identity: str, moment: str, **content: Any
) -> dict[str, Any]:
    """An event about one payment; its id follows from the fact's, so that reading twice tells once."""
    digest = hashlib.sha256(f"{account.settings.source}\x1f{verb}\x1f{identity}".encode()).hexdigest()
    return {
        "specversion": "1.0",
        "id": f"evt_read{digest[:32]}",
        "source": account.settings.source,
        "type": f"{account.settings.event_prefix}.payment.{verb}.v1",
        "subject": f"payment/{about['id']}",
        "time": moment,
        "datacontenttype": "application/json",
        "partitionkey": str(about["booking_id"]),
        "sequence": "0" * 20,
        "data": {**_circumstances(account, "payment", about["id"], 1), **content},
    }


def _circumstances(account: PlatformAccount, entity: str, entity_id: Any, revision: Any) -> dict[str, Any]:
    """What the data of every event that we tell ourselves begins with."""
    return {
        "schema_version": 1,
        "environment": account.environment,
        "planner_id": account.settings.source.rstrip("/").rsplit("/", 1)[-1],
        "aggregate": {"type": entity, "id": entity_id, "revision": revision},
        "actor": {"type": "platform"},
        "reason": {"code": "read_back"},
    }


def still_due(
    booking: Booking, payments: Iterable[Payment], refunds: Iterable[Refund], chargebacks: Iterable[Chargeback]
) -> Money:
    """What the payer owes, by the more cautious of two counts: the snapshot's own, and the money facts that arrived.

    A fact may be ahead of the snapshot, or the snapshot ahead of the facts; to charge too little is mended, too much
    is not.
    """
    currency = booking.currency
    captured = total((payment.amount for payment in payments), currency)
    refunded = total((refund.amount for refund in refunds), currency)
    withdrawn: dict[str, Money] = {}
    for chargeback in chargebacks:
        if chargeback.stage == "funds_withdrawn":
            withdrawn.setdefault(chargeback.id, chargeback.amount)
    for chargeback in chargebacks:
        if chargeback.stage == "won":
            withdrawn.pop(chargeback.id, None)
    by_facts = booking.totals.total - captured + refunded + total(withdrawn.values(), currency)
    return min(by_facts, booking.totals.due)


def is_disputed(chargebacks: Iterable[Chargeback]) -> bool:
    """Whether a bank still decides on money of the booking; `chargebacks` come in the order of their stages.

    About a debit that came back nobody decides any more: its code does (1.7.5).
    """
    newest = {each.id: each.stage for each in chargebacks if not each.kind.startswith("sepa_")}
    return any(stage not in CLOSED_STAGES for stage in newest.values())


def what_to_charge(
    plan: PaymentPlan,
    plan_id: str,
    instalment_id: str,
    booking: Booking,
    paid: Mapping[str, str],
    due: Money,
    *,
    wanted: Mapping[str, Money] | None = None,
    disputed: bool = False,
    returned: frozenset[str] = frozenset(),
) -> tuple[Instalment, Money] | ChargeResult:
    """The instalment and the amount to charge now, or why nothing is charged.

    `paid` are the payment ids of captured payments by instalment, `wanted` what each instalment is still short of. The
    amount is never more than what is due. Nothing is charged while a payment of the booking is disputed (F-P10). `returned`
    are payments that the bank took back.
    """
    if booking.status == "cancelled":
        return ChargeResult(status="frozen", message="the booking is cancelled")
    if disputed:
        return ChargeResult(status="frozen", message="a payment of the booking is disputed")
    instalment = next((one for one in plan.installments if one.id == instalment_id), None)
    if plan.id != plan_id or instalment is None:
        return ChargeResult(status="frozen", message="the plan was replaced")
    short = instalment.amount if wanted is None else wanted.get(instalment_id, Money.zero(plan.currency))
    is_paid = instalment.status == "paid" and instalment.payment_id not in returned
    if is_paid or (instalment_id in paid and (wanted is None or not short)):
        return ChargeResult(status="already_paid", payment_id=paid.get(instalment_id) or instalment.payment_id)
    if instalment.status in ("cancelled", "waived"):
        return ChargeResult(status="frozen", message=f"the instalment is {instalment.status}")
    amount = min(short, due)
    if amount.amount <= 0:
        return ChargeResult(status="already_paid", message="nothing is due any more")
    if plan.collection == "on_notice":
        return ChargeResult(status="link_sent", message="the platform asks the payer")
    return instalment, amount
