"""What needs a person today: by deadline, with the money at stake (contracts: money-rules P10; docs/console.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from fastapi import APIRouter, Request, Response

from domain.money import Money
from starter.console.areas import Area, Link
from starter.console.languages import N_
from starter.console.reasons import KINDS, Kind, kind_of
from starter.console.rendering import page
from starter.console.visiting import ChosenAgencies, Here, Viewer
from store.attention import Waiting

router = APIRouter()
AREA = Area("today", router, (Link("/", N_("Hoy"), "work", 0),))

NEAREST = 15
DECIDED = 8
SOON = timedelta(hours=24)


@dataclass(slots=True)
class Heap:
    """What waits of one kind."""

    kind: Kind
    number: int = 0
    late: int = 0
    money: dict[str, Money] = field(default_factory=dict)

    def add(self, waiting: Waiting) -> None:
        self.number += waiting.number
        self.late += waiting.late
        if waiting.amount is not None:
            add_money(self.money, [waiting.amount])


def add_money(sums: dict[str, Money], amounts: Iterable[Money]) -> None:
    """Add to sums by currency; currencies are never mixed."""
    for amount in amounts:
        before = sums.get(amount.currency)
        sums[amount.currency] = amount if before is None else before + amount


@router.get("/")
def today(request: Request, here: Here, visitor: Viewer, agencies: ChosenAgencies) -> Response:
    now = here.now()
    waiting = here.store.attention.items(agencies, now)
    heaps = {kind.code: Heap(kind) for kind in KINDS}
    for each in waiting:
        heaps[kind_of(each.reason).code].add(each)
    stake: dict[str, Money] = {}
    add_money(stake, (each.amount for each in waiting if each.amount is not None))
    nearest = here.store.parked.list(agencies=agencies, limit=NEAREST)
    return page(
        request,
        "today/index.html",
        nearest=nearest,
        soon=sum(1 for item in nearest if now <= item.deadline < now + SOON),
        number=sum(each.number for each in waiting),
        late=sum(each.late for each in waiting),
        stake=list(stake.values()),
        heaps=[heap for heap in heaps.values() if heap.number],
        at_stake=_at_stake(heap for heap in heaps.values() if heap.number),
        decided=here.store.parked.last_closed(agencies, DECIDED),
        unsynchronised=here.store.attention.unsynchronised(agencies),
        undispatched=here.store.attention.undispatched(agencies),
    )


def _at_stake(heaps: Iterable[Heap]) -> dict[str, list[tuple[str, Money]]]:
    """Currency → kind and money of what waits, for the chart."""
    found: dict[str, list[tuple[str, Money]]] = {}
    for heap in heaps:
        for currency, amount in heap.money.items():
            found.setdefault(currency, []).append((heap.kind.title, amount))
    return found
