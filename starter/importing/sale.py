"""One row as a sale: its people, its lines and the totals that always add up (contracts: platform-events 5.3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from domain.money import Money
from starter.importing.expressions import Row, Unusable
from starter.importing.identity import Identity
from starter.importing.mapping import (
    AddressMapping,
    ExtraMapping,
    Mapping,
    ServiceMapping,
    TaxIdMapping,
    TravellerMapping,
)

Data = dict[str, Any]
MOST_PEOPLE = 200
MOST_UNITS = 10_000
EXTRA_SERVICE = "svc_extra"
"""The service of lines that an amendment adds."""


def money(amount: Money) -> Data:
    """As the wire writes it."""
    return {"amount": amount.amount, "currency": amount.currency}


def effect(before: Money, after: Money) -> Data:
    """A price effect, signed."""
    return {"before": money(before), "after": money(after), "delta": money(after - before)}


@dataclass(slots=True)
class Sale:
    """The snapshot of one booking; amounts in minor units of the mapping's currency."""

    mapping: Mapping
    row: Row
    identity: Identity
    experience_id: str
    booked: date
    payer: Data = field(init=False)
    travellers: list[Data] = field(init=False)
    lines: list[Data] = field(init=False)
    status: str = "confirmed"
    penalty: int = 0
    captured: int = 0
    refunded: int = 0

    def __post_init__(self) -> None:
        self.payer, self.travellers = self._payer(), self._people()
        self.lines = [self._sold(number, service) for number, service in enumerate(self.mapping.services, start=1)]
        self.lines = [line for line in self.lines if line["quantity"] > 0]
        if self.totals()["gross"].amount <= 0:
            raise Unusable("nothing is sold: the price is not positive")

    def of(self, amount: int) -> Money:
        return Money(amount=amount, currency=self.mapping.currency)

    def totals(self) -> dict[str, Money]:
        gross = sum(line["total"]["amount"] for line in self.lines if line["status"] == "active")
        cost = sum(line["cost"]["total"]["amount"] for line in self.lines)
        sale = gross + self.penalty
        amounts = {
            "gross": gross,
            "discount": 0,
            "penalty": self.penalty,
            "total": sale,
            "cost": cost,
            "margin": sale - cost,
            "captured": self.captured,
            "refunded": self.refunded,
            "disputed": 0,
            "due": sale - self.captured + self.refunded,
        }
        return {name: self.of(amount) for name, amount in amounts.items()}

    def snapshot(self, on: date) -> Data:
        """The booking as it stands on a day."""
        created = f"{self.booked.isoformat()}T10:00:00Z"
        return {
            "id": self.identity.booking_id,
            "locator": self.identity.locator,
            "experience_id": self.experience_id,
            "status": self.status,
            "payer": self.payer,
            "booker": self.payer,
            "travellers": self.travellers,
            "lines": [dict(line) for line in self.lines],
            "discounts": [],
            "totals": {name: money(amount) for name, amount in self.totals().items()},
            "external_orders": [],
            "created_at": created,
            "confirmed_at": created,
            "cancelled_at": f"{on.isoformat()}T12:00:00Z" if self.status == "cancelled" else None,
        }

    def add_extra(self, extra: ExtraMapping) -> Data:
        """One more line, of the first line's supplier."""
        unit = Money.of_decimal(self.row.number(extra.unit_price), self.mapping.currency)
        cost = unit.percent(str(extra.cost_percent))
        supplier = self.lines[0]["cost"]["supplier_id"]
        number = max(int(line["id"].removeprefix("lin_")) for line in self.lines) + 1
        line = self._line(number, EXTRA_SERVICE, self.row.fill(extra.description), 1, unit, cost, supplier, None)
        self.lines.append(line)
        return line

    def move_room(self, room: str) -> Data:
        """The first traveller gets another room; the change, as the wire writes it."""
        old = self.travellers[0]["room_ref"]
        self.travellers = [{**self.travellers[0], "room_ref": room}, *self.travellers[1:]]
        return {"path": "/travellers/0/room_ref", "from": old, "to": room}

    def cancel(self, penalty: Money, supplier_percent: float) -> None:
        """Everything is cancelled: lines count nothing, their cost becomes what the supplier charges."""
        self.penalty, self.status = penalty.amount, "cancelled"
        for line in self.lines:
            charged = Money.model_validate(line["cost"]["total"]).percent(str(supplier_percent))
            line["status"] = "cancelled"
            line["cost"] = {**line["cost"], "total": money(charged)}

    def _sold(self, number: int, service: ServiceMapping) -> Data:
        unit = Money.of_decimal(self.row.number(service.unit_price), self.mapping.currency)
        return self._line(
            number,
            f"svc_{service.code}",
            self.row.fill(service.description),
            self.row.whole(service.quantity),
            unit,
            unit.percent(str(service.cost_percent)),
            f"sup_{service.supplier}",
            self.row.fill(service.supplier_ref) if service.supplier_ref else None,
        )

    def _line(
        self,
        number: int,
        service: str,
        text: str,
        quantity: int,
        unit: Money,
        cost: Money,
        supplier: str,
        ref: str | None,
    ) -> Data:
        if unit.amount < 0 or not 0 <= quantity <= MOST_UNITS:
            raise Unusable(f"{text}: quantity or price cannot be")
        return {
            "id": f"lin_{number:02d}",
            "status": "active",
            "service_id": service,
            "description": text,
            "quantity": quantity,
            "unit_price": money(unit),
            "total": money(unit * quantity),
            "traveller_ids": [traveller["id"] for traveller in self.travellers],
            "cost": {
                "supplier_id": supplier,
                "supplier_ref": ref,
                "status": "estimated",
                "unit": money(cost),
                "total": money(cost * quantity),
            },
        }

    def _people(self) -> list[Data]:
        people: list[Data] = []
        for rule in self.mapping.travellers:
            count = self.row.whole(rule.count)
            if not 0 <= count <= MOST_PEOPLE:
                raise Unusable(f"{count} travellers of kind {rule.kind} cannot be")
            people += [self._person(rule, number) for number in range(len(people) + 1, len(people) + 1 + count)]
        if not people:
            raise Unusable("no travellers")
        return people

    def _person(self, rule: TravellerMapping, number: int) -> Data:
        return {
            "id": f"trv_{number:02d}{self.identity.token}",
            "first_name": self.row.fill(rule.first_name.replace("{n}", str(number))),
            "last_name": self.row.fill(rule.last_name.replace("{n}", str(number))),
            "kind": rule.kind,
            "status": "active",
            "is_payer": False,
            "room_ref": "R1",
            "corporate": None,
        }

    def _payer(self) -> Data:
        rule = next((rule for rule in self.mapping.payers if self.row.matches(rule.when)), None)
        if rule is None:
            raise Unusable("no rule of the mapping names the payer")
        return {
            "id": f"cus_{self.identity.shared('payer', self.row.fill(rule.key))}",
            "kind": rule.kind,
            "name": self.row.fill(rule.name),
            "tax_id": self._filled(rule.tax_id),
            "address": self._filled(rule.address),
            "fiscal_complete": rule.tax_id is not None and rule.address is not None,
        }

    def _filled(self, rule: TaxIdMapping | AddressMapping | None) -> Data | None:
        return {name: self.row.fill(template) for name, template in rule.model_dump().items()} if rule else None
